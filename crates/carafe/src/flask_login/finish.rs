//! The remember cookie at the end of a request: `LoginManager._update_remember_cookie`.

use http::HeaderValue;

use super::keys::{REMEMBER, USER_ID, is, remembered_for, remembered_id};
use super::settings::{Logins, Release};
use crate::Error;
use crate::content::View;
use crate::engine::{Backend, Engine, Slot};
use crate::value::Value;

impl Engine {
    /// Decides on the remember cookie, before the session is saved.
    pub(crate) fn finish_login(&self, slot: &Slot) {
        let Some(logins) = &self.flask_login else { return };
        if !slot.state().is_open() && !self.opens_for_login(slot) {
            return;
        }
        let token = logins.token(slot.cookies()).is_some();
        let mut state = slot.state();
        if self.config().flask_profile {
            // Flask-Login looks at every session, which makes each response vary with it.
            state.accessed = true;
        }
        let Some(view) = &mut state.view else { return };
        match logins.finish(self, view, token) {
            Ok(cookie) => state.flask_login.cookie = cookie,
            Err(error) => state.failed = Some(error),
        }
    }

    /// Opens a session that no extractor has asked for, if that takes no store. In Flask's profile
    /// this applies to every session, since the Flask site looks at every session.
    fn opens_for_login(&self, slot: &Slot) -> bool {
        let opens = matches!(self.backend, Backend::Cookie)
            && (self.config().flask_profile || self.opens_unasked(slot));
        if opens {
            self.open_cookie(slot);
        }
        opens
    }
}

impl Logins {
    fn finish(
        &self,
        engine: &Engine,
        view: &mut View,
        has_token: bool,
    ) -> Result<Option<HeaderValue>, Error> {
        let refreshes = self.settings.remember.refresh_each_request;
        let has_operation = view.contains(REMEMBER.as_bytes());
        let (clears, mut sets) = (is(view, REMEMBER, "clear"), is(view, REMEMBER, "set"));
        match self.settings.release {
            Release::V0_6 if refreshes && !has_operation => {
                // The session counts as changed, as in Flask-Login.
                view.set(REMEMBER, Value::from("set"));
                sets = true;
            }
            Release::V0_7 if refreshes && has_token && !clears => sets = true,
            Release::V0_6 | Release::V0_7 => {}
        }
        view.unset(REMEMBER);
        if clears {
            return self.remove().map(Some);
        }
        match remembered_id(view).filter(|_| sets && view.contains(USER_ID.as_bytes())) {
            Some(user) => self.set(engine, &user, remembered_for(view)?).map(Some),
            None => Ok(None),
        }
    }
}
