use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::{Commit, Engine, Prompt, Reply, Saving};
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
    pub(crate) fn after<R: Reply>(&self, response: R) -> Prompt<Answering<R>> {
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
                Prompt::Waiting(Answering { engine, response, commit })
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
pub(crate) struct Answering<R> {
    engine: Arc<Engine>,
    /// Until the session is saved.
    response: Option<R>,
    commit: Saving,
}

/// The response stays where it is, and is no future.
impl<R> Unpin for Answering<R> {}

impl<R: Reply> Future for Answering<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let outcome = ready!(Pin::new(&mut self.commit).poll(cx));
        match self.response.take() {
            Some(response) => Poll::Ready(self.engine.complete(response, outcome)),
            // A future isn't polled again when it is done.
            None => Poll::Pending,
        }
    }
}

impl<R> fmt::Debug for Answering<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}
