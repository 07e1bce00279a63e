//! `Debug` output ends in logs: it shows no key, no cookie and no value.

use axum::http::StatusCode;
use carafe::signing::{Signer, SigningOptions, TimestampSigner, UrlSafeTimedSerializer};
use carafe::value::{Dict, Markup, Step, Text, Uuid, Value};
use carafe::{Config, ErrorPage, Flash, KeyRing, SecretKey, SessionLayer};
use tower::{Layer as _, Service as _};

use crate::support::in_session;

/// A secret that must not be visible. Its base64 begins and ends within other characters, so that a
/// part of it is searched.
const SECRET: &str = "hush-hush-hush-hush-hush";

fn assert_discreet(debug: &impl std::fmt::Debug) {
    let text = format!("{debug:?} {debug:#?}");
    let bytes = format!("{:?}", SECRET.as_bytes());
    for shown in ["hush", "aHVza", "h1c2gta", "odXNoL", &bytes[1..20]] {
        assert!(!text.contains(shown), "{text}");
    }
}

fn key() -> SecretKey {
    SecretKey::new(SECRET).unwrap()
}

#[test]
fn keys_and_what_is_made_of_them() {
    let ring = KeyRing::new(key()).with_fallback(key());
    assert_discreet(&key());
    assert_discreet(&ring);
    let options = SigningOptions::default();
    let timed = TimestampSigner::new(&ring, &options);
    assert_discreet(&Signer::new(&ring, &options));
    assert_discreet(&timed);
    assert_discreet(&UrlSafeTimedSerializer::new(&ring, &options));
    let signed = timed.sign(SECRET, 0);
    assert_discreet(&timed.unsign(signed.as_bytes(), None, 0).unwrap());
    let layer = SessionLayer::flask(ring);
    assert_discreet(&layer);
    assert_discreet(&layer.keys());
    let mut service = layer.layer(tower::service_fn(async |_: axum::extract::Request| {
        Ok::<_, std::convert::Infallible>(axum::response::Response::<axum::body::Body>::default())
    }));
    let request = axum::extract::Request::builder().header("cookie", format!("session={SECRET}"));
    assert_discreet(&service.call(request.body(axum::body::Body::empty()).unwrap()));
    assert_discreet(&Config::flask());
    assert_discreet(&ErrorPage::from((StatusCode::OK, "page")));
}

#[test]
fn values() {
    assert_discreet(&Text::from(SECRET));
    assert_discreet(&Markup::from(SECRET));
    assert_discreet(&Step::from(SECRET));
    assert_discreet(&Value::from(SECRET));
    assert_discreet(&Value::bytes(SECRET));
    assert_discreet(&Value::from(vec![SECRET]));
    assert_discreet(&Value::from((SECRET,)));
    assert_discreet(&Dict::from([(SECRET, SECRET)]));
    assert_discreet(&Value::from(Dict::from([(SECRET, SECRET)])));
    assert_discreet(&Flash { category: SECRET.into(), message: SECRET.into() });
    assert_eq!(format!("{:?}", Value::from(4711)), "int");
    assert_eq!(format!("{:?}", Value::from(47.11)), "float");
    assert_eq!(format!("{:?}", Value::from(carafe::value::DateTime::now())), "datetime");
    let uuid = Uuid::from_bytes([0xab; 16]);
    assert!(!format!("{uuid:?} {:?}", Value::from(uuid)).contains("abab"));
}

#[tokio::test]
async fn sessions() {
    let layer = SessionLayer::flask(key());
    let (session, _) = in_session(layer, |session| {
        session.insert(SECRET, SECRET).unwrap();
        session.flash(SECRET).unwrap();
        assert_discreet(&session);
        assert_discreet(&session.entry(SECRET));
        assert_discreet(&session.get_flashed_messages().unwrap());
        session.clone()
    })
    .await;
    assert_discreet(&session);
    assert_discreet(&session.insert("late", SECRET).unwrap_err());
    assert_discreet(&session.get::<i64>("missing"));
}
