use http::header::{CACHE_CONTROL, Entry, VARY};
use http::{HeaderMap, HeaderValue};

/// Adds `Cookie` to `Vary`, which keeps what other layers wrote there.
pub(super) fn vary_with_cookie(headers: &mut HeaderMap) {
    match headers.entry(VARY) {
        Entry::Vacant(vary) => {
            vary.insert(HeaderValue::from_static("Cookie"));
        }
        Entry::Occupied(mut vary) => {
            let mut lines: Vec<&[u8]> = vary.iter().map(HeaderValue::as_bytes).collect();
            let mut tokens = lines.iter().flat_map(|line| line.split(|&byte| byte == b','));
            if tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"cookie")) {
                return;
            }
            lines.retain(|line| !line.is_empty());
            lines.push(b"Cookie");
            // What came out of header values, joined by commas, is a header value.
            if let Ok(value) = HeaderValue::from_bytes(&lines.join(&b", "[..])) {
                vary.insert(value);
            }
        }
    }
}

/// Says that no cache may store the response.
pub(super) fn forbid_storing(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(VARY, HeaderValue::from_static(line));
        }
        vary_with_cookie(&mut headers);
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
