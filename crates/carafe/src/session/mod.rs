//! The session as handlers use it: reading, writing, login and logout.

mod credential;
mod ended;
mod entry;
#[cfg(feature = "actix")]
mod extract;
mod fields;
mod flash;
mod fresh;
mod handle;
mod lazy;
mod login;
mod now;
mod others;
mod outside;
mod raw;
mod remember;
mod steps;
mod typed;
mod user;

pub use self::ended::SessionEnded;
pub use self::entry::Entry;
#[cfg(feature = "actix")]
pub(crate) use self::extract::{Extracting, Unopened, extract};
pub use self::flash::Flash;
pub use self::fresh::FreshUser;
pub use self::handle::Session;
pub use self::lazy::{LazySession, Named};
pub use self::login::LoginOptions;
pub use self::outside::SessionHandle;
pub use self::typed::Typed;
pub use self::user::CurrentUser;
