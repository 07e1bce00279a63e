//! A session's public id as text in serde's formats: in JSON, in a path, in a form.

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::PublicId;

impl Serialize for PublicId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = PublicId;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a session's public id, which has 22 characters")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PublicId, E> {
        // Without the text, which came from a client and may end in a log.
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_id_passes_through_json_as_its_text() {
        let id = PublicId::from_bytes([7; 16]);
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(text, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<PublicId>(&text).unwrap(), id);
    }

    #[test]
    fn what_is_no_public_id_is_refused_and_not_repeated() {
        let error = serde_json::from_str::<PublicId>("\"stolen\"").unwrap_err().to_string();
        assert!(error.contains("22 characters"), "{error}");
        assert!(!error.contains("stolen"), "{error}");
        assert!(serde_json::from_str::<PublicId>("7").is_err());
    }
}
