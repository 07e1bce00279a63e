//! The site: its routes, and the layers around them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use carafe::config::Caching;
use carafe::csrf::CsrfLayer;
use carafe::store::MemoryStore;
use carafe::{SecretKey, SessionLayer};
use carafe_postgres::PostgresStore;
use carafe_redis::RedisStore;
use carafe_sessions_page::SessionsPage;
use carafe_sqlite::SqliteStore;
use minijinja::Environment;

use crate::accounts::Accounts;
use crate::arguments::Store;
use crate::{failure, pages, signing_in};

/// The longest time since the last password for users who change it, or end their other sessions.
pub(crate) const FRESH: Duration = Duration::from_secs(300);

const TEMPLATES: [(&str, &str); 7] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("index.html", include_str!("templates/index.html")),
    ("login.html", include_str!("templates/login.html")),
    ("confirm.html", include_str!("templates/confirm.html")),
    ("register.html", include_str!("templates/register.html")),
    ("account.html", include_str!("templates/account.html")),
    ("password.html", include_str!("templates/password.html")),
];

/// The policy for the pages: the stylesheet may be loaded, and no scripts.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// The state that all requests share.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) templates: Arc<Environment<'static>>,
    pub(crate) accounts: Accounts,
}

/// The whole site.
pub(crate) fn router(
    accounts: Accounts,
    store: Store,
    csrf: CsrfLayer,
    key: SecretKey,
) -> Result<Router, Box<dyn std::error::Error>> {
    let site = Site { templates: templates()?, accounts };
    let mut routes = Router::new()
        .route("/", get(pages::index))
        .route("/register", get(signing_in::register_form).post(signing_in::register))
        .route("/login", get(signing_in::login_form).post(signing_in::login))
        .route("/confirm", get(signing_in::confirm_form).post(signing_in::confirm))
        .route("/logout", post(signing_in::logout))
        .route("/account", get(pages::account))
        .route("/account/password", get(pages::password_form).post(pages::password))
        .route("/account/logout-everywhere", post(signing_in::logout_everywhere))
        .fallback(async || failure::page(StatusCode::NOT_FOUND));
    let sessions = match store {
        Store::Memory => SessionLayer::stored(MemoryStore::new(), key)?,
        Store::Sqlite(file) => SessionLayer::stored(SqliteStore::open(file)?, key)?,
        Store::Redis(url) => SessionLayer::stored(RedisStore::new(&url)?, key)?,
        Store::Postgres(url) => SessionLayer::stored(PostgresStore::new(&url)?, key)?,
        // Sessions are in the visitors' cookies: the store only keeps the revocations.
        Store::Sealed => SessionLayer::sealed(key)?.with_revocations(MemoryStore::new()),
    };
    // Only a store knows all of a user's sessions.
    if sessions.sessions().is_some() {
        let page = SessionsPage::new().home("/account")?.stylesheet("/style.css")?;
        let page = page.fresh_within(FRESH);
        routes = routes.route_service("/account/sessions", page);
    }
    let sessions = sessions
        // The browser must not keep the page either: the back button shows nothing private after a
        // logout.
        .configure(|config| config.caching(Caching::NoStore))?
        .with_login_page("/login")?
        .with_confirm_page("/confirm")?
        .on_error(failure::of_session);
    Ok(routes
        .with_state(site)
        // From the inside to the outside: the session's layer has to be outside of the CSRF layer.
        .layer(csrf)
        .layer(sessions)
        .route("/style.css", get(style))
        .layer(from_fn(headers)))
}

fn templates() -> Result<Arc<Environment<'static>>, minijinja::Error> {
    let mut templates = Environment::new();
    carafe_minijinja::add_to_environment(&mut templates);
    carafe_minijinja::add_url_for(&mut templates, |endpoint| match endpoint {
        "login" => Some("/login"),
        "register" => Some("/register"),
        _ => None,
    });
    for (name, source) in TEMPLATES {
        templates.add_template(name, source)?;
    }
    templates.add_filter("time", pages::time);
    Ok(Arc::new(templates))
}

async fn style() -> ([(axum::http::HeaderName, &'static str); 2], &'static str) {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("style.css"))
}

/// Keeps pages out of other sites' frames, and those without a session out of caches.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
