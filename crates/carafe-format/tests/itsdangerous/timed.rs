//! `test_timed.py`: what `test_signer.py` hasn't.

use carafe_format::ErrorKind;
use carafe_format::signing::SigningOptions;

use super::{SALT, TS, signer, timestamp_signer};

fn kind(signed: &str, max_age: Option<u64>, now: u64) -> Option<ErrorKind> {
    timestamp_signer().unsign(signed.as_bytes(), max_age, now).err().map(|error| error.kind())
}

fn other(value: &str) -> String {
    signer(&SigningOptions::itsdangerous(SALT)).sign(value)
}

#[test]
fn test_max_age() {
    let signed = timestamp_signer().sign("value", TS);
    let unsigned = timestamp_signer().unsign(signed.as_bytes(), Some(10), TS + 1).unwrap();
    assert_eq!(unsigned.value, b"value");
    assert_eq!(kind(&signed, Some(10), TS + 10), None);
    assert_eq!(kind(&signed, Some(10), TS + 11), Some(ErrorKind::Expired));
    assert_eq!(kind(&signed, Some(0), TS), None);
    assert_eq!(kind(&signed, None, u64::MAX), None);
    assert_eq!(kind(&signed, Some(u64::MAX), u64::MAX), None);
    // Reading the time without judging it.
    let unsigned = timestamp_signer().unsign(signed.as_bytes(), None, u64::MAX).unwrap();
    assert_eq!(unsigned.timestamp, TS);
}

#[test]
fn test_return_timestamp() {
    let signed = timestamp_signer().sign("value", TS);
    let unsigned = timestamp_signer().unsign(signed.as_bytes(), None, TS).unwrap();
    assert_eq!((unsigned.value, unsigned.timestamp, unsigned.key), (&b"value"[..], TS, 0));
}

#[test]
fn test_timestamp_missing() {
    assert_eq!(kind(&other("value"), None, TS), Some(ErrorKind::NotSigned));
}

#[test]
fn test_malformed_timestamp() {
    for value in ["value.____________", "value.A", "value.AAAAAAAAAAAA"] {
        assert_eq!(kind(&other(value), None, TS), Some(ErrorKind::NotSigned), "{value}");
    }
}

/// The signature of this one is bad, and its time beyond the year 9999.
#[test]
fn test_malformed_future_timestamp() {
    let signed = "value.TgPVoaGhoQ.AGBfQ6G6cr07byTRt0zAdPljHOY";
    assert_eq!(kind(signed, None, TS), Some(ErrorKind::BadSignature));
    assert_eq!(kind(signed, Some(10), TS), Some(ErrorKind::BadSignature));
    // With a good one, Flask fails on the date. Nothing fails here, and nothing is accepted.
    let signed = timestamp_signer().sign("value", u64::MAX);
    assert_eq!(kind(&signed, Some(10), TS), Some(ErrorKind::BadPayload));
}

#[test]
fn test_future_age() {
    let signed = timestamp_signer().sign("value", TS);
    assert_eq!(kind(&signed, Some(10), TS - 1), Some(ErrorKind::FromTheFuture));
    // 1971-05-31
    assert_eq!(kind(&signed, Some(10), 44_496_000), Some(ErrorKind::FromTheFuture));
    assert_eq!(kind(&signed, None, 44_496_000), None);
}

/// ItsDangerous' errors tell the time of a text whose signature is bad. Carafe's errors tell
/// nothing of a text that no key signed.
#[test]
fn test_sig_error_date_signed() {
    let signed = timestamp_signer().sign("my string", TS).replacen("my", "other", 1);
    let error = timestamp_signer().unsign(signed.as_bytes(), None, TS).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadSignature);
    assert!(!error.to_string().contains("string"), "{error}");
}
