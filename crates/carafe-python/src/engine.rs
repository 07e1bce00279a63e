//! The sessions of an application in a store.

use std::fmt;
use std::time::Duration;

use carafe::config::Refresh;
use carafe::engine::Sessions;
use carafe::{Clock, Config, Error, ErrorKind, Session, UserSessions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::raise;
use crate::handle::Handle;
use crate::info::{describe_all, to_python};
use crate::process::{self, Owned};
use crate::signed::ring;
use crate::store::{Kind, Store};

/// Sessions in a store, with the keys and settings of one application. It belongs to the process that made it.
#[pyclass(frozen, module = "carafe_sessions._core")]
pub(crate) struct Engine {
    sessions: Owned<Sessions>,
}

/// The settings that a session in a store has.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Settings {
    cookie_name: String,
    /// The lifetime in seconds, as all times are.
    lifetime: u64,
    idle_timeout: Option<u64>,
    absolute_timeout: Option<u64>,
    renew_after: Option<u64>,
    store_timeout: Option<f64>,
    session_limit: Option<usize>,
    strict: bool,
    /// The time at which a fixed clock stands still.
    fixed_clock: Option<u64>,
}

impl Settings {
    fn config(&self) -> Config {
        let mut config = Config::flask()
            .cookie_name(&self.cookie_name)
            .lifetime(Duration::from_secs(self.lifetime))
            // The interface opens a session that needs it.
            .refresh(Refresh::OnExtract)
            .max_cookie_size(0)
            .strict(self.strict);
        if let Some(idle) = self.idle_timeout {
            config = config.idle_timeout(Duration::from_secs(idle));
        }
        if let Some(absolute) = self.absolute_timeout {
            config = config.absolute_timeout(Duration::from_secs(absolute));
        }
        if let Some(renew) = self.renew_after {
            config = config.renew_after(Duration::from_secs(renew));
        }
        if let Some(timeout) = self.store_timeout {
            config = config.store_timeout(Duration::from_secs_f64(timeout.clamp(0.0, 1e6)));
        }
        if let Some(limit) = self.session_limit {
            config = config.session_limit(limit);
        }
        config
    }
}

#[pymethods]
impl Engine {
    /// `keys` are in ItsDangerous' order, in which the last one signs.
    #[new]
    fn new(
        py: Python<'_>,
        store: &Store,
        keys: Vec<Vec<u8>>,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let settings: Settings = settings.extract()?;
        let made = Self::build(store.get()?, keys, &settings);
        Ok(Self { sessions: Owned::new(made.map_err(|error| raise(py, &error))?) })
    }

    /// Opens the session of a request by the values of its `Cookie` header lines.
    #[pyo3(signature = (cookies, settle=None))]
    fn open(
        &self,
        py: Python<'_>,
        cookies: Vec<Vec<u8>>,
        settle: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let request = self.sessions.get()?.request(cookies);
        let open = async move {
            let session = Session::open(&request).await?;
            Handle::new(request, session)
        };
        process::run(py, settle, open, |py, handle| Ok(Py::new(py, handle)?.into_any()))
    }

    /// The sessions of any user.
    #[pyo3(signature = (user, settle=None))]
    fn sessions_of(
        &self,
        py: Python<'_>,
        user: String,
        settle: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let users = self.users(py)?;
        process::run(py, settle, async move { users.list(&user).await }, describe_all)
    }

    /// Ends all sessions of a user, and returns their number.
    #[pyo3(signature = (user, settle=None))]
    fn logout(
        &self,
        py: Python<'_>,
        user: String,
        settle: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let users = self.users(py)?;
        process::run(py, settle, async move { users.logout(&user).await }, to_python)
    }
}

impl Engine {
    fn build(store: &Kind, keys: Vec<Vec<u8>>, settings: &Settings) -> Result<Sessions, Error> {
        let sessions = store.keep(Sessions::new(ring(keys)?, settings.config())?);
        Ok(match settings.fixed_clock {
            Some(now) => sessions.with_clock(Clock::fixed(now)),
            None => sessions,
        })
    }

    fn users(&self, py: Python<'_>) -> PyResult<UserSessions> {
        let no_store = || raise(py, &Error::new(ErrorKind::NoStore, "there is no store"));
        self.sessions.get()?.users().ok_or_else(no_store)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
