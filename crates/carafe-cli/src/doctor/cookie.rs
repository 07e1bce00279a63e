//! Rules for the attributes of a session's cookie, whether they are set or were sent.

use carafe::config::SameSite;
use carafe::inspect::{BrokenRule, SetCookieLine};

use super::{Finding, Severity};

/// Returns the findings about the attributes.
pub(super) fn check(set: &SetCookieLine) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |severity, id, what: String, remedy: &str| {
        findings.push(Finding::new(severity, id, what, remedy));
    };
    let name = &set.name;
    if !set.secure {
        find(
            Severity::Unsafe,
            "secure-off",
            format!("the cookie {name} is not Secure: it also travels over unencrypted HTTP"),
            "set FLASK_SESSION_COOKIE_SECURE=true (over http://localhost, Chromium and Firefox keep \
             such a cookie, and Safari doesn't)",
        );
    }
    if !set.http_only {
        find(
            Severity::Unsafe,
            "httponly-off",
            format!("the cookie {name} is not HttpOnly: every script on a page can read it"),
            "unset FLASK_SESSION_COOKIE_HTTPONLY, or set it to true",
        );
    }
    match set.same_site {
        None => find(
            Severity::Advice,
            "no-samesite",
            format!(
                "the cookie {name} has no SameSite: what other sites' requests carry is up to \
                     the browser"
            ),
            "set FLASK_SESSION_COOKIE_SAMESITE=Lax",
        ),
        Some(SameSite::None) if !set.secure => {}
        Some(SameSite::None) => find(
            Severity::Unsafe,
            "samesite-none",
            format!("the cookie {name} has SameSite=None: every other site's requests carry it"),
            "set FLASK_SESSION_COOKIE_SAMESITE=Lax, unless other sites embed this one",
        ),
        Some(_) => {}
    }
    let broken = set.broken_rules();
    if let Some(domain) = &set.domain
        && !broken.contains(&BrokenRule::Domain)
    {
        find(
            Severity::Advice,
            "domain",
            format!(
                "the cookie {name} goes to {domain} and every host below it, each of which can \
                     also set it"
            ),
            "unset FLASK_SESSION_COOKIE_DOMAIN, unless several hosts share the session",
        );
    }
    let has_prefix = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    for rule in &broken {
        let (id, remedy) = remedy(*rule);
        let effect = match rule {
            BrokenRule::Path => "browsers ignore it, and take the path of the page",
            _ => "browsers drop it",
        };
        find(Severity::Contradictory, id, format!("the cookie {name}: {rule}: {effect}"), remedy);
    }
    if !["__Host-", "__Secure-", "__Http-"].iter().any(|prefix| has_prefix(prefix)) {
        find(
            Severity::Advice,
            "no-prefix",
            format!(
                "the cookie's name {name} has no prefix: other hosts of the domain, and \
                     unencrypted pages, can set a cookie of that name"
            ),
            "set FLASK_SESSION_COOKIE_NAME=__Host-session (it needs Secure, Path=/ and no domain)",
        );
    }
    findings
}

/// Returns a name for scripts, and the remedy.
fn remedy(rule: BrokenRule) -> (&'static str, &'static str) {
    match rule {
        BrokenRule::Domain => (
            "domain-refused",
            "set FLASK_SESSION_COOKIE_DOMAIN to the site's own domain, such as example.com, or unset \
             it: the cookie is for this host alone then",
        ),
        BrokenRule::Path => (
            "path-ignored",
            "set FLASK_SESSION_COOKIE_PATH to a path that begins with /, such as /app",
        ),
        BrokenRule::SameSiteNone => {
            ("samesite-none-insecure", "set FLASK_SESSION_COOKIE_SECURE=true")
        }
        BrokenRule::Partitioned => ("partitioned-insecure", "set FLASK_SESSION_COOKIE_SECURE=true"),
        BrokenRule::PrefixSecure => {
            ("prefix-insecure", "set FLASK_SESSION_COOKIE_SECURE=true, or rename the cookie")
        }
        BrokenRule::PrefixHttpOnly => (
            "http-prefix-broken",
            "unset FLASK_SESSION_COOKIE_HTTPONLY or set it to true, or rename the cookie",
        ),
        _ => ("host-prefix-broken", "take off Domain and set Path=/, or rename the cookie"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(header: &str) -> Vec<&'static str> {
        check(&SetCookieLine::parse(header).unwrap()).iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn flasks_defaults_and_safe_ones() {
        assert_eq!(ids("session=v; HttpOnly; Path=/"), ["secure-off", "no-samesite", "no-prefix"]);
        let safe = "__Host-session=v; Secure; HttpOnly; Path=/; SameSite=Lax";
        assert!(ids(safe).is_empty());
        assert!(ids(&safe.replace("Host", "Secure")).is_empty());
    }

    #[test]
    fn what_browsers_drop_is_found() {
        let host = "__Host-s=v; HttpOnly; SameSite=Lax";
        assert_eq!(ids(&format!("{host}; Secure")), ["host-prefix-broken"]);
        assert_eq!(
            ids(&format!("{host}; Secure; Path=/; Domain=a.b")),
            ["domain", "host-prefix-broken"]
        );
        assert_eq!(ids(&format!("{host}; Path=/")), ["secure-off", "prefix-insecure"]);
        assert_eq!(
            ids("__Secure-s=v; SameSite=None; HttpOnly"),
            ["secure-off", "samesite-none-insecure", "prefix-insecure"]
        );
        assert_eq!(ids("__Secure-s=v; SameSite=None; Secure"), ["httponly-off", "samesite-none"]);
        let http = "__Http-s=v; Secure; SameSite=Lax; Path=/";
        assert_eq!(ids(http), ["httponly-off", "http-prefix-broken"]);
        let safe = "__Host-s=v; Secure; HttpOnly; SameSite=Lax; Path=/; ";
        let secure = safe.replace("Host", "Secure");
        for domain in ["https://example.com", "com", "a..b", "co.uk", "example.com:80"] {
            assert_eq!(ids(&format!("{secure}; Domain={domain}")), ["domain-refused"], "{domain}");
        }
        for path in ["app", "https://example.com/app", ""] {
            assert_eq!(ids(&format!("{secure}; Path={path}")), ["path-ignored"], "{path}");
        }
        let partitioned = "__Secure-s=v; HttpOnly; SameSite=Lax; Partitioned";
        let expected = ["secure-off", "partitioned-insecure", "prefix-insecure"];
        assert_eq!(ids(partitioned), expected);
    }
}
