//! The cookie with the token secret of a visitor without a session.

use super::token::Secret;
use crate::cookie::{Attributes, Finder, SameSite, SetCookie};
use crate::engine::Headers;
use crate::engine::Slot;
use crate::{Config, Error};

/// The end of the cookie's name.
const SUFFIX: &str = "_csrf";

/// Reads the secret from the first cookie that this service signed.
pub(super) fn read(slot: &Slot) -> Option<Secret> {
    let engine = &slot.engine;
    let (config, codecs, now) = (engine.config(), engine.codecs(), engine.clock.now().0);
    let finder = Finder::new(&name(config));
    finder.find_all(slot.cookies()).find_map(|value| {
        let unsigned = codecs.unsign_csrf(&value, config.max_age(), now).ok()?;
        Secret::from_text(unsigned.value)
    })
}

/// Sets the cookie, which ends when the browser is closed.
pub(super) fn set(slot: &Slot, secret: &Secret, response: &mut impl Headers) -> Result<(), Error> {
    let engine = &slot.engine;
    let value = engine.codecs().csrf().sign(&secret.to_text(), engine.clock.now().0);
    engine.add_cookie(response, set_cookie(engine.config())?.set(&value, None)?);
    Ok(())
}

/// Removes the cookie, if the request has it.
pub(super) fn remove(slot: &Slot, response: &mut impl Headers) -> Result<(), Error> {
    let engine = &slot.engine;
    if Finder::new(&name(engine.config())).find(slot.cookies()).is_some() {
        engine.add_cookie(response, set_cookie(engine.config())?.remove()?);
    }
    Ok(())
}

/// Returns the cookie's name, which begins with the session cookie's name: with its prefix, and
/// different for each application.
fn name(config: &Config) -> String {
    format!("{}{SUFFIX}", config.cookie_name)
}

/// Returns the cookie's attributes: the session cookie's, but always `HttpOnly`, and
/// `SameSite=Lax` unless the setting has another value.
fn set_cookie(config: &Config) -> Result<SetCookie, Error> {
    let name = name(config);
    let session = config.attributes();
    Ok(SetCookie::new(&Attributes {
        name: &name,
        http_only: true,
        same_site: session.same_site.or(Some(SameSite::Lax)),
        ..session
    })?)
}
