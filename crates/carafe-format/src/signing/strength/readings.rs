//! Other ways to read the text of a key: as it is copied from a program's output, or as it is encoded.

use crate::base64;
use crate::signing::python_literal;

/// A decoded text of at least so many bytes is judged whatever it consists of, and a shorter one if
/// it is text: any few letters are base64 of something.
const WHOLE: usize = 16;

type Text = zeroize::Zeroizing<Vec<u8>>;

/// The key itself, without space around it, and what it is when it is read otherwise: without quotes
/// or as Python reads it, what follows `SECRET_KEY=`, and what it is hexadecimal or base64 of.
pub(super) fn readings(key: &[u8]) -> Vec<Text> {
    let trimmed = if key.trim_ascii().is_empty() { key } else { key.trim_ascii() };
    let mut readings = vec![Text::new(trimmed.to_vec())];
    if let Some(value) = assigned(key) {
        readings.push(Text::new(value.to_vec()));
    }
    for at in 0..readings.len() {
        let unquoted = python_literal::unquoted(&readings[at]).unwrap_or(&readings[at]).to_vec();
        readings.push(Text::new(unquoted));
        readings.extend(python_literal::readings(&readings[at]).into_iter().map(Text::new));
    }
    for at in 0..readings.len() {
        let decoded = [hex(&readings[at]), base64(&readings[at])];
        let telling = |decoded: &Vec<u8>| {
            decoded.len() >= WHOLE || decoded.iter().all(|byte| matches!(byte, 32..127))
        };
        readings.extend(decoded.into_iter().flatten().filter(telling).map(Text::new));
    }
    readings.retain(|reading| !reading.is_empty());
    readings.dedup();
    readings
}

/// Returns the value that a line such as `export SECRET_KEY=…` or `SECRET_KEY: …` sets.
pub(crate) fn assigned(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    let at = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
    let name = line[..at].trim_ascii();
    let is_name = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.[]'\"".contains(byte));
    let name = name.to_ascii_lowercase();
    let says_key =
        name.windows(3).any(|part| part == b"key") || name.windows(6).any(|part| part == b"secret");
    (is_name && says_key).then(|| line[at + 1..].trim_ascii())
}

/// The bytes that hexadecimal digits stand for.
pub(crate) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs =
        text.chunks(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?));
    pairs.collect()
}

/// Decodes text in either alphabet of base64, padded or not.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.len() - text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let text = &text[..end];
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/".contains(byte);
    text.iter().all(is_base64).then(|| base64::decode_url(text))?
}
