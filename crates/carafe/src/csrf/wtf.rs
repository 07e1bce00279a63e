//! The tokens of Flask-WTF: the session's text under `csrf_token`, signed with the time.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use super::check::refused;
use super::field::FIELD;
use crate::engine::Slot;
use crate::session::Session;
use crate::signing::{SigningOptions, UrlSafeTimedSerializer};
use crate::value::{Text, Value};
use crate::{Error, ErrorKind, id};

/// `WTF_CSRF_TIME_LIMIT`, in seconds.
const TIME_LIMIT: u64 = 3600;

/// A token for a page.
pub(super) fn token(slot: &Arc<Slot>) -> Result<String, Error> {
    let session = Session::new(Arc::clone(slot));
    let text: Option<Text> = session.get(FIELD)?;
    let text = match text {
        Some(text) => text,
        None => {
            let text = Text::from(random_hex()?);
            session.insert(FIELD, text.clone())?;
            text
        }
    };
    Ok(serializer(slot).dumps(&Value::Text(text), slot.engine.clock.now().0)?)
}

/// Whether a token that came is the session's.
pub(super) fn verify(slot: &Arc<Slot>, token: &[u8]) -> Result<(), Error> {
    let session = Session::new(Arc::clone(slot));
    let Ok(Some(expected)) = session.get::<Text>(FIELD) else {
        return Err(refused("the CSRF session token is missing: load the page again"));
    };
    match loads(slot, token) {
        Ok(Value::Text(text)) if text.as_wtf8().ct_eq(expected.as_wtf8()).into() => Ok(()),
        Ok(_) => Err(refused("the CSRF tokens do not match: load the page again")),
        Err(error) if error.kind() == ErrorKind::Expired => {
            Err(refused("the CSRF token has expired: load the page again"))
        }
        Err(_) => Err(refused("the CSRF token is invalid")),
    }
}

/// The value of a token that isn't too old. The clock of the machine that made it may be ahead, as that
/// of one that signs sessions.
fn loads(slot: &Slot, token: &[u8]) -> Result<Value, carafe_format::Error> {
    let (now, skew) = (slot.engine.clock.now().0, slot.engine.config().clock_skew);
    let serializer = serializer(slot);
    match serializer.loads(token, Some(TIME_LIMIT), now) {
        Err(error) if skew > 0 && error.kind() == ErrorKind::FromTheFuture => {
            serializer.loads(token, Some(TIME_LIMIT), now.saturating_add(skew))
        }
        loaded => loaded,
    }
}

fn serializer(slot: &Slot) -> UrlSafeTimedSerializer {
    let options = SigningOptions::itsdangerous("wtf-csrf-token");
    UrlSafeTimedSerializer::new(&slot.engine.keys().ring(), &options)
}

/// Flask-WTF takes the hexadecimal SHA-1 of 64 random bytes, which is 20 random bytes.
fn random_hex() -> Result<String, Error> {
    let bytes: [u8; 20] = id::random()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
