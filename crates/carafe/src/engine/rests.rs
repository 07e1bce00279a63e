//! What requests do themselves and takes long.

use std::collections::VecDeque;
use std::mem::{replace, take};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::head::{AtWork, HandOver};

/// How often nothing is seen until nobody looks any more.
const IDLE: u32 = 50;

/// The work that requests have begun lately. What takes long becomes a task: the request may be one
/// whose response somebody holds and doesn't ask for any more, and would keep what all requests share,
/// such as a connection.
#[derive(Clone, Debug)]
pub(super) struct Rests {
    begun: Arc<Mutex<Begun>>,
    /// For how long a request may be at its work alone. Once it becomes a task it has been at it for
    /// that, and at most twice as long.
    patience: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Begun {
    /// What has been begun since somebody looked last.
    new: VecDeque<AtWork>,
    /// What had been begun by then.
    old: VecDeque<AtWork>,
    /// Whether a task looks.
    pub(super) watched: bool,
}

impl Rests {
    /// Calls of the store have so much time: a request may be at its work for a sixteenth of it.
    pub(super) fn new(store_timeout: Duration) -> Self {
        let patience = (store_timeout / 16).max(Duration::from_millis(1));
        Self { begun: Arc::default(), patience }
    }

    /// Notes work that a request begins in a runtime, without which it couldn't become a task.
    pub(super) fn note(&self, work: AtWork, runtime: Option<&Handle>) {
        let Some(runtime) = runtime else { return };
        let watched = {
            let mut begun = self.begun();
            begun.forget_done();
            begun.new.push_back(work);
            replace(&mut begun.watched, true)
        };
        if !watched {
            runtime.spawn(Watch { rests: self.clone(), left: false }.run());
        }
    }

    pub(super) fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    /// Gives back the memory of what is done. What has been begun first is done first, but for what takes
    /// long.
    fn forget_done(&mut self) {
        while self.new.front().is_some_and(|work| work.strong_count() == 0) {
            self.new.pop_front();
        }
    }

    fn is_empty(&self) -> bool {
        self.new.is_empty() && self.old.is_empty()
    }
}

/// The task that looks.
struct Watch {
    rests: Rests,
    /// Whether another may look by now.
    left: bool,
}

impl Watch {
    async fn run(mut self) {
        let mut idle = 0;
        while !self.left {
            sleep(self.rests.patience).await;
            idle += 1;
            for work in self.take_late(&mut idle) {
                work.hand_over();
            }
        }
    }

    /// What had been begun the last time already. When there was nothing for a while, nobody looks any
    /// more.
    fn take_late(&mut self, idle: &mut u32) -> Vec<Arc<dyn HandOver>> {
        let mut begun = self.rests.begun();
        if !begun.is_empty() {
            *idle = 0;
        }
        let new = take(&mut begun.new);
        let late = replace(&mut begun.old, new);
        if *idle >= IDLE {
            begun.watched = false;
            self.left = true;
        }
        drop(begun);
        late.iter().filter_map(AtWork::upgrade).collect()
    }
}

impl Drop for Watch {
    /// Also where the runtime ends that it is in: then whoever begins next has somebody look.
    fn drop(&mut self) {
        if !self.left {
            self.rests.begun().watched = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::head::Attended;
    use super::*;

    #[tokio::test]
    async fn nobody_looks_for_ever_and_somebody_does_again() {
        let rests = Rests::new(Duration::from_millis(160));
        for _ in 0..2 {
            assert_eq!(Attended::begin(&rests, |_| async { 1 }).await, Some(1));
            let mut watch = Watch { rests: rests.clone(), left: false };
            assert!(rests.begun().watched);
            // What was begun is looked at first, and the next time as well.
            for _ in 0..2 {
                let mut idle = IDLE;
                watch.take_late(&mut idle);
                assert!(!watch.left && idle == 0);
            }
            assert!(rests.begun().is_empty());
            watch.take_late(&mut { IDLE });
            assert!(watch.left && !rests.begun().watched);
        }
    }

    #[tokio::test]
    async fn what_is_done_is_forgotten_as_others_begin() {
        let rests = Rests::new(Duration::from_secs(160));
        for _ in 0..1_000 {
            assert_eq!(Attended::begin(&rests, |_| async { 1 }).await, Some(1));
        }
        assert_eq!(rests.begun().new.len(), 1);
    }
}
