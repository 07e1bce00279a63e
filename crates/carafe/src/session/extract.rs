//! What extractors give, for frameworks whose extractors have a future of their own type.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{LazySession, Session, Slot};
use crate::Error;
use crate::engine::Prompt;

/// What is made of a session, which is there at once if it needs no wait for a store.
pub(crate) type Extracting<T> = Prompt<Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>>;

/// Opens a session for an extractor, and makes of it what is extracted.
pub(crate) fn extract<T: 'static>(
    slot: Result<Arc<Slot>, Error>,
    make: impl FnOnce(Session) -> Result<T, Error> + Send + 'static,
) -> Extracting<T> {
    let lazy = match slot {
        Ok(slot) => LazySession::new(slot),
        Err(error) => return Prompt::done(Err(error)),
    };
    match lazy.open_at_once() {
        Some(opened) => Prompt::done(opened.and_then(make)),
        None => Prompt::Waiting(Box::pin(async move { lazy.open().await.and_then(make) })),
    }
}
