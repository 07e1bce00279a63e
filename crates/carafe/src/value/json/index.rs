//! The pass over a session's payload that validates all of it and finds its top-level keys.

use std::ops::Range;

use smallvec::SmallVec;

use super::super::Text;
use super::super::http_date::parse_http_date;
use super::lexer::{Lexer, RawStr};
use super::tag::Tag;
use super::{MAX_READ_DEPTH, bad_payload, base64};
use crate::Error;

/// A top-level key and where its value stands.
#[derive(Clone)]
pub(super) struct Indexed {
    pub(super) key: Key,
    pub(super) value: Range<u32>,
    /// Whether the value is in Flask's own spelling, so that its bytes can be copied.
    pub(super) canonical: bool,
}

#[derive(Clone)]
pub(super) enum Key {
    /// A key without escapes stands in the payload as it is.
    Raw(Range<u32>),
    /// Boxed to keep the index small, since few keys have escapes.
    Decoded(Box<Text>),
}

impl Indexed {
    #[inline]
    pub(super) fn key<'a>(&'a self, json: &'a [u8]) -> &'a [u8] {
        match &self.key {
            Key::Raw(range) => &json[range.start as usize..range.end as usize],
            Key::Decoded(text) => text.as_wtf8(),
        }
    }

    #[inline]
    pub(super) fn value<'a>(&self, json: &'a [u8]) -> &'a [u8] {
        &json[self.value.start as usize..self.value.end as usize]
    }
}

pub(super) type Index = SmallVec<[Indexed; 4]>;

/// Why there is no index.
pub(super) enum Unindexed {
    /// The payload is valid or not, in a way that Flask never writes; the reader decides.
    Unusual,
    Invalid(Error),
}

impl From<Error> for Unindexed {
    fn from(error: Error) -> Self {
        Self::Invalid(error)
    }
}

/// What a value was seen to be, as far as a tag around it needs to know.
enum Seen<'a> {
    Text(RawStr<'a>),
    List,
    EmptyDict,
    /// A dictionary that Flask would write behind a dict tag, such as `{" t__":1}`.
    EscapedDict,
    Dict,
    Other,
}

/// Validates a payload, and indexes its keys in their order.
pub(super) fn index(json: &[u8]) -> Result<Index, Unindexed> {
    if u32::try_from(json.len()).is_err() {
        return Err(bad_payload("the session is larger than 4 GiB").into());
    }
    let mut lexer = Lexer::new(json);
    let mut index = Index::new();
    if !lexer.eat(b'{') {
        return Err(Unindexed::Unusual);
    }
    if !lexer.eat(b'}') {
        loop {
            index.push(member(&mut lexer)?);
            if !lexer.comma_or(b'}')? {
                break;
            }
        }
    }
    lexer.end()?;
    if let [only] = index.as_slice()
        && Tag::of(only.key(json)).is_some()
    {
        return Err(Unindexed::Unusual);
    }
    if !index.is_sorted_by(|a, b| a.key(json) < b.key(json)) {
        index.sort_by(|a, b| a.key(json).cmp(b.key(json)));
        // A value that a later one of the same key overrides may be of any kind.
        if !index.is_sorted_by(|a, b| a.key(json) < b.key(json)) {
            return Err(Unindexed::Unusual);
        }
    }
    Ok(index)
}

fn member(lexer: &mut Lexer<'_>) -> Result<Indexed, Unindexed> {
    let key = lexer.key()?;
    let key = if key.escaped {
        Key::Decoded(Box::new(key.to_text()))
    } else {
        Key::Raw(key.start as u32..(key.start + key.body.len()) as u32)
    };
    lexer.skip_space();
    let start = lexer.pos;
    lexer.canonical = true;
    value(lexer)?;
    Ok(Indexed { key, value: start as u32..lexer.pos as u32, canonical: lexer.canonical })
}

/// A container that is being passed.
enum Open<'a> {
    List,
    Dict { first: RawStr<'a>, tag: Option<Tag>, last: Option<RawStr<'a>> },
}

/// Passes a top-level value. Keeps its own stack, since the program's would not bear the nesting
/// that an input can have.
fn value<'a>(lexer: &mut Lexer<'a>) -> Result<(), Unindexed> {
    let mut stack: SmallVec<[Open<'a>; 6]> = SmallVec::new();
    loop {
        lexer.skip_space();
        let mut seen = match lexer.peek() {
            b'"' => {
                lexer.pos += 1;
                Seen::Text(lexer.string()?)
            }
            // The session itself is one level.
            b'{' | b'[' if stack.len() + 1 == MAX_READ_DEPTH => {
                return Err(bad_payload("the session's JSON is nested too deeply").into());
            }
            b'{' => {
                lexer.pos += 1;
                if !lexer.eat(b'}') {
                    let first = lexer.key()?;
                    stack.push(Open::Dict { first, tag: tag_of(first)?, last: None });
                    continue;
                }
                Seen::EmptyDict
            }
            b'[' => {
                lexer.pos += 1;
                if !lexer.eat(b']') {
                    stack.push(Open::List);
                    continue;
                }
                Seen::List
            }
            _ => word_or_number(lexer)?,
        };
        loop {
            match stack.last_mut() {
                None => return Ok(()),
                Some(Open::List) => {
                    if lexer.comma_or(b']')? {
                        break;
                    }
                    seen = Seen::List;
                }
                Some(Open::Dict { first, tag, last }) => {
                    if lexer.comma_or(b'}')? {
                        let key = lexer.key()?;
                        // A duplicate of a tag leaves a dictionary of one key.
                        if tag.is_some() && (key.escaped || key.body == first.body) {
                            return Err(Unindexed::Unusual);
                        }
                        lexer.canonical &= in_order(last.unwrap_or(*first), key);
                        *last = Some(key);
                        break;
                    }
                    seen = match (last, tag) {
                        (None, Some(tag)) => tagged(lexer, *tag, &seen)?,
                        (None, None) if is_escaped_tag(*first) => Seen::EscapedDict,
                        _ => Seen::Dict,
                    };
                }
            }
            stack.pop();
        }
    }
}

#[inline]
fn word_or_number<'a>(lexer: &mut Lexer<'a>) -> Result<Seen<'a>, Error> {
    match lexer.peek() {
        b'n' if lexer.word(b"null") => {}
        b't' if lexer.word(b"true") => {}
        b'f' if lexer.word(b"false") => {}
        b'N' if lexer.word(b"NaN") => {}
        b'I' if lexer.word(b"Infinity") => {}
        b'-' if lexer.word(b"-Infinity") => {}
        b'-' | b'0'..=b'9' => {
            lexer.number()?;
        }
        _ => return Err(bad_payload("the session's JSON lacks a value")),
    }
    Ok(Seen::Other)
}

/// The tag that a key is. No spelling of a tag is longer than three characters of six bytes.
fn tag_of(key: RawStr<'_>) -> Result<Option<Tag>, Unindexed> {
    if key.escaped && key.body.len() <= 18 && Tag::of(&key.decode()).is_some() {
        return Err(Unindexed::Unusual);
    }
    Ok(Tag::of(key.body))
}

fn is_escaped_tag(key: RawStr<'_>) -> bool {
    key.body.strip_suffix(b"__").is_some_and(|tag| Tag::of(tag).is_some())
}

fn in_order(a: RawStr<'_>, b: RawStr<'_>) -> bool {
    if a.escaped || b.escaped { a.decode() < b.decode() } else { a.body < b.body }
}

/// Judges the tags whose bodies are of the kind that Flask writes.
fn tagged<'a>(lexer: &mut Lexer<'a>, tag: Tag, body: &Seen<'a>) -> Result<Seen<'a>, Unindexed> {
    match (tag, body) {
        (Tag::Tuple, Seen::List) | (Tag::Markup, Seen::Text(_)) => Ok(Seen::Other),
        (Tag::Dict, Seen::EscapedDict) => Ok(Seen::Dict),
        (Tag::Dict, Seen::Dict) => {
            lexer.canonical = false;
            Ok(Seen::Other)
        }
        (Tag::Bytes, Seen::Text(text)) if base64::is_canonical(text.body) => Ok(Seen::Other),
        (Tag::Uuid, Seen::Text(text)) if is_canonical_uuid(text.body) => Ok(Seen::Other),
        (Tag::DateTime, Seen::Text(text)) if !text.escaped => {
            let date = std::str::from_utf8(text.body).ok().map(parse_http_date);
            let Some(Ok(date)) = date else {
                return Err(Unindexed::Unusual);
            };
            lexer.canonical &= date.is_some_and(|date| {
                let mut written = [0; 29];
                date.write_http_date(&mut written);
                written == text.body
            });
            Ok(Seen::Other)
        }
        _ => Err(Unindexed::Unusual),
    }
}

fn is_canonical_uuid(text: &[u8]) -> bool {
    text.len() == 32 && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
