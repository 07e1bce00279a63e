//! A session's JSON in Flask's own spelling.

use super::bad_payload;
use super::node::Node;
use super::reader::read_node;
use super::tag::Tags;
use super::writer::{deeper, write, write_members};
use crate::{Error, Text};

/// Writes a session's JSON as Flask would have written it.
///
/// What is in Flask's spelling stays as it is, also where Flask would read something else: dates
/// before the year 100, and the order of keys that are integers.
pub(crate) fn respell_session(json: &[u8]) -> Result<Vec<u8>, Error> {
    let node = read_node(json, Tags::AsWritten)?;
    if !matches!(node, Node::Object(_)) {
        return Err(bad_payload("its JSON is no object"));
    }
    let mut out = Vec::with_capacity(json.len());
    write_node(&mut out, node, 0)?;
    Ok(out)
}

fn write_node(out: &mut Vec<u8>, node: Node, depth: usize) -> Result<(), Error> {
    match node {
        Node::Leaf(value) => write(out, &value, depth),
        Node::List(items) => write_items(out, items, depth),
        Node::Tuple(items) => {
            out.extend_from_slice(b"{\" t\":");
            write_items(out, items, depth + 1)?;
            out.push(b'}');
            Ok(())
        }
        Node::Object(mut members) => {
            if !are_ascending_integers(&members) {
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
            }
            write_members(out, members.into_iter(), depth, write_node)
        }
        Node::Failed(error) => Err(error),
    }
}

fn write_items(out: &mut Vec<u8>, items: Vec<Node>, depth: usize) -> Result<(), Error> {
    let depth = deeper(depth)?;
    out.push(b'[');
    for (count, item) in items.into_iter().enumerate() {
        if count > 0 {
            out.push(b',');
        }
        write_node(out, item, depth)?;
    }
    out.push(b']');
    Ok(())
}

/// Flask sorts keys before it makes text of them, and so puts 9 before 10.
fn are_ascending_integers(members: &[(Text, Node)]) -> bool {
    let integer = |(key, _): &(Text, Node)| -> Option<i64> {
        let text = key.as_str()?;
        text.parse().ok().filter(|number: &i64| number.to_string() == text)
    };
    let numbers: Option<Vec<i64>> = members.iter().map(integer).collect();
    numbers.is_some_and(|numbers| numbers.is_sorted())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn respell(json: &str) -> String {
        String::from_utf8(respell_session(json.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn what_is_in_flasks_spelling_stays() {
        for json in [
            "{}",
            r#"{"d":{" d":"Sun, 01 Jan 0068 00:00:00 GMT"}}"#,
            r#"{"d":{" d":"Mon, 01 Jan 0001 00:00:00 GMT"}}"#,
            r#"{"x":{"1":2,"9":4,"10":3}}"#,
            r#"{"-1":0,"2":{" t":[1.5,1e-05,NaN,-0.0,-Infinity]}}"#,
            r#"{" di":{" t__":[1]}}"#,
            r#"{"a":{" di":{" b__":{" b":"AP8="}}},"m":{" m":"<b>"}}"#,
            r#"{"s":"\ud800\u007f/","u":{" u":"12345678123456781234567812345678"}}"#,
            r#"{"n":123456789012345678901234567890}"#,
        ] {
            assert_eq!(respell(json), json);
        }
    }

    #[test]
    fn other_spellings_become_flasks() {
        for (json, written) in [
            (
                r#" { "b" : 1 , "a" : { "d" : 1 , "c" : "\u00E9é" } } "#,
                r#"{"a":{"c":"\u00e9\u00e9","d":1},"b":1}"#,
            ),
            (r#"{"x":{"10":1,"9":2}}"#, r#"{"x":{"10":1,"9":2}}"#),
            (r#"{"x":{"9":2,"a":3,"10":1}}"#, r#"{"x":{"10":1,"9":2,"a":3}}"#),
            (r#"{"x":{"9":2,"010":1}}"#, r#"{"x":{"010":1,"9":2}}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":-0,"b":1.50,"c":1E2}"#, r#"{"a":0,"b":1.5,"c":100.0}"#),
            // The day of the week is wrong, so no program wrote this for the year 68.
            (
                r#"{"d":{" d":"Mon, 01 Jan 0068 00:00:00 GMT"}}"#,
                r#"{"d":{" d":"Sun, 01 Jan 2068 00:00:00 GMT"}}"#,
            ),
        ] {
            assert_eq!(respell(json), written, "{json}");
        }
    }

    #[test]
    fn what_flask_could_not_read_is_refused() {
        for json in ["", "{", "[]", "null", "1", r#"{" t":[1]}"#, r#"{"a":{" u":"x"}}"#, "{}x"] {
            let error = respell_session(json.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadPayload, "{json}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(480), "]".repeat(480));
        assert_eq!(respell_session(deep.as_bytes()).unwrap_err().kind(), ErrorKind::Value);
    }
}
