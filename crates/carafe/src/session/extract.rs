//! The extractors' shared part, for frameworks whose extractors have their own future type, and
//! whose `Option` extractor drops the error.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{LazySession, Session};
use crate::engine::Slot;
use crate::prompt::Prompt;
use crate::{Error, ErrorKind};

/// The future of an extractor, which is ready at once if no store has to be waited for.
pub(crate) type Extracting<T> = Prompt<Pin<Box<dyn Future<Output = Result<T, Unopened>> + Send>>>;

/// Opens a session for an extractor, and maps it to the extracted value.
pub(crate) fn extract<T: 'static>(
    slot: Result<Arc<Slot>, Error>,
    make: impl FnOnce(Session) -> Result<T, Error> + Send + 'static,
) -> Extracting<T> {
    let slot = match slot {
        Ok(slot) => slot,
        Err(error) => return Prompt::done(Err(Unopened::new(error, None))),
    };
    let lazy = LazySession::new(slot);
    match lazy.open_at_once() {
        Some(opened) => Prompt::done(opened.and_then(make).map_err(|error| lazy.unopened(error))),
        None => Prompt::Waiting(Box::pin(async move {
            lazy.open().await.and_then(make).map_err(|error| lazy.unopened(error))
        })),
    }
}

/// The reason why an extractor failed.
///
/// If the store failed and this error is dropped unseen, as by an `Option` extractor, the layer
/// turns the failure into the response.
pub struct Unopened(Box<Inner>);

struct Inner {
    error: Error,
    /// The request's slot, if its store failed.
    slot: Option<Arc<Slot>>,
    is_known: AtomicBool,
}

impl Unopened {
    pub(super) fn new(error: Error, slot: Option<&Arc<Slot>>) -> Self {
        let slot = slot.filter(|_| error.kind() == ErrorKind::Store).cloned();
        Self(Box::new(Inner { error, slot, is_known: AtomicBool::new(false) }))
    }
}

/// A caller that reads the error is expected to handle it, so the layer's response is called off.
impl Deref for Unopened {
    type Target = Error;

    fn deref(&self) -> &Error {
        self.0.is_known.store(true, Ordering::Relaxed);
        &self.0.error
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take()
            && !*self.is_known.get_mut()
        {
            slot.state().failed = Some(self.error.clone());
        }
    }
}

/// Lets a handler that extracts a `Result<T, Error>` see the error.
impl From<Unopened> for Error {
    fn from(unopened: Unopened) -> Self {
        Self::clone(&unopened)
    }
}

/// Formatting does not call the layer's response off: actix-web logs the error of each `Option`
/// that is `None`.
impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl fmt::Debug for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unopened").field(&self.0.error).finish()
    }
}

impl StdError for Unopened {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.error.source()
    }
}
