//! The reader's result before it becomes a value.

use super::super::{Text, Value, text};
use crate::Error;

/// A value whose dictionaries still have the order of the source, which some tags see.
#[derive(Debug)]
pub(super) enum Node {
    Leaf(Value),
    List(Vec<Node>),
    Tuple(Vec<Node>),
    Object(Vec<(Text, Node)>),
    /// A tag that Flask fails on, unless a later duplicate of its key overrides it: Flask looks at
    /// tags only when all the JSON is read.
    Failed(Error),
}

impl Node {
    /// The items of what Python can iterate: `list(node)`.
    pub(super) fn into_items(self) -> Option<Vec<Self>> {
        Some(match self {
            Self::List(items) | Self::Tuple(items) => items,
            Self::Object(members) => {
                members.into_iter().map(|(key, _)| Self::Leaf(Value::Text(key))).collect()
            }
            Self::Leaf(Value::Text(text) | Value::Markup(text)) => characters(&text).collect(),
            Self::Leaf(Value::Bytes(bytes)) => {
                bytes.into_iter().map(|byte| Self::Leaf(Value::from(byte))).collect()
            }
            Self::Leaf(_) | Self::Failed(_) => return None,
        })
    }

    // Loops, where iterators would put several more frames on the stack for each level.
    pub(super) fn into_value(self) -> Result<Value, Error> {
        match self {
            Self::Leaf(value) => Ok(value),
            Self::List(nodes) => Ok(Value::List(into_values(nodes)?)),
            Self::Tuple(nodes) => Ok(Value::Tuple(into_values(nodes)?)),
            Self::Object(members) => {
                let mut values = Vec::with_capacity(members.len());
                for (key, node) in members {
                    values.push((key, node.into_value()?));
                }
                Ok(Value::Dict(values.into_iter().collect()))
            }
            Self::Failed(error) => Err(error),
        }
    }
}

fn into_values(nodes: Vec<Node>) -> Result<Vec<Value>, Error> {
    let mut values = Vec::with_capacity(nodes.len());
    for node in nodes {
        values.push(node.into_value()?);
    }
    Ok(values)
}

/// The characters of a text, each a text of its own.
fn characters(text: &Text) -> impl Iterator<Item = Node> {
    text.code_points().map(|c| {
        let mut character = Vec::new();
        text::push_code_point(&mut character, c);
        Node::Leaf(Value::Text(Text::from_wtf8_vec(character)))
    })
}
