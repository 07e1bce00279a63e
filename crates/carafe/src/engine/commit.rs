use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::HeaderValue;
use tracing::Instrument as _;

use super::driven::Driven;
use super::slot::State;
use super::{Backend, Engine, Slot};
use crate::config::Refresh;
use crate::content::{ID, LOGIN, Operation, View, is_permanent};
use crate::{Error, ErrorKind, event};

/// The headers of a response that follow from the commit of its session.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Whether the response depends on the cookie.
    pub(crate) vary: bool,
    /// The cookie to set or remove.
    pub(crate) cookie: Option<HeaderValue>,
    /// Further cookies to set or remove: the cookie of remember tokens.
    pub(crate) others: Vec<HeaderValue>,
    /// The reason why a part of the changes was not saved, or why the session couldn't be opened
    /// for a handler that went on without it.
    pub(crate) error: Option<Error>,
}

/// A finished commit, or a pending one.
pub(crate) enum Commit {
    Done(Result<Outcome, Error>),
    Waiting(Saving),
}

/// A pending commit, which goes on in a task: dropping this does not cancel it.
#[must_use = "the response has to say what became of the session"]
pub(crate) struct Saving(Driven<Result<Outcome, Error>>);

impl Future for Saving {
    type Output = Result<Outcome, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let saved = Pin::new(&mut self.0).poll(context);
        saved.map(|outcome| outcome.unwrap_or_else(|| Err(interrupted())))
    }
}

impl Commit {
    /// Starts the commit of a session in a store, or of a session with a store of revocation marks.
    fn start(slot: &Arc<Slot>) -> Self {
        match Driven::start(commit(Arc::clone(slot)).instrument(span())) {
            Driven::Done(outcome) => Self::Done(outcome.unwrap_or_else(|| Err(interrupted()))),
            task @ Driven::Task(_) => Self::Waiting(Saving(task)),
        }
    }

    /// Waits until the commit is finished.
    pub(crate) async fn done(self) -> Result<Outcome, Error> {
        match self {
            Self::Done(outcome) => outcome,
            Self::Waiting(commit) => commit.await,
        }
    }
}

impl Engine {
    /// Closes a request's session and begins to save it.
    ///
    /// A commit that waits for a store is moved to a task, so that a client that disconnects can't
    /// interrupt it.
    pub(crate) fn commit(&self, slot: &Arc<Slot>) -> Commit {
        match &self.backend {
            Backend::Cookie => {
                self.finish_login(slot);
                Commit::Done(event::within!("session.commit", self.commit_cookie(slot)))
            }
            Backend::Stored(backend) => {
                self.finish_login(slot);
                match self.close_unchanged(slot, backend) {
                    Some(outcome) => Commit::Done(Ok(outcome)),
                    None => Commit::start(slot),
                }
            }
            Backend::Revocable(_) => Commit::start(slot),
        }
    }

    /// Saves a request's changes so far and, if the session is in a store, one more operation.
    pub(crate) async fn save(
        &self,
        slot: Arc<Slot>,
        operation: Option<Operation>,
    ) -> Result<(), Error> {
        let save = async move {
            match &slot.engine.backend {
                Backend::Stored(backend) => {
                    slot.engine.save_stored(&slot, backend, operation).await
                }
                Backend::Cookie | Backend::Revocable(_) => Ok(()),
            }
        };
        // The commit starts at once: a handler may hold this future unpolled, and must not block
        // the session.
        Driven::start(save.instrument(span())).await.unwrap_or_else(|| Err(interrupted()))
    }

    /// Commits a session in a cookie, by Flask's rules and two additions:
    ///
    /// 1. A session that a handler asked for makes the response vary with the cookie.
    /// 2. An empty session that was changed removes the cookie; so does a cookie with a valid
    ///    signature and unreadable content. Unlike in Flask, a cookie whose session was ended is
    ///    removed, too.
    /// 3. Another session is written if it was changed, or if it is permanent and due for a
    ///    refresh. Unlike in Flask, an outdated session can also be rewritten: one that came under
    ///    an older key or in another format.
    pub(super) fn commit_cookie(&self, slot: &Slot) -> Result<Outcome, Error> {
        let mut state = slot.state();
        if !state.is_open() && self.opens_unasked(slot) {
            drop(state);
            self.open_cookie(slot);
            state = slot.state();
        }
        state.closed = true;
        let error = state.failed.take();
        let Some(view) = &state.view else {
            return Ok(Outcome { vary: state.accessed, error, ..Outcome::default() });
        };
        let permanent = is_permanent(view, self.config().permanent);
        let writes = self.signs(&state, view);
        let removes = view.modified() || state.useless;
        let cookie = match writes || removes {
            false => None,
            true if view.is_empty() => removes.then(|| self.set_cookie.remove()).transpose()?,
            true => writes.then(|| self.encode(view, permanent)).transpose()?,
        };
        emit_change_events(view, &state);
        let vary = state.accessed || cookie.is_some();
        Ok(Outcome { vary, cookie, error, ..Outcome::default() })
    }

    /// Returns whether a session with content is signed anew.
    pub(super) fn signs(&self, state: &State, view: &View) -> bool {
        let refresh = || {
            is_permanent(view, self.config().permanent) && self.refresh_is_due(view, state.issued)
        };
        let rewrite = self.config().rewrite_outdated && state.outdated;
        view.modified() || rewrite || refresh()
    }

    /// Returns whether a permanent session's cookie that was written at this time is due for a
    /// refresh.
    ///
    /// Outside of Flask's profile it is due after a tenth of the lifetime, since a late refresh can
    /// undo a change that an earlier response has made.
    fn refresh_is_due(&self, view: &View, issued: u64) -> bool {
        let config = self.config();
        let age = || self.clock.just_now().0.saturating_sub(issued);
        config.refresh != Refresh::Never
            && (config.flask_profile || age() > self.lifetime_of(view) / 10)
    }

    /// Returns whether a session is opened although no handler asked for it: Flask refreshes a
    /// permanent session on every route.
    pub(crate) fn opens_unasked(&self, slot: &Slot) -> bool {
        let refresh = self.config().refresh == Refresh::EachRequest;
        (refresh || self.config().rewrite_outdated) && self.cookie.find(slot.cookies()).is_some()
    }

    fn encode(&self, view: &View, permanent: bool) -> Result<HeaderValue, Error> {
        let codecs = self.keys.codecs();
        let max_age = self.config().max_age();
        let json = view.to_json()?;
        // If the quick clock is a moment late, the cookie ends that much earlier.
        let now = self.clock.just_now();
        let expires = if permanent { self.expires(view, now) } else { None };
        let mut header = self.set_cookie.begin(codecs.encoded_len(json.len()), expires);
        codecs.encode(&json, max_age, now.0, &mut header)?;
        let header = self.set_cookie.finish(header, expires)?;
        event::cookie_written(header.len());
        let limit = self.config().max_cookie_size;
        if limit != 0 && header.len() > limit {
            event::large_cookie(&self.config().cookie_name, header.len(), limit);
        }
        Ok(header)
    }
}

/// Commits a session. The slot keeps the engine alive during the commit.
async fn commit(slot: Arc<Slot>) -> Result<Outcome, Error> {
    let engine = &slot.engine;
    match &engine.backend {
        Backend::Cookie => engine.commit_cookie(&slot),
        Backend::Stored(backend) => engine.commit_stored(&slot, backend).await,
        Backend::Revocable(backend) => engine.commit_revocable(&slot, backend).await,
    }
}

fn span() -> tracing::Span {
    event::span!("session.commit")
}

/// Emits the events of a request's changes of a session in a cookie.
fn emit_change_events(view: &View, state: &State) {
    if !view.modified() {
        return;
    }
    if view.is_new() && !view.is_empty() {
        event::created();
    }
    if view.wrote(LOGIN.as_bytes()) || state.flask_login.logs_in(state) {
        event::logged_in();
    } else if state.flask_login.logs_out(state) {
        event::logged_out(1);
    } else if !state.ended.is_empty() {
        match view.contains(ID.as_bytes()) {
            true => event::rotated(false),
            false => event::logged_out(1),
        }
    }
}

/// Returns the error of a commit that panicked, or whose runtime ended.
pub(super) fn interrupted() -> Error {
    Error::new(ErrorKind::Store, "the session's changes were interrupted, and may be saved or not")
}
