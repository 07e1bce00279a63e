//! Protection against cross-site request forgery: requests that another site makes a visitor's
//! browser send, together with the visitor's cookies.
//!
//! [`CsrfLayer`] stands between the handlers and the [`SessionLayer`](crate::SessionLayer), and lets
//! a request through to its handler by these rules:
//!
//! 1. `GET`, `HEAD` and `OPTIONS` pass. Their handlers must not change anything.
//! 2. Requests that the application [exempts](CsrfLayer::exempt) pass.
//! 3. The browser must say where the request comes from. `Origin`, if it is there, must be, byte for
//!    byte, one of the origins that the layer was given. `Sec-Fetch-Site`, if it is there, must be
//!    `same-origin` or `none`, unless `Origin` names a listed one. At least one of the two must be
//!    there, each at most once. `Origin: null` is no origin, unless `Sec-Fetch-Site` is
//!    `same-origin`.
//! 4. The request must carry the visitor's token: in the header `X-CSRF-Token` or `X-CSRFToken`, or
//!    else in the field `csrf_token` of a form (`application/x-www-form-urlencoded` or
//!    `multipart/form-data`). The token of a query doesn't count, since URLs end up in logs.
//!
//! Other requests are answered with 403 and the reason, and their handlers don't run. The body of a
//! refused request is read and dropped first, up to 32 MiB: if the connection were closed during an
//! upload, the browser would show its own error in place of the answer.
//!
//! # The token
//!
//! A handler extracts [`Csrf`] and puts [`Csrf::field`] into its forms, or gives [`Csrf::token`] to
//! scripts.
//!
//! - It is bound to the session: all tokens of a session hide the same 32 random bytes, which the
//!   session keeps under the key `_carafe_csrf`. Each page masks them with new random bytes, so
//!   that the compressed size of a page reveals nothing of them (BREACH). They are compared in
//!   constant time. - It dies with [`Session::login`](crate::Session::login) and with the session.
//!   A form that was loaded before is refused afterwards. - A visitor without a session keeps the
//!   random bytes in a signed cookie, and gets no session for them. The cookie has the session
//!   cookie's attributes, and its name with `_csrf` at the end. Once there is a session, that
//!   cookie is ignored. Its signature has a salt of its own, so that it is never accepted as a
//!   session, nor a session in its place. - A session that is written below this layer gets its
//!   random bytes with the first write, so that all its forms share them, even forms that are
//!   loaded at the same moment. In two cases one of two simultaneous forms is refused, with the
//!   advice to load it again. One case is the very first forms of a visitor without a session and
//!   without the cookie: both responses set the cookie, and the browser keeps one. The other is the
//!   first forms of a session that was written without this layer, by a Flask service or by an
//!   earlier version of the application.
//!
//! # Forms
//!
//! The layer reads a form until it has found the field, at most the first 64 KiB
//! ([`form_limit`](CsrfLayer::form_limit)), and the handler still gets the whole body. So the field
//! belongs at the beginning of a form, before any uploaded files.
//!
//! # Deployment
//!
//! - The origins are the ones in the visitors' address bars. The layer ignores `Forwarded` and
//!   `X-Forwarded-Host`, and trusts `Host` only with [`CsrfLayer::same_host`]. - Proxies must pass
//!   `Origin` and `Sec-Fetch-Site` on unchanged. Over plain HTTP, browsers send `Sec-Fetch-Site`
//!   only to localhost. - With `Referrer-Policy: no-referrer`, browsers send the forms of a page
//!   with `Origin: null`. They pass if the browser sends `Sec-Fetch-Site`, and fail over plain
//!   HTTP; `Referrer-Policy: same-origin` is as strict and works everywhere. - Programs that aren't
//!   browsers send neither header. Let them send `Origin` and a token, or exempt their routes,
//!   which then must not authenticate by cookies. - WebSockets begin with a `GET`, which passes:
//!   check their `Origin` where they are accepted. - If a neighbour under the same domain can set
//!   cookies for this host, only the prefix `__Host-`, which every profile but Flask's has,
//!   prevents it from replacing the cookie of a visitor without a session. Rule 3 applies in any
//!   case.
//!
//! In actix-web the layer that is wrapped last is outside too:
//! `App::new().wrap(csrf.clone()).wrap(sessions.clone())`.
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # fn main() -> Result<(), carafe::Error> {
//! use axum::{Router, response::{Html, Redirect}, routing::get};
//! use carafe::csrf::{Csrf, CsrfLayer};
//! use carafe::{Error, SecretKey, Session, SessionLayer};
//!
//! async fn form(csrf: Csrf) -> Result<Html<String>, Error> {
//!     let field = csrf.field()?;
//!     Ok(Html(format!(r#"<form method="post">{field}<button>Order</button></form>"#)))
//! }
//!
//! /// Runs only for a form with the visitor's token.
//! async fn order(session: Session) -> Result<Redirect, Error> {
//!     session.flash("Ordered!")?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! let sessions = SessionLayer::signed(SecretKey::random()?)?;
//! let app: Router = Router::new()
//!     .route("/order", get(form).post(order))
//!     // The session's layer goes last, so that it is outside.
//!     .layer(CsrfLayer::new(["https://shop.example"])?)
//!     .layer(sessions);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "axum"))]
//! # fn main() {}
//! ```

mod body;
mod check;
mod cookie;
mod field;
mod flask_wtf;
mod future;
mod handle;
mod layer;
mod origin;
mod parameters;
mod protection;
mod service;
mod token;
mod wtf;

pub use self::body::Body;
#[cfg(feature = "actix")]
pub(crate) use self::check::request as check;
pub use self::field::FIELD;
pub use self::flask_wtf::FlaskWtf;
pub use self::future::ResponseFuture;
#[cfg(feature = "actix")]
pub(crate) use self::future::page;
pub use self::handle::Csrf;
pub use self::layer::CsrfLayer;
#[cfg(feature = "actix")]
pub(crate) use self::layer::Settings;
#[cfg(feature = "actix")]
pub(crate) use self::protection::Protection;
pub use self::service::CsrfService;
