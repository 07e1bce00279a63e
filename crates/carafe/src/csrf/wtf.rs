//! The tokens of Flask-WTF: the session's text under the field's name, signed with the time.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use super::check::refused;
use super::flask_wtf::FlaskWtf;
use crate::engine::Slot;
use crate::session::Session;
use crate::signing::{SigningOptions, UrlSafeTimedSerializer};
use crate::value::{Text, Value};
use crate::{Error, ErrorKind, KeyRing, id};

/// Makes a token for a page.
pub(super) fn token(slot: &Arc<Slot>, tokens: &FlaskWtf) -> Result<String, Error> {
    let session = Session::new(Arc::clone(slot));
    let text: Option<Text> = session.get(tokens.field.name())?;
    let text = match text {
        Some(text) => text,
        None => {
            let text = Text::from(random_hex()?);
            session.insert(tokens.field.name(), text.clone())?;
            text
        }
    };
    Ok(serializer(slot, tokens).dumps(&Value::Text(text), slot.engine.clock.now().0)?)
}

/// Checks that a request's token is the session's.
pub(super) fn verify(slot: &Arc<Slot>, tokens: &FlaskWtf, token: &[u8]) -> Result<(), Error> {
    let session = Session::new(Arc::clone(slot));
    let Ok(Some(expected)) = session.get::<Text>(tokens.field.name()) else {
        return Err(refused("the CSRF session token is missing: load the page again"));
    };
    match loads(slot, tokens, token) {
        Ok(Value::Text(text)) if text.as_wtf8().ct_eq(expected.as_wtf8()).into() => Ok(()),
        Ok(_) => Err(refused("the CSRF tokens do not match: load the page again")),
        Err(error) if error.kind() == ErrorKind::Expired => {
            Err(refused("the CSRF token has expired: load the page again"))
        }
        Err(_) => Err(refused("the CSRF token is invalid")),
    }
}

/// Returns the value of a token that isn't too old. The clock of the machine that signed the token
/// may be ahead, as for sessions.
fn loads(slot: &Slot, tokens: &FlaskWtf, token: &[u8]) -> Result<Value, carafe_format::Error> {
    let (now, skew) = (slot.engine.clock.now().0, slot.engine.config().clock_skew);
    let (serializer, limit) =
        (serializer(slot, tokens), tokens.time_limit.map(|limit| limit.as_secs()));
    match serializer.loads(token, limit, now) {
        Err(error) if skew > 0 && error.kind() == ErrorKind::FromTheFuture => {
            serializer.loads(token, limit, now.saturating_add(skew))
        }
        loaded => loaded,
    }
}

fn serializer(slot: &Slot, tokens: &FlaskWtf) -> UrlSafeTimedSerializer {
    let options = SigningOptions::itsdangerous("wtf-csrf-token");
    let ring = match &tokens.key {
        Some(key) => KeyRing::new(key.clone()),
        None => slot.engine.keys().ring(),
    };
    UrlSafeTimedSerializer::new(&ring, &options)
}

/// Returns random text in the form that Flask-WTF uses, the hexadecimal SHA-1 of 64 random bytes:
/// 20 random bytes look the same.
fn random_hex() -> Result<String, Error> {
    let bytes: [u8; 20] = id::random()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
