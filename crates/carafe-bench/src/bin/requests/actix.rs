//! The servers on actix-web.

use std::error::Error;

use actix_session::SessionMiddleware;
use actix_session::config::CookieContentSecurity;
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::Key;
use actix_web::web::{get, post};
use actix_web::{App, HttpServer};
use carafe::SessionLayer;
use carafe::config::Compression;
use carafe_bench::KEY;
use carafe_bench::application::{self, end_of_input, threads};

use crate::servers::key;

/// Serves an application. A macro, since the applications' types can't be named.
macro_rules! run {
    ($app:expr) => {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || $app).workers(threads()).bind("127.0.0.1:0")?;
            for address in server.addrs() {
                println!("{address}");
            }
            actix_web::rt::spawn(end_of_input());
            Ok(server.run().await?)
        })
    };
}

/// Serves one of the applications until the input ends.
pub(crate) fn serve(name: &str) -> Result<(), Box<dyn Error>> {
    match name {
        "actix-bare" => run!(
            App::new()
                .route("/session", get().to(async || "admin"))
                .route("/login", post().to(async || "Hello"))
                .route("/visit", post().to(async || "1"))
        ),
        "actix-carafe-signed" => {
            let layer = SessionLayer::signed(key()?)?;
            carafe(layer.configure(|config| config.compression(Compression::Never))?)
        }
        "actix-carafe-sealed" => carafe(SessionLayer::sealed(key()?)?),
        "actix-session-signed" => actix_session(CookieContentSecurity::Signed),
        "actix-session-private" => actix_session(CookieContentSecurity::Private),
        _ => Err(format!("there is no server {name}").into()),
    }
}

fn carafe(layer: SessionLayer) -> Result<(), Box<dyn Error>> {
    run!(
        App::new()
            .route("/session", get().to(application::read))
            .route("/login", post().to(application::login))
            .route("/visit", post().to(application::visit))
            .wrap(layer.clone())
    )
}

fn actix_session(security: CookieContentSecurity) -> Result<(), Box<dyn Error>> {
    let key = Key::from(KEY.repeat(2).as_bytes());
    let middleware = move || {
        SessionMiddleware::builder(CookieSessionStore::default(), key.clone())
            .cookie_content_security(security)
            .build()
    };
    run!(
        App::new()
            .route("/session", get().to(read))
            .route("/login", post().to(login))
            .route("/visit", post().to(visit))
            .wrap(middleware())
    )
}

async fn read(session: actix_session::Session) -> actix_web::Result<String> {
    Ok(session.get::<String>("username")?.unwrap_or_default())
}

async fn login(session: actix_session::Session) -> actix_web::Result<&'static str> {
    session.insert("username", "admin")?;
    Ok("Hello")
}

async fn visit(session: actix_session::Session) -> actix_web::Result<String> {
    let visits = session.get::<u64>("visits")?.unwrap_or(0) + 1;
    session.insert("visits", visits)?;
    Ok(visits.to_string())
}
