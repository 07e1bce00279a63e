//! Reads a request's session from its cookie.

use std::borrow::Cow;

use http::HeaderValue;

#[cfg(feature = "actix")]
use super::Backend;
use super::slot::FromCookie;
use super::{Engine, Slot};
use crate::codec::Decoded;
use crate::content::View;
use crate::value::json::Payload;
use crate::{Error, ErrorKind, event};

/// The greatest number of equally named cookies that are tried, since a store may be asked about
/// each.
const TRIED: usize = 16;

/// The reason why a cookie opens no session.
#[derive(Debug)]
pub(super) enum Refused {
    /// The cookie isn't authentic, is too old, or can't be read.
    Error(Error),
    /// The user logged in too long ago.
    Expired,
    /// The session was ended. The field says whether the response may remove the cookie.
    Revoked { removes: bool },
}

impl Engine {
    pub(super) fn open_from_cookie(&self, slot: &Slot) {
        event::within!("session.open", self.open_cookie(slot));
    }

    /// Returns whether a session opens without waiting for a store.
    #[cfg(feature = "actix")]
    pub(crate) fn opens_at_once(&self) -> bool {
        matches!(self.backend, Backend::Cookie)
    }

    /// Opens a session in a cookie.
    pub(crate) fn open_cookie(&self, slot: &Slot) {
        let read = self.read_cookie(slot);
        slot.state().open(read);
    }

    /// Reads the first of the request's cookies that opens a session.
    #[inline]
    fn read_cookie(&self, slot: &Slot) -> FromCookie {
        let mut refused = None;
        for value in self.candidates(slot.cookies()) {
            match self.read_value(&value) {
                Ok(read) => {
                    event::loaded(read.outdated);
                    return read;
                }
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        without_session(refused)
    }

    /// Returns the values of the cookies that may be the session's, without empty ones. In Flask's
    /// profile only the first counts, as in Flask. In other profiles all are tried in their order,
    /// so that a cookie that opens no session can't hide a valid one.
    #[inline]
    pub(super) fn candidates<'a, I>(&'a self, cookies: I) -> impl Iterator<Item = Cow<'a, [u8]>>
    where
        I: Iterator<Item = &'a HeaderValue> + Clone + 'a,
    {
        let first = self.cookie.find(cookies.clone());
        let has_others = first.as_ref().is_some_and(|found| found.duplicate);
        if has_others {
            event::duplicate_cookie(&self.config().cookie_name);
        }
        let tries_others = has_others && !self.config().flask_profile;
        let others = tries_others.then(|| self.cookie.find_all(cookies)).into_iter().flatten();
        let first = first.filter(|_| !tries_others).map(|found| found.value);
        first.into_iter().chain(others).filter(|value| !value.is_empty()).take(TRIED)
    }

    /// Reads the session in a cookie's value. A session whose user logged in too long ago has
    /// ended.
    #[inline]
    pub(super) fn read_value(&self, value: &[u8]) -> Result<FromCookie, Refused> {
        let Decoded { payload, outdated, issued, .. } =
            self.decode_value(value).map_err(Refused::Error)?;
        let view = self.view(payload).ok_or(Refused::Expired)?;
        // The signature's age has been checked against the layer's lifetime, which applies to most
        // sessions.
        let lifetime = self.lifetime_of(&view);
        if lifetime < self.config().max_age()
            && self.clock.now().0.saturating_sub(issued) > lifetime
        {
            return Err(Refused::Expired);
        }
        Ok(FromCookie { view: Some(view), outdated, issued, useless: false })
    }

    /// Returns the view of a cookie's content; `None` if the user logged in too long ago.
    #[inline]
    pub(crate) fn view(&self, payload: Payload) -> Option<View> {
        let view = View::new(payload);
        let ended = view.logged_in_at().is_some_and(|login| {
            let timeout = self.config().absolute_timeout.as_secs();
            login < self.clock.now() - timeout
        });
        if ended { None } else { Some(view) }
    }

    /// Decodes a cookie's value.
    #[inline]
    pub(crate) fn decode_value(&self, value: &[u8]) -> Result<Decoded, Error> {
        let codecs = self.keys.codecs();
        let max_age = self.config().max_age();
        match codecs.decode(value, max_age, self.clock.just_now().0) {
            // The cookie may be signed in this very second, which the quick clock hasn't reached
            // yet.
            Err(error) if error.kind() == ErrorKind::FromTheFuture => {
                Ok(codecs.decode(value, max_age, self.clock.now().0)?)
            }
            decoded => Ok(decoded?),
        }
    }
}

/// Returns the state of a request whose cookies open no session, from the first cookie's refusal.
pub(super) fn without_session(refused: Option<Refused>) -> FromCookie {
    let useless = match refused {
        None => {
            event::none();
            false
        }
        Some(Refused::Expired) => {
            event::expired();
            false
        }
        Some(Refused::Revoked { removes }) => {
            event::revoked();
            removes
        }
        Some(Refused::Error(error)) => {
            event::refused(&error);
            error.kind() == ErrorKind::BadPayload
        }
    };
    FromCookie { useless, ..FromCookie::default() }
}
