//! The end of a session, to be waited for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::Session;
use crate::engine::{End, Engine, Slot, Subject};

/// Resolves when a session has ended: see [`Session::ended`].
///
/// It borrows nothing, and keeps nothing of what the session holds. One that waits takes about 400 bytes,
/// with its place among the sessions that are watched.
#[must_use = "futures do nothing unless polled"]
pub struct SessionEnded(Waiting);

enum Waiting {
    /// Nothing has polled it yet.
    Start(Arc<Slot>),
    Watched {
        engine: Arc<Engine>,
        subject: Subject,
        ended: oneshot::Receiver<()>,
    },
    Expires(Pin<Box<dyn Future<Output = ()> + Send + Sync>>),
    Never,
    Ended,
}

impl Session {
    /// Returns a future that resolves when the session has ended: for connections that must not outlive it,
    /// such as WebSockets and event streams.
    ///
    /// A session in a store ends in any process by a [`logout`](Self::logout), by
    /// [`revoke`](Self::revoke) and its like, by a [`login`](Self::login), which begins another one, by
    /// [`rotate`](Self::rotate), after which an old connection has no part in the session, and when it
    /// expires. The periodic renewal of its id does not end it. An open connection is no use of the session,
    /// and doesn't make it last longer.
    ///
    /// A session in a cookie ends likewise, if the layer has
    /// [revocations](crate::SessionLayer::with_revocations) and a user is logged in or the session has an id;
    /// otherwise only by expiring. It expires with the cookie that this request brought or its response sets:
    /// a cookie that a later request was given isn't known.
    ///
    /// A visitor who has no session has none that could end: then it never resolves. It must be polled in a
    /// tokio runtime, and may be kept for as long as the application likes. The store is asked once when it
    /// is first polled, and then as [`Config::watch_interval`](crate::Config::watch_interval) says.
    ///
    /// ```
    /// use carafe::Session;
    ///
    /// async fn serve(session: Session) {
    ///     let mut ended = session.ended();
    ///     loop {
    ///         tokio::select! {
    ///             () = &mut ended => break, // Close the connection.
    ///             () = next_message() => {}
    ///         }
    ///     }
    /// }
    /// # async fn next_message() {}
    /// ```
    pub fn ended(&self) -> SessionEnded {
        SessionEnded(Waiting::Start(Arc::clone(self.slot())))
    }
}

impl SessionEnded {
    /// The end of a session that is watched already.
    pub(super) fn of(engine: &Arc<Engine>, subject: Subject) -> Self {
        Self(Waiting::watch(Arc::clone(engine), subject))
    }
}

impl Waiting {
    fn begin(slot: &Slot) -> Self {
        match slot.end() {
            End::Now => Self::Ended,
            End::Watch(subject) => Self::watch(Arc::clone(&slot.engine), subject),
            End::At(time) => Self::Expires(time),
            End::Never => Self::Never,
        }
    }

    fn watch(engine: Arc<Engine>, subject: Subject) -> Self {
        match engine.watch(&subject) {
            Some(ended) => Self::Watched { engine, subject, ended },
            None => Self::Never,
        }
    }
}

impl Future for SessionEnded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self(waiting) = &mut *self;
        if let Waiting::Start(slot) = waiting {
            *waiting = Waiting::begin(slot);
        }
        if let Waiting::Watched { engine, subject, ended } = waiting {
            let mut polled = Pin::new(&mut *ended).poll(context);
            if let Poll::Ready(Err(_)) = polled
                && let Some(again) = engine.watch(subject)
            {
                // The runtime that watched has ended.
                *ended = again;
                polled = Pin::new(ended).poll(context);
            }
            match polled {
                Poll::Ready(Ok(())) => *waiting = Waiting::Ended,
                // This one is at its end, too.
                Poll::Ready(Err(_)) | Poll::Pending => return Poll::Pending,
            }
        }
        match waiting {
            Waiting::Expires(time) => time.as_mut().poll(context),
            Waiting::Ended => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

impl fmt::Debug for SessionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionEnded").finish_non_exhaustive()
    }
}
