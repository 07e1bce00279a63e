//! The findings about a response.

use carafe::inspect::{CookieFormat, SetCookieLine, WeakKeys, inspect, pasted};
use carafe::signing::KeyStrength;
use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};

use super::environment::Environment;
use super::http::Response;
use super::{Finding, Severity, cookie};
use crate::args::Profile;
use crate::failure::Failure;

/// The largest name and value of a cookie that browsers keep.
const MAX_COOKIE: usize = 4096;

/// The size from which a cookie is near that limit.
const NEAR: usize = 3500;

/// Returns the session's cookie that a response sets: the one of that name, one of the name that a
/// profile gives it here, or one whose value is a session's.
pub(super) fn session_cookie(response: &Response, name: Option<&str>) -> Option<SetCookieLine> {
    let mut lines = cookies(response);
    let position = match name {
        Some(name) => lines.iter().position(|set| set.name == name),
        None => expected_names()
            .iter()
            .find_map(|name| lines.iter().position(|set| set.name == *name))
            .or_else(|| lines.iter().position(|set| inspect(set.value.as_bytes()).is_some())),
    };
    position.map(|position| lines.swap_remove(position))
}

fn cookies(response: &Response) -> Vec<SetCookieLine> {
    response.all("set-cookie").filter_map(SetCookieLine::parse).collect()
}

/// The names that the session's cookie has with each profile and this environment's settings.
fn expected_names() -> Vec<String> {
    let profiles = [Profile::Flask, Profile::Signed];
    let expected = profiles.map(|profile| Environment::read(profile).cookie());
    expected.into_iter().flatten().map(|set| set.name).collect()
}

/// Returns the findings about a response that sets the session's cookie `set`, or none.
pub(super) fn check(
    response: &Response,
    set: Option<&SetCookieLine>,
    name: Option<&str>,
    environment: &Environment,
    sent: Option<&[u8]>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(set) = set {
        attributes_and_value(set, environment, &mut findings);
        if cookies(response).iter().filter(|other| other.name == set.name).count() > 1 {
            findings.push(Finding::new(
                Severity::Contradictory,
                "set-twice",
                format!("the response sets the cookie {} more than once", set.name),
                "let one layer or service set it on this path",
            ));
        }
        caching(response, &mut findings);
    }
    if (set.is_some() || sent.is_some()) && !varies(response) {
        findings.push(Finding::new(
            Severity::Unsafe,
            "no-vary",
            "the response uses the session, and has no Vary: Cookie: a cache can give one \
             visitor's page to another",
            "let the session's layer be the last that changes Vary, or add Cookie to it; see that \
             no proxy takes it off",
        ));
    }
    if let (None, Some(sent)) = (set, sent.and_then(|sent| session_in(sent, name))) {
        value(&sent, environment, &mut findings);
    }
    findings
}

/// Returns the cookie of a pasted `Set-Cookie` line.
pub(super) fn parse_line(line: &str, name: Option<&str>) -> Result<SetCookieLine, Failure> {
    let line = line.trim().trim_start_matches("< ");
    let header = match line.get(..11) {
        Some(start) if start.eq_ignore_ascii_case("set-cookie:") => &line[11..],
        _ => line,
    };
    let set = SetCookieLine::parse(header).filter(|set| name.is_none_or(|name| set.name == name));
    set.ok_or_else(|| {
        Failure::Usage(
            "--set-cookie must be a line such as Set-Cookie: session=eyJ…; HttpOnly; Path=/"
                .to_owned(),
        )
    })
}

/// Returns the findings about a pasted `Set-Cookie` line.
pub(super) fn check_line(set: &SetCookieLine, environment: &Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    attributes_and_value(set, environment, &mut findings);
    findings
}

fn attributes_and_value(
    set: &SetCookieLine,
    environment: &Environment,
    findings: &mut Vec<Finding>,
) {
    findings.extend(cookie::check(set));
    value(set, environment, findings);
    if let Ok(expected) = environment.cookie() {
        differences(set, &expected, environment, findings);
    }
}

/// Returns the session's cookie among the cookies of a request; it has no attributes.
fn session_in(sent: &[u8], name: Option<&str>) -> Option<SetCookieLine> {
    let cookies = pasted(sent);
    let cookie = cookies.iter().find(|cookie| match name {
        Some(name) => cookie.name == Some(name.as_bytes()),
        None => inspect(&cookie.value).is_some(),
    })?;
    let name = cookie.name.unwrap_or(b"session");
    let pair = [name, b"=", &cookie.value].concat();
    SetCookieLine::parse(&String::from_utf8_lossy(&pair))
}

fn varies(response: &Response) -> bool {
    let mut fields = response.all("vary").flat_map(|value| value.split(','));
    fields.any(|field| field.trim().eq_ignore_ascii_case("cookie") || field.trim() == "*")
}

fn caching(response: &Response, findings: &mut Vec<Finding>) {
    let directives: Vec<String> = response
        .all("cache-control")
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    let has = |name: &str| directives.iter().any(|directive| directive.starts_with(name));
    if has("public") || has("s-maxage") {
        findings.push(Finding::new(
            Severity::Unsafe,
            "cached-publicly",
            "the response sets the session's cookie and lets shared caches keep it: a cache can \
             give the session to another visitor",
            "answer with Cache-Control: no-store where a session's cookie is set",
        ));
    } else if !has("no-store") && !has("private") {
        findings.push(Finding::new(
            Severity::Advice,
            "no-no-store",
            "the response sets the session's cookie without Cache-Control: no-store",
            "add it; Carafe's profiles other than Flask's do",
        ));
    }
}

/// Judges the size of the cookie, and its key.
fn value(set: &SetCookieLine, environment: &Environment, findings: &mut Vec<Finding>) {
    let mut find = |severity, id, what: String, remedy: &str| {
        findings.push(Finding::new(severity, id, what, remedy));
    };
    let size = set.name.len() + set.value.len();
    let remedy = "store less in the session, or keep it in a server-side store";
    if size > MAX_COOKIE {
        let what = format!(
            "name and value of the cookie have {size} bytes, and browsers silently \
                            drop more than {MAX_COOKIE}"
        );
        find(Severity::Unsafe, "cookie-too-large", what, remedy);
    } else if size >= NEAR {
        let what = format!(
            "name and value of the cookie have {size} bytes, near the {MAX_COOKIE} \
                            beyond which browsers silently drop it"
        );
        find(Severity::Advice, "cookie-near-limit", what, remedy);
    }
    let value = set.value.as_bytes();
    if let Some(strength) = WeakKeys::new().find(value) {
        let (id, key) = match strength {
            KeyStrength::Published => ("published-key", "is published"),
            _ => ("guessable-key", "can be guessed"),
        };
        find(
            Severity::Unsafe,
            id,
            format!(
                "the cookie is signed with a key that {key}, so that an attacker can make sessions"
            ),
            "set SECRET_KEY to the output of `carafe keygen`, now",
        );
    }
    let is_flasks = inspect(value).is_some_and(|seen| seen.format == CookieFormat::Flask);
    if let (true, Some(keys)) = (is_flasks, &environment.keys) {
        let plain = SigningOptions::default();
        // The hardened profile has the cookie's name in its salt.
        let named = plain.clone().for_cookie(&set.name);
        let opens =
            |options| UrlSafeTimedSerializer::new(keys, options).loads_json(value, None, 0).is_ok();
        if ![plain, named].iter().any(opens) {
            find(
                Severity::Contradictory,
                "other-key",
                "the service signs with another key, salt, digest or derivation than this \
                 environment has"
                    .to_owned(),
                "run this where the service runs; `carafe verify` says more about the cookie",
            );
        }
    }
}

/// Finds settings of the environment that the service doesn't follow.
fn differences(
    set: &SetCookieLine,
    expected: &SetCookieLine,
    environment: &Environment,
    findings: &mut Vec<Finding>,
) {
    let same_site = |set: &SetCookieLine| set.same_site.map(carafe::config::SameSite::name);
    for (variable, differs) in [
        ("FLASK_SESSION_COOKIE_NAME", set.name != expected.name),
        ("FLASK_SESSION_COOKIE_SECURE", set.secure != expected.secure),
        ("FLASK_SESSION_COOKIE_HTTPONLY", set.http_only != expected.http_only),
        ("FLASK_SESSION_COOKIE_SAMESITE", same_site(set) != same_site(expected)),
        ("FLASK_SESSION_COOKIE_DOMAIN", set.domain != expected.domain),
        ("FLASK_SESSION_COOKIE_PATH", set.path != expected.path),
        ("FLASK_SESSION_COOKIE_PARTITIONED", set.partitioned != expected.partitioned),
    ] {
        if differs && environment.has(variable) {
            findings.push(Finding::new(
                Severity::Contradictory,
                "setting-ignored",
                format!("the cookie isn't as {variable} says in this environment"),
                "let the service read its environment (from_prefixed_env), restart it, and see \
                 that its code doesn't set something else",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";

    fn ids(headers: &[(&str, &str)], sent: Option<&[u8]>) -> Vec<&'static str> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let response = Response { headers: headers.iter().map(owned).collect() };
        let environment = Environment::read(Profile::Signed);
        let set = session_cookie(&response, None);
        let findings = check(&response, set.as_ref(), None, &environment, sent);
        findings.iter().map(|finding| finding.id).collect()
    }

    const SAFE: &str = "; Secure; HttpOnly; Path=/; SameSite=Lax";

    #[test]
    fn a_safe_response_has_no_finding() {
        let set = format!("__Host-session=x.y.z{SAFE}");
        let headers = [
            ("Set-Cookie", set.as_str()),
            ("vary", "Origin, cookie"),
            ("Cache-Control", "no-store"),
        ];
        assert!(ids(&headers, None).is_empty());
        assert!(ids(&[], None).is_empty());
    }

    #[test]
    fn caches_sizes_and_keys_are_seen() {
        let set = format!("__Host-session={DEV}{SAFE}");
        assert_eq!(ids(&[("set-cookie", &set)], None), ["published-key", "no-no-store", "no-vary"]);
        assert_eq!(ids(&[], Some(b"a=b")), ["no-vary"]);
        let set = format!("__Host-session={}{SAFE}", "x".repeat(MAX_COOKIE));
        let public = [("set-cookie", set.as_str()), ("vary", "*"), ("cache-control", "Public, x")];
        assert_eq!(ids(&public, None), ["cookie-too-large", "cached-publicly"]);
        let set = format!("__Host-session={}{SAFE}", "x".repeat(NEAR));
        let private =
            [("set-cookie", set.as_str()), ("vary", "cookie"), ("cache-control", "private")];
        assert_eq!(ids(&private, None), ["cookie-near-limit"]);
        let twice = [private[0], private[0], private[1], private[2]];
        assert_eq!(ids(&twice, None), ["cookie-near-limit", "set-twice"]);
    }
}
