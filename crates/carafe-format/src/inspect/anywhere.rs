//! Cookies in text of any form: a line of a cookie jar, a command for curl, JSON of a browser's tools.

use std::borrow::Cow;

use super::{CookieFormat, PastedCookie, inspect};

/// Finds texts that have the form of a session's cookie, wherever they stand, and the names before
/// them.
///
/// Ids without a signature are left out: many other texts look like them.
pub(super) fn anywhere(text: &[u8]) -> Vec<PastedCookie<'_>> {
    let tokens = tokens(text);
    // With a signature of some digest's length, where the form alone says little.
    let is_cookie = |token: &[u8]| {
        inspect(token).is_some_and(|seen| {
            seen.digest.is_some() || matches!(seen.format, CookieFormat::Sealed | CookieFormat::Jwt)
        })
    };
    let at = (0..tokens.len()).filter(|at| is_cookie(tokens[*at]));
    at.map(|at| PastedCookie { name: name(&tokens, at), value: Cow::Borrowed(tokens[at]) })
        .collect()
}

/// The runs of characters that values and names consist of.
fn tokens(text: &[u8]) -> Vec<&[u8]> {
    let mut tokens = Vec::new();
    let mut start = 0;
    for (at, byte) in text.iter().enumerate() {
        let inside = match byte {
            // Padding if within a value; before a value it follows a name.
            b'=' => matches!(text.get(at + 1), Some(b'=' | b'.')),
            b':' => is_within_django(text, at),
            byte => byte.is_ascii_alphanumeric() || b"._-+/".contains(byte),
        };
        if !inside {
            tokens.push(&text[start..at]);
            start = at + 1;
        }
    }
    tokens.push(&text[start..]);
    tokens.retain(|token| !token.is_empty());
    tokens
}

/// Django separates by colons, between characters of base64.
fn is_within_django(text: &[u8], at: usize) -> bool {
    let is_base64 = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
    };
    let colons = |text: &[u8]| {
        text.iter()
            .take_while(|byte| **byte == b':' || is_base64(Some(byte)))
            .filter(|byte| **byte == b':')
            .count()
    };
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    is_base64(before) && is_base64(text.get(at + 1)) && colons(&text[at + 1..]) <= 1
}

/// `session=VALUE`, `session: VALUE`, a column before, or the `name` of JSON beside the `value`.
fn name<'a>(tokens: &[&'a [u8]], at: usize) -> Option<&'a [u8]> {
    let token = |at: Option<usize>| at.and_then(|at| tokens.get(at)).copied();
    let before = token(at.checked_sub(1))?;
    if !before.eq_ignore_ascii_case(b"value") {
        let is_name = !before.starts_with(b"-") && !before.contains(&b'/');
        return is_name.then_some(before);
    }
    if token(at.checked_sub(3)) == Some(b"name") {
        return token(at.checked_sub(2));
    }
    if token(Some(at + 1)) == Some(b"name") {
        return token(Some(at + 2));
    }
    // {"session": {"value": …}}
    token(at.checked_sub(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE: &str = "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";

    #[test]
    fn cookies_are_found_in_text_of_any_form() {
        for (text, name) in [
            ("localhost\tFALSE\t/\tFALSE\t0\tsession\tCOOKIE", Some("session")),
            (
                "#HttpOnly_.example.com\tTRUE\t/\tTRUE\t1735689600\t__Host-s\tCOOKIE",
                Some("__Host-s"),
            ),
            ("curl -b 'session=COOKIE' http://localhost:5000/", Some("session")),
            ("curl 'https://a.example/' -H 'Cookie: theme=dark; session=COOKIE'", Some("session")),
            ("curl --cookie session=COOKIE -s https://a.example/b", Some("session")),
            ("session: COOKIE", Some("session")),
            ("session:\"COOKIE\"", Some("session")),
            ("session\tCOOKIE\tlocalhost\t/\tSession\t63", Some("session")),
            (r#"{"session": "COOKIE"}"#, Some("session")),
            ("{'session': 'COOKIE'}", Some("session")),
            (r#"[{"name": "session", "value": "COOKIE", "path": "/"}]"#, Some("session")),
            (r#"{"value":"COOKIE","name":"session"}"#, Some("session")),
            (r#"{"Response Cookies": {"session": {"httpOnly": true}}}"#, None),
            (r#"{"session": {"value": "COOKIE"}}"#, Some("session")),
            ("document.cookie = \"session=COOKIE\"", Some("session")),
            ("curl -b COOKIE http://localhost/", None),
        ] {
            let text = text.replace("COOKIE", COOKIE);
            let found = anywhere(text.as_bytes());
            let expected = usize::from(text.contains(COOKIE));
            assert_eq!(found.len(), expected, "{text}");
            for cookie in found {
                assert_eq!(&*cookie.value, COOKIE.as_bytes(), "{text}");
                assert_eq!(cookie.name, name.map(str::as_bytes), "{text}");
            }
        }
    }

    #[test]
    fn padding_and_colons_belong_to_values() {
        let starlette = "e30=.ZVPxAA._a-QJHUD7HWRAc003A4QL1g0IdU";
        let django = "eyJ1c2VyX2lkIjo0Mn0:1r31eq:LdBc1dn_O6Xiog13IybVTxB-b1m6Lrzkut8TaH2ho9g";
        for cookie in [starlette, django] {
            for text in
                [format!("curl -b session={cookie} x"), format!("{{\"session\": \"{cookie}\"}}")]
            {
                let found = anywhere(text.as_bytes());
                assert_eq!(found.len(), 1, "{text}");
                assert_eq!(&*found[0].value, cookie.as_bytes());
                assert_eq!(found[0].name, Some(&b"session"[..]));
            }
        }
    }

    #[test]
    fn other_text_has_none() {
        for text in
            ["", "session", "1.2.3", "12345678-1234-5678-1234-567812345678 GET /", "a=b; c=d"]
        {
            assert!(anywhere(text.as_bytes()).is_empty(), "{text}");
        }
    }
}
