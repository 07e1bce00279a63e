use carafe::inspect::{Alternative, CookieFormat, KeyEdit, SINCE_2011, check_session, inspect};
use carafe::signing::SigningOptions;

use super::form::what_is_wrong;
use crate::keys::Keys;
use crate::time::{span, utc};

/// The reason why a cookie is refused, as a word for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    NotASession,
    BadSignature,
    Expired,
    FromTheFuture,
    Unreadable,
}

impl Reason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotASession => "not-a-session",
            Self::BadSignature => "bad-signature",
            Self::Expired => "expired",
            Self::FromTheFuture => "from-the-future",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The reason why a cookie is refused, and the remedy.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) message: String,
    /// The time of the signature, if the cookie is authentic.
    pub(crate) signed: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), signed: None }
    }

    pub(super) fn not_a_session(message: impl Into<String>) -> Self {
        Self::new(Reason::NotASession, message)
    }

    pub(super) fn expired(signed: Option<u64>, max_age: Option<u64>, now: u64) -> Self {
        let message = match (signed, max_age) {
            (Some(signed), _) if signed < SINCE_2011 => format!(
                "expired: signed {}, by ItsDangerous before 1.1, which counted from 2011, so that \
                 later versions take it for one of {}; --max-age none looks into it all the same",
                utc(signed + SINCE_2011),
                utc(signed)
            ),
            (Some(signed), Some(max_age)) => format!(
                "expired since {}: signed {}, {} ago, and {} are allowed; --max-age none looks into \
                 it all the same",
                utc(signed.saturating_add(max_age)),
                utc(signed),
                span(now.saturating_sub(signed)),
                span(max_age)
            ),
            _ => "expired".to_owned(),
        };
        Self { signed, ..Self::new(Reason::Expired, message) }
    }

    pub(super) fn sealed_expired(issued: u64, expires: u64, now: u64) -> Self {
        let message = format!(
            "expired since {}, {} ago: sealed {} for {}; --max-age none looks into it all the same",
            utc(expires),
            span(now.saturating_sub(expires)),
            utc(issued),
            span(expires.saturating_sub(issued))
        );
        Self { signed: Some(issued), ..Self::new(Reason::Expired, message) }
    }

    pub(super) fn from_the_future(signed: Option<u64>, now: u64) -> Self {
        let message = match signed {
            Some(signed) => format!(
                "from the future: signed {}, {} from now; is a clock wrong, or --now?",
                utc(signed),
                span(signed.saturating_sub(now))
            ),
            None => "from the future: is a clock wrong, or --now?".to_owned(),
        };
        Self { signed, ..Self::new(Reason::FromTheFuture, message) }
    }

    /// The refusal of a text that is no signed session of Flask's.
    pub(super) fn of_another_kind(cookie: &[u8]) -> Option<Self> {
        let Some(seen) = inspect(cookie) else {
            let message = format!("this is no session's cookie: {}", what_is_wrong(cookie));
            return Some(Self::not_a_session(message));
        };
        let message = match seen.format {
            CookieFormat::Flask | CookieFormat::Starlette => return None,
            CookieFormat::StoredId | CookieFormat::FlaskSession => {
                format!("this is {}: its content is in the store, not in the cookie", seen.format)
            }
            other => format!(
                "this is {other}, which this program can't verify; `carafe inspect` shows what it says"
            ),
        };
        Some(Self::not_a_session(message))
    }

    /// The refusal of a signature that is good under other settings.
    pub(super) fn other_settings(
        alternative: &Alternative,
        given: &SigningOptions,
        keys: &Keys,
    ) -> Self {
        let mut arguments = String::new();
        if given.clone().salt(alternative.salt.as_slice()) != *given {
            arguments += &format!(" --salt {}", String::from_utf8_lossy(&alternative.salt));
        }
        if given.clone().digest(alternative.digest) != *given {
            arguments += &format!(" --digest {}", alternative.digest.name());
        }
        if given.clone().key_derivation(alternative.key_derivation) != *given {
            arguments += &format!(" --key-derivation {}", alternative.key_derivation.name());
        }
        let key = keys.name(alternative.key);
        let edit = match alternative.key_edit {
            KeyEdit::Trim => format!("{key} without the space or line break around it"),
            KeyEdit::AppendNewline => format!("{key} with a line break after it"),
            KeyEdit::Unquote => format!("{key} without the quotes around it"),
            KeyEdit::PythonBytes => format!("the bytes that {key} stands for in Python"),
            KeyEdit::PythonText => format!("the text that {key} stands for in Python"),
            KeyEdit::PythonLiteral => {
                format!("{key} as Python prints it, with b, quotes and backslashes")
            }
            KeyEdit::Value => format!("what {key} sets, without the name before it"),
            KeyEdit::DecodeHex => format!("the bytes that {key} is hexadecimal of"),
            KeyEdit::DecodeBase64 => format!("the bytes that {key} is base64 of"),
            _ => String::new(),
        };
        let with = match (arguments.trim_start(), edit.as_str()) {
            ("", edit) => edit.to_owned(),
            (arguments, "") => arguments.to_owned(),
            (arguments, edit) => format!("{arguments} and {edit}"),
        };
        let what = match alternative.salt.as_slice() {
            b"itsdangerous.Signer" => " (it is a session of Starlette)",
            b"wtf-csrf-token" => " (it is a token of Flask-WTF)",
            _ => "",
        };
        let wrong = if arguments.is_empty() { "the key is" } else { "the settings are" };
        let message = format!("{wrong} not quite right: it would verify with {with}{what}");
        Self::new(Reason::BadSignature, message)
    }

    /// The refusal of a signature that no known key makes.
    pub(super) fn wrong_key(cookie: &[u8], keys: usize) -> Self {
        let seen = inspect(cookie);
        let damaged = seen.as_ref().and_then(|seen| match &seen.payload {
            Some(Err(error)) => Some(error.to_string()),
            Some(Ok(json)) => check_session(json).err().map(|error| error.to_string()),
            None => None,
        });
        let cut = seen.is_some_and(|seen| seen.digest.is_none());
        let none = match keys {
            1 => "the key doesn't make".to_owned(),
            keys => format!("none of the {keys} keys makes"),
        };
        let message = match damaged {
            Some(error) => {
                format!("the cookie was changed or cut off: {error}; was all of it copied?")
            }
            None if cut => "the cookie was cut off or changed: no digest makes signatures of this \
                            length; was all of it copied?"
                .to_owned(),
            None => format!(
                "wrong key, or the cookie was changed: {none} this signature, with any digest or \
                 derivation; give every key that the service has had"
            ),
        };
        Self::new(Reason::BadSignature, message)
    }
}
