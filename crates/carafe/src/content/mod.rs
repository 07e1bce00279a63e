//! A session's content in one request: the opened content, the request's changes, and their
//! recording.

mod changes;
mod flash;
mod life;
mod login;
mod operation;
mod path;
mod permanent;
mod view;

pub(crate) use self::flash::{FLASHES, not_flashes};
pub(crate) use self::life::{ID, LOGIN, RESERVED, id_of};
pub(crate) use self::login::{COOKIE_KEYS, Login, LoginState, Step as LoginStep};
pub(crate) use self::operation::{Change, Operation, ViewChange, conflict};
pub use self::path::Step;
pub(crate) use self::path::missing;
pub(crate) use self::permanent::{LIFETIME, PERMANENT, is_permanent, own_lifetime};
pub(crate) use self::view::{Recorded, View};
