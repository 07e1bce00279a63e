//! The pages: what `interop/browser/two_stacks.py` has on Flask.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Form, Html, Redirect, ServiceConfig, get, post, resource};
use actix_web::{HttpResponse, Responder, ResponseError};
use carafe::Session;
use carafe_minijinja::context;
use minijinja::{Environment, Value};

/// All halves render the same files.
const TEMPLATES: [(&str, &str); 6] = [
    ("layout.html", include_str!("../two-stacks/templates/layout.html")),
    ("index.html", include_str!("../two-stacks/templates/index.html")),
    ("login.html", include_str!("../two-stacks/templates/login.html")),
    ("flash.html", include_str!("../two-stacks/templates/flash.html")),
    ("messages.html", include_str!("../two-stacks/templates/messages.html")),
    ("private.html", include_str!("../two-stacks/templates/private.html")),
];

/// The state that all requests share.
pub(crate) struct Site {
    templates: Environment<'static>,
    prefix: String,
}

impl Site {
    pub(crate) fn new(prefix: &str) -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        carafe_minijinja::add_to_environment(&mut templates);
        let below = prefix.to_owned();
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
        Ok(Self { templates, prefix: prefix.to_owned() })
    }

    fn render(&self, template: &str, context: Value) -> Result<Html, PageError> {
        Ok(Html::new(self.templates.get_template(template)?.render(context)?))
    }

    fn to_index(&self) -> Redirect {
        Redirect::to(format!("{}/", self.prefix)).see_other()
    }
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/", get().to(index))
        .service(resource("/login").get(login_form).post(login))
        .route("/logout", get().to(logout))
        .service(resource("/flash").get(flash_form).post(flash))
        .route("/messages", get().to(messages))
        .route("/remember", post().to(remember))
        .route("/private", get().to(private));
}

async fn index(site: Data<Site>, session: Session) -> Result<Html, PageError> {
    site.render("index.html", context(&session))
}

async fn login_form(site: Data<Site>) -> Result<Html, PageError> {
    site.render("login.html", Value::default())
}

#[derive(serde::Deserialize)]
struct Login {
    username: String,
}

async fn login(
    site: Data<Site>,
    session: Session,
    Form(form): Form<Login>,
) -> Result<Redirect, PageError> {
    session.insert("username", form.username)?;
    Ok(site.to_index())
}

async fn logout(site: Data<Site>, session: Session) -> Result<Redirect, PageError> {
    session.remove("username")?;
    Ok(site.to_index())
}

async fn flash_form(site: Data<Site>) -> Result<Html, PageError> {
    site.render("flash.html", Value::default())
}

#[derive(serde::Deserialize)]
struct Message {
    message: String,
    #[serde(default)]
    category: String,
}

async fn flash(
    site: Data<Site>,
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

async fn messages(site: Data<Site>, session: Session) -> Result<Html, PageError> {
    site.render("messages.html", context(&session))
}

async fn remember(site: Data<Site>, session: Session) -> Result<Redirect, PageError> {
    session.set_permanent(true)?;
    Ok(site.to_index())
}

/// A cache may keep this page: what keeps it from other visitors is `Vary: Cookie`, which comes
/// with the session.
async fn private(site: Data<Site>, session: Session) -> Result<impl Responder, PageError> {
    let page = site.render("private.html", context(&session))?;
    Ok(page.customize().insert_header((CACHE_CONTROL, "public, max-age=60")))
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

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Template(error) => error.fmt(f),
        }
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Session(error) => error.status_code(),
            Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Session(error) => error.error_response(),
            Self::Template(error) => {
                tracing::error!(%error, "a template failed");
                HttpResponse::InternalServerError().finish()
            }
        }
    }
}
