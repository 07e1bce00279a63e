use std::sync::{Arc, LazyLock};

use http::HeaderValue;
use memchr::memmem;

use super::admit::{NewRecord, too_many};
use super::open::{Origin, Seat, payload, view};
use super::rotate::Rotation;
use super::write::Changes;
use super::{Rules, StoreBackend, apply, ended, failed};
use crate::content::{Operation, PERMANENT, Recorded, View, is_permanent};
use crate::engine::slot::State as SlotState;
use crate::engine::{Engine, Outcome, Slot, closed};
use crate::event::Started;
use crate::id::{self, SessionId};
use crate::store::{Stored, Updated, Version};
use crate::value::DateTime;
use crate::{Error, ErrorKind, UnixSeconds, event};

/// Searches for the key of permanent sessions.
static FIND_PERMANENT: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(PERMANENT));

/// The change of the session's cookie that the response makes.
#[derive(Clone, Debug, Default)]
pub(crate) enum SetId {
    /// The cookie stays unchanged.
    #[default]
    Keep,
    /// The cookie gets this id of the visitor's session.
    Set(SessionId, Option<DateTime>),
    /// The cookie is removed, since the visitor has no session any more.
    Remove,
}

/// The session after a commit.
struct Committed {
    origin: Option<Box<Origin>>,
    set_id: Option<SetId>,
}

impl Engine {
    /// Closes the session of a request without changes, which most requests are, without a task.
    pub(in crate::engine) fn close_unchanged(
        &self,
        slot: &Slot,
        backend: &StoreBackend,
    ) -> Option<Outcome> {
        let mut state = slot.state();
        if let Some(view) = &state.view {
            let rules = &backend.rules;
            let due = state.origin.as_ref().is_some_and(|origin| {
                // A request that is early by a tick of the clock leaves the renewal to the next
                // one.
                let (record, now) = (&origin.stored.record, self.clock.just_now());
                let renewal =
                    rules.renewal.is_some_and(|renewal| renewal.is_due(record.renewed, now));
                renewal || rules.touch_is_due(record, now)
            });
            let has_news =
                !matches!(state.set_id, SetId::Keep) || !state.remember_cookies.is_empty();
            if due || view.has_log() || has_news {
                return None;
            }
            // A commit under way may still change the cookie.
            drop(slot.busy.try_lock().ok()?);
        }
        state.closed = true;
        let (vary, error) = (state.accessed, state.failed.take());
        Some(Outcome { vary, error, ..Outcome::default() })
    }

    /// Closes a request's session and saves the changes. Returns the headers of the response.
    pub(in crate::engine) async fn commit_stored(
        &self,
        slot: &Slot,
        backend: &StoreBackend,
    ) -> Result<Outcome, Error> {
        let _committing = slot.busy.lock().await;
        let (taken, origin, accessed, set_id, failed) = {
            let mut state = slot.state();
            state.closed = true;
            let origin = state.origin.take();
            let (set_id, failed) = (std::mem::take(&mut state.set_id), state.failed.take());
            (take_recorded(&mut state), origin, state.accessed, set_id, failed)
        };
        let mut others = std::mem::take(&mut slot.state().remember_cookies);
        let logged_out = slot.state().logged_out;
        if logged_out && self.remember.is_some() {
            let forgotten = Box::pin(self.forget(slot, backend)).await?;
            others.splice(0..0, forgotten);
        }
        let (recorded, number) = taken;
        let committed = self.commit_recorded(backend, origin, recorded, true).await;
        note_failure(slot, number, &committed);
        note_seat(slot, &committed);
        let (set_id, error) = match committed {
            Ok(committed) => (committed.set_id.unwrap_or(set_id), failed),
            // An earlier save of this request lasts: without its new id the visitor would lose the
            // session.
            Err(error) if !matches!(set_id, SetId::Keep) => (set_id, Some(error)),
            Err(error) => return Err(error),
        };
        let cookie = match &set_id {
            SetId::Keep => None,
            SetId::Set(id, expires) => Some(self.id_cookie(id, *expires)?),
            SetId::Remove => Some(self.set_cookie.remove()?),
        };
        Ok(Outcome { vary: accessed || cookie.is_some(), cookie, others, error })
    }

    /// Returns the header with the cookie of a session in a store, formatted once and in place.
    fn id_cookie(&self, id: &SessionId, expires: Option<DateTime>) -> Result<HeaderValue, Error> {
        let codecs = self.keys.codecs();
        let ids = codecs.ids();
        let len = SessionId::TEXT + ids.signature_len();
        let mut header = self.set_cookie.begin(len, expires);
        let start = header.len();
        id.append_to(&mut header);
        ids.append_signature(&mut header, start);
        Ok(self.set_cookie.finish(header, expires)?)
    }

    /// Saves a request's changes so far and, in a separate write, one more operation.
    pub(in crate::engine) async fn save_stored(
        &self,
        slot: &Slot,
        backend: &StoreBackend,
        operation: Option<Operation>,
    ) -> Result<(), Error> {
        let before = slot.state().takes;
        let _committing = slot.busy.lock().await;
        let taken = {
            let mut state = slot.state();
            // While this request waited, another commit may have taken its changes, and failed.
            if let Some((number, error)) = &state.lost
                && *number > before
            {
                return Err(error.clone());
            }
            // The response's commit may have saved the changes, or may have come first.
            let has_log = state.view.as_ref().is_some_and(View::has_log);
            if state.closed && (operation.is_some() || has_log) {
                return Err(closed());
            }
            take_recorded(&mut state)
        };
        let (recorded, number) = taken;
        let recorded = (recorded, Some(number));
        let operation = operation.map(|operation| (Recorded::only(operation), None));
        for (recorded, number) in [Some(recorded), operation].into_iter().flatten() {
            if recorded.log.is_empty() {
                continue;
            }
            let origin = slot.state().origin.clone();
            let committed = self.commit_recorded(backend, origin, recorded, false).await;
            if let Some(number) = number {
                note_failure(slot, number, &committed);
            }
            note_seat(slot, &committed);
            let committed = committed?;
            let next = view(committed.origin.as_deref())?;
            let mut state = slot.state();
            state.origin = committed.origin;
            if let Some(set_id) = committed.set_id {
                state.set_id = set_id;
            }
            if let Some(view) = &mut state.view {
                view.rebase(next)?;
            }
        }
        Ok(())
    }

    /// Commits a request's changes; `closing` says whether the response begins.
    async fn commit_recorded(
        &self,
        backend: &StoreBackend,
        origin: Option<Box<Origin>>,
        recorded: Recorded,
        closing: bool,
    ) -> Result<Committed, Error> {
        let log = &recorded.log;
        let since_logout = log.iter().rev().take_while(|one| !matches!(one, Operation::Logout));
        let logs_in = since_logout
            .into_iter()
            .any(|one| matches!(one, Operation::Login(login) if login.is_complete()));
        let started = (!log.is_empty()).then(Started::now);
        let committed = self.commit_changes(backend, origin, recorded, closing).await;
        if let Some(started) = started {
            event::committed(started);
        }
        if logs_in && committed.is_ok() {
            event::logged_in();
        }
        committed
    }

    async fn commit_changes(
        &self,
        backend: &StoreBackend,
        mut origin: Option<Box<Origin>>,
        recorded: Recorded,
        closing: bool,
    ) -> Result<Committed, Error> {
        let Recorded { mut log, made } = recorded;
        let rules = &backend.rules;
        let mut set_id = None;
        // Changes before a logout end with the session; changes after it begin a new one.
        if let Some(at) = log.iter().rposition(|operation| matches!(operation, Operation::Logout)) {
            log.drain(..=at);
            if let Some(origin) = origin.take() {
                let Origin { session, stored, .. } = *origin;
                Box::pin(backend.end(session, stored)).await?;
                event::logged_out(1);
            }
            set_id = Some(SetId::Remove);
        }
        let Some(mut origin) = origin else {
            let created = Box::pin(self.create(backend, log, made)).await?;
            let set_id = created.as_deref().map(|created| set_id_of(rules, created)).or(set_id);
            return Ok(Committed { origin: created, set_id });
        };
        let now = self.clock.just_now();
        let rotates = log
            .iter()
            .any(|operation| matches!(operation, Operation::Login(_) | Operation::Rotate(_)));
        let due = rules.renewal.filter(|_| closing && !rotates);
        let due = due.filter(|renewal| renewal.is_due(origin.stored.record.renewed, now));
        if rotates || due.is_some() {
            let grace = due.map(|renewal| renewal.grace);
            let only_renews = log.is_empty();
            return match Box::pin(rotate(backend, origin, log, grace)).await {
                // A read-only request is served even if its session ended while the handler ran.
                Err(error) if only_renews && error.kind() == ErrorKind::Ended => {
                    Ok(Committed { origin: None, set_id })
                }
                done => done,
            };
        }
        if log.is_empty() {
            if closing && rules.touch_is_due(&origin.stored.record, now) {
                let touched = Box::pin(touch(backend, &origin, now)).await;
                if let Some(touched) = touched
                    && permanent_of(rules, &touched)?
                    && origin.id.hash() == origin.session
                {
                    origin.stored = Arc::new(touched);
                    set_id = Some(set_id_of(rules, &origin));
                }
            }
            return Ok(Committed { origin: Some(origin), set_id });
        }
        let before = Arc::clone(&origin.stored);
        let was_permanent = permanent_of(rules, &before)?;
        let seen = Some(Arc::clone(&origin.stored));
        let changes = Changes { operations: log, seen, made: made.and_then(Result::ok) };
        (origin.session, origin.stored) = backend.write(origin.session, changes).await?;
        let session = &origin.session;
        let is_permanent = permanent_of(rules, &origin.stored)?;
        let ends_later = is_permanent && rules.cookie_is_due(&before.record, &origin.stored.record);
        if (is_permanent != was_permanent || ends_later) && origin.id.hash() == *session {
            set_id = Some(set_id_of(rules, &origin));
        }
        Ok(Committed { origin: Some(origin), set_id })
    }

    /// Stores a new session. A visitor whose session is empty gets none.
    async fn create(
        &self,
        backend: &StoreBackend,
        log: Vec<Operation>,
        made: Option<Result<Vec<u8>, Error>>,
    ) -> Result<Option<Box<Origin>>, Error> {
        if log.is_empty() {
            return Ok(None);
        }
        let rules: &Rules = &backend.rules;
        // A login is dated after earlier ends of sessions.
        let login = apply::login(&log);
        let now = if login.is_some() { self.clock.now() } else { self.clock.just_now() };
        // No other request can have changed a session that isn't stored yet.
        let data = match made {
            Some(made) => made?,
            None => {
                let mut view = View::of_new_session();
                log.iter().cloned().try_for_each(|operation| operation.apply(&mut view))?;
                view.to_json()?
            }
        };
        if login.is_none() && data == b"{}" {
            return Ok(None);
        }
        let (id, public_id) = id::of_new_session()?;
        let mut record = rules.new_record(public_id, now);
        if let Some(login) = login {
            record = login.record(record, now);
            apply::to_login(&mut record, &log);
        }
        rules.fill(&mut record, data, now)?;
        let session = id.hash();
        match login {
            None if backend.store().create(&session, &record, now).await.map_err(failed)? => {}
            None => return Err(ended()),
            Some(_) => match backend.add(&session, &record, None, now).await.map_err(failed)? {
                NewRecord::Added => {}
                NewRecord::Exists => return Err(ended()),
                NewRecord::TooMany => return Err(too_many()),
            },
        }
        event::created();
        let stored = Arc::new(Stored { record, version: Version::FIRST });
        Ok(Some(Box::new(Origin { id, session, stored })))
    }
}

/// Takes the changes that a request has made since the last taking, and numbers the taking.
fn take_recorded(state: &mut SlotState) -> (Recorded, u64) {
    state.takes += 1;
    (state.view.as_mut().map(View::take_recorded).unwrap_or_default(), state.takes)
}

/// Records the position of the session after a commit. An ended session keeps its last position.
fn note_seat(slot: &Slot, committed: &Result<Committed, Error>) {
    if let Ok(Committed { origin: Some(origin), .. }) = committed {
        slot.state().seat = Some(Seat::of(origin));
    }
}

/// Records the error of a commit, for a handle that waits for the same changes to be saved.
fn note_failure(slot: &Slot, number: u64, committed: &Result<Committed, Error>) {
    if let Err(error) = committed {
        slot.state().lost = Some((number, error.clone()));
    }
}

/// Gives a session a new id.
async fn rotate(
    backend: &StoreBackend,
    mut origin: Box<Origin>,
    operations: Vec<Operation>,
    grace: Option<u64>,
) -> Result<Committed, Error> {
    let (id, public_id) = id::of_new_session()?;
    let to = id.hash();
    let rotation = Rotation { operations, to, public_id, grace };
    // Many requests see at once that a renewal is due, and most of them come too late.
    let seen = grace.is_none().then(|| Arc::clone(&origin.stored));
    let (session, stored) = backend.rotate(origin.session, seen, rotation).await?;
    if session == to {
        event::rotated(grace.is_some());
        *origin = Origin { id, session, stored };
        return Ok(Committed {
            set_id: Some(set_id_of(&backend.rules, &origin)),
            origin: Some(origin),
        });
    }
    // Another request has renewed it, and its response brings the new id; or the store was full.
    (origin.session, origin.stored) = (session, stored);
    Ok(Committed { origin: Some(origin), set_id: None })
}

/// Writes that the session was used, and returns the written record. If that fails, the session may
/// end sooner than its user expects, but no change is lost.
async fn touch(backend: &StoreBackend, origin: &Origin, now: UnixSeconds) -> Option<Stored> {
    let mut record = origin.stored.record.clone();
    backend.rules.touch(&mut record, now);
    let store = backend.store();
    match store.update(&origin.session, origin.stored.version, &record, now).await {
        Ok(Updated::Written(version)) => Some(Stored { record, version }),
        Ok(Updated::Conflict | Updated::Gone) => None,
        Err(error) => {
            event::store_failed(&error);
            None
        }
    }
}

/// Returns the cookie of a session whose id is known. The cookie of a permanent session expires
/// with the session, unless the session is used.
pub(super) fn set_id_of(rules: &Rules, origin: &Origin) -> SetId {
    let expires = match permanent_of(rules, &origin.stored) {
        Ok(true) => i64::try_from(origin.stored.record.ends().0).ok().and_then(DateTime::from_unix),
        Ok(false) | Err(_) => None,
    };
    SetId::Set(origin.id.clone(), expires)
}

fn permanent_of(rules: &Rules, stored: &Stored) -> Result<bool, Error> {
    // A search excludes most sessions quickly. Records hold this library's own output, which
    // escapes no letter.
    if FIND_PERMANENT.find(&stored.record.data).is_none() {
        return Ok(rules.permanent);
    }
    Ok(is_permanent(&View::new(payload(&stored.record)?), rules.permanent))
}
