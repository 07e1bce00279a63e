//! Browsers' rules for the attributes of a cookie: RFC 6265bis, sections 5.6 and 5.7, and the
//! prefixes of names.
//!
//! A layer checks its settings by them, and `carafe doctor` the cookies of any service.

use std::fmt;
use std::net::Ipv4Addr;

use super::SameSite;

/// The longest value of an attribute. Browsers ignore an attribute with a longer one.
const MAX_ATTRIBUTE: usize = 1024;

/// The longest name of a domain in DNS.
const MAX_DOMAIN: usize = 253;
const MAX_LABEL: usize = 63;

/// Domains below which anyone can register a site, so that browsers refuse cookies for them. These
/// are the best known ones of the public suffix list, which is long and changes each week.
const PUBLIC_SUFFIXES: &str = include_str!("public_suffixes.txt");

/// A rule of browsers that a cookie breaks. Browsers then drop the cookie or ignore the attribute.
///
/// ```
/// use carafe::inspect::{BrokenRule, SetCookieLine};
///
/// let set = SetCookieLine::parse("session=v; SameSite=None; Path=app").unwrap();
/// assert_eq!(set.broken_rules(), [BrokenRule::Path, BrokenRule::SameSiteNone]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BrokenRule {
    /// `Domain` must be a domain that a site can have: no URL, no top-level domain, no public suffix.
    Domain,
    /// `Path` must begin with a slash and be a path that a request can have.
    Path,
    /// `SameSite=None` needs `Secure`.
    SameSiteNone,
    /// `Partitioned` needs `Secure`.
    Partitioned,
    /// A name that begins with `__Secure-`, `__Host-`, `__Http-` or `__Host-Http-` needs `Secure`.
    PrefixSecure,
    /// A name that begins with `__Http-` or `__Host-Http-` needs `HttpOnly`.
    PrefixHttpOnly,
    /// A name that begins with `__Host-` or `__Host-Http-` excludes `Domain`.
    PrefixDomain,
    /// A name that begins with `__Host-` or `__Host-Http-` needs `Path=/`.
    PrefixPath,
}

impl BrokenRule {
    /// The condition that the cookie doesn't meet, with the setting that would meet it.
    pub(super) fn condition(self) -> &'static str {
        match self {
            Self::Domain => "its domain is one that a site can have (SESSION_COOKIE_DOMAIN)",
            Self::Path => "its path begins with / (SESSION_COOKIE_PATH)",
            Self::SameSiteNone | Self::Partitioned | Self::PrefixSecure => {
                "it is secure (SESSION_COOKIE_SECURE)"
            }
            Self::PrefixHttpOnly => "scripts can't read it (SESSION_COOKIE_HTTPONLY)",
            Self::PrefixDomain => "it has no domain (SESSION_COOKIE_DOMAIN)",
            Self::PrefixPath => "its path is / (SESSION_COOKIE_PATH)",
        }
    }
}

impl fmt::Display for BrokenRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Domain => "its Domain is none that a site can have",
            Self::Path => "its Path is none that a request can have",
            Self::SameSiteNone => "it has SameSite=None without Secure",
            Self::Partitioned => "it is Partitioned without being Secure",
            Self::PrefixSecure => "it is not Secure, which its name promises",
            Self::PrefixHttpOnly => "it is not HttpOnly, which its name promises",
            Self::PrefixDomain => "it has a Domain, which its name excludes",
            Self::PrefixPath => "its Path is not /, which its name promises",
        })
    }
}

/// The parts of a cookie that browsers judge by their rules.
pub(crate) struct Told<'a> {
    pub(crate) name: &'a str,
    pub(crate) domain: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: Option<SameSite>,
    pub(crate) partitioned: bool,
}

impl Told<'_> {
    /// All rules that the cookie breaks.
    pub(crate) fn broken_rules(&self) -> Vec<BrokenRule> {
        // Browsers compare prefixes without regard to case.
        let has_prefix = |prefix: &str| {
            let start = self.name.as_bytes().get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        // `__Host-Http-` begins with it, too.
        let host = has_prefix("__Host-");
        let http = has_prefix("__Http-") || has_prefix("__Host-Http-");
        let promises_secure = host || http || has_prefix("__Secure-");
        let rules = [
            (BrokenRule::Domain, self.domain.is_some_and(|domain| !is_domain(domain))),
            (BrokenRule::Path, self.path.is_some_and(|path| !is_path(path))),
            (BrokenRule::SameSiteNone, self.same_site == Some(SameSite::None) && !self.secure),
            (BrokenRule::Partitioned, self.partitioned && !self.secure),
            (BrokenRule::PrefixSecure, promises_secure && !self.secure),
            (BrokenRule::PrefixHttpOnly, http && !self.http_only),
            (BrokenRule::PrefixDomain, host && self.domain.is_some()),
            (BrokenRule::PrefixPath, host && self.path != Some("/")),
        ];
        rules.into_iter().filter(|(_, broken)| *broken).map(|(rule, _)| rule).collect()
    }
}

/// Whether there can be a site of this domain, which may be an IPv4 address: browsers then take the
/// cookie for that host alone, as they do with `localhost`.
pub(super) fn is_domain(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(allowed)
    };
    if domain.len() > MAX_DOMAIN || !domain.split('.').all(is_label) {
        return false;
    }
    match domain.rsplit_once('.') {
        None => domain == "localhost",
        Some((_, last)) if last.bytes().all(|byte| byte.is_ascii_digit()) => {
            domain.parse::<Ipv4Addr>().is_ok()
        }
        Some(_) => !PUBLIC_SUFFIXES.lines().any(|suffix| suffix == domain),
    }
}

/// Whether requests can have this path: browsers send paths without dot segments and without the
/// query.
pub(super) fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.contains(['?', '#'])
        && !path.split('/').any(|segment| matches!(segment, "." | ".."))
        && path.len() <= MAX_ATTRIBUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_those_that_sites_have() {
        for good in [
            "example.com",
            "Shop.Example.co.uk",
            "a.b",
            "my_host.internal",
            "xn--bcher-kva.example",
            "localhost",
            "127.0.0.1",
            "myapp.herokuapp.com",
        ] {
            assert!(is_domain(good), "{good}");
        }
        let long = format!("{}.com", "a".repeat(64));
        let longer = format!("{}com", "abcdefghi.".repeat(26));
        for bad in [
            "",
            ".",
            "com",
            "dev",
            "intranet",
            "a..b",
            ".example.com",
            "example.com.",
            "https://example.com",
            "example.com:80",
            "example.com/app",
            "*.example.com",
            "user@example.com",
            "exa mple.com",
            "[::1]",
            "::1",
            "1.2.3",
            "300.1.1.1",
            "co.uk",
            "CO.UK",
            "github.io",
            "herokuapp.com",
            &long,
            &longer,
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }

    #[test]
    fn paths_are_those_that_requests_have() {
        for good in ["/", "/app", "/app/", "/a b;c", "/\u{e4}", "/100%", "/..a", "/a.b/"] {
            assert!(is_path(good), "{good}");
        }
        let long = "/".repeat(1025);
        for bad in
            ["", "app", "https://example.com/app", "*", "/a?b", "/a#b", "/a/../b", "/.", &long]
        {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn prefixes_count_in_any_case() {
        let rules = |name, secure, http_only, domain, path| {
            let (same_site, partitioned) = (None, false);
            Told { name, domain, path, secure, http_only, same_site, partitioned }.broken_rules()
        };
        use BrokenRule::{PrefixDomain, PrefixHttpOnly, PrefixPath, PrefixSecure};
        for (name, expected) in [
            ("session", vec![]),
            ("__secure-s", vec![PrefixSecure]),
            ("__HTTP-s", vec![PrefixSecure, PrefixHttpOnly]),
            ("__hOSt-s", vec![PrefixSecure, PrefixDomain, PrefixPath]),
            ("__Host-Http-s", vec![PrefixSecure, PrefixHttpOnly, PrefixDomain, PrefixPath]),
            ("_Host-s", vec![]),
            ("__Hostess", vec![]),
        ] {
            assert_eq!(rules(name, false, false, Some("a.example"), Some("/app")), expected);
            assert!(rules(name, true, true, None, Some("/")).is_empty(), "{name}");
            let no_path = rules(name, true, true, None, None);
            assert_eq!(no_path.is_empty(), !expected.contains(&PrefixPath), "{name}");
        }
    }
}
