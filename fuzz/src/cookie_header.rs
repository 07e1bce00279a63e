use std::sync::LazyLock;

use axum::http::HeaderValue;
use carafe::value::Value;

use super::visit::{signed, visit};

/// `{"user":"ada"}`
static GOOD: LazyLock<String> =
    LazyLock::new(|| format!("session={}", signed("eyJ1c2VyIjoiYWRhIn0")));

/// `Cookie` headers, one in each line: whatever the others are, the session's own is found, and
/// nothing else is taken for it.
pub fn cookie_header(data: &[u8]) {
    let lines: Vec<HeaderValue> =
        data.split(|&byte| byte == b'\n').flat_map(HeaderValue::from_bytes).collect();
    let before = [&[good()], &lines[..]].concat();
    assert_eq!(user(&before).as_deref(), Some("ada"), "hidden by what follows");

    let plain = visit(&lines, |_| Ok(()));
    if lines.iter().any(|line| names_session(line.as_bytes())) {
        return;
    }
    assert!(plain.content.is_empty() && plain.set_cookie.is_none(), "there is no session");
    let after = [&lines[..], &[good()]].concat();
    assert_eq!(user(&after).as_deref(), Some("ada"), "hidden by another line");
    if let [.., last] = lines.as_slice() {
        let joined = [last.as_bytes(), b";", GOOD.as_bytes()].concat();
        let joined = HeaderValue::from_bytes(&joined).expect("of two header values");
        assert_eq!(user(&[joined]).as_deref(), Some("ada"), "hidden by its neighbour");
    }
}

fn good() -> HeaderValue {
    HeaderValue::from_str(&GOOD).expect("ASCII")
}

fn user(lines: &[HeaderValue]) -> Option<String> {
    let visit = visit(lines, |_| Ok(()));
    assert!(visit.set_cookie.is_none());
    visit.content.get("user").and_then(Value::as_str).map(str::to_owned)
}

/// Whether a line has a cookie of the session's name, said in another way than the library's.
fn names_session(line: &[u8]) -> bool {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    line.split(|&byte| byte == b';').any(|pair| {
        let Some(equals) = pair.iter().position(|&byte| byte == b'=') else {
            return false;
        };
        let name: Vec<u8> = pair[..equals].to_vec();
        let start = name.iter().position(|byte| !blank(byte)).unwrap_or(name.len());
        let end = name.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
        &name[start..end] == b"session"
    })
}
