//! The task that checks the watched sessions of a layer.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::table::Table;
use super::{Look, Watched};
use crate::event;
use crate::store::{Notice, Notices};

/// The number of sessions that are checked in one call of the store. Notices have to wait for the
/// call.
const BATCH: usize = 32;

/// The pause after the store has failed.
const REST: Duration = Duration::from_secs(1);

/// The sources of the task's events.
struct Sources<L: Look> {
    door: UnboundedReceiver<Watched<L::Mark>>,
    /// The store's notices; `None` if it sends none, or no more.
    notices: Option<Notices>,
}

/// An event for the task.
enum News<M> {
    Watched(Watched<M>),
    Notice(Notice),
    /// A session is due for a check.
    Due,
}

/// Checks sessions until none is watched any more.
pub(super) async fn run<L: Look>(
    of: Arc<L>,
    door: UnboundedReceiver<Watched<L::Mark>>,
    interval: Duration,
) {
    let notices = of.notices();
    let (mut sources, mut table) = (Sources::<L> { door, notices }, Table::<L>::new(interval));
    let mut rests_until = Instant::now();
    loop {
        let due = table.next_due().map(|due| due.max(rests_until));
        match sources.next(due).await {
            Some(News::Watched(new)) => table.add(new),
            Some(News::Notice(notice)) => note(&mut table, notice),
            Some(News::Due) => {
                if look(&*of, &mut table).await.is_err() {
                    rests_until = Instant::now() + REST;
                }
                if table.is_empty() {
                    return;
                }
                tokio::task::yield_now().await;
            }
            None => return,
        }
    }
}

fn note<L: Look>(table: &mut Table<L>, notice: Notice) {
    if notice == Notice::Interrupted {
        event::notices_interrupted();
    }
    table.note(notice);
}

/// Checks some of the sessions that are due. An error has been logged already.
async fn look<L: Look>(of: &L, table: &mut Table<L>) -> Result<(), crate::Error> {
    let ids = table.take_due(Instant::now(), BATCH);
    if ids.is_empty() {
        return Ok(());
    }
    let found = of.look(&table.marks(&ids)).await?;
    let now = Instant::now();
    ids.into_iter().zip(found).for_each(|(id, found)| table.settle(id, found, now));
    Ok(())
}

impl<L: Look> Sources<L> {
    /// Waits for an event: first notices, then new sessions, then the time of a check. `None` if
    /// the layer is dropped.
    async fn next(&mut self, due: Option<Instant>) -> Option<News<L::Mark>> {
        match due {
            // A session that is due already needs no timer.
            Some(due) if due <= Instant::now() => {
                let polled = poll_fn(|context| Poll::Ready(self.poll_next(context))).await;
                match polled {
                    Poll::Ready(news) => news,
                    Poll::Pending => Some(News::Due),
                }
            }
            Some(due) => {
                let mut timer = pin!(sleep_until(due));
                poll_fn(|context| match self.poll_next(context) {
                    Poll::Pending => timer.as_mut().poll(context).map(|()| Some(News::Due)),
                    news => news,
                })
                .await
            }
            None => poll_fn(|context| self.poll_next(context)).await,
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<News<L::Mark>>> {
        if let Some(notices) = &mut self.notices {
            match notices.poll_next(context) {
                Poll::Ready(Some(notice)) => return Poll::Ready(Some(News::Notice(notice))),
                Poll::Ready(None) => self.notices = None,
                Poll::Pending => {}
            }
        }
        self.door.poll_recv(context).map(|new| new.map(News::Watched))
    }
}
