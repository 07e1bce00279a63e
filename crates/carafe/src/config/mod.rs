//! The types of a layer's settings.
//!
//! The settings themselves are methods of [`Config`].

mod caching;
mod check;
pub(crate) mod env;
mod life;
mod logins;
mod mistyped;
mod renewal;
pub(crate) mod settings;

pub use self::caching::Caching;
pub use self::mistyped::Mistyped;
pub(crate) use self::renewal::Renewal;
use self::settings::Config;
pub use self::settings::Refresh;
pub use crate::codec::{Compression, Format};
pub use crate::cookie::SameSite;
