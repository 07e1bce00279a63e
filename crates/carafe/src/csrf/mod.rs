//! Protection against cross-site request forgery: requests that another site makes a visitor's
//! browser send, with the visitor's cookies.
//!
//! [`CsrfLayer`] stands between the handlers and the [`SessionLayer`](crate::SessionLayer), and lets
//! a request through to its handler by these rules:
//!
//! 1. `GET`, `HEAD` and `OPTIONS` pass. A handler of theirs must change nothing.
//! 2. What the application [exempts](CsrfLayer::exempt) passes.
//! 3. The browser must say where the request comes from. `Origin`, if it is there, must be, byte for
//!    byte, one of the origins that the layer was given. `Sec-Fetch-Site`, if it is there, must be
//!    `same-origin` or `none`, unless `Origin` names a listed one. At least one of the two must be
//!    there, each at most once. `Origin: null` is no origin, unless `Sec-Fetch-Site` is
//!    `same-origin`.
//! 4. The request must carry the visitor's token: in the header `X-CSRF-Token` or `X-CSRFToken`, or
//!    else in the field `csrf_token` of a form (`application/x-www-form-urlencoded` or
//!    `multipart/form-data`). The token of a query doesn't count, since URLs end up in logs.
//!
//! What doesn't pass is answered with 403 and the reason, and its handler doesn't run. The body of such
//! a request is read and dropped first, up to 32 MiB: a browser that is still sending an upload when
//! the connection is closed would show an error of its own in place of the answer.
//!
//! # The token
//!
//! A handler extracts [`Csrf`] and puts [`Csrf::field`] into its forms, or gives [`Csrf::token`] to
//! scripts.
//!
//! - It is bound to the session: what all of a session's tokens hide is 32 random bytes, which the
//!   session keeps under the key `_carafe_csrf`. Each page has them under a mask of its own, so that
//!   what compression tells of a page tells nothing of them (BREACH). They are compared in constant
//!   time.
//! - It dies with [`Session::login`](crate::Session::login) and with the session. A form that was
//!   loaded before is refused after.
//! - A visitor without a session gets none by this: the random bytes are then in a signed cookie of
//!   their own, named as the session's cookie with `_csrf` at its end and with its attributes. As
//!   soon as there is a session, that cookie counts no more. Its signature has a salt of its own: it
//!   is never taken for a session, nor a session for it.
//! - A session that is written below this layer has its random bytes from then on, so that all of its
//!   forms have the same, also those that are loaded at the same moment. Two cases are left, in which
//!   one of two such forms is refused, with the advice to load it again: the very first forms of a
//!   visitor without a session and without that cookie, since either response sets the cookie and
//!   the browser keeps one; and the first forms of a session that was written without this layer, by
//!   a Flask service or before there was one.
//!
//! # Forms
//!
//! The layer reads a form until it has found the field, at most the first 64 KiB
//! ([`form_limit`](CsrfLayer::form_limit)), and the handler reads all of it again. So
//! the field belongs at the beginning of a form; where files are uploaded, before them.
//!
//! # Deployment
//!
//! - The origins are those in the visitors' address bars. The layer believes neither `Forwarded` nor
//!   `X-Forwarded-Host`, and `Host` only if it is told to ([`CsrfLayer::same_host`]).
//! - Proxies must let `Origin` and `Sec-Fetch-Site` through as they are. Over plain HTTP, browsers
//!   send no `Sec-Fetch-Site`, except to localhost.
//! - With `Referrer-Policy: no-referrer`, browsers send the forms of a page with `Origin: null`. They
//!   pass where the browser sends `Sec-Fetch-Site`, which it doesn't over plain HTTP;
//!   `Referrer-Policy: same-origin` is as strict and works everywhere.
//! - Programs that are no browsers send neither header. Let them send `Origin` and a token, or
//!   exempt the routes that are theirs, which then must not go by cookies.
//! - WebSockets begin with a `GET`, which passes: check their `Origin` where they are accepted.
//! - Where a neighbour under the same domain can set cookies for this host, only the prefix
//!   `__Host-`, which every profile but Flask's has, keeps it from replacing the cookie of a visitor
//!   without a session. Rule 3 stands in any case.
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
//! /// Runs only for the form above, and for whoever knows the visitor's token.
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
