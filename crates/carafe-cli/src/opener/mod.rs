//! Opens cookies with keys, and finds out why one is refused.

mod form;
mod refusal;

use carafe::format::ErrorKind;
use carafe::inspect::{Alternatives, check_session};
use carafe::sealed::SealedCodec;
use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};

use crate::cookies::Cookie;
use crate::keys::Keys;
use crate::time;

pub(crate) use self::refusal::{Reason, Refusal};

/// The cookie of the hardened profile.
const HARDENED_NAME: &str = "__Host-session";

/// The names that a sealed cookie is tried with if its own isn't known.
const SEALED_NAMES: [&str; 3] = ["__Host-session", "session", "__Secure-session"];

/// The number of refused cookies that are tried with all other settings. Later cookies are tried
/// only with settings that were right before, so that a file of a million strange cookies is soon
/// read.
const WHOLE_SEARCHES: u32 = 1000;

/// The longest text that is tried with other settings: no browser has a longer cookie.
const LONGEST_SEARCHED: usize = 64 * 1024;

/// The formats that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opens {
    Flask,
    /// A sealed session, bound to the name of its cookie.
    Sealed {
        cookie_name: String,
    },
}

impl Opens {
    /// A short name for scripts.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Flask => "flask",
            Self::Sealed { .. } => "sealed",
        }
    }
}

/// The formats that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    Any,
    Flask,
    Sealed,
}

/// A session whose cookie is authentic and not too old.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) format: Opens,
    /// The JSON as it stands in the cookie; Flask can read it.
    pub(crate) json: Vec<u8>,
    /// The time of the signature, in Unix seconds.
    pub(crate) signed: u64,
    /// The end of the session, if the cookie has one.
    pub(crate) expires: Option<u64>,
    /// The index of the key.
    pub(crate) key: usize,
}

/// Opens cookies under fixed keys and settings.
#[derive(Debug)]
pub(crate) struct Opener<'a> {
    keys: &'a Keys,
    options: SigningOptions,
    serializer: UrlSafeTimedSerializer,
    alternatives: Alternatives,
    refused: u32,
    max_age: Option<u64>,
    now: Option<u64>,
    accept: Accept,
    /// The codecs for the names that sealed cookies had so far.
    sealed: Vec<(String, SealedCodec)>,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(
        keys: &'a Keys,
        options: SigningOptions,
        max_age: Option<u64>,
        now: Option<u64>,
        accept: Accept,
    ) -> Self {
        Self {
            serializer: UrlSafeTimedSerializer::new(&keys.ring, &options),
            alternatives: Alternatives::new(&keys.ring, &options),
            keys,
            options,
            refused: 0,
            max_age,
            now,
            accept,
            sealed: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.unwrap_or_else(time::now)
    }

    pub(crate) fn open(&mut self, cookie: &Cookie<'_>) -> Result<Opened, Refusal> {
        let opened = if self.accept != Accept::Flask && looks_sealed(cookie.value) {
            self.open_sealed(cookie)?
        } else if self.accept == Accept::Sealed {
            return Err(Refusal::not_a_session("this is no sealed session, which --from asks for"));
        } else {
            self.open_signed(cookie)?
        };
        match check_session(&opened.json) {
            Ok(()) => Ok(opened),
            Err(error) => Err(Refusal {
                signed: Some(opened.signed),
                ..Refusal::new(
                    Reason::Unreadable,
                    format!("the signature is good, but it is no session: {error}"),
                )
            }),
        }
    }

    fn open_signed(&mut self, cookie: &Cookie<'_>) -> Result<Opened, Refusal> {
        let (name, cookie) = (cookie.name, cookie.value);
        let now = self.now();
        let loaded = match self.serializer.loads_json(cookie, self.max_age, now) {
            Err(error) if error.kind() == ErrorKind::BadSignature => {
                self.named(name).loads_json(cookie, self.max_age, now).map_err(|other| {
                    if other.kind() == ErrorKind::BadSignature { error } else { other }
                })
            }
            loaded => loaded,
        };
        let error = match loaded {
            Ok(signed) => {
                return Ok(Opened {
                    format: Opens::Flask,
                    json: signed.json,
                    signed: signed.timestamp,
                    expires: None,
                    key: signed.key,
                });
            }
            Err(error) => error,
        };
        let signed = || {
            let plain = self.serializer.loads_json(cookie, None, now);
            let signed = plain.or_else(|_| self.named(name).loads_json(cookie, None, now));
            signed.map(|signed| signed.timestamp)
        };
        Err(match error.kind() {
            ErrorKind::Expired => Refusal::expired(signed().ok(), self.max_age, now),
            ErrorKind::FromTheFuture => Refusal::from_the_future(signed().ok(), now),
            ErrorKind::BadPayload => Refusal::new(Reason::Unreadable, error.to_string()),
            _ => self.explain(cookie),
        })
    }

    /// Returns the serializer of the hardened profile, whose salt has the cookie's name in it.
    fn named(&self, name: Option<&str>) -> UrlSafeTimedSerializer {
        let name = name.unwrap_or(HARDENED_NAME);
        UrlSafeTimedSerializer::new(&self.keys.ring, &self.options.clone().for_cookie(name))
    }

    /// Explains why no key makes this signature, if it is one.
    fn explain(&mut self, cookie: &[u8]) -> Refusal {
        if let Some(refusal) = Refusal::of_another_kind(cookie) {
            return refusal;
        }
        self.refused = self.refused.saturating_add(1);
        let alternative = if cookie.len() > LONGEST_SEARCHED {
            None
        } else if self.refused <= WHOLE_SEARCHES {
            self.alternatives.find(cookie)
        } else {
            self.alternatives.find_again(cookie)
        };
        match alternative {
            Some(alternative) => Refusal::other_settings(&alternative, &self.options, self.keys),
            None => Refusal::wrong_key(cookie, self.keys.ring.len()),
        }
    }

    fn open_sealed(&mut self, cookie: &Cookie<'_>) -> Result<Opened, Refusal> {
        let names: Vec<&str> = match cookie.name {
            Some(name) => vec![name],
            None => SEALED_NAMES.to_vec(),
        };
        let mut refused = None;
        for name in names {
            match self.open_sealed_as(cookie.value, name) {
                Ok(opened) => return Ok(opened),
                Err(refusal) if refusal.reason != Reason::BadSignature => return Err(refusal),
                Err(refusal) => refused = Some(refusal),
            }
        }
        let refusal =
            refused.unwrap_or_else(|| Refusal::not_a_session("this is no sealed session"));
        for name in SEALED_NAMES {
            if self.codec(name)?.open_at_any_time(cookie.value).is_ok() {
                let message = format!(
                    "the cookie's name is another one: it would open with --cookie-name {name}"
                );
                return Err(Refusal::new(Reason::BadSignature, message));
            }
        }
        Err(refusal)
    }

    fn open_sealed_as(&mut self, cookie: &[u8], name: &str) -> Result<Opened, Refusal> {
        let (now, max_age) = (self.now(), self.max_age);
        let opened = self
            .codec(name)?
            .open_at_any_time(cookie)
            .map_err(|error| Refusal::new(Reason::BadSignature, error.to_string()))?;
        if let Some(max_age) = max_age {
            if opened.issued > now.saturating_add(carafe::sealed::CLOCK_SKEW) {
                return Err(Refusal::from_the_future(Some(opened.issued), now));
            }
            if now > opened.expires {
                return Err(Refusal::sealed_expired(opened.issued, opened.expires, now));
            }
            if now.saturating_sub(opened.issued) > max_age {
                return Err(Refusal::expired(Some(opened.issued), Some(max_age), now));
            }
        }
        Ok(Opened {
            format: Opens::Sealed { cookie_name: name.to_owned() },
            json: opened.json,
            signed: opened.issued,
            expires: Some(opened.expires),
            key: opened.key_index,
        })
    }

    fn codec(&mut self, name: &str) -> Result<&SealedCodec, Refusal> {
        let known = self.sealed.iter().position(|(of, _)| of == name);
        let at = match known {
            Some(at) => at,
            None => {
                let codec = SealedCodec::reader(&self.keys.ring, name)
                    .map_err(|error| Refusal::new(Reason::BadSignature, error.to_string()))?;
                self.sealed.push((name.to_owned(), codec));
                self.sealed.len() - 1
            }
        };
        Ok(&self.sealed[at].1)
    }
}

/// A sealed cookie has no dots, and its first byte says the version.
fn looks_sealed(cookie: &[u8]) -> bool {
    cookie.first() == Some(&b'A')
        && carafe::inspect::inspect(cookie)
            .is_some_and(|seen| seen.format == carafe::inspect::CookieFormat::Sealed)
}
