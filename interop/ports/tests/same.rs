//! Each application answers alike before and after it was ported.

use std::collections::BTreeMap;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use actix_web::{App, Error};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use tower::ServiceExt as _;

#[path = "../poll/after.rs"]
mod poll_after;
#[path = "../poll/before.rs"]
mod poll_before;
#[path = "../reading-list/after.rs"]
#[expect(dead_code, reason = "its main isn't run here")]
mod reading_list_after;
#[path = "../reading-list/before.rs"]
#[expect(dead_code, reason = "its main isn't run here")]
mod reading_list_before;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A path to look at, or one to send a form to.
type Step = (&'static str, Option<&'static str>);

/// What a browser keeps.
#[derive(Default)]
struct Jar(BTreeMap<String, String>);

impl Jar {
    fn line(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, set_cookie: &str) {
        let (name, rest) = set_cookie.split_once('=').unwrap();
        let (value, attributes) = rest.split_once(';').unwrap();
        assert_eq!(name, "__Host-session");
        if value.is_empty() {
            self.0.remove(name);
            return;
        }
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(attribute), "no {attribute} in {attributes}");
        }
        let outlives_the_browser = ["Max-Age=", "Expires="].iter().any(|a| attributes.contains(a));
        assert!(outlives_the_browser, "{attributes}");
        self.0.insert(name.to_owned(), value.to_owned());
    }
}

/// What a visitor sees at each step: the status, where it leads, and the page.
async fn visit_axum(app: Router, steps: &[Step]) -> Vec<(u16, String, String)> {
    let (mut jar, mut seen) = (Jar::default(), Vec::new());
    for (path, form) in steps {
        let request = match form {
            Some(form) => Request::post(*path).header(FORM.0, FORM.1).body(Body::from(*form)),
            None => Request::get(*path).body(Body::empty()),
        };
        let mut request = request.unwrap();
        request.headers_mut().insert("cookie", jar.line().parse().unwrap());
        let response = app.clone().oneshot(request).await.unwrap();
        let text = |name| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
        if let Some(cookie) = text("set-cookie") {
            jar.keep(&cookie);
        }
        let (status, location) = (response.status().as_u16(), text("location").unwrap_or_default());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        seen.push((status, location, String::from_utf8(body.to_vec()).unwrap()));
    }
    seen
}

async fn visit_actix<S, B>(app: S, steps: &[Step]) -> Vec<(u16, String, String)>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let (mut jar, mut seen) = (Jar::default(), Vec::new());
    for (path, form) in steps {
        let request = match form {
            Some(form) => {
                TestRequest::post().uri(path).insert_header(FORM).set_payload(form.as_bytes())
            }
            None => TestRequest::get().uri(path),
        };
        let request = request.insert_header(("cookie", jar.line()));
        let response = call_service(&app, request.to_request()).await;
        let text = |name| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
        if let Some(cookie) = text("set-cookie") {
            jar.keep(&cookie);
        }
        let (status, location) = (response.status().as_u16(), text("location").unwrap_or_default());
        let body = read_body(response).await;
        seen.push((status, location, String::from_utf8(body.to_vec()).unwrap()));
    }
    seen
}

#[tokio::test]
async fn the_reading_list_is_the_same() {
    let steps: &[Step] = &[
        ("/", None),
        ("/add", Some("title=Emma&pages=474")),
        ("/", None),
        ("/login", Some("name=ann")),
        ("/", None),
        ("/add", Some("title=Emma&pages=474")),
        ("/", None),
        ("/", None),
        ("/add", Some("title=Persuasion&pages=249")),
        ("/read/Emma", Some("")),
        ("/", None),
        ("/logout", Some("")),
        ("/", None),
        ("/nowhere", None),
    ];
    let before = visit_axum(reading_list_before::app(), steps).await;
    let after = visit_axum(reading_list_after::app().unwrap(), steps).await;
    assert_eq!(before, after);
    assert!(after[6].2.contains("Emma is on your list") && after[6].2.contains("474 pages"));
    assert!(!after[7].2.contains("Emma is on your list"));
}

#[actix_web::test]
async fn the_poll_is_the_same() {
    const SECRET: &[u8] = b"a secret key of the poll, as long as it has to be";
    let steps: &[Step] = &[
        ("/", None),
        ("/vote", Some("name=ann&drink=Tea")),
        ("/", None),
        ("/", None),
        ("/vote", Some("name=ann&drink=Coffee")),
        ("/", None),
        ("/take-back", Some("")),
        ("/vote", Some("name=ann&drink=Coffee")),
        ("/", None),
        ("/vote", Some("name=ann&drink=Milk")),
        ("/forget", Some("")),
        ("/", None),
    ];
    let votes = || Data::new(std::sync::Mutex::new(BTreeMap::<String, u32>::new()));
    let app = App::new().configure(poll_before::routes).app_data(votes());
    let app = init_service(app.wrap(poll_before::sessions(SECRET))).await;
    let before = visit_actix(app, steps).await;
    let app = App::new().configure(poll_after::routes).app_data(votes());
    let app = init_service(app.wrap(poll_after::sessions(SECRET).unwrap())).await;
    let after = visit_actix(app, steps).await;
    assert_eq!(before, after);
    assert!(after[2].2.contains("Thank you, ann.") && after[5].2.contains("That is no vote."));
}
