//! The choice among several cookies, and the cookies that are sent.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use carafe::value::Value;
use carafe::{Error, Named, Session};
use tower::ServiceExt as _;

use crate::support::{Client, Log, flask};

async fn dump(session: Session) -> Result<String, Error> {
    Ok(Value::from(session.to_dict()).to_tagged_json()?)
}

async fn set(session: Session) -> Result<(), Error> {
    session.insert("a", 1)
}

fn app() -> Router {
    Router::new().route("/", get(dump)).route("/set", get(set)).layer(flask())
}

/// A cookie's value with the session `{"a":1}`.
async fn good() -> String {
    let mut client = Client::new(app());
    client.get("/set").await;
    client.cookies.remove("session").unwrap()
}

async fn answer(cookie_lines: &[&str]) -> String {
    let mut request = Request::get("/");
    for line in cookie_lines {
        request = request.header("cookie", *line);
    }
    let response = app().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn all_cookie_lines_are_searched_in_order() {
    let (good, log) = (good().await, Log::capture());
    let session = format!("session={good}");
    assert_eq!(answer(&["x=1", &session, "y=2"]).await, r#"{"a":1}"#);
    assert_eq!(answer(&["x=1", "y=2", &format!("z=3; {session}")]).await, r#"{"a":1}"#);
    assert_eq!(answer(&["broken=\"", &session]).await, r#"{"a":1}"#);
    assert_eq!(log.lines(), Vec::<String>::new());
    drop(log);

    // The first of several cookies wins, even if it is invalid, and the log mentions that there are
    // several.
    let log = Log::capture();
    assert_eq!(answer(&[&session, "session=junk"]).await, r#"{"a":1}"#);
    assert!(log.line().contains("session.duplicate_cookie"));
    assert_eq!(answer(&["session=junk", &session]).await, "{}");
    assert!(!log.lines().concat().contains(&good), "no cookie is logged");
}

#[tokio::test]
async fn the_applications_own_cookies_survive() {
    async fn handler(session: Session) -> Result<impl IntoResponse, Error> {
        session.insert("a", 1)?;
        Ok(AppendHeaders([(SET_COOKIE, "theme=dark"), (SET_COOKIE, "lang=de; Path=/")]))
    }
    let app = Router::new().route("/", get(handler)).layer(flask());
    let answer = Client::new(app).get("/").await;
    let names: Vec<_> =
        answer.all("set-cookie").iter().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(names, ["theme", "lang", "session"]);
}

struct Site;
struct Admin;

#[tokio::test]
async fn two_layers_stand_side_by_side() {
    async fn write(inner: Session, site: Named<Site>, admin: Named<Admin>) -> Result<(), Error> {
        // `Session` is that of the innermost layer.
        inner.insert("who", "inner")?;
        assert_eq!(admin.session().get::<String>("who")?.as_deref(), Some("inner"));
        site.session().insert("who", "site")
    }
    async fn read(site: Named<Site>, admin: Named<Admin>) -> Result<String, Error> {
        let dicts = [site.into_session().to_dict(), admin.into_session().to_dict()];
        Ok(Value::from(dicts.to_vec()).to_tagged_json()?)
    }
    async fn only_site(site: Named<Site>) -> Result<(), Error> {
        site.session().insert("who", "visitor")
    }
    let named = |name: &str| flask().configure(|c| c.cookie_name(name).salt(name)).unwrap();
    let app = Router::new()
        .route("/", get(read))
        .route("/write", get(write))
        .route("/site", get(only_site))
        .layer(named("admin").named::<Admin>())
        .layer(named("site").named::<Site>());
    let mut client = Client::new(app);

    let answer = client.get("/write").await;
    assert_eq!(answer.all("set-cookie").len(), 2);
    assert_eq!(answer.vary(), Some("Cookie"));
    assert_eq!(client.cookies.keys().collect::<Vec<_>>(), ["admin", "site"]);
    assert_eq!(client.get("/").await.text, r#"[{"who":"site"},{"who":"inner"}]"#);

    assert!(client.get("/site").await.set_cookie().unwrap().starts_with("site="));
    assert_eq!(client.get("/").await.text, r#"[{"who":"visitor"},{"who":"inner"}]"#);

    // One key signs both, and the salts keep them apart.
    let admin = named("admin").configure(|config| config.salt("another")).unwrap();
    client.app = Router::new()
        .route("/", get(read))
        .layer(admin.named::<Admin>())
        .layer(named("site").named::<Site>());
    assert_eq!(client.get("/").await.text, r#"[{"who":"visitor"},{}]"#);
}

#[tokio::test]
async fn a_part_of_the_routes_can_have_a_session_of_its_own() {
    let admin = flask().configure(|c| c.cookie_name("admin").cookie_path("/admin"));
    let inner = Router::new().route("/", get(set)).route("/read", get(dump)).layer(admin.unwrap());
    let app = Router::new().nest("/admin", inner).route("/", get(dump)).layer(flask());
    let mut client = Client::new(app);
    let answer = client.get("/admin").await;
    assert!(answer.set_cookie().unwrap().starts_with("admin="));
    assert_eq!(answer.attributes(), ["HttpOnly", "Path=/admin"]);
    assert_eq!(client.get("/admin/read").await.text, r#"{"a":1}"#);
    assert_eq!(client.get("/").await.text, "{}");
}
