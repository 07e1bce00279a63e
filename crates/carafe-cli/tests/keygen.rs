//! The keys that `carafe keygen` makes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use support::carafe;

/// The key that one run made, as the text that a service would be given.
fn key(format: &str, bytes: &str) -> String {
    let line = carafe(["keygen", "--format", format, "--bytes", bytes]).run().quiet();
    let line = line.strip_suffix('\n').unwrap();
    let prefix = if format == "env" { "SECRET_KEY=" } else { "" };
    line.strip_prefix(prefix).unwrap().to_owned()
}

/// Returns the number of bytes in a key's text, if all of its characters are of its format.
fn len(format: &str, key: &str) -> usize {
    let (alphabet, bits): (fn(u8) -> bool, _) = match format {
        "base64" => (|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_', 6),
        _ => (|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte), 4),
    };
    assert!(key.bytes().all(alphabet), "{key} is not {format}");
    key.len() * bits / 8
}

#[test]
fn keygen_makes_good_keys() {
    let mut keys = BTreeSet::new();
    for format in ["hex", "base64", "env"] {
        for bytes in ["16", "32", "64", "1024"] {
            let made = [key(format, bytes), key(format, bytes)];
            for key in made {
                assert_eq!(len(format, &key).to_string(), bytes, "{format}");
                let check = carafe(["check-key"]).env("SECRET_KEY", &key).run();
                assert_eq!((check.code, check.stderr.as_str()), (0, ""), "{check:?}");
                assert!(check.stdout.starts_with("good: "), "{check:?}");
                if bytes != "16" {
                    let sealed = carafe(["sign", "{}", "--format", "sealed"]);
                    sealed.env("SECRET_KEY", &key).run().quiet();
                }
                assert!(keys.insert(key), "a key was made twice");
            }
        }
    }
    assert_eq!(keys.len(), 24);
    // Without options it is one that every profile takes.
    assert_eq!(len("hex", carafe(["keygen"]).run().quiet().trim_end()), 32);
}

/// A generator that is stuck, or seeded alike in each process, would show here: of 16,384 random
/// bytes each value is about 64, and no two keys begin alike.
#[test]
fn the_bytes_of_generated_keys_are_spread_evenly() {
    let keys: Vec<_> = (0..16).map(|_| key("hex", "1024")).collect();
    let starts: BTreeSet<_> = keys.iter().map(|key| &key[..16]).collect();
    assert_eq!(starts.len(), keys.len());
    let mut counts = [0u32; 256];
    for key in &keys {
        for at in (0..key.len()).step_by(2) {
            counts[usize::from_str_radix(&key[at..at + 2], 16).unwrap()] += 1;
        }
    }
    // Seven standard deviations: once in a billion runs by chance.
    let odd: Vec<_> = counts.iter().filter(|count| !(8..=120).contains(*count)).collect();
    assert!(odd.is_empty(), "{odd:?}");
}
