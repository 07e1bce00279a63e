//! The settings of a layer, under Flask's names.

mod check;
pub(crate) mod env;
mod life;
mod settings;

pub use self::settings::{Config, Refresh};
