//! A request on its way through the layers, for frameworks that don't use the types of http 1.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Extensions, Method};
use pin_project_lite::pin_project;
use smallvec::SmallVec;

use crate::csrf::{CsrfLayer, Protection, Settings};
use crate::engine::{Commit, Engine, Owner, Reply, Saving, Slot};
use crate::prompt::Prompt;
use crate::{Error, SessionLayer};

/// A layer, as shared by all requests of a service.
#[derive(Debug)]
pub(crate) enum Layered {
    Sessions(Arc<Engine>),
    Csrf(Arc<Settings>),
}

impl From<&SessionLayer> for Layered {
    /// Copies the layer's engine into an `Arc` of each worker's own, so that workers don't contend
    /// for one counter.
    fn from(layer: &SessionLayer) -> Self {
        layer.engine().in_use();
        Self::Sessions(Arc::new(Engine::clone(layer.engine())))
    }
}

impl From<&CsrfLayer> for Layered {
    fn from(layer: &CsrfLayer) -> Self {
        Self::Csrf(Arc::clone(layer.settings()))
    }
}

/// The layers' handles of a request, which the framework's request carries for the extractors.
#[derive(Default)]
pub(crate) struct Handles {
    /// The slots and the engines of the session layers, the innermost last.
    slots: SmallVec<[(Arc<Slot>, Arc<Engine>); 1]>,
    protection: Option<Arc<Protection>>,
}

impl Handles {
    /// Adds one more layer's handles of the request.
    pub(crate) fn add(&mut self, handled: &Handled) {
        match handled {
            Handled::Session(slot) => {
                self.slots.push((Arc::clone(slot), Arc::clone(&slot.engine)));
            }
            Handled::Outer(slot, engine) => self.slots.push((Arc::clone(slot), Arc::clone(engine))),
            Handled::Csrf(protection) => self.protection = Some(Arc::clone(protection)),
        }
    }

    /// Returns the slot of the innermost layer.
    pub(crate) fn slot(&self) -> Result<Arc<Slot>, Error> {
        match self.slots.last() {
            Some((slot, _)) => Ok(Arc::clone(slot)),
            None => Slot::current(&Extensions::new()),
        }
    }

    /// Returns the slot of the layer that a marker names.
    pub(crate) fn named<Marker: 'static>(&self) -> Result<Arc<Slot>, Error> {
        Slot::named::<Marker>(&self.extensions())
    }

    /// Returns the CSRF protection of the request.
    pub(crate) fn protection(&self) -> Result<Arc<Protection>, Error> {
        Protection::current(self.protection.as_ref())
    }

    /// Sets the protection of one more CSRF layer.
    pub(crate) fn protect(
        &self,
        settings: &Arc<Settings>,
        method: &Method,
    ) -> Result<Arc<Protection>, Error> {
        let slot = self.slot().map_err(|_| Protection::no_session())?;
        Ok(Protection::new(slot, settings, method, self.protection.as_ref()))
    }

    /// Returns all handles as extensions of the crate `http`.
    pub(crate) fn extensions(&self) -> Extensions {
        let mut all = Extensions::new();
        self.slots.iter().for_each(|(slot, engine)| slot.insert_into(&mut all, engine));
        self.protection.iter().for_each(|protection| {
            all.insert(Arc::clone(protection));
        });
        all
    }
}

/// A layer's part of a request while its handler runs.
#[derive(Debug)]
pub(crate) enum Handled {
    Session(Arc<Slot>),
    /// An outer layer owns the session; the engine is this layer's.
    Outer(Arc<Slot>, Arc<Engine>),
    Csrf(Arc<Protection>),
}

impl Handled {
    /// Begins the session of a request that has passed the layers of `outer`.
    pub(crate) fn session(
        engine: &Arc<Engine>,
        outer: &Handles,
        slot: impl FnOnce() -> Arc<Slot>,
    ) -> Result<Self, Error> {
        let owner = engine.owner(outer.slots.iter().rev().map(|(slot, _)| slot))?;
        Ok(match owner {
            Owner::This => Self::Session(slot()),
            Owner::Outer(slot) => Self::Outer(slot, Arc::clone(engine)),
        })
    }

    /// Completes the handler's response, and saves the session.
    fn after<R: Reply>(&self, response: R) -> Prompt<Answering<R>> {
        let slot = match self {
            Self::Session(slot) => slot,
            Self::Outer(_, engine) => return Prompt::done(engine.prepare(response)),
            Self::Csrf(protection) => return Prompt::done(protection.finish_or_page(response)),
        };
        let engine = &slot.engine;
        let response = engine.prepare(response);
        match engine.commit(slot) {
            Commit::Done(outcome) => Prompt::done(engine.complete(response, outcome, slot)),
            Commit::Waiting(commit) => {
                let (slot, response) = (Arc::clone(slot), Some(response));
                Prompt::Waiting(Answering { slot, response, commit })
            }
        }
    }
}

impl Drop for Handled {
    // However the request ends, even if its client has disconnected or its handler panicked: later
    // changes of the session can't be saved.
    fn drop(&mut self) {
        if let Self::Session(slot) = self {
            slot.close();
        }
    }
}

pin_project! {
    /// A handler that runs, and then the commit of its session.
    pub(crate) struct Handling<F, A, R: Reply> {
        #[pin]
        handler: F,
        handled: Handled,
        // The handler's output, while its session is being saved.
        saving: Option<(A, Prompt<Answering<R>>)>,
    }
}

impl<F: Future, A, R: Reply> Handling<F, A, R> {
    pub(crate) fn new(handler: F, handled: Handled) -> Self {
        Self { handler, handled, saving: None }
    }

    /// Polls for the layer's response. `split` separates the handler's response from the rest of
    /// its output.
    #[inline]
    pub(crate) fn poll_answer(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        split: impl FnOnce(F::Output) -> (A, R),
    ) -> Poll<(A, R)> {
        let this = self.project();
        let (rest, mut saving) = match this.saving.take() {
            Some(saving) => saving,
            None => {
                let (rest, response) = split(ready!(this.handler.poll(cx)));
                (rest, this.handled.after(response))
            }
        };
        match Pin::new(&mut saving).poll(cx) {
            Poll::Ready(response) => Poll::Ready((rest, response)),
            Poll::Pending => {
                *this.saving = Some((rest, saving));
                Poll::Pending
            }
        }
    }
}

impl<F, A, R: Reply> fmt::Debug for Handling<F, A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handling").finish_non_exhaustive()
    }
}

/// The future of a response whose session is being saved in a store.
pub(crate) struct Answering<R> {
    slot: Arc<Slot>,
    /// The response, until the session is saved.
    response: Option<R>,
    commit: Saving,
}

/// The response is never pinned, so it may move.
impl<R> Unpin for Answering<R> {}

impl<R: Reply> Future for Answering<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let outcome = ready!(Pin::new(&mut self.commit).poll(cx));
        match self.response.take() {
            Some(response) => Poll::Ready(self.slot.engine.complete(response, outcome, &self.slot)),
            // The future was polled after it had finished.
            None => Poll::Pending,
        }
    }
}
