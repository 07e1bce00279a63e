//! The pass over a session's payload that validates all of it and finds its top-level keys.

use smallvec::SmallVec;

use super::super::http_date::parse_http_date;
use super::index::{Place, Places, Spelling, is_less};
use super::lexer::{Lexer, RawStr};
use super::tag::Tag;
use super::{MAX_READ_DEPTH, bad_payload, base64};
use crate::Error;

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
#[derive(Clone, Copy)]
enum Seen<'a> {
    Text(RawStr<'a>),
    List,
    EmptyDict,
    /// A dictionary that Flask would write behind a dict tag, such as `{" t__":1}`.
    EscapedDict,
    Dict,
    Other,
}

/// Validates a payload, and finds its keys in the order in which they stand. The decoded forms of
/// keys that have escapes are put into `decoded`.
pub(super) fn validate(
    json: &[u8],
    places: &mut Places<'_>,
    decoded: &mut Vec<u8>,
) -> Result<(), Unindexed> {
    let mut lexer = Lexer::new(json);
    if !lexer.eat(b'{') {
        return Err(Unindexed::Unusual);
    }
    if !lexer.eat(b'}') {
        loop {
            places.push(member(&mut lexer, decoded)?);
            if !lexer.comma_or(b'}')? {
                break;
            }
        }
    }
    Ok(lexer.end()?)
}

#[inline]
fn member(lexer: &mut Lexer<'_>, decoded: &mut Vec<u8>) -> Result<Place, Unindexed> {
    lexer.open_key()?;
    let mut start = lexer.pos;
    let key = lexer.string()?;
    let mut len = key.body.len();
    if key.escaped() {
        start = lexer.bytes.len() + decoded.len();
        let text = key.decode();
        len = text.len();
        decoded.extend_from_slice(&text);
    }
    let key = start as u32..(start + len) as u32;
    lexer.colon()?;
    lexer.skip_space();
    let start = lexer.pos;
    lexer.unusual = 0;
    let seen = match lexer.peek() {
        b'"' => {
            lexer.pos += 1;
            Seen::Text(lexer.string()?)
        }
        b'{' | b'[' => container(lexer)?,
        _ => {
            word_or_number(lexer)?;
            Seen::Other
        }
    };
    let spelling = match seen {
        _ if lexer.unusual > 0 => Spelling::Other,
        Seen::Text(text) if !text.escaped() => Spelling::PlainText,
        _ => Spelling::Canonical,
    };
    Ok(Place::new(key, start as u32..lexer.pos as u32, spelling))
}

/// A container that is being passed. It has no gaps, since copies of it would be slow.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Open<'a> {
    /// The session itself.
    Top,
    List,
    /// A dictionary with its last key, the number of those before it, and the tag that the first
    /// one is.
    Dict {
        last: RawStr<'a>,
        before: usize,
        tag: Option<Tag>,
    },
}

/// Passes a top-level list or dictionary. Keeps its own stack, since the program's would not bear the
/// nesting that an input can have.
fn container<'a>(outer: &mut Lexer<'a>) -> Result<Seen<'a>, Unindexed> {
    let mut lexer = *outer;
    let mut open = Open::Top;
    let mut outside: SmallVec<[Open<'a>; 6]> = SmallVec::new();
    loop {
        lexer.skip_space();
        let mut seen = match lexer.peek() {
            b'"' => {
                lexer.pos += 1;
                Seen::Text(lexer.string()?)
            }
            // The session itself is one level.
            b'{' | b'[' if outside.len() + 1 == MAX_READ_DEPTH => {
                return Err(bad_payload("the session's JSON is nested too deeply").into());
            }
            b'{' => {
                lexer.pos += 1;
                if !lexer.eat(b'}') {
                    let first = lexer.key()?;
                    outside.push(open);
                    open = Open::Dict { last: first, before: 0, tag: tag_of(first)? };
                    continue;
                }
                Seen::EmptyDict
            }
            b'[' => {
                lexer.pos += 1;
                if !lexer.eat(b']') {
                    outside.push(open);
                    open = Open::List;
                    continue;
                }
                Seen::List
            }
            _ => {
                word_or_number(&mut lexer)?;
                Seen::Other
            }
        };
        loop {
            match &mut open {
                Open::Top => {
                    // Field by field: the rest is the same, and a copy of all of it would wait for
                    // what was written last.
                    (outer.pos, outer.unusual) = (lexer.pos, lexer.unusual);
                    return Ok(seen);
                }
                Open::List => {
                    if lexer.comma_or(b']')? {
                        break;
                    }
                    seen = Seen::List;
                }
                Open::Dict { last, before, tag } => {
                    if lexer.comma_or(b'}')? {
                        let key = lexer.key()?;
                        // A duplicate of a tag leaves a dictionary of one key.
                        if tag.is_some() && (key.escaped() || Tag::of(key.body) == *tag) {
                            return Err(Unindexed::Unusual);
                        }
                        lexer.unusual += usize::from(!in_order(*last, key));
                        *last = key;
                        *before += 1;
                        break;
                    }
                    seen = match tag {
                        Some(tag) if *before == 0 => {
                            let (seen, unusual) = tagged(*tag, seen)?;
                            lexer.unusual += unusual;
                            seen
                        }
                        None if *before == 0 && is_escaped_tag(*last) => Seen::EscapedDict,
                        _ => Seen::Dict,
                    };
                }
            }
            open = outside.pop().unwrap_or(Open::Top);
        }
    }
}

#[inline(always)]
fn word_or_number(lexer: &mut Lexer<'_>) -> Result<(), Error> {
    match lexer.peek() {
        b'-' if lexer.word(b"-Infinity") => {}
        b'-' | b'0'..=b'9' => {
            lexer.number()?;
        }
        b't' if lexer.word(b"true") => {}
        b'f' if lexer.word(b"false") => {}
        b'n' if lexer.word(b"null") => {}
        b'N' if lexer.word(b"NaN") => {}
        b'I' if lexer.word(b"Infinity") => {}
        _ => return Err(bad_payload("the session's JSON lacks a value")),
    }
    Ok(())
}

/// The tag that a key is. No spelling of a tag is longer than three characters of six bytes.
#[inline]
fn tag_of(key: RawStr<'_>) -> Result<Option<Tag>, Unindexed> {
    if key.escaped() && key.body.len() <= 18 && Tag::of(&key.decode()).is_some() {
        return Err(Unindexed::Unusual);
    }
    Ok(Tag::of(key.body))
}

fn is_escaped_tag(key: RawStr<'_>) -> bool {
    key.body.strip_suffix(b"__").is_some_and(|tag| Tag::of(tag).is_some())
}

#[inline(always)]
fn in_order(a: RawStr<'_>, b: RawStr<'_>) -> bool {
    if a.escaped() || b.escaped() { a.decode() < b.decode() } else { is_less(a.body, b.body) }
}

/// Judges the tags whose bodies are of the kind that Flask writes, and says whether Flask spells them
/// so, or how often it doesn't.
#[inline(never)]
fn tagged<'a>(tag: Tag, body: Seen<'a>) -> Result<(Seen<'a>, usize), Unindexed> {
    match (tag, body) {
        (Tag::Tuple, Seen::List) | (Tag::Markup, Seen::Text(_)) => Ok((Seen::Other, 0)),
        (Tag::Dict, Seen::EscapedDict) => Ok((Seen::Dict, 0)),
        (Tag::Dict, Seen::Dict) => Ok((Seen::Other, 1)),
        (Tag::Bytes, Seen::Text(text)) if base64::is_canonical(text.body) => Ok((Seen::Other, 0)),
        (Tag::Uuid, Seen::Text(text)) if is_canonical_uuid(text.body) => Ok((Seen::Other, 0)),
        (Tag::DateTime, Seen::Text(text)) if !text.escaped() => {
            let date = std::str::from_utf8(text.body).ok().map(parse_http_date);
            let Some(Ok(date)) = date else {
                return Err(Unindexed::Unusual);
            };
            let canonical = date.is_some_and(|date| {
                let mut written = [0; 29];
                date.write_http_date(&mut written);
                written == text.body
            });
            Ok((Seen::Other, usize::from(!canonical)))
        }
        _ => Err(Unindexed::Unusual),
    }
}

fn is_canonical_uuid(text: &[u8]) -> bool {
    text.len() == 32 && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
