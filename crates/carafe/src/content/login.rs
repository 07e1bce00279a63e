//! Who is logged in to a session, and how.
//!
//! A session in a store has it in its record. One in a cookie keeps it in its content, under keys that
//! the library reserves for itself, and that a Flask service leaves alone.

use super::life::{ID, LOGIN, RESERVED};
use super::view::View;
use crate::id::PublicId;
use crate::record::{LoginDetails, PendingLogin, Record};
use crate::value::{Text, Value};
use crate::{UnixSeconds, flask_login};

/// The user who is logged in to a session in a cookie.
const USER: &str = "_carafe_user";
/// When that user was last authenticated, in Unix seconds, if that was not at the login.
const AUTHENTICATED: &str = "_carafe_auth";
/// The mark of the credential that the user logged in with.
const CREDENTIAL: &str = "_carafe_credential";
/// The user who has taken the first of two steps, and when the second one is too late.
const PENDING: &str = "_carafe_pending";

/// All keys that a login in a cookie may have.
pub(crate) const COOKIE_KEYS: [&str; 6] = [ID, USER, LOGIN, AUTHENTICATED, CREDENTIAL, PENDING];

/// A login, or a step of one.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) step: Step,
    /// The keys that are kept of the session before.
    pub(crate) keep: Vec<Text>,
    /// When it is.
    pub(crate) time: UnixSeconds,
    /// The new id of a session in a cookie.
    pub(crate) id: String,
    pub(crate) address: Option<String>,
    pub(crate) agent: Option<String>,
    /// The mark of the credential.
    pub(crate) credential: Option<String>,
    /// When the user was authenticated, if not now.
    pub(crate) authenticated: Option<UnixSeconds>,
    /// What Flask-Login would write, if the layer shares its logins: the session's keys stay then.
    pub(crate) flask_login: Option<flask_login::Entry>,
    /// Whether a session in a cookie has the login under keys of this library's.
    pub(crate) stamped: bool,
}

/// How far a login comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The user is logged in; the session begins anew, but for the keys to keep.
    Whole,
    /// The user has taken the first of two steps, and has until this time for the second one; the
    /// session begins anew, but for the keys to keep.
    First { until: UnixSeconds },
    /// The user has taken the second step; the session goes on under a new id.
    Second,
}

impl Login {
    /// Whether the user is logged in now.
    pub(crate) fn is_complete(&self) -> bool {
        !matches!(self.step, Step::First { .. })
    }

    /// What the session knows of its login after this.
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

    /// Makes a record that of the user who logged in.
    pub(crate) fn record(&self, record: Record, now: UnixSeconds) -> Record {
        let LoginState { user, address, agent, details, .. } = self.state();
        let (logged_in, details) = (user.is_some().then_some(now), details.into_record());
        Record { logged_in, user, address, agent, details, ..record }
    }
}

/// Who is logged in to a session, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoginState {
    pub(super) user: Option<String>,
    /// When that was.
    logged_in: Option<UnixSeconds>,
    /// Where from, and with what.
    address: Option<String>,
    agent: Option<String>,
    pub(super) details: LoginDetails,
}

impl LoginState {
    /// What a record says of it.
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
    /// A user logs in, or takes a step of a login.
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

    /// Drops what the session holds, but for some keys.
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

    /// The user is authenticated again.
    pub(super) fn reauthenticate(&mut self, time: UnixSeconds) {
        self.mark_modified();
        match self.stored_login_mut() {
            Some(login) => login.details.authenticated = Some(time),
            None => self.insert(Text::from(AUTHENTICATED), Value::from(time.0)),
        }
    }

    /// The login is bound to another credential.
    pub(super) fn set_credential(&mut self, mark: String) {
        self.mark_modified();
        match self.stored_login_mut() {
            Some(login) => login.details.credential = Some(mark),
            None => self.insert(Text::from(CREDENTIAL), Value::from(mark)),
        }
    }

    /// The login belongs to a series of remember tokens, which takes a store.
    pub(super) fn set_series(&mut self, series: PublicId) {
        self.mark_modified();
        if let Some(login) = self.stored_login_mut() {
            login.details.series = Some(series);
        }
    }

    /// Who is logged in.
    pub(crate) fn user(&self) -> Option<String> {
        match self.stored_login() {
            Some(login) => login.user.clone(),
            None => self.text(USER),
        }
    }

    /// When the user who is logged in was last authenticated.
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

    /// Where the user of a session in a store logged in from, and with what.
    pub(crate) fn logged_in_from(&self) -> (Option<String>, Option<String>) {
        let login = self.stored_login();
        login.map_or((None, None), |login| (login.address.clone(), login.agent.clone()))
    }

    /// The mark of the credential that the user logged in with.
    pub(crate) fn credential(&self) -> Option<String> {
        match self.stored_login() {
            Some(login) => login.details.credential.clone(),
            None => self.text(CREDENTIAL),
        }
    }

    /// The user who has taken the first of two steps, whether or not there still is time.
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
