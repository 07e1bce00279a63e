//! What stands in a string as it is.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// Strings that are longer are looked at in larger steps.
const LONG: usize = 32;

/// How many bytes from `start` on a string holds verbatim: ASCII from space to `~`, but for quote and
/// backslash.
#[inline(always)]
pub(super) fn plain_len(bytes: &[u8], start: usize) -> usize {
    unmarked_len(bytes, start, marks, |_| 0)
}

/// [`plain_len`] of bytes that are all [printable](is_printable), in half as many steps.
#[inline(always)]
pub(super) fn plain_len_of_printable(bytes: &[u8], start: usize) -> usize {
    unmarked_len(bytes, start, delimiter_marks, undelimited_len)
}

/// How many bytes at the beginning, in blocks of 32, are neither quote nor backslash.
#[inline(never)]
fn undelimited_len(bytes: &[u8]) -> usize {
    let is_delimiter = |byte: u8| u8::from(byte == b'"') | u8::from(byte == b'\\');
    // Without an early end within a block, so that the compiler looks at many bytes at once.
    let has_none =
        |block: &&[u8; 32]| block.iter().fold(0, |any, &byte| any | is_delimiter(byte)) == 0;
    32 * bytes.as_chunks().0.iter().take_while(has_none).count()
}

/// Whether all bytes are ASCII from space to `~`, as in all that Flask writes.
pub(super) fn all_printable(bytes: &[u8]) -> bool {
    // Without an early end, so that the compiler looks at many at once.
    let (chunks, rest) = bytes.as_chunks::<32>();
    let all = |bytes: &[u8]| bytes.iter().fold(true, |all, &byte| all & is_printable(byte));
    chunks.iter().all(|chunk| all(chunk)) && all(rest)
}

#[inline(always)]
fn is_printable(byte: u8) -> bool {
    byte.wrapping_sub(b' ') <= b'~' - b' '
}

/// Sets the high bit of the bytes that do not stand for themselves, and perhaps of others above
/// them, since carries go upwards only: the lowest byte marked is a true one.
#[inline(always)]
fn marks(word: u64) -> u64 {
    let (controls, delete) = (word.wrapping_sub(0x20 * ONES), word.wrapping_add(ONES));
    word | delimiter_marks(word) | controls | delete
}

/// As [`marks`], if all bytes are printable.
#[inline(always)]
fn delimiter_marks(word: u64) -> u64 {
    let same = |byte: u8| (word ^ (u64::from(byte) * ONES)).wrapping_sub(ONES);
    same(b'"') | same(b'\\')
}

/// How many bytes from `start` on are not marked. Looks at eight bytes at once, and lets `long_len`
/// go on for a while where there are many.
#[inline(always)]
fn unmarked_len(
    bytes: &[u8],
    start: usize,
    marked: impl Fn(u64) -> u64,
    long_len: impl Fn(&[u8]) -> usize,
) -> usize {
    let mut at = start;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let marks = marked(u64::from_le_bytes(*chunk)) & HIGH;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8 - start;
        }
        at += 8;
        if at == start + LONG {
            at += bytes.get(at..).map_or(0, &long_len);
        }
    }
    // The last bytes are looked at together with some before them, which are shifted out. The NULs
    // that come instead of what is behind the end are marked.
    if let Some(last) = bytes.last_chunk::<8>()
        && at < bytes.len()
    {
        let seen = at + 8 - bytes.len();
        let marks = marks(u64::from_le_bytes(*last) >> (8 * seen)) & HIGH;
        return at + marks.trailing_zeros() as usize / 8 - start;
    }
    while bytes.get(at).is_some_and(|&byte| marks(u64::from(byte)) & 0x80 == 0) {
        at += 1;
    }
    at - start
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
                assert_eq!(plain_len(&text, 0), if plain { 20 } else { at }, "{byte} at {at}");
                // What follows must make no difference.
                text[at + 1..].fill(0xff);
                assert!(plain_len(&text, 0) >= at, "{byte} at {at}");
            }
        }
        for byte in b' '..=b'~' {
            for (at, end) in (0..20).flat_map(|at| (at..20).map(move |end| (at, end))) {
                let mut text = [b'a'; 20];
                text[at] = byte;
                let text = &text[..=end];
                assert!(all_printable(text));
                for start in 0..=text.len() {
                    assert_eq!(plain_len_of_printable(text, start), plain_len(text, start));
                }
            }
        }
        assert_eq!(plain_len(b"\"ab\"", 1), 2);
        assert_eq!(plain_len(b"ab", 2), 0);
        assert_eq!(plain_len(b"ab", 3), 0);
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
