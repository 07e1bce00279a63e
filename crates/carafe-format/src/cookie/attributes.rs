use std::fmt::Write as _;

use http::HeaderValue;

use super::rules::{self, BrokenRule, Told};
use crate::{DateTime, Error, ErrorKind};

/// The largest name and value together. Browsers silently drop a larger cookie (RFC 6265bis).
pub(crate) const MAX_NAME_AND_VALUE: usize = 4096;

const EXPIRES: &str = "; Expires=";
/// The length of a date in RFC 9110's preferred form.
const HTTP_DATE_LEN: usize = 29;

/// The `SameSite` attribute: whether other sites' requests carry the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// Requests from other sites never carry the cookie.
    Strict,
    /// Requests from other sites carry the cookie only when the visitor follows a link.
    Lax,
    /// All requests from other sites carry the cookie. Browsers require `Secure` with it.
    None,
}

impl SameSite {
    /// Returns the word in the header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// The attributes of a cookie, as an application sets them.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    /// The name of the cookie.
    pub name: &'a str,
    /// The domain whose subdomains get the cookie too; `None` for the host that sets it alone.
    pub domain: Option<&'a str>,
    /// The path below which the cookie is sent.
    pub path: &'a str,
    /// Whether the cookie is sent over HTTPS only.
    pub secure: bool,
    /// Whether the cookie is hidden from JavaScript.
    pub http_only: bool,
    /// The `SameSite` attribute: the requests from other sites that carry the cookie.
    pub same_site: Option<SameSite>,
    /// Whether an embedded page has a cookie for each site that embeds it. It makes the cookie secure.
    pub partitioned: bool,
}

impl Attributes<'_> {
    fn is_secure(&self) -> bool {
        self.secure || self.partitioned
    }

    /// Returns the protection that the cookie lacks because Flask's defaults leave an attribute
    /// out.
    #[must_use]
    pub fn lacking(&self) -> Option<&'static str> {
        match (self.is_secure(), self.same_site) {
            (true, Some(_)) => None,
            (false, Some(_)) => Some("Secure"),
            (true, None) => Some("SameSite"),
            (false, None) => Some("Secure and SameSite"),
        }
    }
}

/// Writes the `Set-Cookie` headers of one cookie. Everything but the value and the times is checked
/// and formatted once.
///
/// The order of attributes is Werkzeug's: Domain, Expires, Max-Age, Secure, HttpOnly, Path,
/// SameSite, Partitioned.
#[derive(Clone, Debug, PartialEq)]
pub struct SetCookie {
    name: String,
    domain: String,
    rest: String,
}

impl SetCookie {
    /// Checks every part, so that none can add an attribute or a header of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if browsers would refuse the cookie or read it as another one.
    pub fn new(attributes: &Attributes<'_>) -> Result<Self, Error> {
        let name = attributes.name;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Error::setting(
                "SESSION_COOKIE_NAME",
                name,
                "made of letters, digits and !#$%&'*+-.^_`|~ (RFC 6265)",
            ));
        }
        let domain = attributes.domain.filter(|text| !text.is_empty()).map(ascii_domain);
        let domain = domain.transpose()?;
        check_path(attributes.path)?;
        let told = Told {
            name,
            domain: domain.as_deref(),
            path: Some(attributes.path),
            secure: attributes.is_secure(),
            http_only: attributes.http_only,
            same_site: attributes.same_site,
            partitioned: attributes.partitioned,
        };
        match told.broken_rules().first() {
            None => Ok(Self::format(attributes, domain.as_deref())),
            Some(rule) => Err(broken(*rule, name)),
        }
    }

    /// Returns the cookie without its flags, with the domain and the path alone, as Werkzeug's
    /// `delete_cookie` writes it by default. It removes a cookie as another program would.
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if the domain isn't allowed.
    pub fn without_flags(attributes: &Attributes<'_>) -> Result<Self, Error> {
        let domain = attributes.domain.filter(|text| !text.is_empty()).map(ascii_domain);
        let bare = Attributes {
            secure: false,
            http_only: false,
            same_site: None,
            partitioned: false,
            ..attributes.clone()
        };
        Ok(Self::format(&bare, domain.transpose()?.as_deref()))
    }

    /// Formats attributes that are known to be good, without the checks of [`new`](Self::new).
    #[must_use]
    pub fn format(attributes: &Attributes<'_>, ascii_domain: Option<&str>) -> Self {
        let mut rest = String::new();
        if attributes.is_secure() {
            rest.push_str("; Secure");
        }
        if attributes.http_only {
            rest.push_str("; HttpOnly");
        }
        rest.push_str("; Path=");
        quote_path(attributes.path, &mut rest);
        if let Some(same_site) = attributes.same_site {
            rest.push_str("; SameSite=");
            rest.push_str(same_site.name());
        }
        if attributes.partitioned {
            rest.push_str("; Partitioned");
        }
        let domain = ascii_domain.map(|domain| format!("; Domain={domain}")).unwrap_or_default();
        Self { name: attributes.name.to_owned(), domain, rest }
    }

    /// Returns the header that sets the cookie to `value`, which must have no characters that need
    /// quotes. Browsers keep the cookie until `expires`, or without it until they are closed.
    ///
    /// # Errors
    /// [`ErrorKind::CookieTooLarge`] if browsers would drop the cookie, and [`ErrorKind::Value`] if
    /// no header can have the value.
    pub fn set(&self, value: &str, expires: Option<DateTime>) -> Result<HeaderValue, Error> {
        let mut header = self.begin(value.len(), expires);
        header.push_str(value);
        self.finish(header, expires)
    }

    /// Returns the beginning of a header, with room for a value of `value_len` bytes behind it.
    #[must_use]
    pub fn begin(&self, value_len: usize, expires: Option<DateTime>) -> String {
        let expires_len = expires.map_or(0, |_| EXPIRES.len() + HTTP_DATE_LEN);
        let rest = self.domain.len() + expires_len + self.rest.len();
        let mut header = String::with_capacity(self.name.len() + 1 + value_len + rest);
        header.push_str(&self.name);
        header.push('=');
        header
    }

    /// Finishes a header to which [`begin`](Self::begin) and the caller wrote the beginning and the
    /// value.
    ///
    /// # Errors
    /// The errors of [`set`](Self::set).
    pub fn finish(
        &self,
        mut header: String,
        expires: Option<DateTime>,
    ) -> Result<HeaderValue, Error> {
        let size = header.len().saturating_sub(1);
        if size > MAX_NAME_AND_VALUE {
            return Err(Error::new(
                ErrorKind::CookieTooLarge,
                format!(
                    "the session doesn't fit into a cookie: name and value are {size} bytes, and \
                     browsers silently drop more than {MAX_NAME_AND_VALUE}; the old cookie stays. \
                     Store less in the session, or use a server-side store"
                ),
            ));
        }
        header.push_str(&self.domain);
        if let Some(time) = expires {
            header.push_str(EXPIRES);
            let mut date = [0; HTTP_DATE_LEN];
            time.write_http_date(&mut date);
            header.extend(date.map(char::from));
        }
        header.push_str(&self.rest);
        header_value(header)
    }

    /// Returns the header that removes the cookie. It repeats every attribute, since browsers
    /// compare them.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] if no header can have the attributes; [`new`](Self::new) refuses such
    /// attributes.
    pub fn remove(&self) -> Result<HeaderValue, Error> {
        header_value(format!(
            "{}={}; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0{}",
            self.name, self.domain, self.rest
        ))
    }
}

/// Marked as sensitive, so that `Debug` of a response doesn't show it, and HTTP/2 keeps it out of
/// its tables of headers.
fn header_value(text: String) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text).map_err(|error| {
        Error::new(ErrorKind::Value, "the cookie has a character that no header can have")
            .with_source(error)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether a byte may stand in a cookie's name (RFC 9110's token).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The error for settings that break a rule together.
fn broken(rule: BrokenRule, name: &str) -> Error {
    let message = match rule {
        BrokenRule::SameSiteNone => {
            "SESSION_COOKIE_SAMESITE is \"None\", and browsers refuse such a \
             cookie unless it is secure: set SESSION_COOKIE_SECURE to true, or \
             SESSION_COOKIE_SAMESITE to \"Lax\""
                .to_owned()
        }
        rule => format!(
            "browsers refuse a cookie with the name {name:?} unless {}: change the setting or the \
             name (SESSION_COOKIE_NAME)",
            rule.condition()
        ),
    };
    Error::new(ErrorKind::Setting, message)
}

fn check_path(path: &str) -> Result<(), Error> {
    let mut quoted = String::new();
    quote_path(path, &mut quoted);
    if rules::is_path(path) && rules::is_path(&quoted) {
        return Ok(());
    }
    Err(Error::setting(
        "SESSION_COOKIE_PATH, or else APPLICATION_ROOT,",
        path,
        "a path of the site that begins with /, such as /app, of at most 1024 bytes, without a query \
         and without . and .. in it",
    ))
}

/// The domain as Werkzeug writes it: without a port and leading dots, in ASCII.
fn ascii_domain(text: &str) -> Result<String, Error> {
    let (bare, port) = text.split_once(':').unwrap_or((text, ""));
    let bare = bare.trim_start_matches('.');
    let not_allowed = || {
        Error::setting(
            "SESSION_COOKIE_DOMAIN",
            text,
            "the domain of a site, such as example.com, without https:// and a path (with the \
             feature `idna`, also one beyond ASCII); no top-level domain or other suffix under which \
             anyone can register a site. Left unset, the cookie is for this host alone",
        )
    };
    let ascii = if bare.is_ascii() {
        bare.to_owned()
    } else {
        #[cfg(feature = "idna")]
        {
            // Label by label, as Werkzeug does it: labels in ASCII stay as they are.
            let label = |label: &str| match label.is_ascii() {
                true => Ok(label.to_owned()),
                false => idna::domain_to_ascii(label).map_err(|_| not_allowed()),
            };
            // The characters that IDNA takes for dots.
            let labels = bare.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']);
            labels.map(label).collect::<Result<Vec<_>, _>>()?.join(".")
        }
        #[cfg(not(feature = "idna"))]
        {
            return Err(not_allowed());
        }
    };
    if rules::is_domain(&ascii) && port.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(ascii)
    } else {
        Err(not_allowed())
    }
}

/// Percent-encodes what Werkzeug percent-encodes in a path: all but unreserved characters and
/// those that WHATWG allows in a URL's path, without the semicolon.
fn quote_path(path: &str, out: &mut String) {
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~%!$&'()*+,/:=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Attributes<'_> = Attributes {
        name: "session",
        domain: None,
        path: "/",
        secure: false,
        http_only: true,
        same_site: None,
        partitioned: false,
    };

    fn header(attributes: &Attributes<'_>) -> Result<String, Error> {
        let header = SetCookie::new(attributes)?.set("v", None)?;
        Ok(header.to_str().unwrap().to_owned())
    }

    #[test]
    fn no_byte_of_a_setting_adds_an_attribute_or_a_header() {
        for byte in 0..=255u8 {
            let text = format!("a{}b", char::from(byte));
            let (domain, path) = (format!("{text}.example"), format!("/{text}"));
            for attributes in [
                Attributes { name: &text, ..PLAIN },
                Attributes { domain: Some(&domain), ..PLAIN },
                Attributes { path: &path, ..PLAIN },
            ] {
                let Ok(header) = header(&attributes) else {
                    continue;
                };
                assert!(header.is_ascii() && !header.contains(['\r', '\n', '\0', '"']));
                let parts = header.split(';').count();
                let expected = if attributes.domain.is_some() { 4 } else { 3 };
                assert_eq!(parts, expected, "{header}");
            }
        }
    }

    #[test]
    fn prefixes_have_rules() {
        let host = Attributes { name: "__Host-session", secure: true, ..PLAIN };
        assert!(header(&host).is_ok());
        for broken in [
            Attributes { secure: false, ..host.clone() },
            Attributes { domain: Some("example.com"), ..host.clone() },
            Attributes { path: "/app", ..host.clone() },
            Attributes { name: "__hOSt-x", secure: false, ..PLAIN },
            Attributes { name: "__Secure-x", secure: false, ..PLAIN },
            Attributes { name: "__Http-s", secure: false, ..PLAIN },
            Attributes { name: "__Http-s", secure: true, http_only: false, ..PLAIN },
            Attributes { name: "__Host-Http-s", http_only: false, ..host.clone() },
            Attributes { name: "__Host-Http-s", path: "/app", ..host.clone() },
            Attributes { same_site: Some(SameSite::None), ..PLAIN },
        ] {
            assert_eq!(header(&broken).unwrap_err().kind(), ErrorKind::Setting);
        }
        assert!(header(&Attributes { secure: false, partitioned: true, ..host }).is_ok());
    }

    #[test]
    fn debug_of_a_header_shows_no_cookie() {
        let cookie = SetCookie::new(&PLAIN).unwrap();
        assert_eq!(format!("{:?}", cookie.set("secret", None).unwrap()), "Sensitive");
    }

    #[test]
    fn size_counts_name_and_value() {
        let cookie = SetCookie::new(&PLAIN).unwrap();
        assert!(cookie.set(&"x".repeat(4096 - 7), None).is_ok());
        let error = cookie.set(&"x".repeat(4096 - 6), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CookieTooLarge);
    }

    #[test]
    fn paths_and_domains_are_werkzeugs() {
        let path = |path| header(&Attributes { path, ..PLAIN }).unwrap();
        assert_eq!(path("/a b;c"), "session=v; HttpOnly; Path=/a%20b%3Bc");
        assert_eq!(path("/\u{e9}%20"), "session=v; HttpOnly; Path=/%C3%A9%20");
        let domain = |domain| header(&Attributes { domain: Some(domain), ..PLAIN });
        assert_eq!(
            domain("..example.com:80").unwrap(),
            "session=v; Domain=example.com; HttpOnly; Path=/"
        );
        for bad in ["exa mple.com", "https://example.com", "a..b", "com", "example.com:http", ":80"]
        {
            assert_eq!(domain(bad).unwrap_err().kind(), ErrorKind::Setting, "{bad}");
        }
        #[cfg(feature = "idna")]
        for text in ["b\u{fc}cher.Example", "B\u{fc}cher\u{3002}Example", ".b\u{fc}cher.Example:80"]
        {
            let expected = "session=v; Domain=xn--bcher-kva.Example; HttpOnly; Path=/";
            assert_eq!(domain(text).unwrap(), expected);
        }
    }
}
