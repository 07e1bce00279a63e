//! The page in actix-web.

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, web};
use carafe::csrf::CsrfLayer;
use carafe::store::MemoryStore;
use carafe::{Clock, ErrorKind, Session, SessionLayer};
use carafe_sessions_page::SessionsPage;

use crate::app::{HOME, PAGE, sessions};
use crate::support::NOW;

/// A browser: what it got last, and its cookie.
struct Browser<'a, S> {
    app: &'a S,
    cookie: String,
}

impl<S, B> Browser<'_, S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    /// The status and the body.
    async fn send(&mut self, request: TestRequest) -> (u16, String) {
        let request = request.insert_header(("cookie", self.cookie.as_str()));
        let answer = self.app.call(request.to_request()).await.unwrap();
        for line in answer.headers().get_all("set-cookie") {
            let (pair, _) = line.to_str().unwrap().split_once(';').unwrap();
            self.cookie = pair.to_owned();
        }
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body()).await.unwrap_or_else(|_| panic!("no body"));
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&mut self, path: &str) -> (u16, String) {
        self.send(TestRequest::get().uri(path)).await
    }

    /// Sends the form of the page's button for all sessions.
    async fn end_all(&mut self, token: &str) -> (u16, String) {
        let form = format!("csrf_token={token}&end=all");
        let request = TestRequest::post().uri(PAGE).insert_header(("origin", HOME));
        let form_type = ("content-type", "application/x-www-form-urlencoded");
        self.send(request.insert_header(form_type).set_payload(form)).await
    }
}

fn layer() -> SessionLayer {
    sessions(MemoryStore::new(), &Clock::fixed(NOW)).on_error(|error| {
        assert!(matches!(error.kind(), ErrorKind::LoginRequired | ErrorKind::Csrf), "{error}");
        (error.status(), "the application's page")
    })
}

/// The page is there for users, and ends sessions for its own forms alone.
async fn visit<S, B>(app: &S)
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let browser = || Browser { app, cookie: String::new() };
    let (mut phone, mut laptop) = (browser(), browser());
    assert_eq!(phone.get(PAGE).await, (401, "the application's page".to_owned()));
    for browser in [&mut phone, &mut laptop] {
        assert_eq!(browser.get("/login").await.0, 200);
    }
    let (status, html) = phone.get(PAGE).await;
    assert_eq!((status, html.matches("<li").count()), (200, 2), "{html}");
    let token = html.split("csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(laptop.end_all(token).await, (403, "the application's page".to_owned()));
    assert_eq!(laptop.get("/who").await.1, "ann");
    assert_eq!(phone.end_all(token).await.0, 303);
    for browser in [&mut phone, &mut laptop] {
        assert_eq!(browser.get("/who").await.1, "");
    }
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/login", web::get().to(async |session: Session| session.login("ann").map(|()| "")))
        .route("/who", web::get().to(async |s: Session| s.user().unwrap_or_default()))
        .route(PAGE, web::route().to(SessionsPage::new()));
}

#[tokio::test]
async fn the_page_is_a_handler() {
    visit(&init_service(App::new().configure(routes).wrap(layer())).await).await;
}

#[tokio::test]
async fn so_it_is_below_a_csrf_layer() {
    let csrf = CsrfLayer::new([HOME]).unwrap();
    visit(&init_service(App::new().configure(routes).wrap(csrf).wrap(layer())).await).await;
}
