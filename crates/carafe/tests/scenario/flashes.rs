//! Requests that show their page to no user leave flashed messages for the next page.

use actix_web::{App, web};
use axum::Router;
use axum::routing::any;
use carafe::http::Request;
use carafe::store::MemoryStore;
use carafe::{Error, SecretKey, Session, SessionLayer};

use crate::browser::{Browser, Server};
use crate::on_actix::OnActix;
use crate::on_axum::OnAxum;
use crate::slow::Slow;

/// Every kind of session, and whether a `HEAD` takes messages there.
fn layers() -> [(SessionLayer, bool); 6] {
    let key = || SecretKey::new("a key for these tests, of 40 characters.").unwrap();
    let signed = || SessionLayer::signed(key()).unwrap();
    [
        (SessionLayer::flask(key()), true),
        (signed(), false),
        (signed().with_revocations(Slow::default()), false),
        (SessionLayer::sealed(key()).unwrap(), false),
        (SessionLayer::stored(MemoryStore::new(), key()).unwrap(), false),
        (SessionLayer::stored(Slow::default(), key()).unwrap(), false),
    ]
}

fn flash(session: &Session) -> Result<String, Error> {
    session.insert("visits", 1)?;
    session.flash("saved").map(|()| String::new())
}

/// Asks twice, as a page with two places for messages does.
fn show(session: &Session) -> Result<String, Error> {
    let [first, second] = [session.get_flashed_messages()?, session.get_flashed_messages()?];
    assert!(first == second);
    Ok(first.iter().map(|flash| flash.message.as_str().unwrap_or_default()).collect())
}

fn on_axum(layer: SessionLayer) -> OnAxum {
    let app = Router::new()
        .route("/flash", any(async |session: Session| flash(&session)))
        .route("/quiet", any(async |session: Session| show(&session).map(|_| "")))
        .route("/show", any(async |session: Session| show(&session)));
    OnAxum(app.layer(layer))
}

async fn on_actix(layer: SessionLayer) -> impl Server {
    let app = App::new()
        .route("/flash", web::route().to(async |session: Session| flash(&session)))
        .route("/quiet", web::route().to(async |session: Session| show(&session).map(|_| "")))
        .route("/show", web::route().to(async |session: Session| show(&session)));
    OnActix(actix_web::test::init_service(app.wrap(layer)).await)
}

async fn run<S: Server>(site: &S, head_takes: bool) {
    let mut browser = Browser::new(site);
    browser.get("/flash").await;
    let quiet = [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
    ];
    for header in quiet {
        let request = Request::get("/show").header(header.0, header.1);
        let answer = browser.send(request.body(String::new()).unwrap()).await;
        assert_eq!(answer.text, "saved", "{header:?}");
        assert_eq!(answer.header("set-cookie"), None, "{header:?}");
    }
    // A form is sent once, with any headers, and so is a page that the user asked for.
    assert_eq!(browser.get("/show").await.text, "saved");
    assert_eq!(browser.get("/show").await.text, "");
    browser.get("/flash").await;
    let request = Request::post("/show").header("sec-purpose", "prefetch");
    assert_eq!(browser.send(request.body(String::new()).unwrap()).await.text, "saved");
    assert_eq!(browser.get("/show").await.text, "");

    browser.get("/flash").await;
    let head = Request::head("/quiet").body(String::new()).unwrap();
    assert_eq!(browser.send(head).await.status, 200);
    let left = if head_takes { "" } else { "saved" };
    assert_eq!(browser.get("/show").await.text, left);
}

#[tokio::test]
async fn a_prefetch_and_a_head_leave_the_messages() {
    for (layer, head_takes) in layers() {
        run(&on_axum(layer.clone()), head_takes).await;
        run(&on_actix(layer.clone()).await, head_takes).await;
        let layer = layer.configure(|config| config.head_takes_flashes(!head_takes)).unwrap();
        run(&on_axum(layer.clone()), !head_takes).await;
        run(&on_actix(layer).await, !head_takes).await;
    }
}
