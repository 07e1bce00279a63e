//! The profile whose defaults the environment is read with if `--profile` names none.

use carafe::inspect::{CookieFormat, SetCookieLine, inspect};

use super::environment::Environment;
use crate::args::Profile;

/// Returns the profile that a service's own cookie shows.
///
/// Sealed sessions and ids of stored ones are told by their value. A signed session is of the hardened
/// profile if its cookie has the name, `Secure` and `SameSite` that this profile sets here.
pub(super) fn shown_by(set: &SetCookieLine) -> Profile {
    match inspect(set.value.as_bytes()).map(|seen| seen.format) {
        Some(CookieFormat::Sealed) => Profile::Sealed,
        Some(CookieFormat::StoredId) => Profile::Signed,
        _ if is_hardened(set) => Profile::Signed,
        _ => Profile::Flask,
    }
}

fn is_hardened(set: &SetCookieLine) -> bool {
    Environment::read(Profile::Signed).cookie().is_ok_and(|expected| {
        set.name == expected.name
            && set.secure == expected.secure
            && set.same_site == expected.same_site
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";

    fn shown(line: &str) -> Profile {
        shown_by(&SetCookieLine::parse(line).unwrap())
    }

    #[test]
    fn the_cookie_shows_its_profile() {
        let safe = "Secure; HttpOnly; Path=/; SameSite=Lax";
        assert_eq!(shown(&format!("__Host-session={SIGNED}; {safe}")), Profile::Signed);
        assert_eq!(shown(&format!("session={SIGNED}; HttpOnly; Path=/")), Profile::Flask);
        assert_eq!(shown(&format!("__Host-session={SIGNED}; HttpOnly; Path=/")), Profile::Flask);
        assert_eq!(shown("session=; HttpOnly; Path=/"), Profile::Flask);
    }
}
