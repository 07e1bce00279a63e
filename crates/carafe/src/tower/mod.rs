//! The types behind [`SessionLayer`](crate::SessionLayer): its service, response future and body.

mod body;
mod future;
pub(crate) mod layer;
mod service;

pub use self::body::ResponseBody;
pub use self::future::ResponseFuture;
pub use self::service::SessionService;
