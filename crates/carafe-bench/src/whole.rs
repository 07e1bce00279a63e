//! Reading a whole session: as a map of any values, and as a type of the application's.

use carafe::config::Compression;
use carafe::value::Value;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Map;

use crate::limits::SavedMac;
use crate::ours;
use crate::payload::Payload;
#[cfg(feature = "peers")]
use crate::peers;
use crate::subject::Subject;
use crate::suite::row;

/// The fields that an application reads. Those that are not here are passed.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is read from JSON, which is what is measured")]
pub struct Shop {
    username: Option<String>,
    _fresh: Option<bool>,
    _id: Option<String>,
    _user_id: Option<String>,
    #[serde(default)]
    cart: Vec<Item>,
    csrf_token: Option<String>,
    #[serde(default)]
    pages: Vec<String>,
}

/// An article in the cart.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is read from JSON, which is what is measured")]
pub struct Item {
    n: Option<u32>,
    name: Option<String>,
    price: Option<f64>,
    quantity: Option<u32>,
}

/// Values of any kind.
#[must_use]
pub fn values(payload: &Payload) -> Vec<Subject> {
    let mut subjects = vec![
        limit::<Map<String, serde_json::Value>>(row::MAP, payload),
        ours::<Value>(row::WHOLE, payload, |serializer, text| {
            serializer.loads(text.as_bytes(), None, ours::now()).ok()
        }),
    ];
    #[cfg(feature = "peers")]
    {
        use itsdangerous::TimedSerializer as _;
        let serializer = peers::itsdangerous();
        let text = serializer.sign(&payload.map()).expect("a map can be written");
        subjects.push(Subject::new(row::ITSDANGEROUS, move || {
            peers::itsdangerous_read_whole(&serializer, &text)
        }));
    }
    subjects
}

/// A type of the application's.
#[must_use]
pub fn typed(payload: &Payload) -> Vec<Subject> {
    vec![
        limit::<Shop>(row::STRUCT, payload),
        ours::<Shop>(row::TYPED, payload, |serializer, text| {
            serializer.loads_as(text.as_bytes(), None, ours::now()).ok()
        }),
    ]
}

fn limit<T: DeserializeOwned>(name: &str, payload: &Payload) -> Subject {
    let (mac, cookie) = (SavedMac::default(), ours::cookie(payload, Compression::Never));
    Subject::new(name, move || -> Option<T> {
        serde_json::from_slice(&mac.verify_and_decode(&cookie)?).ok()
    })
}

fn ours<T: 'static>(
    name: &str,
    payload: &Payload,
    read: fn(&carafe::signing::UrlSafeTimedSerializer, &str) -> Option<T>,
) -> Subject {
    let serializer = ours::serializer(Compression::Never);
    let cookie = ours::cookie(payload, Compression::Never);
    Subject::new(name, move || read(&serializer, &cookie))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_struct_is_read_alike() {
        for payload in [Payload::p1(), Payload::p2(), Payload::p3()] {
            let cookie = ours::cookie(&payload, Compression::Never);
            let serializer = ours::serializer(Compression::Never);
            let ours: Shop = serializer.loads_as(cookie.as_bytes(), None, ours::now()).unwrap();
            let limit: Shop = serde_json::from_str(&payload.json).unwrap();
            assert_eq!(format!("{ours:?}"), format!("{limit:?}"));
        }
    }
}
