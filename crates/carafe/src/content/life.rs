//! What a logout and a new id mean for a session's content.
//!
//! A session in a store has its user and its id beside its content. One in a cookie has nothing but
//! its content, and keeps them there, under keys that the library reserves for itself.

use super::login::LoginState;
use super::view::View;
use crate::UnixSeconds;
use crate::id::SessionId;
use crate::value::{Text, Value};

/// The id of a session in a cookie: 43 characters.
pub(crate) const ID: &str = "_carafe_id";
/// When that user logged in, in Unix seconds.
pub(crate) const LOGIN: &str = "_carafe_login";

/// What the keys of this library begin with.
pub(crate) const RESERVED: &[u8] = b"_carafe_";

impl View {
    /// The session ends, and nobody is logged in.
    pub(super) fn log_out(&mut self) {
        self.clear();
        self.set_login(LoginState::default());
    }

    /// The session gets a new id.
    pub(super) fn rotate(&mut self, id: String) {
        self.mark_modified();
        if !self.is_in_store() && self.contains(ID.as_bytes()) {
            self.insert(Text::from(ID), Value::from(id));
        }
    }

    /// When the user of a session in a cookie logged in.
    #[inline]
    pub(crate) fn logged_in_at(&self) -> Option<UnixSeconds> {
        self.get(LOGIN.as_bytes())?
            .as_i64()
            .and_then(|time| u64::try_from(time).ok())
            .map(UnixSeconds)
    }
}

/// The id of a session in a cookie.
pub(crate) fn id_of(view: &View) -> Option<SessionId> {
    SessionId::from_text(view.get(ID.as_bytes())?.as_str()?.as_bytes())
}
