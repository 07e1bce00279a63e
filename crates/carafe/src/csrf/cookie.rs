//! The cookie with the secret of a visitor who has no session.

use super::token::Secret;
use crate::cookie::{Attributes, Finder, SameSite, SetCookie};
use crate::engine::Headers;
use crate::engine::Slot;
use crate::{Config, Error};

/// What the cookie's name ends with.
const SUFFIX: &str = "_csrf";

/// The secret in the first of the request's cookies that this service signed.
pub(super) fn read(slot: &Slot) -> Option<Secret> {
    let engine = &slot.engine;
    let (config, codecs, now) = (engine.config(), engine.codecs(), engine.clock.now().0);
    let finder = Finder::new(&name(config));
    finder.find_all(slot.cookies()).find_map(|value| {
        let unsigned = codecs.unsign_csrf(&value, config.max_age(), now).ok()?;
        Secret::from_text(unsigned.value)
    })
}

/// Sets the cookie. It ends with the browser's session.
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

/// The session's cookie's name gives this one its prefix, and tells applications apart.
fn name(config: &Config) -> String {
    format!("{}{SUFFIX}", config.cookie_name)
}

/// The attributes are the session's, but for those that protect.
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
