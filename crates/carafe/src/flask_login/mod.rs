//! Logins that are shared with a Flask site that uses Flask-Login.
//!
//! A layer with [`SessionLayer::flask_login`](crate::SessionLayer::flask_login) reads and writes
//! Flask-Login's keys of the session, and its remember cookie, as a Flask site with Flask-Login does:
//!
//! 1. [`Session::user`](crate::Session::user) and [`CurrentUser`](crate::CurrentUser) read the user
//!    of `_user_id`. The first look at the user in a request applies the [`Protection`], and
//!    restores the user of a remember cookie.
//! 2. [`Session::login`](crate::Session::login) sets `_user_id`, `_fresh` and `_id`. The visitor's
//!    other keys stay, as in Flask, whereas a layer without this setting drops them.
//! 3. [`Session::remember_login`](crate::Session::remember_login) has the response set the remember
//!    cookie.
//! 4. [`Session::login_is_fresh`](crate::Session::login_is_fresh) is Flask-Login's `login_fresh()`, and
//!    [`Session::confirm_login`](crate::Session::confirm_login) its `confirm_login()`.
//! 5. [`Session::logout`](crate::Session::logout) removes the three keys and the remember cookie, and
//!    nothing else.
//!
//! # Deployment
//!
//! - Both sides need the same `SECRET_KEY`, and the same settings of the session's cookie and of the
//!   remember cookie: [`FlaskLogin::from_prefixed_env`] reads the latter where Flask reads them.
//! - `_id` is a hash of the client's address and its `User-Agent`. Both sides must see the same
//!   address: see [`ClientAddress`]. With axum, tell the layer where the address is: see
//!   [`FlaskLogin::peer`]. - A remember cookie can't be revoked, and never expires on the server.
//!   `docs/flask-login.md` describes the consequences.
//!
//! # Example
//!
//! ```
//! use carafe::flask_login::FlaskLogin;
//! use carafe::{CurrentUser, Error, SecretKey, Session, SessionLayer};
//!
//! async fn log_in(session: Session, remember: bool) -> Result<(), Error> {
//!     // … after the password was checked:
//!     session.login("42")?;
//!     if remember {
//!         session.remember_login(None)?;
//!     }
//!     Ok(())
//! }
//!
//! /// Serves the users of the Flask site as well.
//! async fn account(user: CurrentUser) -> String {
//!     format!("The account of {}", user.id())
//! }
//!
//! let key = SecretKey::new("a key, long and random")?;
//! let layer = SessionLayer::flask(key).flask_login(FlaskLogin::default())?;
//! # Ok::<(), carafe::Error>(())
//! ```

mod client;
mod cookie;
mod env;
mod finish;
mod handle;
mod keys;
mod settings;
mod user;

pub(crate) use self::client::Client;
pub(crate) use self::keys::{Entry, has_login, log_in};
pub(crate) use self::settings::Logins;
pub use self::settings::{ClientAddress, FlaskLogin, Protection, Release};
pub(crate) use self::user::Seen;
