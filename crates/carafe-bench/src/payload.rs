//! The sessions that are measured.

use serde_json::{Map, Value};

/// A session, and the key of it that is read.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The name in the tables.
    pub name: String,
    /// Flask's tagged JSON.
    pub json: String,
    /// A top-level key whose value is a text.
    pub key: &'static str,
}

impl Payload {
    /// A user's name: 20 bytes.
    #[must_use]
    pub fn p1() -> Self {
        let json = r#"{"username":"admin"}"#.to_owned();
        Self { name: "P1".to_owned(), json, key: "username" }
    }

    /// Ids, a CSRF token, a flash and a cart: 336 bytes.
    #[must_use]
    pub fn p2() -> Self {
        let json = format!(
            concat!(
                r#"{{"_flashes":[{{" t":["message","Welcome back!"]}}],"_fresh":true,"_id":"{}","#,
                r#""_permanent":true,"_user_id":"104217","cart":[{{"id":31,"n":1}},{{"id":274,"n":2}}],"#,
                r#""csrf_token":"{}"}}"#
            ),
            hex(128, 1),
            hex(40, 2)
        );
        Self { name: "P2".to_owned(), json, key: "_user_id" }
    }

    /// Returns the session with a larger cart and the pages seen last: 2.6 KB.
    #[must_use]
    pub fn p3() -> Self {
        let cart: Vec<String> = (0..22_u64)
            .map(|n| {
                format!(
                    r#"{{"id":"{}","name":"Article no. {}","price":{}.5,"quantity":{}}}"#,
                    hex(12, 10 + n),
                    1000 + n * 37,
                    5 + n * 13 % 90,
                    1 + n % 3
                )
            })
            .collect();
        let pages: Vec<String> =
            (0..18).map(|n| format!(r#""/articles/{}?from=list""#, hex(8, 50 + n))).collect();
        let json = format!(
            concat!(
                r#"{{"_flashes":[{{" t":["message","Added to the cart, see what others got, too!"]}}],"_fresh":true,"_id":"{}","#,
                r#""_permanent":true,"_user_id":"104217","cart":[{}],"csrf_token":"{}","#,
                r#""last_seen":{{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}},"pages":[{}],"#,
                r#""visit":{{" u":"{}"}}}}"#
            ),
            hex(128, 1),
            cart.join(","),
            hex(40, 2),
            pages.join(","),
            hex(32, 3)
        );
        Self { name: "P3".to_owned(), json, key: "_user_id" }
    }

    /// A session of this many bytes, at least 10: one name and, where there is room, a cart.
    #[must_use]
    pub fn sized(bytes: usize) -> Self {
        let mut json = String::new();
        let items = bytes.saturating_sub(60) / 41;
        if items > 0 {
            let cart: Vec<String> = (0..items)
                .map(|n| {
                    format!(r#"{{"id":{},"n":{},"name":"{}"}}"#, 1000 + n, n % 9, hex(13, n as u64))
                })
                .collect();
            json = format!(r#","cart":[{}]"#, cart.join(","));
        }
        let name = "Ada Lovelace ".repeat(10);
        let name = &name[..bytes.saturating_sub(json.len() + 8).max(2)];
        let json = format!(r#"{{"a":"{name}"{json}}}"#);
        Self { name: format!("{bytes} B"), json, key: "a" }
    }

    /// The session as `serde_json` holds it.
    ///
    /// # Panics
    /// If the JSON is none.
    #[must_use]
    pub fn map(&self) -> Map<String, Value> {
        serde_json::from_str(&self.json).expect("a payload is JSON")
    }
}

/// Returns `digits` hexadecimal digits that look random, and are the same each time.
fn hex(digits: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    let next = move || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from_digit((state >> 40) as u32 & 15, 16).unwrap_or('0')
    };
    std::iter::repeat_with(next).take(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_what_the_tables_say() {
        let sizes = [Payload::p1(), Payload::p2(), Payload::p3()].map(|p| p.json.len());
        assert_eq!(sizes, [20, 336, 2627]);
        for bytes in [10, 20, 60, 99, 100, 101, 1000, 4000, 4096] {
            assert_eq!(Payload::sized(bytes).json.len(), bytes);
        }
    }

    #[test]
    fn all_are_as_flask_would_write_them() {
        let sized = [10, 100, 1000].map(Payload::sized);
        for payload in sized.iter().chain(&[Payload::p1(), Payload::p2(), Payload::p3()]) {
            let value = carafe::value::Value::from_tagged_json(payload.json.as_bytes()).unwrap();
            assert_eq!(value.to_tagged_json().unwrap(), payload.json);
        }
    }
}
