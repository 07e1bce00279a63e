use std::borrow::Cow;

use http::HeaderValue;
use memchr::memmem;

/// The cookie of one name in a request's `Cookie` headers.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Found<'a> {
    /// The value of the first cookie of that name, as Flask chooses it, without quotes.
    pub value: Cow<'a, [u8]>,
    /// Whether another cookie of that name follows.
    pub duplicate: bool,
}

/// Finds a cookie by its name.
#[derive(Clone, Debug)]
pub struct Finder(memmem::Finder<'static>);

impl Finder {
    /// Creates a finder for the cookie of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(memmem::Finder::new(name).into_owned())
    }

    /// Finds the cookie, in one pass over all `Cookie` headers in their order (HTTP/2 splits them).
    ///
    /// Headers are split at `;` before anything else is looked at, and each pair at its first `=`,
    /// so that no other cookie, however broken, can hide this one. Names are compared byte for
    /// byte: nothing is percent-decoded, and only spaces and tabs are trimmed (RFC 6265, 5.2). A
    /// value in double quotes is unquoted as Werkzeug does it, octal escapes included. A value with
    /// a blank or a quote in it, which Werkzeug doesn't accept, is ignored if there is another
    /// cookie of the name.
    #[inline]
    pub fn find<'a>(&self, headers: impl Iterator<Item = &'a HeaderValue>) -> Option<Found<'a>> {
        let mut first: Option<&[u8]> = None;
        let mut duplicate = false;
        'headers: for header in headers {
            let mut rest = header.as_bytes();
            while let Some((value, after)) = self.next(rest) {
                rest = after;
                duplicate = first.is_some();
                if first.is_some_and(is_value) {
                    break 'headers;
                }
                first = Some(value);
            }
        }
        first.map(|value| Found { value: unquote(value), duplicate })
    }

    /// Finds every cookie of the name, in their order.
    ///
    /// A browser sends several cookies if they were set for different paths or domains.
    pub fn find_all<'a>(
        &'a self,
        headers: impl Iterator<Item = &'a HeaderValue> + 'a,
    ) -> impl Iterator<Item = Cow<'a, [u8]>> + 'a {
        headers.flat_map(move |header| {
            let mut rest = header.as_bytes();
            std::iter::from_fn(move || {
                let (value, after) = self.next(rest)?;
                rest = after;
                Some(unquote(value))
            })
        })
    }

    /// The next value in a header, and the pairs after it.
    ///
    /// It isn't split, but searched for the name. A name has neither `;` nor blanks in it, so the
    /// pairs of that name are the places where only blanks stand between the last `;` and the name,
    /// and between it and the next `=`.
    #[inline]
    fn next<'a>(&self, header: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let mut start = 0;
        loop {
            // Where the name is the first thing, as in a header with one cookie, there is nothing to
            // search for.
            let name = match header[start..].starts_with(self.0.needle()) {
                true => start,
                false => start + self.0.find(&header[start..])?,
            };
            start = name + self.0.needle().len();
            let first = matches!(trim_end(&header[..name]), [] | [.., b';']);
            if first && let [b'=', value @ ..] = trim_start(&header[start..]) {
                let end = memchr::memchr(b';', value).unwrap_or(value.len());
                let after = value.get(end + 1..).unwrap_or_default();
                return Some((trim_start(trim_end(&value[..end])), after));
            }
        }
    }
}

#[inline]
fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[inline]
fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(*first)
    {
        bytes = rest;
    }
    bytes
}

#[inline]
fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Whether Werkzeug takes this for a value: text without blanks and quotes, or all of it in quotes.
#[cold]
fn is_value(text: &[u8]) -> bool {
    let [b'"', quoted @ ..] = text else {
        return memchr::memchr3(b' ', b'\t', b'"', text).is_none();
    };
    let mut rest = quoted;
    loop {
        rest = match rest {
            [b'"', after @ ..] => return after.is_empty(),
            [b'\\', _, tail @ ..] => tail,
            [] | [b'\\'] => return false,
            [_, tail @ ..] => tail,
        };
    }
}

/// Removes double quotes and what Werkzeug escapes within them: `\` and an octal number of three
/// digits up to 377, or `\` and any other byte.
pub(crate) fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let [b'"', inner @ .., b'"'] = value else {
        return Cow::Borrowed(value);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        rest = match rest {
            [] => return Cow::Owned(out),
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                out.push(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'));
                tail
            }
            [b'\\', byte, tail @ ..] if *byte != b'\n' => {
                out.push(*byte);
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(headers: &[&[u8]], name: &str) -> Option<(Vec<u8>, bool)> {
        let headers: Vec<_> =
            headers.iter().map(|header| HeaderValue::from_bytes(header).unwrap()).collect();
        let found = Finder::new(name).find(headers.iter());
        found.map(|found| (found.value.into_owned(), found.duplicate))
    }

    fn one(header: &str) -> Option<String> {
        get(&[header.as_bytes()], "session").map(|(value, _)| String::from_utf8(value).unwrap())
    }

    #[test]
    fn finds_it_wherever_it_stands() {
        for header in [
            "session=v",
            "session = v",
            "a=b;session=v",
            "a=b; session=v ; c=d",
            "\tsession=v\t",
            "session=v;",
            ";;session=v;;",
            "$Version=1; session=v; $Path=/",
            "session=\"v\"",
        ] {
            assert_eq!(one(header).as_deref(), Some("v"), "{header}");
        }
    }

    #[test]
    fn broken_neighbours_hide_nothing() {
        for neighbour in ["a=\"unclosed", "=", "a", "\u{e9}=\u{e9}", "a==b==", "a=\"\\", "%zz"] {
            let header = format!("{neighbour}; session=v; {neighbour}");
            assert_eq!(one(&header).as_deref(), Some("v"), "{header}");
        }
        assert_eq!(get(&[b"a=\xff\xfe", b"session=v"], "session"), Some((b"v".to_vec(), false)));
    }

    #[test]
    fn other_names_are_other_cookies() {
        for header in [
            "Session=v",
            "sessio=v",
            "session2=v",
            "xsession=v",
            "%73ession=v",
            "session",
            "\u{a0}session=v",
            "session\u{a0}=v",
            "session;=v",
            "a=session=v",
            // A nameless cookie, which a neighbour can set.
            "=session=v",
            "; =session=v",
        ] {
            assert_eq!(one(header), None, "{header}");
        }
        assert_eq!(get(&[b"__%48ost-x=v"], "__Host-x"), None);
    }

    #[test]
    fn names_may_be_parts_of_others_and_of_values() {
        assert_eq!(one("sessionsession=a; session=v"), Some("v".to_owned()));
        assert_eq!(one("a=session; b=\"session=x\"; session=v"), Some("v".to_owned()));
        assert_eq!(one("session session=a; session\t =\tv"), Some("v".to_owned()));
        assert_eq!(get(&[b"aaa=1; aa=2"], "aa"), Some((b"2".to_vec(), false)));
        assert_eq!(get(&[b"a=a; a=2; a"], "a"), Some((b"a".to_vec(), true)));
        let headers = format!("{}; session=v", "session=".repeat(500).replace('=', " "));
        assert_eq!(one(&headers).as_deref(), Some("v"));
    }

    #[test]
    fn the_first_of_several_wins_and_the_others_are_noticed() {
        assert_eq!(get(&[b"s=1; s=2"], "s"), Some((b"1".to_vec(), true)));
        assert_eq!(get(&[b"s=; s=2"], "s"), Some((b"".to_vec(), true)));
        assert_eq!(get(&[b"a=1; s=1", b"s=2"], "s"), Some((b"1".to_vec(), true)));
        assert_eq!(get(&[b"a=1", b"s=2; b=3"], "s"), Some((b"2".to_vec(), false)));
    }

    #[test]
    fn what_is_no_value_hides_no_other_cookie_of_the_name() {
        for broken in ["a b", "a\tb", "\"", "\"a", "a\"", "a\"b\"", "\"a\"b", r#""a\""#, r#""a\"#] {
            let header = format!("s={broken}; s=v; s=w");
            let found = get(&[header.as_bytes()], "s");
            assert_eq!(found, Some((b"v".to_vec(), true)), "{header}");
            let header = format!("s={broken}; s={broken}");
            assert_eq!(get(&[header.as_bytes(), b"s=v"], "s"), Some((b"v".to_vec(), true)));
        }
        for whole in ["", "a", "a=\\", "\"\"", "\"a b\"", r#""a\"b\\""#] {
            let found = get(&[format!("s={whole}; s=v").as_bytes()], "s");
            assert_eq!(found, Some((unquote(whole.as_bytes()).into_owned(), true)), "{whole}");
        }
    }

    #[test]
    fn quotes_are_werkzeugs() {
        assert_eq!(one(r#"session="a\054b\"c\\d""#).as_deref(), Some(r#"a,b"c\d"#));
        assert_eq!(one(r#"session="\400\8""#).as_deref(), Some("4008"));
        assert_eq!(one(r#"session="""#).as_deref(), Some(""));
        assert_eq!(one("session=\"").as_deref(), Some("\""));
        // Python's `.` is any character but a line break. No header has one; a jar might.
        assert_eq!(unquote(b"\"a\\\nb\"")[..], b"a\\\nb"[..]);
        assert_eq!(unquote(br#""\377\001\0100""#)[..], [0xff, 1, 8, b'0']);
    }
}
