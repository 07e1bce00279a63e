//! JSON to values, tags resolved.

use std::collections::HashMap;

use super::super::{Text, Value};
use super::lexer::Lexer;
use super::node::Node;
use super::tag::{Tag, Tags};
use super::{MAX_READ_DEPTH, bad_payload};
use crate::Error;

/// A container that is being read.
enum Frame {
    List(Vec<Node>),
    Object { members: Vec<(Text, Node)>, key: Text },
}

/// Reads a whole text.
pub(crate) fn read_value(json: &[u8], tags: Tags) -> Result<Value, Error> {
    let mut lexer = Lexer::new(json);
    lexer.skip_space();
    if !matches!(lexer.peek(), b'{' | b'[') {
        let value = lexer.scalar()?;
        return lexer.end().map(|()| value);
    }
    read_node(json, tags)?.into_value()
}

/// Reads a whole text, and leaves the order of dictionaries visible.
pub(super) fn read_node(json: &[u8], tags: Tags) -> Result<Node, Error> {
    let mut lexer = Lexer::new(json);
    let node = read_one(&mut lexer, tags)?;
    lexer.end()?;
    match node {
        Node::Failed(error) => Err(error),
        node => Ok(node),
    }
}

/// Keeps its own stack, since the program's would not bear the nesting that an input can have.
fn read_one(lexer: &mut Lexer<'_>, tags: Tags) -> Result<Node, Error> {
    let mut stack: Vec<Frame> = Vec::new();
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
                Node::List(Vec::new())
            }
            b'{' => {
                lexer.pass(1);
                if !lexer.eat(b'}') {
                    let key = lexer.key()?.to_text();
                    stack.push(Frame::Object { members: Vec::new(), key });
                    continue;
                }
                Node::Object(Vec::new())
            }
            _ => Node::Leaf(lexer.scalar()?),
        };
        loop {
            match stack.pop() {
                None => return Ok(node),
                Some(Frame::List(mut items)) => {
                    items.push(node);
                    if lexer.comma_or(b']')? {
                        stack.push(Frame::List(items));
                        break;
                    }
                    node = close_list(items);
                }
                Some(Frame::Object { mut members, key }) => {
                    members.push((key, node));
                    if lexer.comma_or(b'}')? {
                        let key = lexer.key()?.to_text();
                        stack.push(Frame::Object { members, key });
                        break;
                    }
                    node = close_object(members, tags);
                }
            }
        }
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
