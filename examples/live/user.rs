//! The common part of both servers: logging in and out, and finding the user.

use carafe::{Error, ErrorKind, Session, SessionEnded, SessionHandle};

/// The fields of the page's form.
#[derive(serde::Deserialize)]
pub(crate) struct Credentials {
    username: String,
}

/// Logs a user in. That begins a new session, and ends the connections of the one before. A user who is logged
/// in already, and gives another name, only changes the name: connections go on, and show it when they are
/// asked.
pub(crate) fn log_in(session: &Session, credentials: Credentials) -> Result<(), Error> {
    let before: Option<String> = session.get("username")?;
    if session.user().is_none() || before.as_deref() == Some(&*credentials.username) {
        session.login(&*credentials.username)?;
    }
    session.insert("username", credentials.username)
}

/// A connection's part in a session.
pub(crate) struct Seat {
    /// Resolves when the session has ended.
    pub(crate) ended: SessionEnded,
    /// Reads the session as it is now; `None` if it is in a cookie, or if there is none yet.
    handle: Option<SessionHandle>,
    /// The session's state when the connection was made.
    first: String,
}

impl Seat {
    pub(crate) fn take(session: &Session) -> Result<Self, Error> {
        let handle = match session.handle() {
            Ok(handle) => Some(handle),
            Err(error) if error.kind() == ErrorKind::NoStore => None,
            Err(error) => return Err(error),
        };
        Ok(Self { ended: session.ended(), handle, first: user(session)? })
    }

    /// Returns the user when the connection was made.
    pub(crate) fn first(&self) -> String {
        self.first.clone()
    }

    /// Returns the user now.
    pub(crate) async fn now(&self) -> Result<String, Error> {
        match &self.handle {
            Some(handle) => user(&handle.read().await?),
            None => Ok(self.first()),
        }
    }
}

fn user(session: &Session) -> Result<String, Error> {
    let name: Option<String> = session.get("username")?;
    Ok(format!("user={}", name.as_deref().unwrap_or("-")))
}

/// Whether a request comes from a page of this site. Browsers send cookies along with a WebSocket that a page of
/// another site opens, and say where it comes from.
pub(crate) fn is_own_origin(origin: Option<&str>, host: Option<&str>) -> bool {
    match (origin, host) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (Some(_), None) => false,
    }
}
