//! The settings of a layer, under Flask's names.

mod caching;
mod check;
pub(crate) mod env;
mod life;
mod logins;
mod mistyped;
mod renewal;
mod settings;

pub use self::caching::Caching;
pub use self::mistyped::Mistyped;
pub(crate) use self::renewal::Renewal;
pub use self::settings::{Config, Refresh};
