//! A future that resolves when a session ends.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::Session;
use crate::engine::{End, Engine, Slot, Subject};

/// A future that resolves when a session has ended: see [`Session::ended`].
///
/// It borrows nothing, and holds none of the session's values. While it waits it takes about 400
/// bytes, including the entry in the table of watched sessions.
#[must_use = "futures do nothing unless polled"]
pub struct SessionEnded(Waiting);

enum Waiting {
    /// The future has not been polled yet.
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
    /// Returns a future that resolves when the session has ended. Connections that must not outlive
    /// their session, such as WebSockets and event streams, wait for it.
    ///
    /// A session in a store ends in any of these ways, in any process: by [`logout`](Self::logout),
    /// by [`revoke`](Self::revoke) and similar methods, by [`login`](Self::login), which begins
    /// another session, by [`rotate`](Self::rotate), or by expiring. The periodic renewal of its id
    /// does not end it. An open connection does not count as a use of the session, and does not
    /// extend its life.
    ///
    /// A session in a cookie ends in the same ways, if the layer has
    /// [revocations](crate::SessionLayer::with_revocations) and a user is logged in or the session
    /// has an id. Otherwise it only expires, together with the cookie that this request brought or
    /// its response sets. Cookies that later requests are given are not taken into account.
    ///
    /// The future of a visitor without a session never resolves. Poll it in a tokio runtime, and
    /// keep it for as long as you like. The store is asked once at the first poll, and then as
    /// [`Config::watch_interval`](crate::Config::watch_interval) says.
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
    /// Returns the end of a session that is already watched.
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
                // The runtime of the watching task has ended.
                *ended = again;
                polled = Pin::new(ended).poll(context);
            }
            match polled {
                Poll::Ready(Ok(())) => *waiting = Waiting::Ended,
                // The new watch ended as well.
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
