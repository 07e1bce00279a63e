//! The session as handlers use it.

mod changes;
mod entry;
#[cfg(feature = "actix")]
mod extract;
mod fields;
mod flash;
mod handle;
mod lazy;
mod life;
mod login;
mod now;
mod operation;
mod others;
mod path;
mod slot;
mod typed;
mod user;
mod view;

pub use self::entry::Entry;
#[cfg(feature = "actix")]
pub(crate) use self::extract::{Extracting, Unopened, extract};
pub use self::flash::Flash;
pub use self::handle::Session;
#[cfg(feature = "__bench")]
pub(crate) use self::handle::convert;
pub(crate) use self::handle::{PERMANENT, closed, is_permanent};
pub use self::lazy::{LazySession, Named};
pub(crate) use self::life::{ID, LOGIN};
pub use self::login::LoginOptions;
pub(crate) use self::operation::{Login, Operation, conflict};
pub use self::path::Step;
pub(crate) use self::slot::{FromCookie, Slot, State as SlotState};
pub use self::typed::Typed;
pub use self::user::CurrentUser;
pub(crate) use self::view::{Recorded, View};
