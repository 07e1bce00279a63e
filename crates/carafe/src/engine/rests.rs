//! What requests do themselves and takes long.

use std::collections::VecDeque;
use std::mem::replace;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    /// How long a request may be at its work alone.
    patience: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Begun {
    /// Since when, and what. Of most nothing is left by the time somebody looks.
    work: VecDeque<(Instant, AtWork)>,
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
            begun.work.push_back((Instant::now(), work));
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
            for head in self.take_late(&mut idle) {
                head.hand_over();
            }
        }
    }

    /// What has been begun for long enough. When nothing was for a while, nobody looks any more.
    fn take_late(&mut self, idle: &mut u32) -> Vec<Arc<dyn HandOver>> {
        let (mut late, now) = (Vec::new(), Instant::now());
        let mut begun = self.rests.begun();
        while let Some((since, head)) = begun.work.front() {
            *idle = 0;
            if now.duration_since(*since) < self.rests.patience {
                break;
            }
            late.extend(head.upgrade());
            begun.work.pop_front();
        }
        if *idle >= IDLE {
            begun.watched = false;
            drop(begun);
            self.left = true;
        }
        late
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
            let mut idle = IDLE;
            sleep(rests.patience).await;
            // What was begun is looked at first.
            watch.take_late(&mut idle);
            assert!(!watch.left && idle == 0 && rests.begun().work.is_empty());
            watch.take_late(&mut { IDLE });
            assert!(watch.left && !rests.begun().watched);
        }
    }
}
