use axum::http::HeaderValue;
use base64_simd::URL_SAFE_NO_PAD;
use carafe::value::{Dict, Value};
use carafe::{Error, ErrorKind, Session};

use super::visit::{signed, visit};

/// The largest cookie that browsers keep.
const MAX_COOKIE: usize = 4096;

/// The JSON of a session: both readers, the one of values and the one that indexes a session, make
/// the same of it, and what is written is read again.
pub fn tagged_json(data: &[u8]) {
    let value = Value::from_tagged_json(data);
    if let Ok(value) = &value {
        match value.to_tagged_json() {
            Ok(json) => {
                let again = Value::from_tagged_json(json.as_bytes()).expect("it was written here");
                assert_eq!(again.to_tagged_json().expect("it was written before"), json);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Value),
        }
    }
    let cookie = signed(&URL_SAFE_NO_PAD.encode_to_string(data));
    let line = HeaderValue::from_str(&format!("session={cookie}")).expect("ASCII");
    let read = visit(std::slice::from_ref(&line), |_| Ok(()));
    match value {
        Err(_) => {
            assert!(read.content.is_empty());
            assert_eq!(read.set_cookie.as_deref(), Some(""), "unreadable: it is removed");
        }
        Ok(Value::Dict(dict)) => {
            assert!(read.set_cookie.is_none());
            let json = dict_json(dict.clone());
            assert_eq!(dict_json(read.content), json);
            written(&line, dict);
        }
        // Python's `dict()` makes a session of some others.
        Ok(_) => {}
    }
}

/// A session that is changed keeps all that it had, in Flask's spelling.
fn written(line: &HeaderValue, mut dict: Dict) {
    fn insert(session: &Session) -> Result<(), Error> {
        session.insert("zz", 1)
    }
    dict.insert("zz", 1);
    let cookie = visit(std::slice::from_ref(line), insert).set_cookie;
    match dict_json(dict) {
        Some(json) => {
            let expected = signed(&URL_SAFE_NO_PAD.encode_to_string(json));
            if "session".len() + expected.len() <= MAX_COOKIE {
                assert_eq!(cookie, Some(expected));
            } else {
                assert_eq!(cookie, None);
            }
        }
        None => assert_eq!(cookie, None, "what is nested too deeply was written"),
    }
}

/// The JSON of a session, since NaN is never equal to itself; `None` if it is nested too deeply.
fn dict_json(dict: Dict) -> Option<String> {
    Value::Dict(dict).to_tagged_json().ok()
}
