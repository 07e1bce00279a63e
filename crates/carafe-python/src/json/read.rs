//! Tagged JSON to Python's objects.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyNone, PyString, PyTuple};

use super::{DEPTH, Left, types};

type Read<'py> = Result<Bound<'py, PyAny>, Left>;

/// Reads JSON in Flask's own spelling, without white space.
pub(super) fn document<'py>(py: Python<'py>, json: &[u8]) -> Read<'py> {
    // Python reads UTF-8 alone, too.
    let json = std::str::from_utf8(json).map_err(|_| Left::Unusual)?;
    let mut reader = Reader::new(py, json);
    let value = reader.value(0)?;
    if reader.at == json.len() { Ok(value) } else { Err(Left::Unusual) }
}

/// Reads a session's JSON into a dict.
pub(super) fn session(session: &Bound<'_, PyDict>, json: &[u8]) -> Result<(), Left> {
    let json = std::str::from_utf8(json).map_err(|_| Left::Unusual)?;
    let mut reader = Reader::new(session.py(), json);
    reader.entries(session, 0)?;
    // A dict of one key may be tagged.
    let is_tagged = session.len() == 1 && json.starts_with("{\" ");
    if reader.at == json.len() && !is_tagged { Ok(()) } else { Err(Left::Unusual) }
}

struct Reader<'a, 'py> {
    py: Python<'py>,
    json: &'a str,
    at: usize,
    /// Keys of dicts, which often come again, as they are spelled in the JSON.
    keys: Vec<(&'a str, Bound<'py, PyString>)>,
}

/// How many keys are remembered.
const KEYS: usize = 16;

impl<'a, 'py> Reader<'a, 'py> {
    fn new(py: Python<'py>, json: &'a str) -> Self {
        Self { py, json, at: 0, keys: Vec::with_capacity(KEYS) }
    }

    fn key(&mut self) -> Result<Bound<'py, PyString>, Left> {
        let rest = &self.json[self.at..];
        let same = |spelled: &str| rest.as_bytes().starts_with(spelled.as_bytes());
        if let Some((spelled, key)) = self.keys.iter().find(|(spelled, _)| same(spelled)) {
            self.at += spelled.len();
            return Ok(key.clone());
        }
        let key = self.string()?;
        let start = self.json.len() - rest.len();
        if self.keys.len() < KEYS {
            self.keys.push((&self.json[start..self.at], key.clone()));
        }
        Ok(key)
    }

    fn value(&mut self, depth: usize) -> Read<'py> {
        if depth > DEPTH {
            return Err(Left::Unusual);
        }
        match self.peek() {
            Some(b'"') => Ok(self.string()?.into_any()),
            Some(b'{') => self.object(depth),
            Some(b'[') => Ok(self.array(depth)?.into_any()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", PyBool::new(self.py, true).to_owned().into_any()),
            Some(b'f') => self.word("false", PyBool::new(self.py, false).to_owned().into_any()),
            Some(b'n') => self.word("null", PyNone::get(self.py).to_owned().into_any()),
            _ => Err(Left::Unusual),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    /// Takes a byte that has to come next.
    fn take(&mut self, byte: u8) -> Result<(), Left> {
        if self.peek() != Some(byte) {
            return Err(Left::Unusual);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether another item follows; takes the comma, or the end of the container.
    fn goes_on(&mut self, end: u8) -> Result<bool, Left> {
        let next = self.peek();
        self.at += 1;
        match next {
            Some(b',') => Ok(true),
            Some(byte) if byte == end => Ok(false),
            _ => Err(Left::Unusual),
        }
    }

    fn word(&mut self, word: &str, value: Bound<'py, PyAny>) -> Read<'py> {
        if !self.json[self.at..].starts_with(word) {
            return Err(Left::Unusual);
        }
        self.at += word.len();
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Bound<'py, PyList>, Left> {
        self.take(b'[')?;
        let list = PyList::empty(self.py);
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(list);
        }
        loop {
            list.append(self.value(depth + 1)?)?;
            if !self.goes_on(b']')? {
                return Ok(list);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Read<'py> {
        let dict = PyDict::new(self.py);
        self.entries(&dict, depth)?;
        self.untagged(dict)
    }

    fn entries(&mut self, dict: &Bound<'py, PyDict>, depth: usize) -> Result<(), Left> {
        self.take(b'{')?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.key()?;
            self.take(b':')?;
            dict.set_item(key, self.value(depth + 1)?)?;
            if !self.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    /// Returns the value of a dict of one key, resolved if the key is a tag.
    fn untagged(&self, dict: Bound<'py, PyDict>) -> Read<'py> {
        if dict.len() != 1 {
            return Ok(dict.into_any());
        }
        let Some((key, body)) = dict.iter().next() else { return Ok(dict.into_any()) };
        let key = key.cast::<PyString>()?.to_cow()?.into_owned();
        let py = self.py;
        Ok(match key.as_str() {
            " t" => PyTuple::new(py, body.cast::<PyList>()?.iter())?.into_any(),
            " b" => types::b64decode(py)?.call1((body.cast::<PyString>()?,))?,
            " m" => types::markup(py)?.call1((body.cast::<PyString>()?,))?,
            " u" => types::uuid(py)?.call1((body.cast::<PyString>()?,))?,
            " d" => types::parse_date(py)?.call1((body.cast::<PyString>()?,))?,
            // A dict that looks like a tag, or any other body.
            " di" => return self.escaped(&body),
            _ => dict.into_any(),
        })
    }

    /// A dict whose only key is a tag, which two underscores hide.
    fn escaped(&self, body: &Bound<'py, PyAny>) -> Read<'py> {
        let body = body.cast::<PyDict>()?;
        let (Some((key, value)), 1) = (body.iter().next(), body.len()) else {
            return Err(Left::Unusual);
        };
        let key = key.cast::<PyString>()?.to_cow()?.into_owned();
        let key = key.strip_suffix("__").ok_or(Left::Unusual)?;
        let dict = PyDict::new(self.py);
        dict.set_item(key, value)?;
        Ok(dict.into_any())
    }

    fn string(&mut self) -> Result<Bound<'py, PyString>, Left> {
        self.take(b'"')?;
        let rest = &self.json.as_bytes()[self.at..];
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let end = rest.iter().position(is_special).ok_or(Left::Unusual)?;
        let (start, end) = (self.at, self.at + end);
        if self.json.as_bytes()[end] == b'"' {
            self.at = end + 1;
            return Ok(PyString::new(self.py, &self.json[start..end]));
        }
        self.at = end;
        let mut text = self.json[start..end].to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(PyString::new(self.py, &text));
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(0..=0x1f) | None => return Err(Left::Unusual),
                Some(_) => {
                    let character = self.json[self.at..].chars().next().ok_or(Left::Unusual)?;
                    self.at += character.len_utf8();
                    text.push(character);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Left> {
        self.take(b'\\')?;
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.code_point(),
            _ => return Err(Left::Unusual),
        })
    }

    /// A code point in one or two units of UTF-16. Lone surrogates are left to Flask.
    fn code_point(&mut self) -> Result<char, Left> {
        let first = self.unit()?;
        if let Some(character) = char::from_u32(first.into()) {
            return Ok(character);
        }
        self.take(b'\\')?;
        self.take(b'u')?;
        let units = [first, self.unit()?];
        char::decode_utf16(units).next().and_then(Result::ok).ok_or(Left::Unusual)
    }

    fn unit(&mut self) -> Result<u16, Left> {
        let digits = self.json.as_bytes().get(self.at..self.at + 4).ok_or(Left::Unusual)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(Left::Unusual)?;
            Ok(unit << 4 | digit as u16)
        })
    }

    fn number(&mut self) -> Read<'py> {
        let rest = &self.json[self.at..];
        let is_part = |byte: u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let len = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let text = &rest[..len];
        self.at += len;
        let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
        match digits {
            [b'0'] => {}
            // JSON has no leading zeros but before a point.
            [b'0', b'.', ..] | [b'1'..=b'9', ..] => {}
            _ => return Err(Left::Unusual),
        }
        if digits.iter().all(u8::is_ascii_digit) {
            let number: i64 = text.parse().map_err(|_| Left::Unusual)?;
            return Ok(PyInt::new(self.py, number).into_any());
        }
        if !is_fraction(digits) {
            return Err(Left::Unusual);
        }
        let number: f64 = text.parse().map_err(|_| Left::Unusual)?;
        Ok(PyFloat::new(self.py, number).into_any())
    }
}

/// Whether digits, a point and more digits, and an exponent if there is one, are as JSON has them.
fn is_fraction(digits: &[u8]) -> bool {
    let (mantissa, exponent) = match digits.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let all_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let has_parts = match mantissa.iter().position(|byte| *byte == b'.') {
        Some(at) => all_digits(&mantissa[..at]) && all_digits(&mantissa[at + 1..]),
        None => all_digits(mantissa),
    };
    let exponent = exponent.map(|part| match part {
        [b'+' | b'-', digits @ ..] => digits,
        digits => digits,
    });
    has_parts && exponent.is_none_or(all_digits)
}
