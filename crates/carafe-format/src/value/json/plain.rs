//! The plain parts of a string, which stand for themselves.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// The number of bytes at the beginning that a string holds verbatim: ASCII from space to `~`, but
/// for quote and backslash.
#[inline(always)]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    unmarked_len(bytes, marks)
}

/// [`plain_len`] of bytes that are all [printable](all_printable), in larger steps.
#[inline(never)]
pub(super) fn plain_len_of_printable(bytes: &[u8]) -> usize {
    let is_delimiter = |byte: u8| u8::from(byte == b'"') | u8::from(byte == b'\\');
    // Without an early end within a block, so that the compiler looks at many bytes at once.
    let has_none =
        |block: &&[u8; 32]| block.iter().fold(0, |any, &byte| any | is_delimiter(byte)) == 0;
    let len = 32 * bytes.as_chunks().0.iter().take_while(has_none).count();
    len + unmarked_len(&bytes[len..], delimiter_marks)
}

/// The body of a string and what follows its closing quote, if all that it consists of is
/// [printable](all_printable), and no escape is among it.
#[inline(always)]
pub(super) fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    // Most are short. In steps in which the compiler sees that no index is out of bounds.
    match unmarked_in_word(bytes, delimiter_marks) {
        Some(Some(len)) => return split_at_quote(bytes, len),
        Some(None) => {}
        None => {
            let is_delimiter = |&byte: &u8| byte == b'"' || byte == b'\\';
            return split_at_quote(bytes, bytes.iter().position(is_delimiter)?);
        }
    }
    match unmarked_in_word(&bytes[8..], delimiter_marks) {
        Some(Some(len)) => split_at_quote(bytes, 8 + len),
        Some(None) => split_at_quote(bytes, 16 + plain_len_of_printable(&bytes[16..])),
        None => split_at_quote(bytes, 8 + plain_len_of_printable(&bytes[8..])),
    }
}

#[inline(always)]
fn split_at_quote(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    match bytes.split_at_checked(at)? {
        (body, [b'"', rest @ ..]) => Some((body, rest)),
        _ => None,
    }
}

/// Whether all bytes are ASCII from space to `~`, as in all that Flask writes.
pub(super) fn all_printable(bytes: &[u8]) -> bool {
    let marks = |chunk: &[u8; 8]| unprintable_marks(u64::from_le_bytes(*chunk));
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    };
    // Without an early end, so that the compiler looks at many at once.
    let any = bytes.as_chunks().0.iter().fold(marks(last), |any, chunk| any | marks(chunk));
    any & HIGH == 0
}

/// Sets the high bit of the bytes that do not stand for themselves, and perhaps of others above
/// them, since carries go upwards only: the lowest byte marked is a true one.
#[inline(always)]
fn marks(word: u64) -> u64 {
    delimiter_marks(word) | unprintable_marks(word)
}

/// Marks like [`marks`], for all but ASCII from space to `~`.
#[inline(always)]
fn unprintable_marks(word: u64) -> u64 {
    // The second sees `DEL` and what is above it, but for 0xff, which the first sees.
    word.wrapping_sub(0x20 * ONES) | word.wrapping_add(ONES)
}

/// Marks like [`marks`], if all bytes are printable.
#[inline(always)]
fn delimiter_marks(word: u64) -> u64 {
    let same = |byte: u8| (word ^ (u64::from(byte) * ONES)).wrapping_sub(ONES);
    same(b'"') | same(b'\\')
}

/// Returns the number of unmarked bytes at the beginning of the first eight, `Some(None)` if all
/// eight are unmarked, and `None` for fewer than eight bytes.
#[inline(always)]
fn unmarked_in_word(bytes: &[u8], marked: impl Fn(u64) -> u64) -> Option<Option<usize>> {
    let marks = marked(u64::from_le_bytes(*bytes.first_chunk()?)) & HIGH;
    Some((marks != 0).then(|| marks.trailing_zeros() as usize / 8))
}

/// Returns the number of bytes before the first marked one. It looks at eight bytes at once.
#[inline(always)]
fn unmarked_len(bytes: &[u8], marked: impl Fn(u64) -> u64) -> usize {
    let mut rest = bytes;
    while let Some(unmarked) = unmarked_in_word(rest, &marked) {
        if let Some(len) = unmarked {
            return bytes.len() - rest.len() + len;
        }
        rest = &rest[8..];
    }
    let seen = bytes.len() - rest.len();
    // The last bytes are looked at together with some before them, which are shifted out. The NULs
    // that come instead of what is behind the end are marked.
    if let Some(last) = bytes.last_chunk()
        && !rest.is_empty()
    {
        let marks = marks(u64::from_le_bytes(*last) >> (8 * (8 - rest.len()))) & HIGH;
        return seen + marks.trailing_zeros() as usize / 8;
    }
    seen + rest.iter().take_while(|&&byte| marks(u64::from(byte)) & 0x80 == 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let plain = (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
            for at in 0..20 {
                let mut text = [b'a'; 20];
                text[at] = byte;
                assert_eq!(plain_len(&text), if plain { 20 } else { at }, "{byte} at {at}");
                // Later bytes must make no difference.
                text[at + 1..].fill(0xff);
                assert!(plain_len(&text) >= at, "{byte} at {at}");
            }
        }
        for byte in b' '..=b'~' {
            for (at, end) in (0..70).flat_map(|at| (at..70).map(move |end| (at, end))) {
                if !matches!(byte, b'"' | b'\\') && at % 7 != usize::from(byte) % 7 {
                    continue;
                }
                let mut text = [b'a'; 70];
                text[at] = byte;
                let text = &text[..=end];
                assert!(all_printable(text));
                for start in 0..=text.len() {
                    let text = &text[start..];
                    let len = plain_len(text);
                    assert_eq!(plain_len_of_printable(text), len);
                    if let Some((body, rest)) = split_string(text) {
                        assert_eq!((body, rest), (&text[..len], &text[len + 1..]));
                        assert_eq!(text[len], b'"');
                    }
                }
            }
        }
        assert_eq!(plain_len(b"ab\""), 2);
        assert_eq!(plain_len(b""), 0);
    }

    #[test]
    fn printable_is_what_flask_writes() {
        for byte in 0..=u8::MAX {
            for len in [1, 31, 32, 33, 70] {
                for at in [0, len / 2, len - 1] {
                    let mut text = vec![b'a'; len];
                    text[at] = byte;
                    assert_eq!(all_printable(&text), (b' '..=b'~').contains(&byte), "{byte}");
                }
            }
        }
        assert!(all_printable(b""));
    }
}
