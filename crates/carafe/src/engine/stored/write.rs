//! Changes of a session, written under its session lock.

use std::mem::take;
use std::sync::Arc;

use super::lock::{Newest, Ticket, Turn};
use super::open::payload;
use super::{Patience, Sessions, apply, ended, failed, interrupted};
use crate::content::{LoginState, Operation, View};
use crate::id::SessionIdHash;
use crate::record::{Record, State};
use crate::store::{Stored, Updated};
use crate::{Error, UnixSeconds, event};

/// What one request changes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) operations: Vec<Operation>,
    /// The record as the request saw it: most sessions are still so.
    pub(super) seen: Option<Arc<Stored>>,
    /// The session's content with the changes, if its record is still the one that was seen.
    pub(super) made: Option<Vec<u8>>,
}

impl Changes {
    /// Changes that are made anew on whatever the session is.
    pub(super) fn of(operations: Vec<Operation>) -> Self {
        Self { operations, seen: None, made: None }
    }
}

/// What became of a request's changes.
#[derive(Debug)]
pub(super) enum Written {
    /// They are in this record.
    Here(Arc<Stored>),
    /// The session goes on under another id, where they are still to be made.
    Moved(SessionIdHash, Changes),
}

/// What a request is told about its changes.
pub(super) type Answer = Result<Written, Error>;

/// What became of the changes of each request, in the order of the tickets.
type Outcomes = Vec<Result<(), Error>>;

/// Where a session is.
pub(super) enum Found {
    Here(Arc<Stored>),
    /// It goes on under another id.
    Moved(SessionIdHash),
}

impl Sessions {
    /// Commits a request's changes. Returns the id under which the session is, and its record.
    pub(super) async fn write(
        &self,
        mut session: SessionIdHash,
        mut changes: Changes,
    ) -> Result<(SessionIdHash, Arc<Stored>), Error> {
        let patience = Patience::new();
        loop {
            match self.write_here(session, changes).await? {
                Written::Here(stored) => return Ok((session, stored)),
                Written::Moved(to, back) => (session, changes) = (to, back),
            }
            patience.check()?;
        }
    }

    async fn write_here(&self, session: SessionIdHash, changes: Changes) -> Answer {
        // Declared before the lock's guard, which is dropped first.
        let place = self.locks.place(session);
        let mut holder = match place.turn(changes).await? {
            Turn::Holder(holder) => holder,
            Turn::Answered(answer) => return answer,
        };
        let tickets = take(&mut holder.tickets);
        self.commit_all(session, &mut holder.newest, tickets, Patience::new()).await;
        drop(holder.newest);
        // It is there, unless another holder has panicked over the changes.
        holder.answer.await.unwrap_or_else(|_| Err(interrupted()))
    }

    /// Commits the changes of several requests in one write, those of each request whole or not at all.
    async fn commit_all(
        &self,
        session: SessionIdHash,
        newest: &mut Newest<'_>,
        mut tickets: Vec<Ticket>,
        patience: Patience,
    ) {
        tickets.iter().for_each(|ticket| raise(newest, ticket.changes.seen.as_ref()));
        while !tickets.is_empty() {
            let stored = match self.find(&session, newest).await {
                Ok(Found::Here(stored)) => stored,
                Ok(Found::Moved(to)) => return forward_all(tickets, to),
                Err(error) => return refuse_all(tickets, &error),
            };
            let now = self.clock.now();
            let (record, outcomes) = match self.changed(&stored, &mut tickets, now) {
                Ok(changed) => changed,
                Err(error) if tickets.len() == 1 => return refuse_all(tickets, &error),
                // Together they are too much for the session: each gets the room that is left.
                Err(_) => {
                    for ticket in tickets {
                        let alone = self.commit_all(session, newest, vec![ticket], patience);
                        Box::pin(alone).await;
                    }
                    return;
                }
            };
            let Some(record) = record else { return answer_all(tickets, outcomes, &stored) };
            newest.take();
            match self.store.update(&session, stored.version, &record, now).await {
                Ok(Updated::Written(version)) => {
                    let written = Arc::new(Stored { record, version });
                    **newest = Some(Arc::clone(&written));
                    return answer_all(tickets, outcomes, &written);
                }
                Ok(Updated::Conflict) => {
                    event::retried();
                    if let Err(error) = patience.check() {
                        return refuse_all(tickets, &error);
                    }
                }
                Ok(Updated::Gone) => return refuse_all(tickets, &ended()),
                Err(error) => return refuse_all(tickets, &failed(error)),
            }
        }
    }

    /// Finds the session, beginning with the newest record that is known.
    pub(super) async fn find(
        &self,
        session: &SessionIdHash,
        newest: &mut Newest<'_>,
    ) -> Result<Found, Error> {
        let now = self.clock.now();
        // A session whose known record has expired may have been used since, in another process.
        let known = newest.take().filter(|known| !known.record.is_expired(now));
        let stored = match known {
            Some(known) => known,
            None => Box::pin(self.load_newest(session)).await?,
        };
        // It may have expired while the store was waited for, and must not be brought back.
        if stored.record.is_expired(self.clock.now()) {
            return Err(ended());
        }
        **newest = Some(Arc::clone(&stored));
        Ok(match stored.record.state {
            State::Live => Found::Here(stored),
            State::Moved { to, .. } => Found::Moved(to),
            State::Rotated { .. } | State::Ended { .. } | State::Series { .. } => {
                return Err(ended());
            }
        })
    }

    async fn load_newest(&self, session: &SessionIdHash) -> Result<Arc<Stored>, Error> {
        let loaded = self.store.load(session, self.clock.now()).await.map_err(failed)?;
        loaded.map(Arc::new).ok_or_else(ended)
    }

    /// The record with the changes of all requests, and what became of those of each; no record if all of
    /// them failed. An error is about all of them together.
    fn changed(
        &self,
        stored: &Arc<Stored>,
        tickets: &mut [Ticket],
        now: UnixSeconds,
    ) -> Result<(Option<Record>, Outcomes), Error> {
        let made = match tickets {
            // The common case: one request, and the session is as it saw it.
            [Ticket { changes, .. }] => changes
                .made
                .take()
                .filter(|_| changes.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, stored))),
            _ => None,
        };
        let (data, outcomes) = match made {
            Some(data) => (data, vec![Ok(())]),
            None => {
                let mut view = view_of(&stored.record)?;
                let apply = |ticket: &Ticket| {
                    apply::to_view(&mut view, &ticket.changes.operations, &self.rules)
                };
                let outcomes: Vec<_> = tickets.iter().map(apply).collect();
                if outcomes.iter().all(Result::is_err) {
                    return Ok((None, outcomes));
                }
                (view.to_json()?, outcomes)
            }
        };
        let mut record = stored.record.without_data();
        let done = tickets.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        done.for_each(|(ticket, _)| apply::to_login(&mut record, &ticket.changes.operations));
        self.rules.fill(&mut record, data, now)?;
        Ok((Some(record), outcomes))
    }
}

/// Replaces the newest known record by one that a request saw, unless that is older: another process may
/// have written it.
pub(super) fn raise(newest: &mut Newest<'_>, seen: Option<&Arc<Stored>>) {
    if let Some(seen) = seen
        && newest.as_ref().is_none_or(|newest| newest.version <= seen.version)
    {
        **newest = Some(Arc::clone(seen));
    }
}

pub(super) fn view_of(record: &Record) -> Result<View, Error> {
    Ok(View::recording(payload(record)?, LoginState::of(record)))
}

fn refuse_all(tickets: Vec<Ticket>, error: &Error) {
    tickets.into_iter().for_each(|ticket| ticket.answer(|_| Err(error.clone())));
}

fn forward_all(tickets: Vec<Ticket>, to: SessionIdHash) {
    for ticket in tickets {
        ticket.answer(|changes| Ok(Written::Moved(to, Changes::of(changes.operations))));
    }
}

fn answer_all(tickets: Vec<Ticket>, outcomes: Outcomes, stored: &Arc<Stored>) {
    for (ticket, outcome) in tickets.into_iter().zip(outcomes) {
        ticket.answer(|_| outcome.map(|()| Written::Here(Arc::clone(stored))));
    }
}
