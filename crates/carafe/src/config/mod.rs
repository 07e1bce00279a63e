//! The settings of a layer, under Flask's names.

mod caching;
pub(crate) mod env;
mod life;
mod settings;

pub use self::caching::Caching;
pub use self::settings::{Config, Refresh};
