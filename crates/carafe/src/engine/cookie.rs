//! Reading a request's session out of its cookie.

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

/// How many cookies of the name are tried at most, since a store may be asked about each.
const TRIED: usize = 16;

/// Why a cookie opens no session.
#[derive(Debug)]
pub(super) enum Refused {
    /// It isn't authentic, too old, or can't be read.
    Error(Error),
    /// Its user logged in too long ago.
    Expired,
    /// Its session was ended. Whether the response may remove the cookie.
    Revoked { removes: bool },
}

impl Engine {
    pub(super) fn open_from_cookie(&self, slot: &Slot) {
        event::within!("session.open", self.open_cookie(slot));
    }

    /// Whether a session opens without waiting for a store.
    #[cfg(feature = "actix")]
    pub(crate) fn opens_at_once(&self) -> bool {
        matches!(self.backend, Backend::Cookie)
    }

    /// Opens a session that is in its cookie.
    pub(crate) fn open_cookie(&self, slot: &Slot) {
        let read = self.read_cookie(slot);
        slot.state().open(read);
    }

    /// What the first of the request's cookies holds that opens a session.
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

    /// The values of the cookies, empty ones aside, that may be the session's. In Flask's profile that is
    /// the first one, as in Flask. Otherwise a cookie that opens no session hides none that does: all of
    /// them are tried, in their order.
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

    /// The session in a cookie's value. A session whose user logged in too long ago has ended.
    #[inline]
    pub(super) fn read_value(&self, value: &[u8]) -> Result<FromCookie, Refused> {
        let Decoded { payload, outdated, issued, .. } =
            self.decode_value(value).map_err(Refused::Error)?;
        let view = self.view(payload).ok_or(Refused::Expired)?;
        // Of most sessions the signature's age has been compared with the same lifetime.
        let lifetime = self.lifetime_of(&view);
        if lifetime < self.config().max_age()
            && self.clock.now().0.saturating_sub(issued) > lifetime
        {
            return Err(Refused::Expired);
        }
        Ok(FromCookie { view: Some(view), outdated, issued, useless: false })
    }

    /// The view of what a cookie held; `None` if the user logged in too long ago.
    #[inline]
    pub(crate) fn view(&self, payload: Payload) -> Option<View> {
        let view = View::new(payload);
        let ended = view.logged_in_at().is_some_and(|login| {
            let timeout = self.config().absolute_timeout.as_secs();
            login < self.clock.now() - timeout
        });
        if ended { None } else { Some(view) }
    }

    /// The content of a cookie's value.
    #[inline]
    pub(crate) fn decode_value(&self, value: &[u8]) -> Result<Decoded, Error> {
        let codecs = self.keys.codecs();
        let max_age = self.config().max_age();
        match codecs.decode(value, max_age, self.clock.just_now().0) {
            // Signed in this second perhaps, which the quick clock hasn't reached yet.
            Err(error) if error.kind() == ErrorKind::FromTheFuture => {
                Ok(codecs.decode(value, max_age, self.clock.now().0)?)
            }
            decoded => Ok(decoded?),
        }
    }
}

/// What a request has whose cookies open no session, by what was wrong with the first.
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
