//! One result as one line of JSON.

use std::fmt::Write as _;

use crate::text::{is_strict_json, one_line_json, push_json_string};

/// An object that is written field by field.
#[derive(Debug)]
pub(crate) struct JsonLine(String);

impl JsonLine {
    pub(crate) fn new() -> Self {
        Self("{".to_owned())
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_json_string(&mut self.0, key);
        self.0.push(':');
    }

    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        push_json_string(&mut self.0, value);
        self
    }

    /// Adds a number, or any value that is displayed as JSON.
    pub(crate) fn plain(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.key(key);
        // Writing to a string can't fail.
        let _ = write!(self.0, "{value}");
        self
    }

    /// Adds a number, or nothing for `None`.
    pub(crate) fn optional(self, key: &str, value: Option<impl std::fmt::Display>) -> Self {
        match value {
            Some(value) => self.plain(key, value),
            None => self,
        }
    }

    /// Adds a payload, which is valid in Python's dialect of JSON. If other readers of JSON would
    /// refuse it, `payload` is null, and `payload_text` has it as text.
    pub(crate) fn payload(mut self, json: &[u8]) -> Self {
        let line = String::from_utf8_lossy(&one_line_json(json)).into_owned();
        if is_strict_json(line.as_bytes()) {
            self.plain("payload", line.trim())
        } else {
            self = self.plain("payload", "null");
            self.text("payload_text", line.trim())
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_json_that_every_reader_takes() {
        let line = JsonLine::new()
            .text("a\n", "\"\\\x1b\u{9b}é😀")
            .plain("n", 1)
            .optional("none", None::<u64>)
            .payload(b"{\n\"x\":[1,2]}")
            .finish();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["a\n"], "\"\\\x1b\u{9b}é😀");
        assert_eq!(read["payload"]["x"][1], 2);
        assert!(!line.contains(char::is_control));
        assert!(!line.contains("none"));

        let line = JsonLine::new().payload(br#"{"x":NaN}"#).finish();
        assert_eq!(line, r#"{"payload":null,"payload_text":"{\"x\":NaN}"}"#);
    }
}
