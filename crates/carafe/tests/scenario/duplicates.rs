//! Several cookies of one name, as browsers send them for different paths or domains.

use actix_web::{App, web};
use axum::Router;
use axum::routing::get;
use carafe::http::Request;
use carafe::store::MemoryStore;
use carafe::{Clock, Error, SecretKey, Session, SessionLayer};

use crate::browser::Server;
use crate::on_actix::OnActix;
use crate::on_axum::OnAxum;
use crate::slow::Slow;

const NOW: u64 = 1_700_000_000;

fn key() -> SecretKey {
    SecretKey::new("a key for these tests, of 40 characters.").unwrap()
}

/// Sessions of every kind outside of Flask's profile.
fn hardened(clock: &Clock) -> Vec<SessionLayer> {
    let signed = || SessionLayer::signed(key()).unwrap();
    let layers = [
        signed(),
        signed().with_revocations(MemoryStore::new()),
        signed().with_revocations(Slow::default()),
        SessionLayer::sealed(key()).unwrap(),
        SessionLayer::stored(MemoryStore::new(), key()).unwrap(),
        SessionLayer::stored(Slow::default(), key()).unwrap(),
    ];
    layers.into_iter().map(|layer| layer.with_clock(clock.clone())).collect()
}

async fn act(session: Session, action: &str) -> Result<String, Error> {
    match action {
        "/ann" | "/bob" => session.login(&action[1..])?,
        "/logout" => session.logout()?,
        _ => {}
    }
    Ok(session.user().unwrap_or_default())
}

fn on_axum(layer: SessionLayer) -> OnAxum {
    let handler = async |session: Session, uri: axum::http::Uri| act(session, uri.path()).await;
    OnAxum(Router::new().route("/{action}", get(handler)).layer(layer))
}

async fn on_actix(layer: SessionLayer) -> impl Server {
    let handler = async |session: Session, request: actix_web::HttpRequest| {
        act(session, request.path()).await
    };
    let app = App::new().route("/{action}", web::get().to(handler)).wrap(layer);
    OnActix(actix_web::test::init_service(app).await)
}

/// Sends cookies in this order, in one line or in several. Returns the text and the new cookie.
async fn send(server: &impl Server, path: &str, cookies: &[&str], lines: bool) -> (String, String) {
    let mut request = Request::get(path);
    if lines {
        for cookie in cookies {
            request = request.header("cookie", *cookie);
        }
    } else {
        request = request.header("cookie", cookies.join("; "));
    }
    let answer = server.answer(request.body(String::new()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    let set = answer.headers().get("set-cookie").map(|line| line.to_str().unwrap());
    let set = set.and_then(|line| line.split(';').next()).unwrap_or_default().to_owned();
    (answer.into_body(), set)
}

/// A cookie that opens no session hides no valid one.
async fn the_first_that_counts(server: &impl Server, is_revocable: bool) {
    let (_, ann) = send(server, "/ann", &[], false).await;
    let (_, bob) = send(server, "/bob", &[], false).await;
    let (name, _) = ann.split_once('=').unwrap();
    let (junk, empty) = (format!("{name}=eyJhIjoxfQ.forged"), format!("{name}="));
    let mut dead = vec![junk.as_str(), empty.as_str()];
    let (_, ended) = send(server, "/ann", &[], false).await;
    if is_revocable {
        send(server, "/logout", &[&ended], false).await;
        dead.push(&ended);
    }
    for lines in [false, true] {
        for dead in &dead {
            for cookies in [&[*dead, &ann][..], &[&ann, dead], &[dead, dead, &ann, &bob]] {
                let answer = send(server, "/who", cookies, lines).await;
                assert_eq!(answer, ("ann".to_owned(), String::new()), "{cookies:?}");
            }
            // A login has its effect although the dead cookie goes on to be sent.
            let (_, new) = send(server, "/bob", &[dead], lines).await;
            assert_eq!(send(server, "/who", &[dead, &new], lines).await.0, "bob");
        }
        assert_eq!(send(server, "/who", &[&bob, &ann], lines).await.0, "bob", "the first of two");
        assert_eq!(send(server, "/who", &dead, lines).await.0, "");
    }
}

#[tokio::test]
async fn of_several_cookies_the_first_that_opens_a_session_counts() {
    for (at, layer) in hardened(&Clock::fixed(NOW)).into_iter().enumerate() {
        let is_revocable = ![0, 3].contains(&at);
        the_first_that_counts(&on_axum(layer.clone()), is_revocable).await;
        the_first_that_counts(&on_actix(layer).await, is_revocable).await;
    }
}

#[tokio::test]
async fn in_flasks_profile_the_first_cookie_counts() {
    let layer = || SessionLayer::flask(key()).with_clock(Clock::fixed(NOW));
    for layer in [
        layer(),
        layer().with_revocations(MemoryStore::new()),
        layer().in_store(MemoryStore::new()),
    ] {
        let site = on_axum(layer);
        let (_, ann) = send(&site, "/ann", &[], false).await;
        assert_eq!(send(&site, "/who", &[&ann, "session=forged"], false).await.0, "ann");
        assert_eq!(send(&site, "/who", &["session=forged", &ann], false).await.0, "");
        assert_eq!(send(&site, "/who", &["session=", &ann], true).await.0, "");
    }
}

/// The work of a request is bounded.
#[tokio::test]
async fn a_thousand_cookies_cost_sixteen() {
    let site = on_axum(SessionLayer::stored(MemoryStore::new(), key()).unwrap());
    let (_, ann) = send(&site, "/ann", &[], false).await;
    let (name, _) = ann.split_once('=').unwrap();
    let junk = format!("{name}=forged");
    for (others, user) in [(15, "ann"), (16, ""), (1_000, "")] {
        let mut cookies = vec![junk.as_str(); others];
        cookies.push(&ann);
        assert_eq!(send(&site, "/who", &cookies, false).await.0, user);
    }
}
