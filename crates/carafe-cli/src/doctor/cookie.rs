//! Rules for the attributes of a session's cookie, whether they are set or were sent.

use carafe::SameSite;
use carafe::inspect::SetCookieLine;

use super::{Finding, Severity};

/// What is wrong with the attributes.
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
            "set FLASK_SESSION_COOKIE_SECURE=true (browsers take http://localhost for secure)",
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
        Some(SameSite::None) if !set.secure => find(
            Severity::Contradictory,
            "samesite-none-insecure",
            format!("the cookie {name} has SameSite=None without Secure: browsers drop it"),
            "set FLASK_SESSION_COOKIE_SECURE=true",
        ),
        Some(SameSite::None) => find(
            Severity::Unsafe,
            "samesite-none",
            format!("the cookie {name} has SameSite=None: every other site's requests carry it"),
            "set FLASK_SESSION_COOKIE_SAMESITE=Lax, unless other sites embed this one",
        ),
        Some(_) => {}
    }
    if let Some(domain) = &set.domain {
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
    if has_prefix("__Host-") && (set.domain.is_some() || set.path.as_deref() != Some("/")) {
        find(
            Severity::Contradictory,
            "host-prefix-broken",
            format!("the cookie {name} has a domain, or another path than /: browsers drop it"),
            "take off Domain and set Path=/, or rename the cookie",
        );
    } else if (has_prefix("__Host-") || has_prefix("__Secure-")) && !set.secure {
        find(
            Severity::Contradictory,
            "prefix-insecure",
            format!("the cookie {name} is not Secure, which its name promises: browsers drop it"),
            "set FLASK_SESSION_COOKIE_SECURE=true, or rename the cookie",
        );
    } else if !has_prefix("__Host-") && !has_prefix("__Secure-") {
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
    }
}
