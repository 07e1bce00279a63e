//! The user of a request, as Flask-Login determines it: `LoginManager._load_user`.

use http::HeaderValue;

use super::keys::{ALL_KEYS, FRESH, ID, REMEMBER, USER_ID, is, user_id};
use super::settings::{Logins, Protection};
use crate::content::{View, is_permanent};
use crate::engine::{Engine, Slot, State};
use crate::event;
use crate::value::{Text, Value};

/// The login of a request, once it was looked at.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The user, once the request has looked: later changes of the session's keys don't count.
    pub(super) user: Option<Option<String>>,
    /// The remember cookie that the response sets or removes.
    pub(super) cookie: Option<HeaderValue>,
}

impl Seen {
    /// Records the request's user from now on.
    pub(crate) fn note(&mut self, user: Option<String>) {
        self.user = Some(user);
    }

    /// Returns whether the request has logged its user in.
    pub(crate) fn logs_in(&self, state: &State) -> bool {
        state.logged_in && matches!(self.user, Some(Some(_)))
    }

    /// Returns whether the request has logged its user out.
    pub(crate) fn logs_out(&self, state: &State) -> bool {
        state.logged_out && self.user.is_some()
    }

    /// Takes the remember cookie that the response sets or removes.
    pub(crate) fn take_cookie(&mut self) -> Option<HeaderValue> {
        self.cookie.take()
    }
}

impl Logins {
    /// Returns the user of a request. The first call changes the session as Flask-Login would.
    pub(crate) fn user(&self, slot: &Slot) -> Option<String> {
        let mut state = slot.state();
        if let Some(user) = &state.flask_login.user {
            return user.clone();
        }
        let user = self.load(slot, &mut state);
        state.flask_login.user = Some(user.clone());
        user
    }

    /// Returns whether the user has just logged in or confirmed the login: `login_fresh()`.
    pub(crate) fn is_fresh(&self, slot: &Slot) -> bool {
        let state = slot.state();
        let fresh = state.view.as_ref().and_then(|view| view.get(FRESH.as_bytes()));
        fresh.is_some_and(|value| value.is_truthy())
    }

    /// Applies the protection, and looks for the user in the session and in the remember cookie.
    fn load(&self, slot: &Slot, state: &mut State) -> Option<String> {
        let (engine, writable) = (&slot.engine, !state.closed);
        let default = engine.config().permanent;
        let view = state.view.get_or_insert_default();
        let protects = !self.settings.protection.is_none() && !view.is_empty();
        let client = slot.client().filter(|_| protects);
        if client.is_some_and(|client| !is(view, ID, &self.fingerprint(Some(client)))) {
            event::session_protected();
            if self.settings.protection == Protection::Strong && !is_permanent(view, default) {
                if writable {
                    forget(view, &ALL_KEYS);
                    view.set(REMEMBER, Value::from("clear"));
                    state.logged_out = true;
                }
                return None;
            }
            let is_stale =
                view.get(FRESH.as_bytes()).is_some_and(|fresh| *fresh == Value::from(false));
            if writable && !is_stale {
                view.set(FRESH, Value::from(false));
            }
        }
        match user_id(view).filter(|id| self.is_user(id)) {
            Some(user) => Some(user),
            None => self.restore(engine, slot, view, writable),
        }
    }

    /// Returns the user of the remember cookie, after logging the user in without freshness.
    fn restore(
        &self,
        engine: &Engine,
        slot: &Slot,
        view: &mut View,
        writable: bool,
    ) -> Option<String> {
        let token = self.token(slot.cookies()).filter(|_| !is(view, REMEMBER, "clear"))?;
        let user = self.user_of(engine, &token)?;
        if writable {
            view.set(USER_ID, Value::from(user.as_str()));
            view.set(FRESH, Value::from(false));
        }
        if !self.is_user(&user) {
            return None;
        }
        event::login_restored();
        Some(user)
    }
}

/// Removes keys of a login. A session in a store ends, and its other keys begin a new session, so
/// that the store no longer lists it as the user's.
pub(super) fn forget(view: &mut View, keys: &[&str]) {
    if !view.is_in_store() {
        keys.iter().for_each(|key| view.unset(key));
        return;
    }
    let is_kept = |key: &Text| !keys.iter().any(|name| key.as_str() == Some(name));
    view.begin_with(view.to_dict().into_iter().filter(|(key, _)| is_kept(key)).collect());
}
