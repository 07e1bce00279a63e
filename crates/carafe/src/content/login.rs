//! The login of a session: its user, its time and its details.
//!
//! A session in a store has the login in its record. A session in a cookie has it in its content,
//! under keys that the library reserves, and that a Flask service leaves alone.

use super::life::{ID, LOGIN, RESERVED};
use super::view::View;
use crate::id::PublicId;
use crate::record::{LoginDetails, PendingLogin, Record};
use crate::value::{Text, Value};
use crate::{UnixSeconds, flask_login};

/// The logged-in user of a session in a cookie.
const USER: &str = "_carafe_user";
/// The time at which that user was last authenticated, in Unix seconds, if it was after the login.
const AUTHENTICATED: &str = "_carafe_auth";
/// The mark of the credential that the user logged in with.
const CREDENTIAL: &str = "_carafe_credential";
/// The pending user of a login in two steps, and the deadline of the second step.
const PENDING: &str = "_carafe_pending";

/// All keys of a login in a cookie.
pub(crate) const COOKIE_KEYS: [&str; 6] = [ID, USER, LOGIN, AUTHENTICATED, CREDENTIAL, PENDING];

/// A login, or one step of a login in two steps.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) step: Step,
    /// The keys that are kept from the earlier session.
    pub(crate) keep: Vec<Text>,
    /// The time of the login.
    pub(crate) time: UnixSeconds,
    /// The new id of a session in a cookie.
    pub(crate) id: String,
    pub(crate) address: Option<String>,
    pub(crate) agent: Option<String>,
    /// The mark of the credential.
    pub(crate) credential: Option<String>,
    /// The time at which the user was authenticated, if it isn't the time of the login.
    pub(crate) authenticated: Option<UnixSeconds>,
    /// The values of Flask-Login's keys, if the layer shares its logins. The session's other keys
    /// then stay.
    pub(crate) flask_login: Option<flask_login::Entry>,
    /// Whether a session in a cookie has the login under this library's keys.
    pub(crate) stamped: bool,
}

/// The step of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The user is logged in; the session begins anew, except for the keys to keep.
    Whole,
    /// The user has passed the first of two steps, and has until this time for the second. The
    /// session begins anew, except for the keys to keep.
    First { until: UnixSeconds },
    /// The user has passed the second step; the session continues under a new id.
    Second,
}

impl Login {
    /// Returns whether the user is logged in after this step.
    pub(crate) fn is_complete(&self) -> bool {
        !matches!(self.step, Step::First { .. })
    }

    /// Returns the session's login state after this step.
    fn state(&self) -> LoginState {
        let pending = match self.step {
            Step::First { until } => Some(PendingLogin::new(self.user.clone(), until)),
            Step::Whole | Step::Second => None,
        };
        let is_complete = self.is_complete();
        LoginState {
            user: is_complete.then(|| self.user.clone()),
            logged_in: is_complete.then_some(self.time),
            address: self.address.clone(),
            agent: self.agent.clone(),
            details: LoginDetails {
                authenticated: self.authenticated.filter(|_| is_complete),
                credential: self.credential.clone(),
                pending,
                series: None,
            },
        }
    }

    /// Turns a record into the record of the user who logged in.
    pub(crate) fn record(&self, record: Record, now: UnixSeconds) -> Record {
        let LoginState { user, address, agent, details, .. } = self.state();
        let (logged_in, details) = (user.is_some().then_some(now), details.into_record());
        Record { logged_in, user, address, agent, details, ..record }
    }
}

/// The login of a session in a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoginState {
    pub(super) user: Option<String>,
    /// The time of the login.
    logged_in: Option<UnixSeconds>,
    /// The address of the login; the user agent is in `agent`.
    address: Option<String>,
    agent: Option<String>,
    pub(super) details: LoginDetails,
}

impl LoginState {
    /// Reads the login from a record.
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            user: record.user.clone(),
            logged_in: record.logged_in,
            address: record.address.clone(),
            agent: record.agent.clone(),
            details: record.details.as_deref().cloned().unwrap_or_default(),
        }
    }
}

impl View {
    /// Applies a login, or one step of a login.
    pub(crate) fn log_in(&mut self, login: &Login) {
        match &login.flask_login {
            Some(entry) if login.is_complete() => flask_login::log_in(self, &login.user, entry),
            _ if login.step == Step::Second => {}
            _ => self.begin_anew(&login.keep),
        }
        let state = login.state();
        self.mark_modified();
        if self.is_in_store() {
            self.set_login(state);
            return;
        }
        if !login.stamped {
            return;
        }
        let LoginDetails { authenticated, credential, pending, .. } = state.details;
        let pending = pending.map(|PendingLogin { user, until }| {
            Value::List(vec![Value::from(user), Value::from(until.0)])
        });
        self.insert(Text::from(ID), Value::from(login.id.as_str()));
        self.write_fields(vec![
            (Text::from(USER), state.user.map(Value::from)),
            (Text::from(LOGIN), state.logged_in.map(|time| Value::from(time.0))),
            (Text::from(AUTHENTICATED), authenticated.map(|time| Value::from(time.0))),
            (Text::from(CREDENTIAL), credential.map(Value::from)),
            (Text::from(PENDING), pending),
        ]);
    }

    /// Drops the session's content, except for some keys.
    fn begin_anew(&mut self, keep: &[Text]) {
        let kept: Vec<(Text, Value)> = keep
            .iter()
            .filter(|key| !key.as_wtf8().starts_with(RESERVED))
            .filter_map(|key| Some((key.clone(), self.get(key.as_wtf8())?.into_owned())))
            .collect();
        self.clear();
        for (key, value) in kept {
            self.insert(key, value);
        }
    }

    /// Records that the user was authenticated again.
    pub(super) fn reauthenticate(&mut self, time: UnixSeconds) {
        self.mark_modified();
        match self.stored_login_mut() {
            Some(login) => login.details.authenticated = Some(time),
            None => self.insert(Text::from(AUTHENTICATED), Value::from(time.0)),
        }
    }

    /// Binds the login to another credential.
    pub(super) fn set_credential(&mut self, mark: String) {
        self.mark_modified();
        match self.stored_login_mut() {
            Some(login) => login.details.credential = Some(mark),
            None => self.insert(Text::from(CREDENTIAL), Value::from(mark)),
        }
    }

    /// Assigns the login to a series of remember tokens, which takes a store.
    pub(super) fn set_series(&mut self, series: PublicId) {
        self.mark_modified();
        if let Some(login) = self.stored_login_mut() {
            login.details.series = Some(series);
        }
    }

    /// Returns the logged-in user.
    pub(crate) fn user(&self) -> Option<String> {
        match self.stored_login() {
            Some(login) => login.user.clone(),
            None => self.text(USER),
        }
    }

    /// Returns when the logged-in user was last authenticated.
    pub(crate) fn authenticated_at(&self) -> Option<UnixSeconds> {
        match self.stored_login() {
            Some(login) => {
                let logged_in = login.user.as_ref().and(login.logged_in);
                logged_in.map(|time| login.details.authenticated.unwrap_or(time))
            }
            None => {
                let logged_in = self.logged_in_at()?;
                Some(self.time(AUTHENTICATED).unwrap_or(logged_in))
            }
        }
    }

    /// Returns the address and the user agent of the login, for a session in a store.
    pub(crate) fn logged_in_from(&self) -> (Option<String>, Option<String>) {
        let login = self.stored_login();
        login.map_or((None, None), |login| (login.address.clone(), login.agent.clone()))
    }

    /// Returns the mark of the credential that the user logged in with.
    pub(crate) fn credential(&self) -> Option<String> {
        match self.stored_login() {
            Some(login) => login.details.credential.clone(),
            None => self.text(CREDENTIAL),
        }
    }

    /// Returns the pending user of a login in two steps, even if the time for the second is
    /// over.
    pub(crate) fn pending(&self) -> Option<PendingLogin> {
        if let Some(login) = self.stored_login() {
            return login.details.pending.clone();
        }
        let pending = self.get(PENDING.as_bytes())?;
        let Value::List(parts) = pending.as_ref() else { return None };
        let [user, until] = parts.as_slice() else { return None };
        let until = UnixSeconds(u64::try_from(until.as_i64()?).ok()?);
        Some(PendingLogin::new(user.as_str()?.to_owned(), until))
    }

    fn text(&self, key: &str) -> Option<String> {
        self.get(key.as_bytes())?.as_str().map(str::to_owned)
    }

    fn time(&self, key: &str) -> Option<UnixSeconds> {
        let time = self.get(key.as_bytes())?.as_i64()?;
        u64::try_from(time).ok().map(UnixSeconds)
    }
}
