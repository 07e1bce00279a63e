//! The middleware, for everything that is built on tower.

mod future;
mod layer;
mod service;

pub use self::future::ResponseFuture;
pub use self::layer::SessionLayer;
pub use self::service::SessionService;
