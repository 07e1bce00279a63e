//! Sealed cookies: encrypted, so that only the service can read them.

use std::time::Duration;

use carafe::engine::Sessions;
use carafe::{Clock, Config, Error, Session, UnixSeconds};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::cookie;
use crate::error::raise;
use crate::json::{self, Snapshot};
use crate::signed::ring;

/// Seals and opens the JSON of sessions for one cookie.
#[pyclass(frozen, module = "carafe_sessions._core")]
pub(crate) struct SealedCodec {
    sessions: Sessions,
    clock: Clock,
    name: String,
}

#[pymethods]
impl SealedCodec {
    /// `keys` are in ItsDangerous' order, in which the last one seals. `max_age` is how many seconds a cookie
    /// is accepted.
    #[new]
    fn new(py: Python<'_>, keys: Vec<Vec<u8>>, name: String, max_age: u64) -> PyResult<Self> {
        Self::build(keys, name, max_age).map_err(|error| raise(py, &error))
    }

    /// The text of a cookie.
    fn dumps(&self, py: Python<'_>, json: &[u8], now: u64) -> PyResult<String> {
        self.seal(json, now).map_err(|error| raise(py, &error))
    }

    /// The text of a session's cookie; `None` where Flask's serializer has to write its JSON.
    fn dumps_session(&self, session: &Bound<'_, PyDict>, now: u64) -> PyResult<Option<String>> {
        let json = json::session_json(session);
        json.map(|json| self.dumps(session.py(), &json, now)).transpose()
    }

    /// As `SignedCodec.open`. The age that a cookie may have is the codec's own.
    fn open(
        &self,
        py: Python<'_>,
        session: &Bound<'_, PyDict>,
        header: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        _max_age: u64,
        now: u64,
    ) -> PyResult<Option<Snapshot>> {
        let Some(text) = cookie::of_request(header, name) else { return Ok(None) };
        let json = self.unseal(&text, now).map_err(|error| raise(py, &error))?;
        Ok(json.and_then(|json| json::fill_session(session, json)))
    }

    /// The JSON of a cookie's text; `None` where it isn't accepted.
    fn loads<'py>(
        &self,
        py: Python<'py>,
        text: &str,
        now: u64,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let json = self.unseal(text, now).map_err(|error| raise(py, &error))?;
        Ok(json.map(|json| PyBytes::new(py, &json)))
    }
}

impl SealedCodec {
    fn build(keys: Vec<Vec<u8>>, name: String, max_age: u64) -> Result<Self, Error> {
        // Its value alone is used: the header is Flask's.
        let config = Config::flask().seal(true).max_cookie_size(0).cookie_name(&name);
        let config = config.lifetime(Duration::from_secs(max_age));
        let clock = Clock::fixed(0);
        let sessions = Sessions::new(ring(keys)?, config)?.with_clock(clock.clone());
        Ok(Self { sessions, clock, name })
    }

    /// The sessions at a time, which Python's side tells.
    fn at(&self, now: u64) -> Sessions {
        // A clock that others have moved meanwhile is no further ahead than theirs.
        self.clock.advance(UnixSeconds(now).since(self.clock.now()));
        self.sessions.clone()
    }

    fn seal(&self, json: &[u8], now: u64) -> Result<String, Error> {
        let request = self.at(now).request([] as [&str; 0]);
        Session::open_now(&request)?.replace_tagged_json(json)?;
        let committed = request.commit_now()?;
        let line = committed.lines().find(|(name, _)| *name == "set-cookie");
        let line = line.map(|(_, line)| String::from_utf8_lossy(line).into_owned());
        let value = line.as_deref().and_then(|line| line.split(';').next()?.split_once('='));
        Ok(value.map(|(_, value)| value.to_owned()).unwrap_or_default())
    }

    fn unseal(&self, text: &str, now: u64) -> Result<Option<Vec<u8>>, Error> {
        let request = self.at(now).request([format!("{}={text}", self.name)]);
        let session = Session::open_now(&request)?;
        if session.is_empty() {
            return Ok(None);
        }
        session.to_tagged_json().map(Some)
    }
}
