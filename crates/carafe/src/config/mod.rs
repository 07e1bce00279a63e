//! The settings of a layer, under Flask's names.

mod caching;
pub(crate) mod env;
mod life;
mod renewal;
mod settings;

pub use self::caching::Caching;
pub(crate) use self::renewal::Renewal;
pub use self::settings::{Config, Refresh};
