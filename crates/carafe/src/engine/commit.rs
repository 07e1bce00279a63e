use http::HeaderMap;
use http::header::SET_COOKIE;

use super::{Engine, headers};
use crate::config::Refresh;
use crate::session::{Slot, View, is_permanent};
use crate::{Error, event};

impl Engine {
    /// Closes a request's session and writes what became of it into the response's headers, by
    /// Flask's rules:
    ///
    /// 1. A session that a handler asked for makes the response vary with the cookie.
    /// 2. An empty session that was changed removes the cookie; so does a cookie that nobody can
    ///    read although its signature is good.
    /// 3. Another session is written if it was changed, or if it is permanent and to be refreshed.
    ///    What Flask hasn't: also if it came under an older key or in another format than the one
    ///    that is written, and such sessions are to be rewritten.
    pub(crate) fn commit(&self, slot: &Slot, response: &mut HeaderMap) -> Result<(), Error> {
        let config = self.config();
        let on_every_route = config.refresh == Refresh::EachRequest || config.rewrite_outdated;
        if on_every_route && self.has_cookie(slot) {
            // Flask refreshes a permanent session on every route.
            self.open(slot, false);
        }
        let mut state = slot.state();
        state.closed = true;
        if state.accessed {
            headers::vary_with_cookie(response);
        }
        let unreadable = state.unreadable;
        let Some(view) = &state.view else {
            return Ok(());
        };
        if view.is_empty() {
            if view.modified() || unreadable {
                headers::vary_with_cookie(response);
                self.append(response, self.set_cookie.remove()?);
            }
            return Ok(());
        }
        let refresh = config.refresh != Refresh::Never && is_permanent(view);
        let rewrite = config.rewrite_outdated && state.outdated;
        if view.modified() || refresh || rewrite {
            headers::vary_with_cookie(response);
            let cookie = self.encode(view)?;
            self.append(response, cookie);
        }
        Ok(())
    }

    fn encode(&self, view: &View) -> Result<http::HeaderValue, Error> {
        let codecs = self.keys.codecs();
        let max_age = self.config().max_age();
        let value = codecs.encode(&view.to_json()?, max_age, self.clock.now())?;
        let header = self.set_cookie.set(&value, self.expires(view))?;
        let limit = self.config().max_cookie_size;
        if limit != 0 && header.len() > limit {
            event::large_cookie(&self.config().cookie_name, header.len(), limit);
        }
        Ok(header)
    }

    fn append(&self, response: &mut HeaderMap, cookie: http::HeaderValue) {
        response.append(SET_COOKIE, cookie);
        if self.config().no_store {
            headers::forbid_storing(response);
        }
    }
}
