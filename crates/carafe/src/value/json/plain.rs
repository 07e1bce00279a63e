//! What stands in a string as it is.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// How many bytes from `start` on a string holds verbatim: ASCII from space to `~`, but for quote and
/// backslash. Looks at eight bytes at once.
#[inline(always)]
pub(super) fn plain_len(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        // Each term sets the high bit of the bytes that it is about, and perhaps of others above
        // them, since carries go upwards only: the lowest byte marked is a true one.
        let marks = word
            | (word ^ (u64::from(b'"') * ONES)).wrapping_sub(ONES)
            | (word ^ (u64::from(b'\\') * ONES)).wrapping_sub(ONES)
            | word.wrapping_sub(0x20 * ONES)
            | word.wrapping_add(ONES);
        let marks = marks & HIGH;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8 - start;
        }
        at += 8;
    }
    while let Some(0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e) = bytes.get(at) {
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
        assert_eq!(plain_len(b"\"ab\"", 1), 2);
        assert_eq!(plain_len(b"ab", 2), 0);
        assert_eq!(plain_len(b"ab", 3), 0);
    }
}
