//! Keys that people have, and what is said of them.

use super::KeyStrength::{self, Guessable, NothingFound, Placeholder, Published, Short};
use crate::signing::KeyText;
use crate::{SecretKey, base64};

fn strength(key: &[u8]) -> KeyStrength {
    SecretKey::new(key).unwrap().strength()
}

fn all(expected: KeyStrength, keys: &[&str]) {
    for key in keys {
        assert_eq!(strength(key.as_bytes()), expected, "{key}");
    }
}

#[test]
fn defaults_of_applications_and_tutorials_are_published() {
    all(
        Published,
        &[
            "sk-9f73s3ljTXVcMT3Blb3ljTqtsKiGHXVcMT3BlbkFJLK7U",
            "pf9Wkove4IKEAXvy-cQkeDPhv9Cb3Ag-wyJILbq_dFw",
            "This is an INSECURE secret!! DO NOT use this in production!!",
            "your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            "django-insecure-9f8#k2!x",
            "admin",
            "qwerty",
            "letmein",
        ],
    );
}

#[test]
fn a_published_key_is_one_however_it_was_copied() {
    all(
        Published,
        &[
            r#"b'_5#y2L"F4Q8z\n\xec]/'"#,
            r#"_5#y2L"F4Q8z\n\xec]/"#,
            "'changeme'",
            "\"Any random string\"",
            "SECRET_KEY=dev",
            "export FLASK_SECRET_KEY='hard to guess string'",
            "c3VwZXJzZWNyZXQ=",
            "736563726574",
        ],
    );
}

#[test]
fn names_in_brackets_and_text_that_asks_to_be_changed_are_placeholders() {
    all(
        Placeholder,
        &[
            "${SECRET_KEY}",
            "${SECRET_KEY:-}",
            "$SECRET_KEY",
            "$(openssl rand -hex 32)",
            "<secret>",
            "<a long random string, e.g. of openssl>",
            "{{ key }}",
            "{{ .Values.secretKey }}",
            "%SECRET%",
            "@SECRET_KEY@",
            "__APP_KEY__",
            "[your secret here]",
            "process.env.SESSION_SECRET",
            "os.environ[\"SECRET_KEY\"]",
            "your-secret-key-change-in-production",
            "change-this-secret-key-at-least-32-bytes",
            "dev-secret-key-change-in-production-minimum-32-chars",
            "app_env_secret_key_base_do_not_use_in_production_xyz123",
            "REPLACE_ME_WITH_SECRET",
            "not-for-production-7f3a9c51e2",
            "EXAMPLE_KEY",
            "dummy-key-for-the-tests",
            "this is only a placeholder",
            "my default key of 2024",
            "TODO: set a real key",
        ],
    );
}

#[test]
fn words_repetitions_sequences_and_rows_are_guessable() {
    all(
        Guessable,
        &[
            "0123456789abcdef0123456789abcdef",
            "fedcba9876543210fedcba9876543210",
            "supersecretkey123",
            "My$uper$ecretKey2024!",
            "thisisthesecretkey1234567890",
            "super_secret_jwt_signing_key_that_is_long_enough_for_hs256",
            "abcabcabcabcabcabcabcabcabcabcabcabc",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
            "11111111222222223333333344444444",
            "zyxwvutsrqponmlkjihgfedcba",
            "qwertyuiopasdfghjklzxcvbnm",
            "1q2w3e4r5t6y7u8i9o0p",
            "1qaz2wsx3edc4rfv",
            "deadbeefdeadbeefdeadbeefdeadbeef",
            "000102030405060708090a0b0c0d0e0f",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "P@ssw0rd123456789",
            "sunshine-dragon-2023",
            "                                ",
            "314159265358979323846264",
        ],
    );
}

#[test]
fn short_keys_and_good_ones_are_told_apart() {
    all(Short, &["xK3-8f.qPz", "q7Zx!pW2m"]);
    all(
        NothingFound,
        &[
            "8e1f0c7a52b94d36a7f1c0e95d3b8246e8d10b7c42f94a6590c3b71f2ed6a854",
            "staple mountain yellow window guitar correct river",
            "prod-secret-8e1f0c7a52b94d36a7f1c0e95d3b8246",
            "{8E1F0C7A-52B9-4D36-A7F1-C0E95D3B8246}",
        ],
    );
}

/// What `carafe keygen`, `openssl rand -hex 32`, Python's `token_hex()`, `token_urlsafe()` and
/// `uuid4()`, Django's `get_random_secret_key()` and `base64` of 24 bytes print.
#[test]
fn random_keys_are_never_called_weak() {
    const DJANGO: &[u8; 50] = b"abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)";
    for _ in 0..300 {
        let hex = |bytes| KeyText::Hex.random(bytes).unwrap();
        let base64 = |bytes| KeyText::Base64.random(bytes).unwrap();
        let uuid = hex(16);
        let dashed =
            [&uuid[..8], &uuid[8..12], &uuid[12..16], &uuid[16..20], &uuid[20..]].join("-");
        let raw = base64::decode_url(base64(24).as_bytes()).unwrap();
        let django = base64::decode_url(base64(50).as_bytes()).unwrap();
        let django = django.iter().map(|&byte| DJANGO[usize::from(byte) % 50]).collect();
        let padded = base64(32).replace('-', "+").replace('_', "/") + "=";
        let texts = [hex(32), hex(16), uuid, dashed, base64(32), base64(24), base64(16), padded];
        for key in texts.into_iter().map(String::into_bytes).chain([raw, django]) {
            assert_eq!(strength(&key), NothingFound, "{}", key.escape_ascii());
        }
    }
}

/// The keys that are tried on a cookie are weak, and none of them is called good.
#[test]
fn typical_keys_are_weak() {
    let (published, guessable) = super::typical_keys();
    for key in published.iter().chain(&guessable).step_by(97) {
        assert_ne!(strength(key), NothingFound, "{}", key.escape_ascii());
    }
}
