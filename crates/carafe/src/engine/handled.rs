use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::{Commit, Engine, Outcome, Prompt, Reply};
use crate::Error;
use crate::csrf::Protection;
use crate::session::Slot;

/// What a layer keeps of a request while its handler is at work.
#[derive(Debug)]
pub(crate) enum Handled {
    Session(Arc<Slot>),
    Csrf(Arc<Protection>),
}

impl Handled {
    /// Decides on the handler's response, and saves the session.
    pub(crate) fn after<R: Reply>(&self, response: R) -> Prompt<Saving<R>> {
        let slot = match self {
            Self::Session(slot) => slot,
            Self::Csrf(protection) => return Prompt::done(protection.finish_or_page(response)),
        };
        let engine = &slot.engine;
        let response = engine.prepare(response);
        match engine.commit(slot) {
            Commit::Done(outcome) => Prompt::done(engine.complete(response, outcome)),
            Commit::Waiting(commit) => {
                let (engine, response) = (Arc::clone(engine), Some(response));
                Prompt::Waiting(Saving { engine, response, commit })
            }
        }
    }
}

impl Drop for Handled {
    // However the request ends, also when its client has left or its handler panicked: what is
    // written to the session from here on can't be saved.
    fn drop(&mut self) {
        if let Self::Session(slot) = self {
            slot.close();
        }
    }
}

/// A response whose session is being saved in a store.
pub(crate) struct Saving<R> {
    engine: Arc<Engine>,
    /// Until the session is saved.
    response: Option<R>,
    commit: Pin<Box<dyn Future<Output = Result<Outcome, Error>> + Send>>,
}

/// The response stays where it is, and is no future.
impl<R> Unpin for Saving<R> {}

impl<R: Reply> Future for Saving<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let outcome = ready!(self.commit.as_mut().poll(cx));
        match self.response.take() {
            Some(response) => Poll::Ready(self.engine.complete(response, outcome)),
            // A future isn't polled again when it is done.
            None => Poll::Pending,
        }
    }
}

impl<R> fmt::Debug for Saving<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saving").finish_non_exhaustive()
    }
}
