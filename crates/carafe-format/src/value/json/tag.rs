//! Flask's tags, and what each of them makes of its body.

use super::super::http_date::{parse_http_date, parse_spelled};
use super::super::{Text, Uuid, Value, float, text};
use super::bad_payload;
use super::node::Node;
use crate::Error;
use crate::base64::decode_standard;

/// The meaning of the tags in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tags {
    /// The meaning that Flask's reader gives them.
    AsRead,
    /// The values that they were written for, where Flask's reader would change what its writer
    /// wrote: it takes the year 68 for 2068.
    AsWritten,
    /// None: dictionaries stay dictionaries, as in any other JSON.
    Ignored,
}

/// A key that, alone in a dictionary, marks a type.
///
/// As large as a word: smaller, it would leave a gap in what it is a part of.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(usize)]
pub(super) enum Tag {
    Dict,
    Tuple,
    Bytes,
    Markup,
    Uuid,
    DateTime,
}

impl Tag {
    /// The tag that this key is, if any.
    #[inline]
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        let (b' ', name) = key.split_first()? else {
            return None;
        };
        match name {
            b"di" => Some(Self::Dict),
            b"t" => Some(Self::Tuple),
            b"b" => Some(Self::Bytes),
            b"m" => Some(Self::Markup),
            b"u" => Some(Self::Uuid),
            b"d" => Some(Self::DateTime),
            _ => None,
        }
    }

    /// The value that the tag makes of its body, whose own tags are resolved already: what the
    /// Python call on the right does.
    pub(super) fn resolve(self, body: Node, tags: Tags) -> Result<Node, Error> {
        match self {
            Self::Dict => unescape_dict(body),
            Self::Tuple => tuple(body),
            Self::Bytes => bytes(body),
            Self::Markup => markup(body),
            Self::Uuid => uuid(body),
            Self::DateTime => datetime(body, tags),
        }
    }
}

/// `key = next(iter(body)); {key[:-2]: body[key]}`
fn unescape_dict(body: Node) -> Result<Node, Error> {
    let Node::Object(members) = body else {
        return Err(bad_payload("a dict tag holds no dictionary"));
    };
    let Some((key, value)) = members.into_iter().next() else {
        return Err(bad_payload("a dict tag holds an empty dictionary"));
    };
    let len = key.code_points().count().saturating_sub(2);
    let mut cut = Vec::new();
    key.code_points().take(len).for_each(|c| text::push_code_point(&mut cut, c));
    Ok(Node::Object(vec![(Text::from_wtf8_vec(cut), value)]))
}

/// `tuple(body)`
fn tuple(body: Node) -> Result<Node, Error> {
    let items = body.into_items().ok_or_else(|| bad_payload("a tuple tag holds no list"))?;
    Ok(Node::Tuple(items))
}

/// `b64decode(body)`
fn bytes(body: Node) -> Result<Node, Error> {
    let bytes = match body {
        Node::Leaf(Value::Text(text) | Value::Markup(text)) if text.as_wtf8().is_ascii() => {
            decode_standard(text.as_wtf8())
        }
        Node::Leaf(Value::Bytes(bytes)) => decode_standard(&bytes),
        _ => return Err(bad_payload("a bytes tag holds no base64")),
    };
    let bytes = bytes.ok_or_else(|| bad_payload("the base64 of a bytes value is incomplete"))?;
    Ok(Node::Leaf(Value::Bytes(bytes)))
}

/// `Markup(body)`, which is `str(body)` where the body is no text. That of bytes, dates and
/// containers is refused: Flask never writes it.
fn markup(body: Node) -> Result<Node, Error> {
    let text = match body {
        Node::Leaf(Value::Text(text) | Value::Markup(text)) => text,
        Node::Leaf(Value::Null) => Text::from("None"),
        Node::Leaf(Value::Bool(true)) => Text::from("True"),
        Node::Leaf(Value::Bool(false)) => Text::from("False"),
        Node::Leaf(Value::Int(int)) => Text::from(int.to_string()),
        Node::Leaf(Value::Float(float)) => python_str(float),
        Node::Leaf(Value::Uuid(uuid)) => Text::from(uuid.to_string()),
        _ => return Err(bad_payload("a markup tag holds no text")),
    };
    Ok(Node::Leaf(Value::Markup(text)))
}

fn python_str(float: f64) -> Text {
    if float.is_nan() {
        return Text::from("nan");
    }
    if float.is_infinite() {
        return Text::from(if float < 0.0 { "-inf" } else { "inf" });
    }
    let mut repr = Vec::new();
    float::write_float(&mut repr, float);
    Text::from_wtf8_vec(repr)
}

/// `UUID(body)`
fn uuid(body: Node) -> Result<Node, Error> {
    let id = match body {
        Node::Leaf(Value::Text(text) | Value::Markup(text)) => {
            text.as_str().and_then(Uuid::parse_python)
        }
        _ => None,
    };
    id.map(|id| Node::Leaf(Value::Uuid(id))).ok_or_else(|| bad_payload("a UUID tag holds no UUID"))
}

/// `parse_date(body)`, which takes all that Python counts as false, and bytes, for no date.
fn datetime(body: Node, tags: Tags) -> Result<Node, Error> {
    let written = match &body {
        Node::Leaf(Value::Text(text)) if tags == Tags::AsWritten => parse_spelled(text.as_wtf8()),
        _ => None,
    };
    let date = match body {
        _ if written.is_some() => written,
        Node::Leaf(Value::Text(text) | Value::Markup(text)) => {
            parse_http_date(&text.to_string_lossy())
                .map_err(|_| bad_payload("a date tag holds a date out of range"))?
        }
        Node::Leaf(Value::Null | Value::Bool(false) | Value::Bytes(_)) => None,
        Node::Leaf(Value::Int(int)) if int.as_i64() == Some(0) => None,
        Node::Leaf(Value::Float(0.0)) => None,
        Node::List(items) | Node::Tuple(items) if items.is_empty() => None,
        Node::Object(members) if members.is_empty() => None,
        _ => return Err(bad_payload("a date tag holds no text")),
    };
    Ok(Node::Leaf(date.map_or(Value::Null, Value::DateTime)))
}
