//! One request's session in a store.

use std::sync::{Mutex, MutexGuard, PoisonError};

use carafe::engine::{Committed, Request};
use carafe::value::{Text, Value};
use carafe::{Error, Flash, LoginOptions, Session};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyList, PyString};

use crate::baseline::Baseline;
use crate::callback::change;
use crate::error::raise;
use crate::info::{describe_all, to_python};
use crate::process::{self, Owned};
use crate::text;

/// The key of flashed messages.
const FLASHES: &str = "_flashes";

/// A key that has changed, and its tagged JSON; none where the key is gone.
type Changed<'py> = (Bound<'py, PyString>, Option<Bound<'py, PyBytes>>);

/// The tagged JSON of a changed key; `None` if the key is gone.
type Json = Option<Vec<u8>>;

/// The session of one request, which Python's side holds as a dict.
///
/// [`stage`](Self::stage) records the content of the dict, and [`refresh`](Self::refresh) returns
/// the changes to the dict after an operation that changed the session elsewhere.
#[pyclass(frozen, module = "carafe_sessions._core")]
pub(crate) struct Handle(Owned<Opened>);

struct Opened {
    /// The request, until the commit takes it.
    request: Mutex<Option<Request>>,
    session: Session,
    seen: Mutex<Seen>,
}

/// The state of the session that Python's side has seen.
struct Seen {
    /// The whole session, as it was opened.
    json: Vec<u8>,
    /// The content by key, made of the JSON when it is first needed.
    baseline: Option<Baseline>,
    /// Whether messages were taken out, which a session does once.
    took_flashes: bool,
}

impl Handle {
    pub(crate) fn new(request: Request, session: Session) -> Result<Self, Error> {
        let json = session.to_tagged_json()?;
        let seen = Seen { json, baseline: None, took_flashes: false };
        let request = Mutex::new(Some(request));
        Ok(Self(Owned::new(Opened { request, session, seen: Mutex::new(seen) })))
    }

    fn session(&self) -> PyResult<Session> {
        Ok(self.0.get()?.session.clone())
    }
}

#[pymethods]
impl Handle {
    /// The session's tagged JSON, as it was opened.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.0.get()?.seen().json))
    }

    /// Whether the JSON is what was opened, and nothing was changed since.
    fn is_unchanged(&self, json: &[u8]) -> PyResult<bool> {
        let opened = self.0.get()?;
        let seen = opened.seen();
        Ok(seen.baseline.is_none() && seen.json == json)
    }

    /// Returns the logged-in user.
    #[getter]
    fn user(&self) -> PyResult<Option<String>> {
        Ok(self.0.get()?.session.user())
    }

    /// Returns the public id, the name of the session that may be shown.
    #[getter]
    fn public_id(&self) -> PyResult<Option<String>> {
        Ok(self.0.get()?.session.public_id().map(|id| id.to_string()))
    }

    /// Records the content of the dict: every key with its tagged JSON.
    ///
    /// `cleared` means that the dict was cleared since the last time. `logout` ends the session
    /// first, and the remaining content of the dict begins a new one; `login` names the user who
    /// has logged in, and where from.
    #[pyo3(signature = (entries, cleared=false, logout=false, login=None))]
    fn stage(
        &self,
        py: Python<'_>,
        entries: Vec<(Bound<'_, PyString>, Vec<u8>)>,
        cleared: bool,
        logout: bool,
        login: Option<(String, Option<String>, Option<String>)>,
    ) -> PyResult<()> {
        let entry = |(key, json)| Ok((text::from_python(&key)?, json));
        let now: Baseline = entries.into_iter().map(entry).collect::<PyResult<_>>()?;
        let opened = self.0.get()?;
        opened.stage(now, cleared, logout, login).map_err(|error| raise(py, &error))
    }

    /// Returns the changes to the dict: the keys that differ from the last staged content.
    fn refresh<'py>(&self, py: Python<'py>) -> PyResult<Vec<Changed<'py>>> {
        let changed = self.0.get()?.refresh().map_err(|error| raise(py, &error))?;
        let changed = changed.into_iter().map(|(key, json)| {
            let json = json.map(|json| PyBytes::new(py, &json));
            Ok((text::to_python(py, &key)?, json))
        });
        changed.collect()
    }

    /// Changes a key by a function of its tagged JSON, which may run again when the session is
    /// saved.
    fn update(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyString>,
        function: Py<PyAny>,
    ) -> PyResult<()> {
        let (key, opened) = (text::from_python(key)?, self.0.get()?);
        let updated = py.detach(|| opened.session.try_update(key, change(function)));
        updated.map(drop).map_err(|error| raise(py, &error))
    }

    /// Changes a key like `update`, and saves it at once.
    #[pyo3(signature = (key, function, settle=None))]
    fn update_now(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyString>,
        function: Py<PyAny>,
        settle: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let (key, session) = (text::from_python(key)?, self.session()?);
        let update = async move { session.try_update_now(key, change(function)).await.map(Some) };
        process::run(py, settle, update, written)
    }

    /// Removes a key and saves that at once: of several requests only one gets the value.
    #[pyo3(signature = (key, settle=None))]
    fn take_now(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyString>,
        settle: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let (key, session) = (text::from_python(key)?, self.session()?);
        process::run(py, settle, async move { session.take_now::<Value>(key).await }, written)
    }

    /// Saves the staged content.
    #[pyo3(signature = (settle=None))]
    fn save(&self, py: Python<'_>, settle: Option<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        let session = self.session()?;
        process::run(py, settle, async move { session.save().await }, |py, ()| Ok(py.None()))
    }

    /// Logs a user in, dropping all keys but those to keep.
    #[pyo3(signature = (user, keep, address=None, agent=None))]
    fn login(
        &self,
        py: Python<'_>,
        user: String,
        keep: &Bound<'_, PyList>,
        address: Option<String>,
        agent: Option<String>,
    ) -> PyResult<()> {
        let key = |key: Bound<'_, PyAny>| text::from_python(key.cast::<PyString>()?);
        let keep = keep.iter().map(key).collect::<PyResult<Vec<_>>>()?;
        let options = options(&keep, address, agent);
        self.0.get()?.session.login_with(user, options).map_err(|error| raise(py, &error))
    }

    /// Ends the session.
    fn logout(&self, py: Python<'_>) -> PyResult<()> {
        self.0.get()?.session.logout().map_err(|error| raise(py, &error))
    }

    /// Gives the session a new id.
    fn rotate(&self, py: Python<'_>) -> PyResult<()> {
        self.0.get()?.session.rotate().map_err(|error| raise(py, &error))
    }

    /// The sessions of the logged-in user.
    #[pyo3(signature = (settle=None))]
    fn sessions(&self, py: Python<'_>, settle: Option<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        let session = self.session()?;
        process::run(py, settle, async move { session.sessions().await }, describe_all)
    }

    /// Ends one session of the user; returns whether there was one.
    #[pyo3(signature = (public_id, settle=None))]
    fn revoke(
        &self,
        py: Python<'_>,
        public_id: String,
        settle: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.session()?;
        let revoke = async move {
            match public_id.parse() {
                Ok(public_id) => session.revoke(public_id).await,
                // No session has such an id.
                Err(_) => Ok(false),
            }
        };
        let convert =
            |py: Python<'_>, ended| Ok(PyBool::new(py, ended).to_owned().into_any().unbind());
        process::run(py, settle, revoke, convert)
    }

    /// Ends the user's other sessions, and returns their number.
    #[pyo3(signature = (settle=None))]
    fn logout_others(&self, py: Python<'_>, settle: Option<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        let session = self.session()?;
        process::run(py, settle, async move { session.logout_others().await }, to_python)
    }

    /// Ends all sessions of the user, and returns the number of the other ones.
    #[pyo3(signature = (settle=None))]
    fn logout_everywhere(&self, py: Python<'_>, settle: Option<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        let session = self.session()?;
        process::run(py, settle, async move { session.logout_everywhere().await }, to_python)
    }

    /// Saves the session and closes it. Returns the value of the cookie to set, an empty one to
    /// remove it, and `None` to leave it; and the error of a session that wasn't saved whole.
    #[pyo3(signature = (settle=None))]
    fn commit(&self, py: Python<'_>, settle: Option<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        let request = self.0.get()?.take_request();
        let commit = async move {
            match request {
                Some(request) => request.commit().await.map(Some),
                None => Ok(None),
            }
        };
        process::run(py, settle, commit, |py, committed| {
            let cookie = committed.as_ref().and_then(cookie_of);
            let error = committed.as_ref().and_then(Committed::error).map(|error| raise(py, error));
            Ok((cookie, error).into_pyobject(py)?.into_any().unbind())
        })
    }
}

impl Opened {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_request(&self) -> Option<Request> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn stage(
        &self,
        now: Baseline,
        cleared: bool,
        logout: bool,
        login: Option<(String, Option<String>, Option<String>)>,
    ) -> Result<(), Error> {
        let session = &self.session;
        let seen = &mut *self.seen();
        let mut before = seen.take_baseline()?;
        if logout {
            session.logout()?;
        } else if cleared && (!before.is_empty() || now.is_empty()) {
            session.clear()?;
        }
        if logout || cleared {
            before = Baseline::default();
        }
        for (key, json) in now.iter() {
            if before.means(key, json)? {
                continue;
            }
            let (old, new) = (before.value(key)?, Value::from_tagged_json(json)?);
            if !self.flash(key, old.as_ref(), Some(&new), &mut seen.took_flashes)? {
                session.insert_over(key, old, new)?;
            }
        }
        for key in before.keys_not_in(&now) {
            let old = before.value(key)?;
            if !self.flash(key, old.as_ref(), None, &mut seen.took_flashes)? {
                // A key that was read.
                if session.contains(key) {
                    session.remove(key)?;
                }
            }
        }
        if let Some((user, address, agent)) = login {
            let keep: Vec<Text> = now.iter().map(|(key, _)| key.clone()).collect();
            session.login_with(user, options(&keep, address, agent))?;
        }
        seen.baseline = Some(now);
        Ok(())
    }

    /// Records the changes of flashed messages, so that other requests' messages stay: messages at
    /// the end were added, and missing ones were shown. Returns `false` if the key holds something
    /// else.
    fn flash(
        &self,
        key: &Text,
        old: Option<&Value>,
        new: Option<&Value>,
        took: &mut bool,
    ) -> Result<bool, Error> {
        if key.as_wtf8() != FLASHES.as_bytes() {
            return Ok(false);
        }
        let (Some(old), Some(new)) = (messages(old), messages(new)) else { return Ok(false) };
        let added = match new.strip_prefix(old) {
            Some(added) => added,
            None if *took => {
                self.session.remove(FLASHES)?;
                new
            }
            None => {
                let _: Vec<Flash> = self.session.get_flashed_messages()?;
                *took = true;
                new
            }
        };
        for message in added {
            if let Value::Tuple(parts) = message
                && let [Value::Text(category), text] = parts.as_slice()
            {
                self.session.flash_with(category, text)?;
            }
        }
        Ok(true)
    }

    fn refresh(&self) -> Result<Vec<(Text, Json)>, Error> {
        let now = Baseline::read(&self.session.to_tagged_json()?)?;
        let seen = &mut *self.seen();
        let before = seen.take_baseline()?;
        let mut changed = Vec::new();
        for (key, json) in now.iter() {
            if !before.means(key, json)? {
                changed.push((key.clone(), Some(json.to_vec())));
            }
        }
        changed.extend(before.keys_not_in(&now).map(|key| (key.clone(), None)));
        seen.baseline = Some(now);
        Ok(changed)
    }
}

impl Seen {
    fn take_baseline(&mut self) -> Result<Baseline, Error> {
        match self.baseline.take() {
            Some(baseline) => Ok(baseline),
            None => Baseline::read(&self.json),
        }
    }
}

/// Messages as Flask keeps them; none where there is no value, and `None` for anything else.
fn messages(value: Option<&Value>) -> Option<&[Value]> {
    let is_message = |value: &Value| match value {
        Value::Tuple(parts) => matches!(parts.as_slice(), [Value::Text(_), _]),
        _ => false,
    };
    match value {
        None => Some(&[]),
        Some(Value::List(list)) if list.iter().all(is_message) => Some(list),
        Some(_) => None,
    }
}

fn options(keep: &[Text], address: Option<String>, agent: Option<String>) -> LoginOptions {
    let mut options = keep.iter().fold(LoginOptions::default(), LoginOptions::keep);
    if let Some(address) = address {
        options = options.address(address);
    }
    if let Some(agent) = agent {
        options = options.agent(agent);
    }
    options
}

fn written(py: Python<'_>, value: Option<Value>) -> PyResult<Py<PyAny>> {
    let Some(value) = value else { return Ok(py.None()) };
    let json = value.to_tagged_json().map_err(|error| raise(py, &error.into()))?;
    Ok(PyBytes::new(py, json.as_bytes()).into_any().unbind())
}

/// The value of the cookie that a commit sets.
fn cookie_of(committed: &Committed) -> Option<String> {
    let (_, line) = committed.lines().find(|(name, _)| *name == "set-cookie")?;
    let cookie = line.split(|byte| *byte == b';').next()?;
    let value = cookie.splitn(2, |byte| *byte == b'=').nth(1)?;
    Some(String::from_utf8_lossy(value).into_owned())
}
