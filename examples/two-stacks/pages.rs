//! The pages: what `interop/browser/two_stacks.py` has on Flask.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use carafe::Session;
use carafe_minijinja::context;
use minijinja::{Environment, Value};

/// Both halves render the same files.
const TEMPLATES: [(&str, &str); 6] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("index.html", include_str!("templates/index.html")),
    ("login.html", include_str!("templates/login.html")),
    ("flash.html", include_str!("templates/flash.html")),
    ("messages.html", include_str!("templates/messages.html")),
    ("private.html", include_str!("templates/private.html")),
];

/// The state that all requests share.
#[derive(Clone)]
pub(crate) struct Site {
    templates: Arc<Environment<'static>>,
    prefix: Arc<str>,
}

impl Site {
    pub(crate) fn new(prefix: &str) -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        carafe_minijinja::add_to_environment(&mut templates);
        let prefix: Arc<str> = prefix.into();
        let below = Arc::clone(&prefix);
        carafe_minijinja::add_url_for(&mut templates, move |endpoint| {
            // In Flask, a dot stands for the blueprint of the page; here is only one.
            let path = match endpoint.trim_start_matches('.') {
                "index" => "/",
                "login" => "/login",
                "logout" => "/logout",
                _ => return None,
            };
            Some(format!("{below}{path}"))
        });
        for (name, source) in TEMPLATES {
            templates.add_template(name, source)?;
        }
        Ok(Self { templates: Arc::new(templates), prefix })
    }

    pub(crate) fn router(self) -> Router {
        let at = |path: &str| format!("{}{path}", self.prefix);
        Router::new()
            .route(&at("/"), get(index))
            .route(&at("/login"), get(login_form).post(login))
            .route(&at("/logout"), get(logout))
            .route(&at("/flash"), get(flash_form).post(flash))
            .route(&at("/messages"), get(messages))
            .route(&at("/remember"), post(remember))
            .route(&at("/private"), get(private))
            .with_state(self)
    }

    fn render(&self, template: &str, context: Value) -> Result<Html<String>, PageError> {
        Ok(Html(self.templates.get_template(template)?.render(context)?))
    }

    fn to_index(&self) -> Redirect {
        Redirect::to(&format!("{}/", self.prefix))
    }
}

async fn index(site: State<Site>, session: Session) -> Result<Html<String>, PageError> {
    site.render("index.html", context(&session))
}

async fn login_form(site: State<Site>) -> Result<Html<String>, PageError> {
    site.render("login.html", Value::default())
}

#[derive(serde::Deserialize)]
struct Login {
    username: String,
}

async fn login(
    site: State<Site>,
    session: Session,
    Form(form): Form<Login>,
) -> Result<Redirect, PageError> {
    session.insert("username", form.username)?;
    Ok(site.to_index())
}

async fn logout(site: State<Site>, session: Session) -> Result<Redirect, PageError> {
    session.remove("username")?;
    Ok(site.to_index())
}

async fn flash_form(site: State<Site>) -> Result<Html<String>, PageError> {
    site.render("flash.html", Value::default())
}

#[derive(serde::Deserialize)]
struct Message {
    message: String,
    #[serde(default)]
    category: String,
}

async fn flash(
    site: State<Site>,
    session: Session,
    Form(form): Form<Message>,
) -> Result<Redirect, PageError> {
    if form.category.is_empty() {
        session.flash(form.message)?;
    } else {
        session.flash_with(form.category, form.message)?;
    }
    Ok(site.to_index())
}

async fn messages(site: State<Site>, session: Session) -> Result<Html<String>, PageError> {
    site.render("messages.html", context(&session))
}

async fn remember(site: State<Site>, session: Session) -> Result<Redirect, PageError> {
    session.set_permanent(true)?;
    Ok(site.to_index())
}

/// A cache may keep this page: what keeps it from other visitors is `Vary: Cookie`, which comes
/// with the session.
async fn private(site: State<Site>, session: Session) -> Result<Response, PageError> {
    let page = site.render("private.html", context(&session))?;
    Ok(([(CACHE_CONTROL, "public, max-age=60")], page).into_response())
}

/// Why there is no page.
#[derive(Debug)]
enum PageError {
    Session(carafe::Error),
    Template(minijinja::Error),
}

impl From<carafe::Error> for PageError {
    fn from(error: carafe::Error) -> Self {
        Self::Session(error)
    }
}

impl From<minijinja::Error> for PageError {
    fn from(error: minijinja::Error) -> Self {
        Self::Template(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Template(error) => {
                tracing::error!(%error, "a template failed");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
