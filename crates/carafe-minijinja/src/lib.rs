//! Templates like a Flask application's, with [MiniJinja](https://docs.rs/minijinja).
//! [MiniJinja](https://docs.rs/minijinja).
//!
//! [`add_to_environment`] makes an environment print and escape as Jinja does under Flask,
//! [`context`] gives a template `session` and `get_flashed_messages()`, and [`add_url_for`] gives
//! all templates `url_for()`:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use std::sync::Arc;
//!
//! use axum::{Extension, Router, response::Html, routing::get};
//! use carafe::{SecretKey, Session, SessionLayer};
//! use minijinja::{Environment, context};
//!
//! async fn index(env: Extension<Arc<Environment<'static>>>, session: Session) -> Html<String> {
//!     let template = env.get_template("index.html").unwrap();
//!     let page = template.render(context! { title => "Shop", ..carafe_minijinja::context(&session) });
//!     Html(page.unwrap())
//! }
//!
//! let mut env = Environment::new();
//! carafe_minijinja::add_to_environment(&mut env);
//! carafe_minijinja::add_url_for(&mut env, |endpoint| (endpoint == "login").then_some("/login"));
//! env.add_template(
//!     "index.html",
//!     "<h1>{{ title }}</h1>\
//!      {% for message in get_flashed_messages() %}<p>{{ message }}</p>{% endfor %}\
//!      {% if 'username' in session %}Hello {{ session.username }}\
//!      {% else %}<a href=\"{{ url_for('login') }}\">Login</a>{% endif %}",
//! )?;
//!
//! let sessions = SessionLayer::flask(SecretKey::new("a key, long and random")?);
//! let app = Router::new()
//!     .route("/", get(index))
//!     .layer(Extension(Arc::new(env)))
//!     .layer(sessions.clone());
//!
//! let client = carafe::testing::Client::new(app, &sessions);
//! client.session_transaction(|session| {
//!     session.insert("username", "Zoë & Ann")?;
//!     session.flash("Welcome!")
//! }).await?;
//! let page = client.get("/").await?.text();
//! assert_eq!(page, "<h1>Shop</h1><p>Welcome!</p>Hello Zoë &amp; Ann");
//! # Ok(())
//! # }
//! ```
//!
//! # What templates can do with `session`
//!
//! It is the request's session and no copy of it: what a template takes out is gone, and saved as
//! if the handler had done it.
//!
//! - `session.name`, `session['name']`, `'name' in session`, `session|length`, `{% for key in
//!   session %}`, `{% if session %}`
//! - `session.get('name', default)`, `.items()`, `.keys()`, `.values()`; so for dicts within it
//! - `session.pop('name', default)`, `.setdefault()`, `.update()`, `.clear()`
//! - `session.permanent`, `session.modified`
//!
//! Values are what they are in Python. None, numbers, text, lists and tuples are MiniJinja's own;
//! dicts have the methods above; bytes are a sequence of numbers; a datetime has `.year` to
//! `.second`, `.isoformat()`, `.strftime('…')`, `.timestamp()` and `.weekday()`; a UUID has `.hex`
//! and `.urn`; Markup is not escaped again. All of them print as in Python.
//!
//! # What differs from Jinja under Flask
//!
//! - A lone surrogate is printed as U+FFFD, where Flask can't send the page.
//! - An integer beyond 128 bits can be printed, and not be calculated with.
//! - `~`, `|join` and `|tojson` write floats, and `|tojson` dates, as MiniJinja does.
//! - The keys of `session` and of dicts come in alphabetical order, also those that the request
//!   added, as they do in Flask from the next request on.
//! - Text has MiniJinja's methods instead of Python's, such as `.upper()`: none, unless the
//!   application adds `minijinja_contrib::pycompat`.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod convert;
mod datetime;
mod dict;
mod flashes;
mod format;
mod literal;
mod mapping;
mod objects;
mod python;
mod session;
mod url_for;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value, default_auto_escape_callback};

pub use self::convert::{from_template, to_template};
pub use self::format::formatter;
pub use self::url_for::add_url_for;
use carafe::Session;
use carafe::csrf::Csrf;

/// Makes an environment write values as Jinja does under Flask.
///
/// - Values print as in Python, and are escaped as by MarkupSafe: see [`formatter`]. So do the
///   filters `escape`, `e` and `string`.
/// - What is escaped is what Flask escapes, templates from text included: `.html`, `.htm`, `.xml`,
///   `.xhtml`, `.svg` and `<string>`. MiniJinja's rule stays for other names, by which
///   `page.html.jinja` is escaped, too.
///
/// ```
/// use minijinja::{Environment, context};
///
/// let mut env = Environment::new();
/// carafe_minijinja::add_to_environment(&mut env);
/// let page = env.render_str("{{ list }} {{ big }}", context! { list => ["a"], big => 1e16 })?;
/// assert_eq!(page, "[&#39;a&#39;] 1e+16");
/// # Ok::<(), minijinja::Error>(())
/// ```
pub fn add_to_environment(env: &mut Environment<'_>) {
    env.set_formatter(formatter);
    env.add_filter("escape", format::escape);
    env.add_filter("e", format::escape);
    env.add_filter("string", format::string);
    env.set_auto_escape_callback(|name| {
        if name == "<string>" || name.ends_with(".xhtml") || name.ends_with(".svg") {
            AutoEscape::Html
        } else {
            default_auto_escape_callback(name)
        }
    });
}

/// Returns the names that a template needs of a request: `session` and `get_flashed_messages`.
///
/// Merge it into the template's context, or pass it alone:
///
/// ```
/// use carafe::Session;
/// use minijinja::{Environment, context};
///
/// fn page(env: &Environment<'_>, session: &Session) -> Result<String, minijinja::Error> {
///     let template = env.get_template("index.html")?;
///     template.render(context! { title => "Shop", ..carafe_minijinja::context(session) })
/// }
/// ```
#[must_use]
pub fn context(session: &Session) -> Value {
    Value::from_pairs([
        ("session", Value::from_object(session::SessionObject(session.clone()))),
        ("get_flashed_messages", flashes::function(session.clone())),
    ])
}

/// Returns the functions that a template needs for its forms: `csrf_token()`, as with Flask-WTF,
/// and `csrf_field()`, the whole hidden field.
///
/// ```
/// use carafe::csrf::Csrf;
/// use carafe::Session;
/// use minijinja::{Environment, context};
///
/// fn page(env: &Environment<'_>, session: &Session, csrf: &Csrf) -> Result<String, minijinja::Error> {
///     // <form method="post">{{ csrf_field() }} …
///     let template = env.get_template("form.html")?;
///     template.render(context! {
///         ..carafe_minijinja::context(session),
///         ..carafe_minijinja::csrf_context(csrf)
///     })
/// }
/// ```
#[must_use]
pub fn csrf_context(csrf: &Csrf) -> Value {
    let (token, field) = (csrf.clone(), csrf.clone());
    Value::from_pairs([
        ("csrf_token", Value::from_function(move || token.token().map_err(refused))),
        (
            "csrf_field",
            Value::from_function(move || {
                field.field().map(Value::from_safe_string).map_err(refused)
            }),
        ),
    ])
}

/// Converts an error of the session into one of the template.
fn refused(error: carafe::Error) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.to_string()).with_source(error)
}

/// The README's examples are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
