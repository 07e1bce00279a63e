use std::borrow::Cow;

use super::anywhere::anywhere;
use super::inspect;
use crate::SameSite;
use crate::cookie::{BrokenRule, Told, unquote};

/// A cookie in a line that was pasted into a tool.
#[derive(Clone, PartialEq, Eq)]
pub struct PastedCookie<'a> {
    /// The name of the cookie, if the line has one.
    pub name: Option<&'a [u8]>,
    /// The value of the cookie, without quotes.
    pub value: Cow<'a, [u8]>,
}

impl std::fmt::Debug for PastedCookie<'_> {
    /// The name, and the size of the value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.name.map(String::from_utf8_lossy);
        write!(f, "PastedCookie({name:?}, {} bytes)", self.value.len())
    }
}

/// Returns the cookies in a line as it is copied from a browser, a log or the output of `curl -v`:
/// a bare value, `name=value`, or a whole `Cookie:` or `Set-Cookie:` header. Never empty.
///
/// In text of another form, such as a line of a cookie jar, a command for `curl` or JSON of a
/// browser's tools, it finds what looks like a session's cookie.
///
/// ```
/// use carafe::inspect::pasted;
///
/// let cookies = pasted(b"< Set-Cookie: session=eyJ9.ZV.c2ln; HttpOnly; Path=/");
/// assert_eq!(cookies[0].name, Some(&b"session"[..]));
/// assert_eq!(cookies[0].value, &b"eyJ9.ZV.c2ln"[..]);
/// assert_eq!(cookies.len(), 1);
/// ```
#[must_use]
pub fn pasted(line: &[u8]) -> Vec<PastedCookie<'_>> {
    let line = line.trim_ascii();
    // The shell's quotes, which no cookie has.
    let line = match line {
        [b'\'', inner @ .., b'\''] => inner.trim_ascii(),
        line => line,
    };
    // The usual form needs no second look.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if line.iter().all(plain) {
        return vec![PastedCookie { name: None, value: Cow::Borrowed(line) }];
    }
    // A bare value, perhaps with what followed it in the line that it is from.
    let end = line.iter().position(|&byte| byte == b';');
    for value in [Some(line), end.map(|end| line[..end].trim_ascii())].into_iter().flatten() {
        let bare = unquote(value);
        if inspect(&bare).is_some() {
            return vec![PastedCookie { name: None, value: bare }];
        }
    }
    let (header, pairs) = strip_header_name(line);
    let mut cookies: Vec<_> = pairs.split(|&byte| byte == b';').filter_map(pair).collect();
    match header {
        Some(Header::SetCookie) => cookies.truncate(1),
        Some(Header::Cookie) => {}
        // A line of either form: only the likely cookies stay.
        None => cookies.retain(|cookie| !cookie.name.is_some_and(is_attribute)),
    }
    // A header says itself what its cookies are.
    let is_known = |cookie: &PastedCookie<'_>| inspect(&cookie.value).is_some();
    // One word is a value, however broken: a part of it must not be taken for a good cookie.
    let is_text = line.iter().any(|byte| byte.is_ascii_whitespace() || b":\"{".contains(byte));
    if is_text && header.is_none() && !cookies.iter().any(is_known) {
        let found = anywhere(line);
        if !found.is_empty() {
            return found;
        }
    }
    if cookies.is_empty() {
        cookies.push(PastedCookie { name: None, value: unquote(pairs.trim_ascii()) });
    }
    cookies
}

#[derive(Clone, Copy, PartialEq)]
enum Header {
    Cookie,
    SetCookie,
}

/// The line without the name of its header, and without the arrow that `curl -v` puts before it.
fn strip_header_name(line: &[u8]) -> (Option<Header>, &[u8]) {
    let line = match line {
        [b'<' | b'>', b' ', rest @ ..] => rest,
        _ => line,
    };
    for (name, header) in [(&b"set-cookie:"[..], Header::SetCookie), (b"cookie:", Header::Cookie)] {
        if line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return (Some(header), &line[name.len()..]);
        }
    }
    (None, line)
}

/// `name=value`, the name without what can't be in one.
fn pair(pair: &[u8]) -> Option<PastedCookie<'_>> {
    let at = pair.iter().position(|&byte| byte == b'=')?;
    let name = pair[..at].trim_ascii();
    let is_name = !name.is_empty() && name.iter().all(|byte| (0x21..0x7f).contains(byte));
    is_name.then(|| PastedCookie { name: Some(name), value: unquote(pair[at + 1..].trim_ascii()) })
}

fn is_attribute(name: &[u8]) -> bool {
    ["domain", "expires", "max-age", "path", "samesite"]
        .iter()
        .any(|attribute| name.eq_ignore_ascii_case(attribute.as_bytes()))
}

/// A `Set-Cookie` header, taken apart as browsers do (RFC 6265bis, 5.6).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetCookieLine {
    /// The cookie's name.
    pub name: String,
    /// The cookie's value, as it stands.
    pub value: String,
    /// The attribute `Domain`, without a leading dot.
    pub domain: Option<String>,
    /// The attribute `Path`.
    pub path: Option<String>,
    /// A `Path` that browsers ignore because it doesn't begin with a slash.
    pub ignored_path: Option<String>,
    /// Whether the cookie has the attribute `Secure`.
    pub secure: bool,
    /// Whether the cookie has the attribute `HttpOnly`.
    pub http_only: bool,
    /// The attribute `SameSite`, if its value is one of the three that exist.
    pub same_site: Option<SameSite>,
    /// Whether the cookie has the attribute `Partitioned`.
    pub partitioned: bool,
    /// The attribute `Max-Age`, in seconds.
    pub max_age: Option<i64>,
}

impl SetCookieLine {
    /// Reads the value of a `Set-Cookie` header. `None` if it sets no cookie.
    ///
    /// ```
    /// use carafe::inspect::SetCookieLine;
    ///
    /// let set = SetCookieLine::parse("session=v; HttpOnly; Path=/").unwrap();
    /// assert!(set.http_only && !set.secure && set.same_site.is_none());
    /// ```
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let mut set = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            domain: None,
            path: None,
            ignored_path: None,
            secure: false,
            http_only: false,
            same_site: None,
            partitioned: false,
            max_age: None,
        };
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            set.attribute(name.trim(), value.trim());
        }
        (!set.name.is_empty()).then_some(set)
    }

    /// Returns the rules of browsers that the cookie breaks, so that they drop it or ignore an
    /// attribute.
    #[must_use]
    pub fn broken_rules(&self) -> Vec<BrokenRule> {
        let told = Told {
            name: &self.name,
            domain: self.domain.as_deref(),
            path: self.path.as_deref().or(self.ignored_path.as_deref()),
            secure: self.secure,
            http_only: self.http_only,
            same_site: self.same_site,
            partitioned: self.partitioned,
        };
        told.broken_rules()
    }

    fn attribute(&mut self, name: &str, value: &str) {
        match name.to_ascii_lowercase().as_str() {
            "domain" => {
                let domain = value.strip_prefix('.').unwrap_or(value);
                self.domain = (!domain.is_empty()).then(|| domain.to_owned());
            }
            "path" => {
                self.path = value.starts_with('/').then(|| value.to_owned());
                self.ignored_path = self.path.is_none().then(|| value.to_owned());
            }
            "secure" => self.secure = true,
            "httponly" => self.http_only = true,
            "partitioned" => self.partitioned = true,
            "max-age" => self.max_age = value.parse().ok(),
            "samesite" => {
                self.same_site = [SameSite::Strict, SameSite::Lax, SameSite::None]
                    .into_iter()
                    .find(|same_site| same_site.name().eq_ignore_ascii_case(value));
            }
            _ => {}
        }
    }
}

impl std::fmt::Debug for SetCookieLine {
    /// Everything but the value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetCookieLine")
            .field("name", &self.name)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE: &str = "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";

    fn found(line: &str) -> Vec<(Option<String>, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let cookies = pasted(line.as_bytes()).into_iter();
        cookies.map(|cookie| (cookie.name.map(text), text(&cookie.value))).collect()
    }

    #[test]
    fn takes_lines_from_everywhere() {
        for (line, name) in [
            (format!(" {COOKIE}\r\n"), None),
            (format!("\"{COOKIE}\""), None),
            (format!("'{COOKIE}'"), None),
            (format!("{COOKIE};"), None),
            (format!("{COOKIE}; HttpOnly; Path=/"), None),
            (format!("'Cookie: session={COOKIE}'"), Some("session")),
            (format!("session={COOKIE}"), Some("session")),
            (format!("session=\"{COOKIE}\""), Some("session")),
            (format!("Cookie: session={COOKIE}"), Some("session")),
            (format!("> cookie: session={COOKIE}"), Some("session")),
            (format!("Set-Cookie: s={COOKIE}; HttpOnly; Path=/; Max-Age=1"), Some("s")),
            (format!("SET-COOKIE:s={COOKIE};x=y"), Some("s")),
            (format!("s={COOKIE}; Secure; Path=/; SameSite=Lax"), Some("s")),
        ] {
            let expected = vec![(name.map(str::to_owned), COOKIE.to_owned())];
            assert_eq!(found(&line), expected, "{line}");
        }
        let several = found(&format!("Cookie: a=b; session={COOKIE}; ; c"));
        assert_eq!(several.len(), 2);
        // Padding is no name.
        assert_eq!(found("e30=.ZVPxAA._a-QJHUD7HWRAc003A4QL1g0IdU")[0].0, None);
    }

    #[test]
    fn what_is_no_cookie_comes_back_as_it_is() {
        for line in ["", ";", "hello", "=", "=x", "Cookie:", "a b"] {
            let found = found(line);
            assert_eq!(found.len(), 1, "{line}");
            assert_eq!(found[0].0, None, "{line}");
        }
    }

    #[test]
    fn set_cookie_is_read_as_browsers_do() {
        let set = SetCookieLine::parse(
            " a = b=c ; SECURE; httponly ; samesite=LAX; Domain=.example.com; Path=x; Max-Age=-1; \
             Partitioned; Foo=Bar",
        );
        let set = set.unwrap();
        assert_eq!((set.name.as_str(), set.value.as_str()), ("a", "b=c"));
        assert!(set.secure && set.http_only && set.partitioned);
        assert_eq!(set.same_site, Some(SameSite::Lax));
        assert_eq!(set.domain.as_deref(), Some("example.com"));
        assert_eq!((set.path.as_deref(), set.max_age), (None, Some(-1)));
        assert!(SetCookieLine::parse("nothing").is_none());
        assert!(SetCookieLine::parse("=v").is_none());
    }
}
