//! Cookies from the command line or from standard input.

use std::io::{BufRead, BufReader, Read as _};

use carafe::inspect::{PastedCookie, inspect, pasted};

use crate::args::CookieArgs;
use crate::failure::{Code, Failure};
use crate::output::Output;

/// The longest line: longer than any cookie, and short enough to hold in memory.
const MAX_LINE: usize = 16 << 20;

/// The names that a session's cookie usually has.
const USUAL_NAMES: [&[u8]; 3] = [b"session", b"__Host-session", b"__Secure-session"];

/// A cookie that a command looks into.
#[derive(Debug)]
pub(crate) struct Cookie<'a> {
    /// The number of its line on standard input, counted from 1.
    pub(crate) line: Option<u64>,
    /// Its name, if it is known.
    pub(crate) name: Option<&'a str>,
    pub(crate) value: &'a [u8],
}

impl Cookie<'_> {
    /// A message with the place that it is about.
    pub(crate) fn located(&self, message: &str) -> String {
        match self.line {
            Some(line) => format!("line {line}: {message}"),
            None => message.to_owned(),
        }
    }
}

/// Calls `each` for every cookie. The result is success if it was for all of them.
pub(crate) fn for_each(
    args: &CookieArgs,
    output: &mut Output,
    mut each: impl FnMut(&mut Output, &Cookie<'_>) -> Result<Code, Failure>,
) -> Result<Code, Failure> {
    let name = args.cookie_name.as_deref();
    if args.cookie != "-" {
        return one(args.cookie.as_encoded_bytes(), None, name, output, &mut each);
    }
    let mut lines = BufReader::with_capacity(1 << 16, std::io::stdin().lock());
    let (mut buffer, mut number, mut seen, mut code) = (Vec::new(), 0, false, Code::Success);
    while read_line(&mut lines, &mut buffer)? {
        number += 1;
        if buffer.trim_ascii().is_empty() || is_comment(&buffer) {
            continue;
        }
        seen = true;
        if one(&buffer, Some(number), name, output, &mut each)? == Code::Refused {
            code = Code::Refused;
        }
        // Results appear line by line if the input comes line by line.
        if lines.buffer().is_empty() {
            output.flush()?;
        }
    }
    if seen {
        Ok(code)
    } else {
        Err(Failure::Usage("standard input has no cookie: give one on each line".to_owned()))
    }
}

/// A comment in a cookie jar, whose lines may begin with `#HttpOnly_`.
fn is_comment(line: &[u8]) -> bool {
    line.starts_with(b"#") && !line.starts_with(b"#HttpOnly_")
}

fn one(
    text: &[u8],
    line: Option<u64>,
    name: Option<&str>,
    output: &mut Output,
    each: &mut impl FnMut(&mut Output, &Cookie<'_>) -> Result<Code, Failure>,
) -> Result<Code, Failure> {
    let found = pasted(text);
    let cookie = match choose(&found, name) {
        Ok(cookie) => cookie,
        // On one of many lines the failure is a result like any other.
        Err(_) if line.is_some() => return each(output, &Cookie { line, name, value: b"" }),
        Err(message) => return Err(Failure::Usage(message)),
    };
    let own_name = cookie.name.and_then(|name| std::str::from_utf8(name).ok());
    each(output, &Cookie { line, name: name.or(own_name), value: &cookie.value })
}

/// Chooses the cookie of the given or a usual name among the cookies of a line.
fn choose<'a, 'b>(
    found: &'a [PastedCookie<'b>],
    name: Option<&str>,
) -> Result<&'a PastedCookie<'b>, String> {
    if let [only] = found
        && (only.name.is_none() || name.is_none())
    {
        return Ok(only);
    }
    if let Some(name) = name {
        let named = |cookie: &&PastedCookie<'_>| cookie.name == Some(name.as_bytes());
        return found.iter().find(named).ok_or_else(|| {
            format!(
                "the line has no cookie called {name}: --cookie-name must be one of {}",
                names(found)
            )
        });
    }
    let usual =
        |cookie: &&PastedCookie<'_>| cookie.name.is_some_and(|name| USUAL_NAMES.contains(&name));
    if let Some(usual) = found.iter().find(usual) {
        return Ok(usual);
    }
    let mut sessions = found.iter().filter(|cookie| inspect(&cookie.value).is_some());
    match (sessions.next(), sessions.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(format!(
            "the line has several cookies: say which with --cookie-name, one of {}",
            names(found)
        )),
    }
}

fn names(found: &[PastedCookie<'_>]) -> String {
    let names = found.iter().filter_map(|cookie| cookie.name).map(String::from_utf8_lossy);
    names.collect::<Vec<_>>().join(", ")
}

/// Reads a line. A line that is longer than any cookie is cut, and the rest of it is dropped.
fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Failure> {
    let unreadable = |error| Failure::Usage(format!("standard input can't be read: {error}"));
    line.clear();
    let read = from.by_ref().take(MAX_LINE as u64).read_until(b'\n', line).map_err(unreadable)?;
    if read == MAX_LINE && !line.ends_with(b"\n") {
        loop {
            let rest = from.fill_buf().map_err(unreadable)?;
            let end = rest.iter().position(|&byte| byte == b'\n');
            let (len, is_end) = end.map_or((rest.len(), rest.is_empty()), |at| (at + 1, true));
            from.consume(len);
            if is_end {
                break;
            }
        }
    }
    Ok(read > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE: &str = "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";

    fn chosen(line: &str, name: Option<&str>) -> Result<String, String> {
        let found = pasted(line.as_bytes());
        choose(&found, name).map(|cookie| String::from_utf8(cookie.value.to_vec()).unwrap())
    }

    #[test]
    fn the_cookie_that_is_meant_is_chosen() {
        let ok = Ok(COOKIE.to_owned());
        assert_eq!(chosen(COOKIE, None), ok);
        assert_eq!(chosen(COOKIE, Some("sid")), ok);
        assert_eq!(chosen(&format!("a=b; session={COOKIE}; c=d"), None), ok);
        assert_eq!(chosen(&format!("a=b; sid={COOKIE}; c=d"), None), ok);
        assert_eq!(chosen(&format!("a={COOKIE}x; b={COOKIE}"), Some("b")), ok);
        let several = chosen(&format!("a={COOKIE}; b={COOKIE}"), None).unwrap_err();
        assert!(several.contains("one of a, b"), "{several}");
        let other = chosen(&format!("a={COOKIE}"), Some("c")).unwrap_err();
        assert!(other.contains("no cookie called c"), "{other}");
    }

    #[test]
    fn lines_are_bounded() {
        let long = vec![b'x'; MAX_LINE + 100_000];
        let text = [&long[..], b"\nnext\n", b"last"].concat();
        let mut from = BufReader::new(text.as_slice());
        let mut line = Vec::new();
        assert!(read_line(&mut from, &mut line).unwrap());
        assert_eq!(line.len(), MAX_LINE);
        assert!(read_line(&mut from, &mut line).unwrap());
        assert_eq!(line, b"next\n");
        assert!(read_line(&mut from, &mut line).unwrap());
        assert_eq!(line, b"last");
        assert!(!read_line(&mut from, &mut line).unwrap());
    }
}
