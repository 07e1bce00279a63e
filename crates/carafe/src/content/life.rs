//! The effects of a logout and of a new id on a session's content.
//!
//! A session in a store has its user and its id in fields outside of its content. A session in a
//! cookie has nothing but its content, and keeps them there, under keys that the library reserves.

use super::login::LoginState;
use super::view::View;
use crate::UnixSeconds;
use crate::id::SessionId;
use crate::value::{Text, Value};

/// The id of a session in a cookie: 43 characters.
pub(crate) const ID: &str = "_carafe_id";
/// The time at which the user logged in, in Unix seconds.
pub(crate) const LOGIN: &str = "_carafe_login";

/// The beginning of the reserved keys.
pub(crate) const RESERVED: &[u8] = b"_carafe_";

impl View {
    /// Ends the session, so that no user is logged in.
    pub(super) fn log_out(&mut self) {
        self.clear();
        self.set_login(LoginState::default());
    }

    /// Gives the session a new id.
    pub(super) fn rotate(&mut self, id: String) {
        self.mark_modified();
        if !self.is_in_store() && self.contains(ID.as_bytes()) {
            self.insert(Text::from(ID), Value::from(id));
        }
    }

    /// Returns when the user of a session in a cookie logged in.
    #[inline]
    pub(crate) fn logged_in_at(&self) -> Option<UnixSeconds> {
        self.get(LOGIN.as_bytes())?
            .as_i64()
            .and_then(|time| u64::try_from(time).ok())
            .map(UnixSeconds)
    }
}

/// Returns the id of a session in a cookie.
pub(crate) fn id_of(view: &View) -> Option<SessionId> {
    SessionId::from_text(view.get(ID.as_bytes())?.as_str()?.as_bytes())
}
