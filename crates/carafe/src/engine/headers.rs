use http::header::{CACHE_CONTROL, Entry, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of a response, of whichever crate they are, to which the engine adds its own.
pub(crate) trait Headers {
    /// Adds `Cookie` to `Vary`, which keeps what other layers wrote there.
    fn vary_with_cookie(&mut self);

    /// Adds a `Set-Cookie` beside those that are there.
    fn append_cookie(&mut self, cookie: HeaderValue);

    /// Says that no cache may store the response.
    fn forbid_storing(&mut self);
}

impl Headers for HeaderMap {
    fn vary_with_cookie(&mut self) {
        match self.entry(VARY) {
            Entry::Vacant(vary) => {
                vary.insert(HeaderValue::from_static(COOKIE));
            }
            Entry::Occupied(mut vary) => {
                let merged = merged_vary(vary.iter().map(HeaderValue::as_bytes));
                // What came out of header values, joined by commas, is a header value.
                if let Some(Ok(value)) = merged.map(HeaderValue::try_from) {
                    vary.insert(value);
                }
            }
        }
    }

    fn append_cookie(&mut self, cookie: HeaderValue) {
        self.append(SET_COOKIE, cookie);
    }

    fn forbid_storing(&mut self) {
        self.insert(CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
    }
}

/// Appends lines of another version of http to headers.
pub(crate) fn append_lines<'a>(
    headers: &mut HeaderMap,
    lines: impl Iterator<Item = (&'a str, &'a [u8])>,
) {
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes());
        // What is a header in one version is one in the other.
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
}

/// `Vary` where nobody else wrote one.
pub(crate) const COOKIE: &str = "Cookie";

/// `Cache-Control` of a response that no cache may store.
pub(crate) const NO_STORE: &str = "no-store";

/// `Vary` with `Cookie` in it, of the lines that are there; `None` if it is among them.
pub(crate) fn merged_vary<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut lines: Vec<&[u8]> = lines.collect();
    let mut tokens = lines.iter().flat_map(|line| line.split(|&byte| byte == b','));
    if tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"cookie")) {
        return None;
    }
    lines.retain(|line| !line.is_empty());
    lines.push(COOKIE.as_bytes());
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
}
