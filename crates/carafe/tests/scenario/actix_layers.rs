//! Several layers on actix-web, and their effects on the headers of a response.

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, FromRequest as _, HttpResponse, web};
use carafe::csrf::Csrf;
use carafe::store::MemoryStore;
use carafe::{CurrentUser, Error, ErrorKind, LazySession, Named, Session, SessionLayer};

use crate::log::Log;
use crate::shop;
use crate::slow::Slow;

struct Site;
struct Admin;

fn named(name: &str) -> SessionLayer {
    let layer = SessionLayer::flask(shop::key());
    layer.configure(|config| config.cookie_name(name).salt(name)).unwrap()
}

/// Returns the cookies and the body of the response.
async fn answer<S, B>(app: &S, path: &str, cookies: &[String]) -> (Vec<String>, String)
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let request = TestRequest::with_uri(path).insert_header(("cookie", cookies.join("; ")));
    let answer = app.call(request.to_request()).await.unwrap();
    let cookies = answer.headers().get_all("set-cookie");
    let cookies = cookies.map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned());
    let cookies = cookies.collect();
    let body = to_bytes(answer.into_body()).await.unwrap_or_else(|_| panic!("no body"));
    (cookies, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn two_layers_stand_side_by_side() {
    async fn write(
        inner: Session,
        site: Named<Site>,
        admin: Named<Admin>,
        lazy: LazySession,
        csrf: Csrf,
    ) -> Result<String, Error> {
        // `Session` is that of the innermost layer.
        inner.login("inner")?;
        assert_eq!(admin.session().user().as_deref(), Some("inner"));
        assert_eq!(lazy.open().await?.user().as_deref(), Some("inner"));
        site.session().login("site")?;
        csrf.token()
    }
    async fn read(
        site: Named<Site>,
        admin: Named<Admin>,
        user: CurrentUser,
        _: Csrf,
    ) -> Result<String, Error> {
        let sessions = [site.into_session(), admin.into_session()];
        let [site, admin] = sessions.map(|session| session.user().unwrap_or_default());
        Ok([site, admin, user.into_id()].join(","))
    }
    let outer = || named("site").named::<Site>();
    for outer in [outer(), outer().in_store(MemoryStore::new()), outer().in_store(Slow::default())]
    {
        let app = App::new()
            .route("/write", web::get().to(write))
            .route("/read", web::get().to(read))
            .wrap(named("admin").named::<Admin>())
            .wrap(shop::csrf())
            .wrap(outer);
        let app = init_service(app).await;
        let (cookies, token) = answer(&app, "/write", &[]).await;
        let names: Vec<_> =
            cookies.iter().map(|cookie| cookie.split('=').next().unwrap()).collect();
        assert_eq!(names, ["admin", "site"]);
        assert!(!token.is_empty());
        assert_eq!(answer(&app, "/read", &cookies).await.1, "site,inner,inner");
    }
}

#[tokio::test]
async fn the_layers_the_wrong_way_round_are_an_error_that_says_so() {
    let log = Log::capture();
    let app = App::new().route("/", web::get().to(async || "")).wrap(named("session"));
    let (_, text) = answer(&init_service(app.wrap(shop::csrf())).await, "/", &[]).await;
    assert_eq!(text, "Internal Server Error");
    assert!(log.line().contains("the order is wrong"), "{}", log.line());
}

#[tokio::test]
async fn what_a_handler_says_of_caches_is_replaced_where_a_cookie_is_set() {
    async fn handler(session: Option<Session>) -> Result<HttpResponse, Error> {
        if let Some(session) = session {
            session.insert("key", 1)?;
        }
        Ok(HttpResponse::Ok()
            .append_header(("cache-control", "public"))
            .append_header(("cache-control", "max-age=60"))
            .append_header(("vary", "Accept, cookie"))
            .append_header(("vary", "Origin"))
            .append_header(("set-cookie", "theme=dark"))
            .finish())
    }
    for layer in [SessionLayer::signed, |key| SessionLayer::stored(Slow::default(), key)] {
        let layer = layer(carafe::KeyRing::new(carafe::SecretKey::random().unwrap())).unwrap();
        let app = App::new()
            .service(web::resource("/session").get(handler))
            .service(web::resource("/none").get(async || handler(None).await))
            .wrap(layer);
        let app = init_service(app).await;
        for (path, cache, cookies) in
            [("/session", &["no-store"][..], 2), ("/none", &["public", "max-age=60"], 1)]
        {
            let answer = app.call(TestRequest::with_uri(path).to_request()).await.unwrap();
            let all = |name| -> Vec<_> {
                answer.headers().get_all(name).map(|line| line.to_str().unwrap()).collect()
            };
            assert_eq!(all("cache-control"), cache);
            assert_eq!(all("vary"), ["Accept, cookie", "Origin"]);
            assert_eq!(all("set-cookie").len(), cookies);
        }
    }
}

#[tokio::test]
async fn a_session_is_not_opened_after_the_response_or_without_a_layer() {
    async fn late(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
        let answer = next.call(request).await?;
        let opened = Session::extract(answer.request()).await;
        let kind = opened.map(|_| ()).unwrap_err().kind();
        let lazy = LazySession::extract(answer.request()).await.is_ok();
        let expected = if lazy { ErrorKind::Closed } else { ErrorKind::NoLayer };
        assert_eq!(kind, expected);
        Ok(answer)
    }
    let handler = web::get().to(async || "static");
    let app = App::new().route("/", handler).wrap(named("session")).wrap(from_fn(late));
    answer(&init_service(app).await, "/", &[]).await;
    let app = App::new().route("/", web::get().to(async || "static")).wrap(from_fn(late));
    answer(&init_service(app).await, "/", &[]).await;
}
