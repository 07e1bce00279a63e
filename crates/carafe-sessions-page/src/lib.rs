//! A page that shows users who are signed in their sessions, with a button to end each.
//!
//! [`SessionsPage`] is a tower service, so that axum's router takes it as it is:
//!
//! ```
//! # fn main() -> Result<(), carafe::Error> {
//! use axum::Router;
//! use carafe::csrf::CsrfLayer;
//! use carafe::store::MemoryStore;
//! use carafe::{SecretKey, SessionLayer};
//! use carafe_sessions_page::SessionsPage;
//!
//! let page = SessionsPage::new().home("/account")?;
//! let app: Router = Router::new()
//!     .route_service("/account/sessions", page)
//!     .layer(CsrfLayer::new(["https://shop.example"])?)
//!     .layer(SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?.with_login_page("/login")?);
//! # Ok(())
//! # }
//! ```
//!
//! In actix-web it is a handler, with the feature `actix`:
//!
//! ```
//! # #[cfg(feature = "actix")]
//! # fn main() -> Result<(), carafe::Error> {
//! # use carafe::store::MemoryStore;
//! # use carafe::{SecretKey, SessionLayer};
//! # use carafe_sessions_page::SessionsPage;
//! use actix_web::{App, web};
//!
//! let sessions = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?;
//! let app = App::new()
//!     .route("/account/sessions", web::route().to(SessionsPage::new().home("/account")?))
//!     .wrap(sessions.with_login_page("/login")?);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "actix"))]
//! # fn main() {}
//! ```
//!
//! - It needs a [`SessionLayer`](carafe::SessionLayer) with a store, and users who were logged in with
//!   [`Session::login`](carafe::Session::login). It shows the address and the agent that
//!   [`Session::login_with`](carafe::Session::login_with) was given.
//! - Visitors who aren't logged in are sent to the
//!   [login page](carafe::SessionLayer::with_login_page), and come back from there. Without one they are
//!   answered with 401.
//! - One button ends one session, one all others, one all of them. A session that was ended is out
//!   with its next request, also where a copy of its cookie is used.
//! - With [`SessionsPage::fresh_within`], only a user who was authenticated a short time ago ends other
//!   sessions.
//! - The page checks the token of its own forms, bound to the session, so that no other site can
//!   end a user's sessions. Below a [`CsrfLayer`](carafe::csrf::CsrfLayer) it is that layer's token, and the
//!   layer also checks where the request comes from; without one, or where it exempts the page, the
//!   page makes and checks the token itself.
//! - Of many sessions it shows 50 at a time, with links to the others.
//! - It needs no scripts, allows none by its `Content-Security-Policy`, can't be framed, and is kept
//!   by no cache.
//! - Where the session's store fails it is 503, or what the session layer's
//!   [`on_error`](carafe::SessionLayer::on_error) makes of it.
//!
//! The path at which it is mounted is the whole of it: `GET` shows it, `POST` to the same path ends
//! sessions. With axum's `nest_service` it answers below that path, too.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix")]
mod actix;
mod answer;
mod form;
mod future;
mod html;
mod page;
mod part;
mod settings;
mod texts;

pub use self::future::ResponseFuture;
pub use self::page::SessionsPage;
pub use self::texts::Texts;

/// The README's examples are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
