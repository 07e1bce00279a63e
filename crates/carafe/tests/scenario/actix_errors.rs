//! The session on actix-web when a middleware below the layer returns an error.

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorBadGateway, ErrorUnauthorized};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, web};
use carafe::store::MemoryStore;
use carafe::{Clock, Error, Session, SessionLayer};

use crate::shop;

const NOW: u64 = 1_700_000_000;

/// Fails before the handler, after it, or with an error of the library's.
async fn failing(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match request.path() {
        "/early" => Err(ErrorUnauthorized("who are you?")),
        "/wrong" => {
            let session = request.extract::<Session>().await?;
            session.insert("name", "ann")?;
            session.get::<i64>("name")?;
            next.call(request).await
        }
        "/fine" => next.call(request).await,
        _ => {
            next.call(request).await?;
            Err(ErrorBadGateway("the neighbour is down"))
        }
    }
}

async fn login(session: Session) -> Result<&'static str, Error> {
    session.login("ann")?;
    Ok("")
}

async fn user(session: Session) -> String {
    session.user().unwrap_or_default()
}

/// The client's view of a response: status, `Vary`, the cookie to send next, and the body.
struct Answer(u16, Option<String>, Option<String>, String);

async fn answer<S, B>(app: &S, path: &str, cookie: &str) -> Answer
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    let request = TestRequest::with_uri(path).insert_header(("cookie", cookie)).to_request();
    // As the server does it.
    let response = match app.call(request).await {
        Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let header =
        |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let cookie = header("set-cookie").map(|line| line.split(';').next().unwrap().to_owned());
    let (status, vary) = (response.status().as_u16(), header("vary"));
    let body = to_bytes(response.into_body()).await.unwrap_or_else(|_| panic!("no body"));
    Answer(status, vary, cookie, String::from_utf8(body.to_vec()).unwrap())
}

fn routes(config: &mut web::ServiceConfig) {
    config.route("/login", web::get().to(login)).route("/fine", web::get().to(user));
}

#[tokio::test]
async fn a_session_is_saved_whatever_a_middleware_answers() {
    let layer = || shop::layer(SessionLayer::flask(shop::key())).with_clock(Clock::fixed(NOW));
    for layer in [layer(), layer().in_store(MemoryStore::new())] {
        let app = App::new().configure(routes).wrap(from_fn(failing)).wrap(layer);
        let app = init_service(app).await;
        let Answer(status, vary, cookie, body) = answer(&app, "/login", "").await;
        assert_eq!((status, vary.as_deref()), (502, Some("Cookie")));
        assert_eq!(body, "the neighbour is down");
        let Answer(status, _, _, body) = answer(&app, "/fine", &cookie.unwrap()).await;
        assert_eq!((status, body.as_str()), (200, "ann"));
    }
}

#[tokio::test]
async fn a_permanent_session_is_refreshed_whatever_a_middleware_answers() {
    let layer = SessionLayer::flask(shop::key()).with_clock(Clock::fixed(NOW));
    let permanent = "/permanent";
    let make_permanent = async |session: Session| session.set_permanent(true).map(|()| "");
    let app = App::new().route(permanent, web::get().to(make_permanent));
    let app = init_service(app.wrap(from_fn(failing)).wrap(layer)).await;
    let Answer(_, _, cookie, _) = answer(&app, permanent, "").await;
    let Answer(status, vary, refreshed, body) = answer(&app, "/early", &cookie.unwrap()).await;
    assert_eq!((status, vary.as_deref()), (401, Some("Cookie")));
    assert_eq!((refreshed.is_some(), body.as_str()), (true, "who are you?"));
    let Answer(status, vary, cookie, _) = answer(&app, "/early", "").await;
    assert_eq!((status, vary, cookie), (401, None, None));
}

#[tokio::test]
async fn the_applications_page_stands_for_the_librarys_errors_of_a_middleware() {
    let layer = shop::layer(SessionLayer::flask(shop::key())).with_clock(Clock::fixed(NOW));
    let app = App::new().configure(routes).wrap(from_fn(failing)).wrap(layer);
    let app = init_service(app).await;
    let Answer(status, vary, cookie, body) = answer(&app, "/wrong", "").await;
    assert_eq!((status, body.as_str()), (500, "Type"));
    assert_eq!((vary.as_deref(), cookie.is_some()), (Some("Cookie"), true));
}
