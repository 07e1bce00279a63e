//! The pass over a session's payload that validates all of it and finds its top-level keys.

use super::super::http_date::parse_http_date;
use super::lexer::Lexer;
use super::place::{Place, Places, Spelling};
use super::raw_str::RawStr;
use super::tag::Tag;
use super::{MAX_READ_DEPTH, bad_payload};
use crate::{Error, base64};

/// The reason why there is no index.
pub(in super::super) enum Unindexed {
    /// The payload is valid or not, in a way that Flask never writes; the reader decides.
    Unusual,
    Invalid(Error),
}

impl From<Error> for Unindexed {
    fn from(error: Error) -> Self {
        Self::Invalid(error)
    }
}

/// The kind of a value, as far as a tag around it needs to know.
#[derive(Clone, Copy)]
enum Seen {
    Text,
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
    if lexer.first_key()? {
        let mut last: Option<(&[u8], u64)> = None;
        loop {
            let mut start = json.len() - lexer.rest.len();
            let (key, rank) = lexer.ranked_key()?;
            if let Some((last, last_rank)) = last
                && last_rank >= rank
            {
                places.in_order &= last_rank == rank && follows(last, key);
            }
            last = Some((key.body, rank));
            let mut len = key.body.len();
            if key.escaped() {
                let text = key.decode();
                (start, len) = (json.len() + decoded.len(), text.len());
                decoded.extend_from_slice(&text);
            }
            lexer.skip_space();
            let value = json.len() - lexer.rest.len();
            let spelling = value_spelling(&mut lexer)?;
            let bounds = [start, start + len, value, json.len() - lexer.rest.len()];
            places.push(Place::new(bounds.map(|bound| bound as u32), spelling));
            if !lexer.next_key()? {
                break;
            }
        }
    }
    Ok(lexer.end()?)
}

/// Passes a value, which is valid and as Flask would write it, or nearly so.
pub(in super::super) fn pass_value(lexer: &mut Lexer<'_>) -> Result<(), Unindexed> {
    value_spelling(lexer).map(drop)
}

/// Passes a value of the top level.
#[inline(always)]
fn value_spelling(lexer: &mut Lexer<'_>) -> Result<Spelling, Unindexed> {
    lexer.unusual = 0;
    let mut spelling = Spelling::Canonical;
    match lexer.peek() {
        b'"' => {
            lexer.pass(1);
            if !lexer.string()?.escaped() {
                spelling = Spelling::PlainText;
            }
        }
        b'{' | b'[' => {
            // A copy, or else the compiler would keep it in memory.
            let inner = *lexer;
            (lexer.rest, lexer.unusual) = container(&inner)?;
        }
        _ => word_or_number(lexer)?,
    }
    Ok(if lexer.unusual > 0 { Spelling::Other } else { spelling })
}

/// A container that is being passed. It has no gaps, since copies of it would be slow.
#[derive(Clone, Copy)]
struct Open<'a> {
    kind: Kind,
    /// The last key of a dictionary, and its rank.
    key: &'a [u8],
    rank: u64,
}

#[derive(Clone, Copy, PartialEq)]
#[repr(usize)]
enum Kind {
    List,
    Dict,
    /// A dictionary of one key so far, which begins with a space, as tags do.
    Space,
    /// A dictionary of several keys, of which the first is a tag.
    Tag,
}

/// The number of containers around one before their places are allocated.
const NEAR: usize = 4;

/// The containers around the one that is being passed.
struct Outside<'a> {
    depth: usize,
    near: [Open<'a>; NEAR],
    far: Vec<Open<'a>>,
}

impl<'a> Outside<'a> {
    #[inline(always)]
    fn push(&mut self, open: Open<'a>) {
        match self.near.get_mut(self.depth) {
            Some(near) => *near = open,
            None => self.far.push(open),
        }
        self.depth += 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Open<'a>> {
        self.depth = self.depth.checked_sub(1)?;
        match self.near.get(self.depth) {
            Some(near) => Some(*near),
            None => self.far.pop(),
        }
    }
}

/// Passes a top-level list or dictionary. Keeps its own stack, since the program's would not bear the
/// nesting that an input can have.
#[inline(never)]
fn container<'a>(lexer: &Lexer<'a>) -> Result<(&'a [u8], usize), Unindexed> {
    let mut lexer = *lexer;
    let mut open = Open { kind: Kind::List, key: &[], rank: 0 };
    let mut outside = Outside { depth: 0, near: [open; _], far: Vec::new() };
    // The text that was passed last, with its escapes.
    let mut text: &[u8] = &[];
    'values: loop {
        let mut seen = match lexer.peek() {
            b'"' => {
                lexer.pass(1);
                text = lexer.string()?.body;
                Seen::Text
            }
            // The session itself is one level.
            b'{' | b'[' if outside.depth + 1 == MAX_READ_DEPTH => {
                return Err(bad_payload("the session's JSON is nested too deeply").into());
            }
            b'{' => {
                lexer.pass(1);
                if lexer.first_key()? {
                    let (key, rank) = lexer.ranked_key()?;
                    let mut kind = Kind::Dict;
                    if rank >> 56 == u64::from(b' ') {
                        kind = first_kind(key)?;
                    }
                    outside.push(open);
                    open = Open { kind, key: key.body, rank };
                    continue;
                }
                if outside.depth == 0 {
                    break;
                }
                Seen::EmptyDict
            }
            b'[' => {
                lexer.pass(1);
                if !lexer.eat(b']') {
                    outside.push(open);
                    open.kind = Kind::List;
                    continue;
                }
                if outside.depth == 0 {
                    break;
                }
                Seen::List
            }
            next => {
                if next <= b' ' {
                    lexer.skip_space();
                    if lexer.peek() != next {
                        continue;
                    }
                }
                word_or_number(&mut lexer)?;
                Seen::Other
            }
        };
        loop {
            seen = if open.kind == Kind::List {
                if lexer.comma_or(b']')? {
                    break;
                }
                Seen::List
            } else {
                if lexer.next_key()? {
                    let (key, rank) = lexer.ranked_key()?;
                    if open.kind != Kind::Dict {
                        open.kind = next_kind(open);
                    }
                    if open.rank >= rank && (open.rank > rank || !follows(open.key, key)) {
                        // A duplicate of a tag would leave a dictionary of one key.
                        if open.kind == Kind::Tag {
                            return Err(Unindexed::Unusual);
                        }
                        lexer.unusual += 1;
                    }
                    (open.key, open.rank) = (key.body, rank);
                    break;
                }
                if open.kind == Kind::Space {
                    let unusual;
                    (seen, unusual) = tagged(open.rank, seen, text)?;
                    lexer.unusual += unusual;
                    seen
                } else {
                    Seen::Dict
                }
            };
            if let Some(outer) = outside.pop() {
                open = outer;
            }
            if outside.depth == 0 {
                break 'values;
            }
        }
    }
    Ok((lexer.rest, lexer.unusual))
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

/// The kind of a dictionary whose first key begins with a space.
fn first_kind(key: RawStr<'_>) -> Result<Kind, Unindexed> {
    if !key.escaped() {
        return Ok(Kind::Space);
    }
    // Flask doesn't write tags in this form.
    if Tag::of(&key.decode()).is_some() { Err(Unindexed::Unusual) } else { Ok(Kind::Dict) }
}

/// The kind of such a dictionary when a second key comes.
fn next_kind(open: Open<'_>) -> Kind {
    if open.kind == Kind::Tag || Tag::of(key_of(&open.rank.to_be_bytes())).is_some() {
        Kind::Tag
    } else {
        Kind::Dict
    }
}

/// A key of less than eight bytes without escapes, by its rank.
fn key_of(rank: &[u8; 8]) -> &[u8] {
    rank.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Whether a key is greater than another one that begins with the same eight bytes.
#[inline(never)]
fn follows(last: &[u8], key: RawStr<'_>) -> bool {
    if !key.escaped() && memchr::memchr(b'\\', last).is_none() {
        return last < key.body;
    }
    let last = RawStr { body: last, escapes: 1 };
    last.decode() < key.decode()
}

/// Judges the tags whose bodies are of the kind that Flask writes, and says whether Flask spells them
/// so, or how often it doesn't. `text` is the body if it is one.
#[inline(never)]
fn tagged(rank: u64, body: Seen, text: &[u8]) -> Result<(Seen, usize), Unindexed> {
    let rank = rank.to_be_bytes();
    let key = key_of(&rank);
    let Some(tag) = Tag::of(key) else {
        let escaped = key.strip_suffix(b"__").is_some_and(|tag| Tag::of(tag).is_some());
        return Ok((if escaped { Seen::EscapedDict } else { Seen::Dict }, 0));
    };
    match (tag, body) {
        (Tag::Tuple, Seen::List) | (Tag::Markup, Seen::Text) => return Ok((Seen::Other, 0)),
        (Tag::Dict, Seen::EscapedDict) => return Ok((Seen::Dict, 0)),
        (Tag::Dict, Seen::Dict) => return Ok((Seen::Other, 1)),
        (_, Seen::Text) => {}
        _ => return Err(Unindexed::Unusual),
    }
    match tag {
        Tag::Bytes if base64::is_canonical(text) => Ok((Seen::Other, 0)),
        Tag::Uuid if is_canonical_uuid(text) => Ok((Seen::Other, 0)),
        Tag::DateTime if memchr::memchr(b'\\', text).is_none() => {
            let date = std::str::from_utf8(text).ok().map(parse_http_date);
            let Some(Ok(date)) = date else {
                return Err(Unindexed::Unusual);
            };
            let canonical = date.is_some_and(|date| {
                let mut written = [0; 29];
                date.write_http_date(&mut written);
                written == text
            });
            Ok((Seen::Other, usize::from(!canonical)))
        }
        _ => Err(Unindexed::Unusual),
    }
}

fn is_canonical_uuid(text: &[u8]) -> bool {
    text.len() == 32 && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
