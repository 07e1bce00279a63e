//! JSON to values, tags resolved.

use std::collections::HashMap;

use super::super::{Dict, Text, Value};
use super::lexer::Lexer;
use super::node::Node;
use super::tag::{Tag, Tags};
use super::{MAX_READ_DEPTH, bad_payload};
use crate::Error;

/// The result of reading JSON: values, or nodes that keep the order of dictionaries.
trait Tree: Sized {
    fn leaf(value: Value) -> Self;

    /// The list of these items; `None` where this kind of tree can't hold it.
    fn list(items: Vec<Self>) -> Option<Self>;

    /// The dictionary of these members, in the order of the source, or what a tag makes of it;
    /// `None` where this kind of tree can't hold it.
    fn object(members: Vec<(Text, Self)>, tags: Tags) -> Option<Self>;
}

/// A container that is being read.
enum Frame<T> {
    List(Vec<T>),
    Object { members: Vec<(Text, T)>, key: Text },
}

/// Reads a whole text.
pub(crate) fn read_value(json: &[u8], tags: Tags) -> Result<Value, Error> {
    let mut lexer = Lexer::new(json);
    match read_one(&mut lexer, tags)? {
        Some(value) => lexer.end().map(|()| value),
        None => read_node(json, tags)?.into_value(),
    }
}

/// Reads a whole text, and leaves the order of dictionaries visible.
pub(super) fn read_node(json: &[u8], tags: Tags) -> Result<Node, Error> {
    let mut lexer = Lexer::new(json);
    let node = read_one(&mut lexer, tags)?;
    lexer.end()?;
    match node.ok_or_else(|| bad_payload("the session's JSON has a container without a form"))? {
        Node::Failed(error) => Err(error),
        node => Ok(node),
    }
}

/// Keeps its own stack, since the program's would not bear the nesting that an input can have.
///
/// `None` if the tree can't hold something of it; the rest is not read then.
fn read_one<T: Tree>(lexer: &mut Lexer<'_>, tags: Tags) -> Result<Option<T>, Error> {
    let mut stack: Vec<Frame<T>> = Vec::new();
    loop {
        lexer.skip_space();
        let mut node = match lexer.peek() {
            b'[' | b'{' if stack.len() == MAX_READ_DEPTH => {
                return Err(bad_payload("the session's JSON is nested too deeply"));
            }
            b'[' => {
                lexer.pass(1);
                if !lexer.eat(b']') {
                    stack.push(Frame::List(Vec::new()));
                    continue;
                }
                T::list(Vec::new())
            }
            b'{' => {
                lexer.pass(1);
                if !lexer.eat(b'}') {
                    let key = lexer.key()?.to_text();
                    stack.push(Frame::Object { members: Vec::new(), key });
                    continue;
                }
                T::object(Vec::new(), tags)
            }
            _ => Some(T::leaf(lexer.scalar()?)),
        };
        loop {
            let Some(read) = node else { return Ok(None) };
            match stack.last_mut() {
                None => return Ok(Some(read)),
                Some(Frame::List(items)) => {
                    items.push(read);
                    if lexer.comma_or(b']')? {
                        break;
                    }
                }
                Some(Frame::Object { members, key }) => {
                    members.push((std::mem::take(key), read));
                    if lexer.comma_or(b'}')? {
                        *key = lexer.key()?.to_text();
                        break;
                    }
                }
            }
            node = match stack.pop() {
                Some(Frame::List(items)) => T::list(items),
                Some(Frame::Object { members, .. }) => T::object(members, tags),
                None => None,
            };
        }
    }
}

/// The values themselves. Their dictionaries are sorted, so that the order of the source is lost where
/// it is another one, and with it what some tags depend on.
impl Tree for Value {
    fn leaf(value: Value) -> Self {
        value
    }

    fn list(items: Vec<Self>) -> Option<Self> {
        Some(Self::List(items))
    }

    fn object(mut members: Vec<(Text, Self)>, tags: Tags) -> Option<Self> {
        if let [(key, _)] = members.as_slice()
            && tags != Tags::Ignored
            && let Some(tag) = Tag::of(key.as_wtf8())
        {
            return match (tag, members.pop()?.1) {
                (Tag::Tuple, Self::List(items)) => Some(Self::Tuple(items)),
                (_, Self::Dict(_) | Self::List(_) | Self::Tuple(_)) => None,
                (tag, body) => match tag.resolve(Node::Leaf(body), tags) {
                    Ok(Node::Leaf(value)) => Some(value),
                    _ => None,
                },
            };
        }
        let is_sorted = members.is_sorted_by(|(a, _), (b, _)| a < b);
        is_sorted.then(|| Self::Dict(Dict::from_sorted(members)))
    }
}

/// The tree that Python sees, including the parts that it fails on.
impl Tree for Node {
    fn leaf(value: Value) -> Self {
        Self::Leaf(value)
    }

    fn list(items: Vec<Self>) -> Option<Self> {
        Some(close_list(items))
    }

    fn object(members: Vec<(Text, Self)>, tags: Tags) -> Option<Self> {
        Some(close_object(members, tags))
    }
}

fn close_list(mut items: Vec<Node>) -> Node {
    match items.iter().position(|item| matches!(item, Node::Failed(_))) {
        Some(failed) => items.swap_remove(failed),
        None => Node::List(items),
    }
}

fn close_object(members: Vec<(Text, Node)>, tags: Tags) -> Node {
    let mut members = without_duplicates(members);
    if let Some(failed) = members.iter().position(|(_, node)| matches!(node, Node::Failed(_))) {
        return members.swap_remove(failed).1;
    }
    let tag = match members.as_slice() {
        [(key, _)] if tags != Tags::Ignored => Tag::of(key.as_wtf8()),
        _ => None,
    };
    match (tag, members.pop()) {
        (Some(tag), Some((_, body))) => tag.resolve(body, tags).unwrap_or_else(Node::Failed),
        (_, last) => {
            members.extend(last);
            Node::Object(members)
        }
    }
}

/// As in Python, the last value of a key counts, and the key stays where it first stood.
fn without_duplicates(members: Vec<(Text, Node)>) -> Vec<(Text, Node)> {
    if members.is_sorted_by(|(a, _), (b, _)| a < b) {
        return members;
    }
    let mut places: HashMap<Text, usize> = HashMap::with_capacity(members.len());
    let mut unique: Vec<(Text, Node)> = Vec::with_capacity(members.len());
    for (key, node) in members {
        match places.get(&key) {
            Some(&place) => unique[place].1 = node,
            None => {
                places.insert(key.clone(), unique.len());
                unique.push((key, node));
            }
        }
    }
    unique
}
