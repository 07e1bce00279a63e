//! The settings of a layer, under Flask's names.

mod check;
pub(crate) mod env;
mod life;
mod mistyped;
mod settings;

pub use self::mistyped::Mistyped;
pub use self::settings::{Config, Refresh};
