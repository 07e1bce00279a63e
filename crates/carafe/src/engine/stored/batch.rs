//! Tickets of one session that are worked off together.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::open::payload;
use super::queue::{Done, Queue, Rotation, Task, Ticket};
use super::{apply, ended, failed, users};
use crate::id::{PublicId, SessionIdHash};
use crate::record::{Record, State};
use crate::session::{Operation, View};
use crate::store::{Deleted, StoreErrorKind, Stored, Updated, Version};
use crate::{Error, ErrorKind, event};

/// How long a commit tries to get past other processes' commits.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long to wait before asking a store again that could not answer.
const PAUSE: Duration = Duration::from_millis(20);

/// How many times a session's id can have been renewed within the grace of the first renewal.
pub(super) const HOPS: usize = 4;

type Reply = oneshot::Sender<Result<Done, Error>>;

pub(super) struct Batch<'a> {
    queue: &'a Arc<Queue>,
    session: SessionIdHash,
    /// The newest record that is known of.
    known: Option<Arc<Stored>>,
    deadline: Instant,
}

/// What a batch does next.
enum Next {
    Write(Vec<Write>),
    Rotate(Box<Rotation>, Reply),
    End(Arc<Stored>, Reply),
}

/// The changes of one request.
struct Write {
    operations: Vec<Operation>,
    /// What the session holds with them, if this is its record.
    made: Option<(Arc<Stored>, Vec<u8>)>,
    /// Whether they could be made.
    outcome: Result<(), Error>,
    reply: Reply,
}

/// What became of a try to move a session.
enum Moved {
    Done(Arc<Stored>),
    /// Another write came first.
    Conflict,
    /// The store has no room for a new record.
    NoRoom,
}

/// Where a session is.
enum Found {
    Here(Arc<Stored>),
    /// It goes on under another id.
    Elsewhere(SessionIdHash),
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        queue: &'a Arc<Queue>,
        session: SessionIdHash,
        known: Option<Arc<Stored>>,
    ) -> Self {
        Self { queue, session, known, deadline: Instant::now() + PATIENCE }
    }

    /// Does what the tickets ask for, in their order, and returns the newest record.
    pub(super) async fn run(mut self, tickets: Vec<Ticket>) -> Option<Arc<Stored>> {
        let mut tickets = VecDeque::from(tickets);
        while let Some(next) = self.next(&mut tickets) {
            match next {
                Next::Write(run) => self.write(run).await,
                // In boxes, since writes are what there mostly is, and have no need of their room.
                Next::Rotate(rotation, reply) => Box::pin(self.rotate(rotation, reply)).await,
                Next::End(seen, reply) => {
                    let result = Box::pin(self.end(&seen)).await;
                    answer(reply, result);
                }
            }
        }
        self.known
    }

    /// Takes what is to be done next: one thing, or all writes that follow each other.
    fn next(&mut self, tickets: &mut VecDeque<Ticket>) -> Option<Next> {
        let mut run = Vec::new();
        loop {
            let writes = matches!(tickets.front(), Some(Ticket { task: Task::Write { .. }, .. }));
            if !run.is_empty() && !writes {
                return Some(Next::Write(run));
            }
            let Ticket { task, seen, reply, since } = tickets.pop_front()?;
            self.known = self.known.take().or_else(|| seen.clone());
            if since.elapsed() > PATIENCE {
                // The store is too slow for all who wait: those who have waited for long are told.
                answer(reply, Err(too_slow()));
                continue;
            }
            match task {
                Task::Write { operations, made } => {
                    let made = seen.zip(made);
                    if run.is_empty() {
                        // Mostly there is one.
                        run.reserve_exact(1);
                    }
                    run.push(Write { operations, made, outcome: Ok(()), reply });
                }
                Task::Rotate(rotation) => return Some(Next::Rotate(rotation, reply)),
                Task::End(seen) => return Some(Next::End(seen, reply)),
            }
        }
    }

    /// The session as it is now.
    async fn find(&mut self) -> Result<Found, Error> {
        let now = self.queue.clock.now();
        // One that was used since it was seen hasn't ended with what was seen.
        match self.known.take().filter(|known| !known.record.is_expired(now)) {
            Some(stored) => found(stored, now),
            None => Box::pin(self.look()).await,
        }
    }

    /// The session as the store has it.
    async fn look(&self) -> Result<Found, Error> {
        let Queue { store, clock, .. } = self.queue.as_ref();
        let loaded = store.load(&self.session, clock.now()).await.map_err(failed)?;
        // It may have ended while the store was waited for, and isn't to be brought back.
        found(Arc::new(loaded.ok_or_else(ended)?), clock.now())
    }

    /// Whether there is time for another try.
    fn check_patience(&self) -> Result<(), Error> {
        if Instant::now() < self.deadline { Ok(()) } else { Err(too_slow()) }
    }

    /// Commits the changes of several requests in one write.
    async fn write(&mut self, mut run: Vec<Write>) {
        loop {
            let stored = match self.find().await {
                Ok(Found::Here(stored)) => stored,
                Ok(Found::Elsewhere(to)) => return self.forward(to, run),
                Err(error) => return answer_all(run, &error),
            };
            let now = self.queue.clock.now();
            let record = match self.changed(&stored, &mut run, now) {
                Ok(Some(record)) => record,
                Ok(None) => {
                    self.known = Some(stored);
                    return answer_each(run, || Err(ended()));
                }
                Err(error) => {
                    self.known = Some(stored);
                    return Box::pin(self.write_singly(run, error)).await;
                }
            };
            match self.queue.store.update(&self.session, stored.version, &record, now).await {
                Ok(Updated::Written(version)) => {
                    let written = Arc::new(Stored { record, version });
                    self.known = Some(Arc::clone(&written));
                    let done = || Ok(Done::Written(self.session, Arc::clone(&written)));
                    return answer_each(run, done);
                }
                Ok(Updated::Conflict) => {
                    event::retried();
                    if let Err(error) = self.check_patience() {
                        return answer_all(run, &error);
                    }
                }
                Ok(Updated::Gone) => return answer_all(run, &ended()),
                Err(error) => return answer_all(run, &failed(error)),
            }
        }
    }

    /// The record with what the requests changed, each one's changes whole or not at all; `None` if
    /// nobody's could be made. The error is of all of them together.
    fn changed(
        &self,
        stored: &Arc<Stored>,
        run: &mut [Write],
        now: u64,
    ) -> Result<Option<Record>, Error> {
        let rules = &self.queue.rules;
        let made = match run {
            // What most requests find: all is as they saw it.
            [one] => one.made.take().filter(|(seen, _)| Arc::ptr_eq(seen, stored)),
            _ => None,
        };
        let data = match made {
            Some((_, data)) => data,
            None => {
                let mut view = view_of(&stored.record)?;
                for Write { operations, outcome, .. } in &mut *run {
                    *outcome = apply::to_view(&mut view, operations, rules);
                }
                if run.iter().all(|write| write.outcome.is_err()) {
                    return Ok(None);
                }
                view.to_json()?
            }
        };
        let mut record = stored.record.without_data();
        rules.fill(&mut record, data, now)?;
        Ok(Some(record))
    }

    /// Together the changes are too much for one session: each gets the room that is left.
    async fn write_singly(&mut self, run: Vec<Write>, error: Error) {
        if run.len() == 1 {
            return answer_all(run, &error);
        }
        for one in run {
            self.write(vec![one]).await;
        }
    }

    /// Hands changes over to the queue of the id under which the session goes on.
    fn forward(&mut self, to: SessionIdHash, run: Vec<Write>) {
        let tickets = run.into_iter().map(|Write { operations, reply, .. }| {
            Ticket::new(Task::Write { operations, made: None }, None, reply)
        });
        self.queue.enqueue(to, tickets.collect());
    }

    /// Moves the session to a new id: first there is a new record, then one write turns the old one
    /// into a pointer. In any other order another request could lose what it was told is saved, or
    /// bring back a session that was ended.
    async fn rotate(&mut self, rotation: Box<Rotation>, reply: Reply) {
        let Rotation { operations, to, public_id, grace } = *rotation;
        let mut created = None;
        let result = loop {
            let stored = match self.find().await {
                Ok(Found::Here(stored)) => stored,
                Ok(Found::Elsewhere(next)) => {
                    self.discard(&to, created).await;
                    let task = match grace {
                        // It has been renewed already.
                        Some(_) => Task::Write { operations, made: None },
                        None => {
                            Task::Rotate(Box::new(Rotation { operations, to, public_id, grace }))
                        }
                    };
                    return self.queue.enqueue(next, vec![Ticket::new(task, None, reply)]);
                }
                Err(error) => break Err(error),
            };
            match self.move_to(&stored, &operations, (to, public_id), grace, &mut created).await {
                Ok(Moved::Done(written)) => {
                    created = None;
                    break Ok(Done::Written(to, written));
                }
                // A renewal can wait until there is room. What is logged in is to work meanwhile.
                Ok(Moved::NoRoom) if operations.is_empty() => {
                    break Ok(Done::Written(self.session, stored));
                }
                Ok(Moved::NoRoom) => {
                    self.known = Some(stored);
                    let write = Write { operations, made: None, outcome: Ok(()), reply };
                    return self.write(vec![write]).await;
                }
                Ok(Moved::Conflict) => {
                    if let Err(error) = self.check_patience() {
                        break Err(error);
                    }
                }
                Err(error) => break Err(error),
            }
        };
        if result.is_err() {
            self.discard(&to, created).await;
        }
        answer(reply, result);
    }

    /// One try to move the session.
    async fn move_to(
        &mut self,
        stored: &Stored,
        operations: &[Operation],
        (to, public_id): (SessionIdHash, PublicId),
        grace: Option<Duration>,
        created: &mut Option<Version>,
    ) -> Result<Moved, Error> {
        let Queue { store, rules, clock, .. } = self.queue.as_ref();
        let now = clock.now();
        let mut view = view_of(&stored.record)?;
        apply::to_view(&mut view, operations, rules)?;
        let mut record = match apply::login(operations) {
            Some(login) => apply::log_in(rules.new_record(public_id, now), login, now),
            None => stored.record.without_data(),
        };
        rules.fill(&mut record, view.to_json()?, now)?;
        record.renewed = now;
        let version = match *created {
            None => match store.create(&to, &record, now).await {
                Ok(true) => Version(1),
                Ok(false) => return Err(ended()),
                Err(error) if grace.is_some() && error.kind() == StoreErrorKind::Full => {
                    event::store_failed(&error);
                    return Ok(Moved::NoRoom);
                }
                Err(error) => {
                    // It may be there.
                    *created = (error.kind() == StoreErrorKind::Uncertain).then_some(Version(1));
                    return Err(failed(error));
                }
            },
            Some(version) => {
                match store.update(&to, version, &record, now).await.map_err(failed)? {
                    Updated::Written(version) => version,
                    Updated::Conflict | Updated::Gone => return Err(ended()),
                }
            }
        };
        *created = Some(version);
        let until = match grace {
            Some(grace) => now.saturating_add(grace.as_secs()),
            // A request of before a login has no part in the user's session, not even to end it.
            None if apply::login(operations).is_some() => 0,
            None => now,
        };
        let pointer = rules.pointer(&stored.record, to, until, now);
        let moved = match store.update(&self.session, stored.version, &pointer, now).await {
            Ok(Updated::Written(_)) => true,
            Ok(Updated::Conflict) => false,
            Ok(Updated::Gone) => return Err(ended()),
            Err(error) if error.kind() == StoreErrorKind::Uncertain => {
                match self.has_moved(stored.version, &pointer).await {
                    Ok(Some(moved)) => moved,
                    // Ended since, and nobody can know whether it had moved before.
                    Ok(None) => return Err(failed(error)),
                    Err(error) => {
                        // It may have moved there: better a record that nobody knows the id of than
                        // a session that is lost.
                        *created = None;
                        return Err(error);
                    }
                }
            }
            Err(error) => return Err(failed(error)),
        };
        Ok(match moved {
            true => Moved::Done(Arc::new(Stored { record, version })),
            false => Moved::Conflict,
        })
    }

    /// Finds out whether the old record has become a pointer, after the answer was lost. Whatever
    /// the lost call still does, it does nothing once the record has another version; and that the
    /// pointer is ours is told by the new id, which nobody else knows.
    ///
    /// `None` if there is no old record any more.
    async fn has_moved(&self, version: Version, pointer: &Record) -> Result<Option<bool>, Error> {
        let Queue { store, clock, .. } = self.queue.as_ref();
        loop {
            let now = clock.now();
            let error = match store.load(&self.session, now).await {
                Ok(Some(found)) if found.record.state == pointer.state => return Ok(Some(true)),
                Ok(Some(found)) if found.version == version => {
                    match store.update(&self.session, version, pointer, now).await {
                        Ok(Updated::Written(_)) => return Ok(Some(true)),
                        // It was the lost call, or another: look again.
                        Ok(Updated::Conflict | Updated::Gone) => continue,
                        Err(error) => error,
                    }
                }
                Ok(Some(_)) => return Ok(Some(false)),
                Ok(None) => return Ok(None),
                Err(error) => error,
            };
            if self.check_patience().is_err() {
                return Err(failed(error));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Deletes a record that was made for a new id which nobody will get.
    async fn discard(&self, id: &SessionIdHash, created: Option<Version>) {
        if created.is_some()
            && let Err(error) = self.queue.store.delete(id, None).await
        {
            // Nobody knows its id, and it expires.
            event::store_failed(&error);
        }
    }

    /// Ends the session, wherever it went. What it leaves are pointers to nothing, which expire: if
    /// they were deleted first and then something failed, nobody would find the session any more.
    async fn end(&mut self, seen: &Arc<Stored>) -> Result<Done, Error> {
        // Mostly it is still as somebody has just seen it.
        let mut known = self.known.take().or_else(|| Some(Arc::clone(seen)));
        let mut session = self.session;
        loop {
            let now = self.queue.clock.now();
            let store = &self.queue.store;
            let stored = match known.take() {
                Some(known) => Some(known),
                None => store.load(&session, now).await.map_err(failed)?.map(Arc::new),
            };
            let Some(stored) = stored else {
                // It has been ended, or it was renewed so long ago that nothing leads there any more.
                let Record { user, public_id, .. } = &seen.record;
                if let Some(user) = user {
                    users::end(store, &self.queue.clock, user, *public_id).await?;
                }
                return Ok(Done::Ended);
            };
            match stored.record.state {
                // Ended by a login. The user's session is another.
                State::Moved { until: 0, .. } => return Ok(Done::Ended),
                State::Moved { to, .. } => session = to,
                State::Live => {
                    let deleted = store.delete(&session, Some(stored.version)).await;
                    match deleted.map_err(failed)? {
                        // It was changed or moved meanwhile, or what that left is gone: look again.
                        Deleted::Conflict | Deleted::Gone => {}
                        Deleted::Deleted => return Ok(Done::Ended),
                    }
                }
            }
            self.check_patience()?;
        }
    }
}

/// The error of a change that waited for too long.
fn too_slow() -> Error {
    Error::new(
        ErrorKind::Store,
        "the session is changed by so many at once, or the store is so slow, that this change did \
         not get through; nothing of it was written",
    )
}

/// Where the session of a record is, if it has not ended.
fn found(stored: Arc<Stored>, now: u64) -> Result<Found, Error> {
    match stored.record.state {
        _ if stored.record.is_expired(now) => Err(ended()),
        State::Moved { to, .. } => Ok(Found::Elsewhere(to)),
        State::Live => Ok(Found::Here(stored)),
    }
}

fn view_of(record: &Record) -> Result<View, Error> {
    Ok(View::recording(payload(record)?, record.user.clone()))
}

/// Tells a request how its change went. A request that has gone doesn't hear it.
fn answer(reply: Reply, result: Result<Done, Error>) {
    let _ = reply.send(result);
}

fn answer_all(run: Vec<Write>, error: &Error) {
    for Write { reply, .. } in run {
        answer(reply, Err(error.clone()));
    }
}

/// Tells each request its own error, or what was done.
fn answer_each(run: Vec<Write>, done: impl Fn() -> Result<Done, Error>) {
    for Write { reply, outcome, .. } in run {
        answer(reply, outcome.and_then(|()| done()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Clock;
    use crate::engine::stored::StoreBackend;
    use crate::{Config, MemoryStore};

    type Answer = oneshot::Receiver<Result<Done, Error>>;

    fn ticket(task: Task, age: Duration) -> (Ticket, Answer) {
        let (reply, answer) = oneshot::channel();
        let mut ticket = Ticket::new(task, None, reply);
        ticket.since -= age;
        (ticket, answer)
    }

    fn write(age: Duration) -> (Ticket, Answer) {
        ticket(Task::Write { operations: Vec::new(), made: None }, age)
    }

    /// Whatever lies between them, and whoever has waited for too long: each is done or told.
    #[test]
    fn writes_that_follow_each_other_are_one_and_nothing_is_skipped() {
        let clock = Clock::default();
        let queue = StoreBackend::new(MemoryStore::new(), &Config::default(), clock).queue;
        let id = SessionIdHash::from_bytes([7; 32]);
        let rotation = || {
            let (operations, public_id) = (Vec::new(), PublicId::from_bytes([9; 16]));
            let rotation = Rotation { operations, to: id, public_id, grace: None };
            ticket(Task::Rotate(Box::new(rotation)), Duration::ZERO)
        };
        let (now, late) = (Duration::ZERO, 2 * PATIENCE);
        let all = [write(now), write(late), rotation(), write(late), write(now), write(now)];
        let (tickets, mut answers): (VecDeque<_>, Vec<_>) = all.into_iter().unzip();
        let (mut tickets, mut batch) = (tickets, Batch::new(&queue, id, None));
        let mut done = Vec::new();
        while let Some(next) = batch.next(&mut tickets) {
            done.push(match &next {
                Next::Write(run) => run.len(),
                Next::Rotate(..) | Next::End(..) => 0,
            });
        }
        assert_eq!(done, [1, 0, 2]);
        for (number, answer) in answers.iter_mut().enumerate() {
            let told = matches!(answer.try_recv(), Ok(Err(_)));
            assert_eq!(told, [1, 3].contains(&number), "{number}");
        }
    }
}
