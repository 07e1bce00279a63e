//! Tests of an application (feature `testing`): a client with a cookie jar, which can read and
//! change the session between requests, as Flask's test client can.
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use axum::{Router, routing::get};
//! use carafe::testing::Client;
//! use carafe::{Clock, Error, SecretKey, Session, SessionLayer};
//!
//! async fn index(session: Session) -> Result<String, Error> {
//!     let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
//!     let name: Option<String> = session.get("username")?;
//!     Ok(format!("{}, visit {visits}", name.as_deref().unwrap_or("a guest")))
//! }
//!
//! // A clock that stands still, so that a test can tell what time it is.
//! let clock = Clock::fixed(1_700_000_000);
//! let sessions = SessionLayer::flask(SecretKey::new("dev")?).with_clock(clock.clone());
//! let app = Router::new().route("/", get(index)).layer(sessions.clone());
//! let client = Client::new(app, &sessions);
//!
//! // Log in without the login form.
//! client.session_transaction(|session| session.insert("username", "ann")).await?;
//! assert_eq!(client.get("/").await?.text(), "ann, visit 1");
//!
//! // What did the request leave in the session?
//! assert_eq!(client.session().await?.get::<u64>("visits")?, Some(1));
//!
//! // 31 days later the session has expired.
//! clock.advance(31 * 86_400 + 1);
//! assert_eq!(client.get("/").await?.text(), "a guest, visit 1");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "axum"))]
//! # fn main() {}
//! ```

mod client;
mod contents;
mod jar;
mod response;

pub use self::client::{BoxError, Client};
pub use self::response::Response;
