//! Remember tokens: a second cookie that logs a browser in again after its session has ended.
//!
//! 1. The cookie has a series and a token, both random. The store has hashes of both, in a record
//!    of the user, so that ending all of a user's sessions also ends the user's series.
//! 2. A request without a session that brings the token is logged in, and gets the next token of
//!    the series. The store's compare-and-swap lets one request do that.
//! 3. Simultaneous requests bring the previous token. For a grace period they are logged in, too.
//! 4. A token that comes later was copied: either the owner or the thief has used it. The series
//!    then ends, and with it all sessions that it began.

use http::HeaderValue;

use super::admit::NewRecord;
use super::commit::set_id_of;
use super::open::Origin;
use super::{SetId, StoreBackend, failed};
use crate::cookie::{Finder, SetCookie};
use crate::engine::theft::{SignOfTheft, TheftKind};
use crate::engine::{Engine, Slot};
use crate::id::{self, PublicId, SessionId, SessionIdHash};
use crate::record::{LoginDetails, Record, State};
use crate::store::{Stored, Updated, Version};
use crate::value::DateTime;
use crate::{Config, Error, ErrorKind, UnixSeconds, event};

/// The grace period, in seconds, in which the previous token still logs in: all simultaneous
/// requests of a browser carry it.
const GRACE: u64 = 60;

/// The number of attempts of a request whose token other requests renew at the same time.
const TRIES: usize = 8;

/// The cookie of remember tokens.
#[derive(Clone, Debug)]
pub(crate) struct Remember {
    cookie: Finder,
    set_cookie: SetCookie,
    /// The lifetime of a series after its last use, in seconds.
    lifetime: u64,
}

/// The content of the cookie.
struct Token {
    series: SessionId,
    secret: SessionId,
}

/// The result of a remember token: a session, unless the token was refused.
pub(super) struct Redeemed {
    pub(super) session: Option<(Box<Origin>, SetId)>,
    /// The header with the next token's cookie, or with its removal.
    pub(super) cookie: Option<HeaderValue>,
}

impl Remember {
    /// Returns the remember cookie, if the settings turn it on.
    pub(crate) fn new(config: &Config) -> Result<Option<Self>, Error> {
        let Some(lifetime) = config.remember_for else { return Ok(None) };
        let name = format!("{}_remember", config.cookie_name);
        let attributes = crate::cookie::Attributes { name: &name, ..config.attributes() };
        Ok(Some(Self {
            cookie: Finder::new(&name),
            set_cookie: SetCookie::new(&attributes)?,
            lifetime: lifetime.as_secs(),
        }))
    }

    fn token_of(&self, slot: &Slot) -> Option<Token> {
        let found = self.cookie.find(slot.cookies())?;
        let (series, secret) = found.value.split_at_checked(SessionId::TEXT)?;
        Some(Token { series: SessionId::from_text(series)?, secret: SessionId::from_text(secret)? })
    }

    fn cookie(&self, token: &Token, now: UnixSeconds) -> Result<HeaderValue, Error> {
        let mut value = token.series.to_text();
        token.secret.append_to(&mut value);
        let expires = i64::try_from((now + self.lifetime).0).ok();
        Ok(self.set_cookie.set(&value, expires.and_then(DateTime::from_unix))?)
    }
}

impl Token {
    fn random() -> Result<Self, Error> {
        Ok(Self { series: SessionId::random()?, secret: SessionId::random()? })
    }
}

impl Engine {
    /// Begins a series of tokens for a user. Returns the series' public id and the cookie.
    pub(crate) async fn remember(
        &self,
        backend: &StoreBackend,
        user: String,
        from: (Option<String>, Option<String>),
        credential: Option<String>,
    ) -> Result<(PublicId, HeaderValue), Error> {
        let remember = self.remember.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Setting,
                "the layer doesn't remember users: set `Config::remember_for`",
            )
        })?;
        let (now, token) = (self.clock.now(), Token::random()?);
        let public_id = PublicId::random()?;
        let mut record = Record::new(public_id, now, remember.lifetime, remember.lifetime);
        record.state =
            State::Series { token: token.secret.hash(), before: token.secret.hash(), since: now };
        record.user = Some(user);
        (record.address, record.agent) = from;
        record.details = LoginDetails { credential, ..LoginDetails::default() }.into_record();
        let id = token.series.hash();
        if !backend.store().create(&id, &record, now).await.map_err(failed)? {
            return Err(super::ended());
        }
        Ok((public_id, remember.cookie(&token, now)?))
    }

    /// Logs a browser without a user in by its token, if it has one.
    pub(super) async fn redeem(
        &self,
        slot: &Slot,
        backend: &StoreBackend,
    ) -> Result<Option<Redeemed>, Error> {
        let Some(remember) = &self.remember else { return Ok(None) };
        let Some(token) = remember.token_of(slot) else { return Ok(None) };
        let id = token.series.hash();
        for _ in 0..TRIES {
            let now = self.clock.now();
            let loaded = backend.store().load(&id, now).await.map_err(failed)?;
            let series = loaded.filter(|series| !series.record.is_expired(now));
            let Some(series) = series else { return self.forgotten(remember) };
            let State::Series { token: present, before, since } = series.record.state else {
                return self.forgotten(remember);
            };
            let presented = token.secret.hash();
            if presented == present {
                match self.renew(backend, remember, &token, &series, now).await? {
                    Some(cookie) => return self.log_in_remembered(backend, series, cookie).await,
                    // Another request of the browser has renewed the token first.
                    None => continue,
                }
            }
            if presented == before && now.since(since) <= GRACE {
                return self.log_in_remembered(backend, series, None).await;
            }
            self.end_series(backend, &id, &series.record).await?;
            return self.forgotten(remember);
        }
        // The token is renewed again and again: the next request may succeed.
        Ok(None)
    }

    fn forgotten(&self, remember: &Remember) -> Result<Option<Redeemed>, Error> {
        let cookie = Some(remember.set_cookie.remove()?);
        Ok(Some(Redeemed { session: None, cookie }))
    }

    /// Replaces a token by the next; `None` if another request has done so.
    async fn renew(
        &self,
        backend: &StoreBackend,
        remember: &Remember,
        token: &Token,
        series: &Stored,
        now: UnixSeconds,
    ) -> Result<Option<Option<HeaderValue>>, Error> {
        let next = Token { series: token.series.clone(), secret: SessionId::random()? };
        let mut record = series.record.clone();
        record.last_seen = now;
        record.idle_expires = now + remember.lifetime;
        record.expires = record.idle_expires;
        record.state =
            State::Series { token: next.secret.hash(), before: token.secret.hash(), since: now };
        let id = token.series.hash();
        match backend.store().update(&id, series.version, &record, now).await.map_err(failed)? {
            Updated::Written(_) => Ok(Some(Some(remember.cookie(&next, now)?))),
            Updated::Conflict | Updated::Gone => Ok(None),
        }
    }

    /// Begins a session of a series' user, whose authentication dates from the beginning of the
    /// series.
    async fn log_in_remembered(
        &self,
        backend: &StoreBackend,
        series: Stored,
        cookie: Option<HeaderValue>,
    ) -> Result<Option<Redeemed>, Error> {
        let (id, public_id) = id::of_new_session()?;
        let (now, of) = (self.clock.now(), series.record);
        let details = LoginDetails {
            authenticated: Some(UnixSeconds(0)),
            credential: of.details.and_then(|details| details.credential),
            series: Some(of.public_id),
            ..LoginDetails::default()
        };
        let mut record = backend.rules.new_record(public_id, now);
        record.logged_in = Some(now);
        (record.user, record.address, record.agent) = (of.user, of.address, of.agent);
        record.details = details.into_record();
        let session = id.hash();
        match backend.add(&session, &record, None, now).await.map_err(failed)? {
            NewRecord::Added => {}
            // The user has to log in, and that login reports the limit.
            NewRecord::TooMany => return Ok(Some(Redeemed { session: None, cookie })),
            NewRecord::Exists => return Err(super::ended()),
        }
        event::created();
        event::remembered();
        let stored = std::sync::Arc::new(Stored { record, version: Version::FIRST });
        let origin = Box::new(Origin { id, session, stored });
        let set_id = set_id_of(&backend.rules, &origin);
        Ok(Some(Redeemed { session: Some((origin, set_id)), cookie }))
    }

    /// Ends a series whose token was used twice, and the sessions that it began.
    async fn end_series(
        &self,
        backend: &StoreBackend,
        id: &SessionIdHash,
        series: &Record,
    ) -> Result<(), Error> {
        let store = backend.store();
        store.delete(id, None).await.map_err(failed)?;
        if let Some(user) = &series.user {
            let now = self.clock.now();
            let list = store.list_for_user(user, now).await.map_err(failed)?;
            let began = |stored: &Stored| {
                let details = stored.record.details.as_ref();
                details.is_some_and(|details| details.series == Some(series.public_id))
            };
            for (_, stored) in list.iter().filter(|(_, stored)| began(stored)) {
                backend.end_by_name(user, stored.record.public_id).await?;
            }
        }
        let sign = SignOfTheft::new(TheftKind::UsedToken, series.user.clone(), None);
        self.react_to_theft(backend, &sign).await
    }

    /// Ends the series of a browser that logs out, and removes its cookie.
    pub(super) async fn forget(
        &self,
        slot: &Slot,
        backend: &StoreBackend,
    ) -> Result<Option<HeaderValue>, Error> {
        let Some(remember) = &self.remember else { return Ok(None) };
        let Some(token) = remember.token_of(slot) else { return Ok(None) };
        let (id, now) = (token.series.hash(), self.clock.now());
        let loaded = backend.store().load(&id, now).await.map_err(failed)?;
        let is_series = |stored: &Stored| matches!(stored.record.state, State::Series { .. });
        if loaded.as_ref().is_some_and(is_series) {
            backend.store().delete(&id, None).await.map_err(failed)?;
        }
        Ok(Some(remember.set_cookie.remove()?))
    }
}
