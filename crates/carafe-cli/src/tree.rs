//! A session's content for people: each value with its type.

use carafe::value::{Text, Value};

use crate::output::{Output, Style};
use crate::text::push_quoted;

/// Keys that libraries keep in a session, and their meanings.
const KNOWN_KEYS: [(&str, &str); 14] = [
    ("_permanent", "Flask: the session is permanent"),
    ("_flashes", "Flask: messages for the next page"),
    ("_user_id", "Flask-Login: who is logged in"),
    ("_fresh", "Flask-Login: logged in just now, not remembered"),
    ("_id", "Flask-Login: hash of the visitor's address and browser"),
    ("_remember", "Flask-Login: a remember cookie is to be set or cleared"),
    ("_remember_seconds", "Flask-Login: for how long"),
    ("csrf_token", "Flask-WTF: what its tokens are compared with"),
    ("_auth_user_id", "Django: who is logged in"),
    ("_auth_user_backend", "Django: how they logged in"),
    ("_carafe_user", "Carafe: who is logged in"),
    ("_carafe_login", "Carafe: when, in Unix seconds"),
    ("_carafe_id", "Carafe: the session's id"),
    ("_carafe_csrf", "Carafe: what its CSRF tokens are made of"),
];

/// The lines that show a value.
pub(crate) fn lines(value: &Value, output: &Output) -> Vec<String> {
    let mut tree = Tree { output, lines: Vec::new() };
    match value.as_dict() {
        Some(dict) if dict.is_empty() => tree.lines.push("(empty)".to_owned()),
        Some(_) => tree.children(value, 0),
        None => tree.value(String::new(), value, "", 0),
    }
    tree.lines
}

struct Tree<'a> {
    output: &'a Output,
    lines: Vec<String>,
}

impl Tree<'_> {
    fn children(&mut self, value: &Value, depth: usize) {
        let indent = "  ".repeat(depth);
        if let Some(dict) = value.as_dict() {
            for (key, value) in dict {
                let key = shown_key(key);
                let known = KNOWN_KEYS.iter().find(|(known, _)| depth == 0 && *known == key);
                let label = self.output.paint(Style::Key, &key);
                self.value(
                    format!("{indent}{label}: "),
                    value,
                    known.map_or("", |(_, what)| what),
                    depth,
                );
            }
        }
        for item in value.as_slice().unwrap_or_default() {
            self.value(format!("{indent}- "), item, "", depth);
        }
    }

    fn value(&mut self, start: String, value: &Value, known: &str, depth: usize) {
        let (kind, content) = describe(value);
        let mut line = start + &self.output.paint(Style::Dim, &kind);
        if !content.is_empty() {
            line.push(' ');
            line.push_str(&content);
        }
        if !known.is_empty() {
            line.push_str("  ");
            line.push_str(&self.output.paint(Style::Dim, &format!("({known})")));
        }
        self.lines.push(line);
        self.children(value, depth + 1);
    }
}

/// Returns a key as it is, if it looks like a name, or else quoted.
fn shown_key(key: &Text) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    match key.as_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        _ => quoted(key),
    }
}

fn quoted(text: &Text) -> String {
    let mut out = String::new();
    push_quoted(&mut out, text.code_points());
    out
}

/// Returns the type and, if it fits into a line, the value.
fn describe(value: &Value) -> (String, String) {
    let name = value.type_name();
    let plain = |content: String| (name.to_owned(), content);
    match value {
        Value::Null => plain(String::new()),
        Value::Text(text) | Value::Markup(text) => plain(quoted(text)),
        Value::Bytes(bytes) => plain(format!("b\"{}\"", bytes.escape_ascii())),
        Value::List(items) | Value::Tuple(items) => {
            (format!("{name} of {}", items.len()), String::new())
        }
        Value::Dict(dict) => (format!("{name} of {}", dict.len()), String::new()),
        Value::Uuid(uuid) => plain(uuid.to_string()),
        Value::DateTime(time) => plain(time.to_rfc3339().replace('T', " ").replace('Z', " UTC")),
        // Numbers and truth values are written in ASCII.
        other => plain(other.to_tagged_json().unwrap_or_else(|_| "(too long)".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Color;

    fn shown(json: &str) -> Vec<String> {
        let value = Value::from_tagged_json(json.as_bytes()).unwrap();
        lines(&value, &Output::new(Color::Never))
    }

    #[test]
    fn every_type_is_named() {
        let json = r#"{"_user_id":"42","b":{" b":"AP8="},"d":{" d":"Thu, 29 Feb 2024 12:34:56 GMT"},
            "f":1.5,"l":[],"m":{" m":"<b>"},"n":null,"t":{" t":[1,{"x":true}]},
            "u":{" u":"12345678123456781234567812345678"},"z z":NaN}"#;
        assert_eq!(
            shown(json),
            [
                "_user_id: str \"42\"  (Flask-Login: who is logged in)",
                "b: bytes b\"\\x00\\xff\"",
                "d: datetime 2024-02-29 12:34:56 UTC",
                "f: float 1.5",
                "l: list of 0",
                "m: Markup \"<b>\"",
                "n: None",
                "t: tuple of 2",
                "  - int 1",
                "  - dict of 1",
                "    x: bool true",
                "u: UUID 12345678-1234-5678-1234-567812345678",
                "\"z z\": float NaN",
            ]
        );
        assert_eq!(shown("{}"), ["(empty)"]);
        assert_eq!(shown("[1]"), ["list of 1", "  - int 1"]);
    }

    #[test]
    fn nothing_hostile_is_shown_raw() {
        let json = r#"{"\u001b[2J":"\u001b]0;x\u0007\n\u009b\u202e\ud800\"","é":"é"}"#;
        assert_eq!(
            shown(json),
            [r#""\u001b[2J": str "\u001b]0;x\u0007\n\u009b\u202e\ud800\"""#, "\"é\": str \"é\"",]
        );
    }
}
