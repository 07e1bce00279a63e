//! The settings of a layer, under Flask's names.

pub(crate) mod env;
mod life;
mod renewal;
mod settings;

pub(crate) use self::renewal::Renewal;
pub use self::settings::{Config, Refresh};
