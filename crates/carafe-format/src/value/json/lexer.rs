//! Strings, numbers and literals, as Python's `json` takes them.

use super::plain::{all_printable, plain_len, plain_len_of_printable, split_string};
use super::raw_str::{RawStr, hex_unit};
use super::{MAX_INT_DIGITS, bad_payload};
use crate::{Error, Int, Value};

/// The rest of a JSON text that was not passed yet, and whether all that was passed is in Flask's
/// own spelling.
///
/// The slow paths take the lexer by value and return it, so that the fast path keeps it in
/// registers.
#[derive(Clone, Copy)]
pub(in super::super) struct Lexer<'a> {
    pub(in super::super) rest: &'a [u8],
    /// The number of parts passed so far that Flask spells otherwise. (A `bool` would leave a gap,
    /// and copies of it would be slow.)
    pub(in super::super) unusual: usize,
    /// 1 if all bytes are printable, which makes strings easy to pass.
    printable: usize,
}

/// The written form of a number.
#[derive(Clone, Copy, PartialEq)]
pub(in super::super) enum Number {
    Int,
    Float,
}

impl<'a> Lexer<'a> {
    pub(in super::super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, unusual: 0, printable: usize::from(all_printable(bytes)) }
    }

    /// The next byte, or 0 at the end; a NUL is nowhere valid.
    #[inline(always)]
    pub(in super::super) fn peek(&self) -> u8 {
        self.rest.first().copied().unwrap_or(0)
    }

    /// The first byte of the next value, after space.
    #[inline(always)]
    pub(in super::super) fn peek_value(&mut self) -> u8 {
        self.skip_space();
        self.peek()
    }

    /// Passes so many bytes, of which it is known that they are there.
    #[inline(always)]
    pub(in super::super) fn pass(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Passes space, which Flask does not write.
    #[inline(always)]
    pub(in super::super) fn skip_space(&mut self) {
        if self.peek() <= b' ' {
            *self = self.after_space();
        }
    }

    #[cold]
    fn after_space(mut self) -> Self {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
            self.unusual += 1;
        }
        self
    }

    /// Passes a byte, after space, if it is the next one.
    #[inline(always)]
    pub(in super::super) fn eat(&mut self, byte: u8) -> bool {
        if self.peek() != byte {
            self.skip_space();
            if self.peek() != byte {
                return false;
            }
        }
        self.pass(1);
        true
    }

    /// Passes a comma, or the bracket that closes the container; tells whether it was a comma.
    #[inline(always)]
    pub(in super::super) fn comma_or(&mut self, close: u8) -> Result<bool, Error> {
        let mut next = self.peek();
        if next != b',' && next != close {
            self.skip_space();
            next = self.peek();
            if next != b',' && next != close {
                return Err(bad_payload("the session's JSON lacks a comma or a closing bracket"));
            }
        }
        self.pass(1);
        Ok(next == b',')
    }

    /// A key and the colon after it.
    #[inline(always)]
    pub(in super::super) fn key(&mut self) -> Result<RawStr<'a>, Error> {
        self.open_key()?;
        let key = self.string()?;
        self.colon()?;
        Ok(key)
    }

    /// A key, after its opening quote, and the colon after it. The number is the key's
    /// [rank](RawStr::rank).
    #[inline(always)]
    pub(in super::super) fn ranked_key(&mut self) -> Result<(RawStr<'a>, u64), Error> {
        let word = self.rest.first_chunk();
        let (key, rank) = match (self.plain_string(), word) {
            (Some(key), Some(word)) => {
                let (word, len) = (u64::from_be_bytes(*word), key.body.len());
                (key, if len < 8 { word & !(u64::MAX >> (8 * len)) } else { word })
            }
            (Some(key), None) => (key, key.rank()),
            (None, _) => {
                let key;
                (*self, key) = self.other_string()?;
                (key, key.rank())
            }
        };
        self.colon()?;
        Ok((key, rank))
    }

    /// The quote before a key.
    #[inline(always)]
    pub(in super::super) fn open_key(&mut self) -> Result<(), Error> {
        if !self.eat(b'"') {
            return Err(bad_payload("the session's JSON lacks a key in double quotes"));
        }
        Ok(())
    }

    /// After a dictionary's opening brace: the quote before its first key, or the brace that closes it;
    /// tells whether there is a key.
    #[inline(always)]
    pub(in super::super) fn first_key(&mut self) -> Result<bool, Error> {
        if let [b'"', rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(true);
        }
        if self.eat(b'}') {
            return Ok(false);
        }
        self.open_key().map(|()| true)
    }

    /// After a dictionary's value: the comma, and the quote before the next key, or the brace that
    /// closes it; tells whether there is a key.
    #[inline(always)]
    pub(in super::super) fn next_key(&mut self) -> Result<bool, Error> {
        if let [b',', b'"', rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(true);
        }
        if !self.comma_or(b'}')? {
            return Ok(false);
        }
        self.open_key().map(|()| true)
    }

    /// The colon after a key.
    #[inline(always)]
    pub(in super::super) fn colon(&mut self) -> Result<(), Error> {
        if !self.eat(b':') {
            return Err(bad_payload("the session's JSON lacks a colon"));
        }
        Ok(())
    }

    /// Checks that only space follows.
    pub(in super::super) fn end(&mut self) -> Result<(), Error> {
        // Usually nothing does.
        if self.rest.is_empty() {
            return Ok(());
        }
        self.skip_space();
        if !self.rest.is_empty() {
            return Err(bad_payload("something follows the session's JSON"));
        }
        Ok(())
    }

    /// Passes a string, after its opening quote.
    #[inline(always)]
    pub(in super::super) fn string(&mut self) -> Result<RawStr<'a>, Error> {
        if let Some(string) = self.plain_string() {
            return Ok(string);
        }
        let string;
        (*self, string) = self.other_string()?;
        Ok(string)
    }

    /// A string without escapes, where all bytes are printable.
    #[inline(always)]
    fn plain_string(&mut self) -> Option<RawStr<'a>> {
        if self.printable == 0 {
            return None;
        }
        let (body, rest) = split_string(self.rest)?;
        self.rest = rest;
        Some(RawStr { body, escapes: 0 })
    }

    /// A string that has escapes, or doesn't end, or where not all bytes are printable.
    #[inline(never)]
    fn other_string(mut self) -> Result<(Self, RawStr<'a>), Error> {
        let start = self.rest;
        if self.printable > 0 {
            self.pass(plain_len_of_printable(start));
        }
        let mut escapes = 0;
        let mut ascii = true;
        loop {
            self.pass(plain_len(self.rest));
            match self.rest.first() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escapes += 1;
                    self.escape()?;
                }
                Some(0x7f) => {
                    self.unusual += 1;
                    self.pass(1);
                }
                Some(0x80..) => {
                    ascii = false;
                    self.unusual += 1;
                    self.pass(1);
                }
                Some(_) => {
                    return Err(bad_payload(
                        "a string has a control character that is not escaped",
                    ));
                }
                None => return Err(bad_payload("a string does not end")),
            }
        }
        let body = &start[..start.len() - self.rest.len()];
        self.pass(1);
        if !ascii && std::str::from_utf8(body).is_err() {
            return Err(bad_payload("a string is not UTF-8"));
        }
        Ok((self, RawStr { body, escapes }))
    }

    /// Passes one escape. Flask writes those that have a letter by it, and the others with
    /// lowercase digits.
    fn escape(&mut self) -> Result<(), Error> {
        match self.rest.get(1) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => self.pass(2),
            Some(b'/') => {
                self.unusual += 1;
                self.pass(2);
            }
            Some(b'u') => {
                let digits = self.rest.get(2..6).unwrap_or_default();
                let unit = hex_unit(digits)
                    .ok_or_else(|| bad_payload("a string has an incomplete \\u escape"))?;
                let lowercase = !digits.iter().any(u8::is_ascii_uppercase);
                let plain = matches!(unit, 0x08..=0x0a | 0x0c | 0x0d | 0x20..=0x7e);
                self.unusual += usize::from(!lowercase || plain);
                self.pass(6);
            }
            _ => {
                return Err(bad_payload("a string has an escape that JSON does not know"));
            }
        }
        Ok(())
    }

    /// Passes a number, whose first byte is a digit or a minus.
    #[inline(always)]
    pub(in super::super) fn number(&mut self) -> Result<Number, Error> {
        let digits = leading_digits(self.rest);
        if digits == 1 || digits > 1 && digits <= MAX_INT_DIGITS && self.peek() != b'0' {
            let rest = self.rest.get(digits..).unwrap_or_default();
            match rest.first() {
                Some(b'.') => {
                    let digits = leading_digits(&rest[1..]);
                    let rest = rest.get(1 + digits..).unwrap_or_default();
                    if digits > 0 && !matches!(rest.first(), Some(b'e' | b'E')) {
                        self.rest = rest;
                        self.unusual += 1;
                        return Ok(Number::Float);
                    }
                }
                Some(b'e' | b'E') => {}
                _ => {
                    self.rest = rest;
                    return Ok(Number::Int);
                }
            }
        }
        let number;
        (*self, number) = self.other_number()?;
        Ok(number)
    }

    /// Takes every form of number.
    #[inline(never)]
    fn other_number(mut self) -> Result<(Self, Number), Error> {
        let start = self.rest;
        self.pass(usize::from(self.peek() == b'-'));
        let first = self.rest.first();
        let digits = leading_digits(self.rest);
        self.pass(digits);
        match first {
            Some(b'0') if digits > 1 => return Err(bad_payload("a number has a leading zero")),
            Some(b'0'..=b'9') => {}
            _ => return Err(bad_payload("a minus has no number")),
        }
        let mut number = Number::Int;
        if self.peek() == b'.' {
            number = Number::Float;
            self.pass(1);
            self.some_digits()?;
        }
        if let b'e' | b'E' = self.peek() {
            number = Number::Float;
            self.pass(1);
            self.pass(usize::from(matches!(self.peek(), b'+' | b'-')));
            self.some_digits()?;
        }
        match number {
            Number::Int if digits > MAX_INT_DIGITS => {
                return Err(bad_payload("an integer has more than 4300 digits"));
            }
            Number::Int => {
                let negative_zero = start.len() - self.rest.len() == 2 && start.starts_with(b"-0");
                self.unusual += usize::from(negative_zero);
            }
            Number::Float => self.unusual += 1,
        }
        Ok((self, number))
    }

    fn some_digits(&mut self) -> Result<(), Error> {
        let digits = leading_digits(self.rest);
        self.pass(digits);
        if digits == 0 {
            return Err(bad_payload("a number lacks digits after its point or exponent"));
        }
        Ok(())
    }

    /// Passes a word such as `true`.
    #[inline(always)]
    pub(in super::super) fn word(&mut self, word: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A string, number or word.
    pub(in super::super) fn scalar(&mut self) -> Result<Value, Error> {
        let start = self.rest;
        match self.peek() {
            b'"' => {
                self.pass(1);
                Ok(Value::Text(self.string()?.to_text()))
            }
            b'n' if self.word(b"null") => Ok(Value::Null),
            b't' if self.word(b"true") => Ok(Value::Bool(true)),
            b'f' if self.word(b"false") => Ok(Value::Bool(false)),
            b'N' if self.word(b"NaN") => Ok(Value::Float(f64::NAN)),
            b'I' if self.word(b"Infinity") => Ok(Value::Float(f64::INFINITY)),
            b'-' if self.word(b"-Infinity") => Ok(Value::Float(f64::NEG_INFINITY)),
            b'-' | b'0'..=b'9' => {
                let number = self.number()?;
                let text = &start[..start.len() - self.rest.len()];
                let text = std::str::from_utf8(text).unwrap_or_default();
                match number {
                    Number::Int => Ok(Value::Int(Int::from_decimal(text))),
                    Number::Float => text
                        .parse()
                        .map(Value::Float)
                        .map_err(|_| bad_payload("a number is not one that Rust reads")),
                }
            }
            _ => Err(bad_payload("the session's JSON lacks a value")),
        }
    }
}

/// The number of digits at the beginning.
#[inline(always)]
fn leading_digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}
