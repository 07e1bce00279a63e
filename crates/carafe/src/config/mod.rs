//! The settings of a layer, under Flask's names.

pub(crate) mod env;
mod life;
mod settings;

pub use self::settings::{Config, Refresh};
