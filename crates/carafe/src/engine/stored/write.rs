//! Writes of a session's changes, under its session lock.

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

/// The changes of one request.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) operations: Vec<Operation>,
    /// The record as the request saw it, which is the newest one for most sessions.
    pub(super) seen: Option<Arc<Stored>>,
    /// The content after the changes, valid if the record is still the one that was seen.
    pub(super) made: Option<Vec<u8>>,
}

impl Changes {
    /// Returns changes that are applied to the newest record in any case.
    pub(super) fn of(operations: Vec<Operation>) -> Self {
        Self { operations, seen: None, made: None }
    }
}

/// The result of a request's changes.
#[derive(Debug)]
pub(super) enum Written {
    /// The changes are in this record.
    Here(Arc<Stored>),
    /// The session continues under another id, where the changes have yet to be made.
    Moved(SessionIdHash, Changes),
}

/// The answer to a request about its changes.
pub(super) type Answer = Result<Written, Error>;

/// The results of each request's changes, in the order of the tickets.
type Outcomes = Vec<Result<(), Error>>;

/// The result of looking for a session.
pub(super) enum Found {
    Here(Arc<Stored>),
    /// The session continues under another id.
    Moved(SessionIdHash),
}

impl Sessions {
    /// Commits a request's changes. Returns the session's present id, and its record.
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
        // Declared before the lock's guard, so that the guard is dropped first.
        let waiter = self.locks.waiter(session);
        let mut holder = match waiter.turn(changes).await? {
            Turn::Holder(holder) => holder,
            Turn::Answered(answer) => return answer,
        };
        let tickets = take(&mut holder.tickets);
        self.commit_all(session, &mut holder.newest, tickets, Patience::new()).await;
        drop(holder.newest);
        // The answer has been sent, unless another holder has panicked over the changes.
        holder.answer.await.unwrap_or_else(|_| Err(interrupted()))
    }

    /// Commits the changes of several requests in one write, all or none of each request's.
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
                // All changes together exceed the session's limit: each request gets the room that
                // is left.
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

    /// Finds the session, beginning with the newest record that this process knows.
    pub(super) async fn find(
        &self,
        session: &SessionIdHash,
        newest: &mut Newest<'_>,
    ) -> Result<Found, Error> {
        let now = self.clock.now();
        // A session whose known record has expired may have been used by another process since.
        let known = newest.take().filter(|known| !known.record.is_expired(now));
        let stored = match known {
            Some(known) => known,
            None => Box::pin(self.load_newest(session)).await?,
        };
        // The session may have expired while this request waited for the store, and must not be
        // revived.
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

    /// Returns the record with the changes of all requests, and each request's result; no record if
    /// all of them failed. An error concerns all of them together.
    fn changed(
        &self,
        stored: &Arc<Stored>,
        tickets: &mut [Ticket],
        now: UnixSeconds,
    ) -> Result<(Option<Record>, Outcomes), Error> {
        let made = match tickets {
            // The common case: one request, whose record is still the newest.
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

/// Replaces the newest known record by the record that a request saw, if that is newer: another
/// process may have written it.
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
