//! The result of Python's `dict(x)` for a payload's top level.

use super::super::{Dict, Text, Value, float};
use super::bad_payload;
use super::node::Node;
use super::reader::read_node;
use super::tag::Tags;
use crate::Error;

/// Reads a payload whose top level is something else than a plain object, or which the validating
/// pass could not judge.
pub(super) fn read_session(json: &[u8]) -> Result<Dict, Error> {
    let items = match read_node(json, Tags::AsRead)? {
        node @ Node::Object(_) => match node.into_value()? {
            Value::Dict(dict) => return Ok(dict),
            _ => return Err(no_session()),
        },
        Node::List(items) | Node::Tuple(items) => items,
        Node::Leaf(Value::Null) => Vec::new(),
        Node::Leaf(Value::Text(text) | Value::Markup(text)) if text.is_empty() => Vec::new(),
        Node::Leaf(Value::Bytes(bytes)) if bytes.is_empty() => Vec::new(),
        _ => return Err(no_session()),
    };
    items
        .into_iter()
        .map(|item| {
            let (key, value) = pair(item)?;
            Ok((key_text(key)?, value.into_value()?))
        })
        .collect()
}

fn no_session() -> Error {
    bad_payload("the session's JSON is no dictionary, nor what Python makes one of")
}

/// The two items of what Python can iterate.
fn pair(node: Node) -> Result<(Node, Node), Error> {
    let items = node.into_items().ok_or_else(no_session)?;
    match <[Node; 2]>::try_from(items) {
        Ok([key, value]) => Ok((key, value)),
        Err(_) => Err(no_session()),
    }
}

/// The text that Flask's JSON writer makes of a key. Keys that it can't write are refused.
fn key_text(key: Node) -> Result<Text, Error> {
    let text = match key {
        Node::Leaf(Value::Text(text) | Value::Markup(text)) => return Ok(text),
        Node::Leaf(Value::Null) => "null".to_owned(),
        Node::Leaf(Value::Bool(bool)) => bool.to_string(),
        Node::Leaf(Value::Int(int)) => int.to_string(),
        Node::Leaf(Value::Float(float)) => {
            let mut repr = Vec::new();
            float::write_float(&mut repr, float);
            return Ok(Text::from_wtf8_vec(repr));
        }
        _ => return Err(no_session()),
    };
    Ok(Text::from(text))
}
