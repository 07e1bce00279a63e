use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of a response, of any version of the crate `http`, to which the engine adds its own.
pub(crate) trait Headers {
    /// Returns the lines of a header.
    fn lines_of(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]>;

    /// Sets a header, and removes its other lines.
    fn set(&mut self, name: HeaderName, value: HeaderValue);

    /// Adds a line to a header, and keeps its other lines.
    fn add(&mut self, name: HeaderName, value: HeaderValue);

    /// Adds `Cookie` to `Vary`, and keeps the names that other layers wrote there.
    fn vary_with_cookie(&mut self) {
        let first = self.lines_of(&VARY).next().is_none().then_some(COOKIE);
        // Header values that are joined by commas form a valid header value.
        let vary = first.or_else(|| merged_vary(self.lines_of(&VARY))?.try_into().ok());
        if let Some(vary) = vary {
            self.set(VARY, vary);
        }
    }

    /// Forbids all caches to store the response.
    fn forbid_storing(&mut self) {
        self.set(CACHE_CONTROL, NO_STORE);
        self.stop_shared_caches();
    }

    /// Forbids shared caches to store the response, and keeps the handler's other directives.
    fn forbid_sharing(&mut self) {
        let first = self.lines_of(&CACHE_CONTROL).next().is_none().then_some(PRIVATE);
        let private = first.or_else(|| private(self.lines_of(&CACHE_CONTROL))?.try_into().ok());
        if let Some(private) = private {
            self.set(CACHE_CONTROL, private);
        }
        self.stop_shared_caches();
    }

    /// Removes headers by which a handler addresses shared caches alone.
    fn stop_shared_caches(&mut self) {
        for name in SHARED_CACHES {
            if self.lines_of(&name).next().is_some() {
                self.set(name, NO_STORE);
            }
        }
    }
}

impl Headers for HeaderMap {
    fn lines_of(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }

    fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.insert(name, value);
    }

    fn add(&mut self, name: HeaderName, value: HeaderValue) {
        self.append(name, value);
    }
}

/// Appends header lines of another version of the crate `http`.
pub(crate) fn append_lines<'a>(
    headers: &mut HeaderMap,
    lines: impl Iterator<Item = (&'a str, &'a [u8])>,
) {
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes());
        // A valid header of one version is valid in the other.
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
}

/// The value of `Vary` for a response without that header.
const COOKIE: HeaderValue = HeaderValue::from_static("Cookie");

/// The value of `Cache-Control` for a response that no cache may store.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The value of `Cache-Control` for a response that depends on the session, if it has no such
/// header.
const PRIVATE: HeaderValue = HeaderValue::from_static("private");

/// The headers that address shared caches and override `Cache-Control` (RFC 9213, and its
/// predecessors).
const SHARED_CACHES: [HeaderName; 2] =
    [HeaderName::from_static("cdn-cache-control"), HeaderName::from_static("surrogate-control")];

/// Returns `Cache-Control` with `private` added to the present lines; `None` if they forbid sharing
/// already.
fn private<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut directives: Vec<&[u8]> = lines.flat_map(directives).collect();
    let before = directives.len();
    // A `private` with field names lets shared caches store the rest.
    directives.retain(|directive| {
        !is_named(directive, b"public")
            && !is_named(directive, b"s-maxage")
            && (!is_named(directive, b"private") || !directive.contains(&b'='))
    });
    let is_private = |directive: &&[u8]| {
        [&b"private"[..], b"no-store"].iter().any(|name| is_named(directive, name))
    };
    if directives.iter().any(is_private) {
        return (directives.len() < before).then(|| directives.join(&b", "[..]));
    }
    directives.insert(0, b"private");
    Some(directives.join(&b", "[..]))
}

/// Returns whether a directive has this name, with or without an argument.
fn is_named(directive: &[u8], name: &[u8]) -> bool {
    let end = directive.iter().position(|&byte| byte == b'=').unwrap_or(directive.len());
    directive[..end].trim_ascii().eq_ignore_ascii_case(name)
}

/// Splits a line into its directives, at commas outside of quotes.
fn directives(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let split = line.split(move |&byte| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    });
    split.map(<[u8]>::trim_ascii).filter(|directive| !directive.is_empty())
}

/// Returns `Vary` with `Cookie` added to the present lines; `None` if they contain it.
pub(crate) fn merged_vary<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut lines: Vec<&[u8]> = lines.collect();
    let mut tokens = lines.iter().flat_map(|line| line.split(|&byte| byte == b','));
    if tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"cookie")) {
        return None;
    }
    lines.retain(|line| !line.is_empty());
    lines.push(b"Cookie");
    Some(lines.join(&b", "[..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(VARY, HeaderValue::from_static(line));
        }
        headers.vary_with_cookie();
        headers.get_all(VARY).iter().map(|v| v.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn vary_is_merged() {
        assert_eq!(after(&[]), ["Cookie"]);
        assert_eq!(after(&["Accept-Encoding"]), ["Accept-Encoding, Cookie"]);
        assert_eq!(after(&["Origin", "Accept"]), ["Origin, Accept, Cookie"]);
        assert_eq!(after(&["origin ,COOKIE"]), ["origin ,COOKIE"]);
        assert_eq!(after(&["Cookie-Extra"]), ["Cookie-Extra, Cookie"]);
        assert_eq!(after(&["", ""]), ["Cookie"]);
        assert_eq!(after(&["*"]), ["*, Cookie"]);
    }

    #[test]
    fn shared_caches_are_shut_out_whatever_the_handler_said() {
        for (lines, expected) in [
            (&[][..], "private"),
            (&["public, max-age=60"], "private, max-age=60"),
            (&["PUBLIC", "max-age=60,S-MaxAge=600"], "private, max-age=60"),
            (&["no-cache"], "private, no-cache"),
            (&["max-age=60, private"], "max-age=60, private"),
            (&["private, public"], "private"),
            (&["no-store"], "no-store"),
            (&["no-store, public"], "no-store"),
            (&["private=\"set-cookie, public\", max-age=60"], "private, max-age=60"),
            (&["no-cache=\"a, private\""], "private, no-cache=\"a, private\""),
            (&["x=\"", "public"], "private, x=\""),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(line));
            }
            headers.forbid_sharing();
            let after: Vec<_> = headers.get_all(CACHE_CONTROL).iter().collect();
            assert_eq!(after, [expected], "{lines:?}");
        }
    }

    #[test]
    fn what_only_shared_caches_read_is_taken_back() {
        let forbid = [HeaderMap::forbid_sharing, HeaderMap::forbid_storing];
        for forbid in forbid {
            let mut headers = HeaderMap::new();
            headers.insert("cdn-cache-control", HeaderValue::from_static("max-age=600"));
            headers.insert("surrogate-control", HeaderValue::from_static("max-age=600"));
            forbid(&mut headers);
            assert_eq!(headers["cdn-cache-control"], "no-store");
            assert_eq!(headers["surrogate-control"], "no-store");
            assert_eq!(headers.len(), 3);
        }
    }
}
