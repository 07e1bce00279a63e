//! The end of a request's session: known, watched for, or awaited.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::revocable::CookieMark;
use super::slot::State;
use super::{Backend, CurrentId, Engine, Slot};
use crate::content::{View, id_of};
use crate::{Clock, UnixSeconds};

/// The longest duration of a timer, in seconds.
const LONGEST: u64 = 86_400;

/// A session that can be watched.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// A session in a store.
    Stored(Arc<CurrentId>),
    /// A session in a cookie, whose revocation mark a store may have.
    Cookie(Arc<CurrentId>, Arc<CookieMark>),
}

/// The way in which a session ends.
pub(crate) enum End {
    /// It has ended.
    Now,
    /// The session has to be watched.
    Watch(Subject),
    /// The session only expires, when this future resolves.
    At(Pin<Box<dyn Future<Output = ()> + Send + Sync>>),
    /// There is no session.
    Never,
}

impl Slot {
    /// Returns how the session of this request will end.
    pub(crate) fn end(&self) -> End {
        let state = self.state();
        match &self.engine.backend {
            Backend::Stored(_) => match &state.seat {
                Some(seat) => End::Watch(Subject::Stored(Arc::new(CurrentId::new(seat.session)))),
                None => End::Never,
            },
            Backend::Cookie => self.engine.end_of_cookie(&state, false),
            Backend::Revocable(_) => self.engine.end_of_cookie(&state, true),
        }
    }
}

impl Engine {
    /// Begins to watch a session. If the receiver gives an error, the session has to be watched
    /// again.
    pub(crate) fn watch(&self, subject: &Subject) -> Option<oneshot::Receiver<()>> {
        match (&self.backend, subject) {
            (Backend::Stored(backend), Subject::Stored(current)) => {
                let (watch, of) = backend.watch();
                Some(watch.add(of, Arc::clone(current), ()))
            }
            (Backend::Revocable(backend), Subject::Cookie(current, mark)) => {
                let (watch, of) = backend.watch();
                Some(watch.add(of, Arc::clone(current), Arc::clone(mark)))
            }
            _ => None,
        }
    }

    fn end_of_cookie(&self, state: &State, revocable: bool) -> End {
        let Some(view) = state.view.as_ref().filter(|view| !view.is_empty()) else {
            return if state.logged_out { End::Now } else { End::Never };
        };
        let ends = self.last_second(state, view);
        match id_of(view).filter(|_| revocable) {
            Some(id) => {
                let mark = CookieMark::new(view.user(), view.logged_in_at(), ends);
                End::Watch(Subject::Cookie(Arc::new(CurrentId::new(id.hash())), Arc::new(mark)))
            }
            None => {
                End::At(Box::pin(expires(self.clock.clone(), ends, self.config().watch_interval)))
            }
        }
    }

    /// Returns the last second in which the cookie opens the session: the request's cookie, or the
    /// one that the response sets.
    fn last_second(&self, state: &State, view: &View) -> UnixSeconds {
        let signed = match self.signs(state, view) {
            true => self.clock.now(),
            false => UnixSeconds(state.issued),
        };
        let idle = signed + self.lifetime_of(view);
        let absolute = self.config().absolute_timeout.as_secs();
        let ends = view.logged_in_at().map(|login| login + absolute);
        ends.map_or(idle, |ends| ends.min(idle))
    }
}

/// Waits until this second has passed. A clock that a test moves is read once per interval.
async fn expires(clock: Clock, last: UnixSeconds, interval: Duration) {
    loop {
        let now = clock.now();
        if now > last {
            return;
        }
        let left = Duration::from_secs((last.since(now) + 1).min(LONGEST));
        tokio::time::sleep(if clock.is_system() { left } else { left.min(interval) }).await;
    }
}
