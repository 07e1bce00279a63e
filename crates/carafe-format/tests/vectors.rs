//! Cookies that real Flask wrote, and what it made of bad ones.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use carafe_format::signing::{Digest, KeyDerivation, SigningOptions, UrlSafeTimedSerializer};
use carafe_format::{DateTime, Dict, KeyRing, SecretKey, Value};
use serde_json::Value as Json;

use support::{hex, rows, text};

fn serializer(row: &Json) -> UrlSafeTimedSerializer {
    let secrets = row["secrets_hex"].as_array().unwrap();
    let mut keys = secrets.iter().map(|secret| SecretKey::new(hex(secret)).unwrap());
    let current = keys.next_back().unwrap();
    let options = SigningOptions::default()
        .salt(hex(&row["salt_hex"]))
        .digest(text(&row["digest"]).parse::<Digest>().unwrap())
        .key_derivation(text(&row["key_derivation"]).parse::<KeyDerivation>().unwrap());
    UrlSafeTimedSerializer::new(&KeyRing::from_flask(current, keys), &options)
}

#[test]
fn every_cookie_of_flask_verifies_and_loads_as_it_does_there() {
    for row in rows("flask.jsonl") {
        let (cookie, now) = (text(&row["cookie"]), row["timestamp"].as_u64().unwrap());
        let value = serializer(&row).loads(cookie.as_bytes(), Some(0), now).unwrap();
        let expected = text(&row["loaded_tagged_json"]);
        assert_eq!(value, Value::from_tagged_json(expected.as_bytes()).unwrap(), "{}", row["note"]);
    }
}

#[test]
fn what_is_signed_here_has_flasks_bytes() {
    let mut identical = 0;
    for row in rows("flask.jsonl") {
        let now = row["timestamp"].as_u64().unwrap();
        // The signing key is the one named, which isn't always the newest of the list.
        let mut signing = row.clone();
        signing["secrets_hex"] = Json::Array(vec![row["secret_hex"].clone()]);
        let signing = serializer(&signing);
        let json = text(&row["tagged_json"]);
        let value = match row["note"].as_str().unwrap_or_default() {
            // Read, the year 68 becomes 2068, in Flask as well: so this one is made, not read.
            "dt_0068_becomes_2068" => {
                let date = DateTime::from_unix(-60021302400).unwrap();
                Value::from(Dict::from([("d", date)]))
            }
            _ => Value::from_tagged_json(json.as_bytes()).unwrap(),
        };
        let cookie = signing.dumps(&value, now).unwrap();
        // Flask sorts a dict's keys before it makes text of them; a session that was read has
        // text keys only, there as here.
        let text_keys = row["note"] != "intkey";
        if row["sort_keys"] == true && row["compressed"] == false && text_keys {
            assert_eq!(cookie, text(&row["cookie"]), "{}", row["note"]);
            identical += 1;
        }
        let again = serializer(&row).loads(cookie.as_bytes(), Some(0), now).unwrap();
        let expected = text(&row["loaded_tagged_json"]);
        assert_eq!(again, Value::from_tagged_json(expected.as_bytes()).unwrap());
    }
    assert!(identical > 100, "only {identical} rows were compared byte for byte");
}
