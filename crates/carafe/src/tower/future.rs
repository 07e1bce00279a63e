use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::ResponseBody;
use crate::Error;
use crate::engine::{Commit, Engine, Saving, Slot};

pin_project! {
    /// The response future of a [`SessionService`](super::SessionService), which saves the session
    /// before it resolves.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, B> {
        #[pin]
        stage: Stage<F, B>,
        session: Ownership,
    }

    impl<F, B> PinnedDrop for ResponseFuture<F, B> {
        // However the request ends, even if its client has disconnected or its handler panicked:
        // later changes of the session can't be saved.
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Ownership::This(slot) = this.session
                && !matches!(this.stage.project(), StageProjection::Done)
            {
                slot.close();
            }
        }
    }
}

/// The owner of the request's session.
enum Ownership {
    This(Arc<Slot>),
    /// An outer layer saves the session, or there is none to save. The engine is this layer's.
    Outer(Arc<Engine>),
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, B> {
        /// The handler runs.
        Handling { #[pin] handler: F },
        /// The request was refused before its handler.
        Refused { error: Error },
        /// The session is being saved in a store.
        Saving { response: Option<Response<ResponseBody<B>>>, commit: Saving },
        Done,
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) fn new(handler: F, slot: Arc<Slot>) -> Self {
        Self { stage: Stage::Handling { handler }, session: Ownership::This(slot) }
    }

    /// Returns the response future of a request whose session an outer layer opens and saves.
    pub(super) fn passing(handler: F, engine: &Arc<Engine>) -> Self {
        let session = Ownership::Outer(Arc::clone(engine));
        Self { stage: Stage::Handling { handler }, session }
    }

    pub(super) fn refused(error: Error, engine: &Arc<Engine>) -> Self {
        let session = Ownership::Outer(Arc::clone(engine));
        Self { stage: Stage::Refused { error }, session }
    }
}

impl<F, E, B> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (engine, slot) = match this.session {
            Ownership::This(slot) => (&slot.engine, Some(&*slot)),
            Ownership::Outer(engine) => (&*engine, None),
        };
        loop {
            match this.stage.as_mut().project() {
                StageProjection::Handling { handler } => {
                    let response = ready!(handler.poll(cx))?.map(ResponseBody::new);
                    let response = engine.prepare(response);
                    let Some(slot) = slot else {
                        this.stage.set(Stage::Done);
                        return Poll::Ready(Ok(response));
                    };
                    match engine.commit(slot) {
                        Commit::Done(outcome) => {
                            this.stage.set(Stage::Done);
                            return Poll::Ready(Ok(engine.complete(response, outcome, slot)));
                        }
                        Commit::Waiting(commit) => {
                            let response = Some(response);
                            this.stage.set(Stage::Saving { response, commit });
                        }
                    }
                }
                StageProjection::Refused { error } => {
                    let response = engine.refuse(error);
                    this.stage.set(Stage::Done);
                    return Poll::Ready(Ok(response));
                }
                StageProjection::Saving { response, commit } => {
                    let outcome = ready!(Pin::new(commit).poll(cx));
                    let response = response.take();
                    this.stage.set(Stage::Done);
                    if let (Some(response), Some(slot)) = (response, slot) {
                        return Poll::Ready(Ok(engine.complete(response, outcome, slot)));
                    }
                }
                StageProjection::Done => return Poll::Pending,
            }
        }
    }
}

impl<F, B> std::fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
