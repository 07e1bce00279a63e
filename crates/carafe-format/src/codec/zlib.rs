//! zlib as ItsDangerous uses it, with a limit on the size of the output.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::{Error, ErrorKind};

thread_local! {
    // Setting up a state costs more than using it, so each thread keeps one.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(LEVEL, true));
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(true));
}

/// Flask compresses at zlib's level 6, which looks for matches as zlib-rs does at its level 9 only
/// (below it, zlib-rs finds no match of three bytes): on sessions 98% of the streams are identical.
const LEVEL: Compression = Compression::new(9);

/// The header of a stream of level 6, which is the only other difference.
const HEADER: [u8; 2] = [0x78, 0x9c];

/// The zlib stream of `data` at zlib's level 6, if it is shorter than `limit` bytes.
pub(crate) fn compress(data: &[u8], limit: usize) -> Option<Vec<u8>> {
    DEFLATE.with_borrow_mut(|state| {
        state.reset();
        let mut out = Vec::with_capacity(limit);
        match state.compress_vec(data, &mut out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) if out.len() < limit => {
                if let Some(header) = out.first_chunk_mut() {
                    *header = HEADER;
                }
                Some(out)
            }
            // Either the stream doesn't fit and is of no use, or there is no room left to tell.
            _ => None,
        }
    })
}

/// Inflates a zlib stream of at most `limit` bytes. Bytes after its end are ignored, as in Flask.
pub(crate) fn decompress(data: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    INFLATE.with_borrow_mut(|state| {
        state.reset(true);
        let mut out = Vec::with_capacity(data.len().saturating_mul(4).clamp(64, limit.max(64)));
        loop {
            let consumed = state.total_in() as usize;
            let rest = data.get(consumed..).unwrap_or_default();
            let status = state
                .decompress_vec(rest, &mut out, FlushDecompress::Finish)
                .map_err(|_| broken())?;
            if out.len() > limit {
                return Err(too_large(limit));
            }
            match status {
                Status::StreamEnd => return Ok(out),
                // There was room left, so the stream is cut off.
                _ if out.len() < out.capacity() => return Err(broken()),
                _ => out.reserve_exact(growth(out.len(), limit)),
            }
        }
    })
}

/// The number of bytes by which a buffer grows: it doubles, but never beyond the one byte that
/// shows that the limit is exceeded.
fn growth(len: usize, limit: usize) -> usize {
    len.min(limit - len + 1)
}

fn broken() -> Error {
    Error::new(ErrorKind::BadPayload, "the payload's zlib stream is broken")
}

fn too_large(limit: usize) -> Error {
    Error::new(
        ErrorKind::BadPayload,
        format!("the payload inflates to more than the {limit} bytes that are allowed"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let data = b"abcabcabcabcabcabcabcabcabcabc".repeat(100);
        let small = compress(&data, data.len()).unwrap();
        assert!(small.len() < 100);
        assert_eq!(decompress(&small, data.len()).unwrap(), data);
    }

    #[test]
    fn streams_of_every_length_are_inflated_whole() {
        for len in (0..600).chain([4096, 65_536, 100_000]) {
            let even = vec![b'a'; len];
            let mixed: Vec<u8> = (0..len as u64).map(|n| (n * n % 251) as u8).collect();
            for data in [even, mixed] {
                let stream = compress(&data, len + 100).unwrap();
                assert_eq!(decompress(&stream, len).unwrap(), data, "{len}");
                assert!(len == 0 || decompress(&stream, len - 1).is_err(), "{len}");
                assert!(decompress(&stream[..stream.len() - 1], len).is_err(), "{len}");
            }
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let data = vec![b'a'; 100_000];
        let small = compress(&data, data.len()).unwrap();
        assert_eq!(decompress(&small, 100_000).unwrap().len(), 100_000);
        let error = decompress(&small, 99_999).unwrap_err();
        assert!(error.to_string().contains("more than the 99999 bytes"));
    }

    #[test]
    fn a_bomb_is_stopped_before_it_is_allocated() {
        let bomb = compress(&vec![0; 50_000_000], 1_000_000).unwrap();
        assert!(bomb.len() < 60_000);
        assert!(decompress(&bomb, 1 << 20).is_err());
    }

    #[test]
    fn broken_streams_are_refused_at_every_cut() {
        let stream = compress(&b"hello hello hello hello".repeat(10), 1000).unwrap();
        for cut in 0..stream.len() {
            assert!(decompress(&stream[..cut], 1000).is_err(), "{cut}");
        }
        let mut longer = stream.clone();
        longer.extend_from_slice(b"trailing");
        assert!(decompress(&longer, 1000).is_ok());
    }

    #[test]
    fn room_grows_to_one_byte_beyond_the_limit() {
        assert_eq!(growth(64, 1000), 64);
        assert_eq!(growth(512, 1000), 489);
        assert_eq!(growth(1000, 1000), 1);
    }

    #[test]
    fn what_grows_is_not_compressed() {
        let data = b"abcabcabcabcabcabc";
        let len = compress(data, 100).unwrap().len();
        assert!(compress(data, len + 1).is_some());
        assert!(compress(data, len).is_none() && compress(data, len - 1).is_none());
        assert!(compress(b"abc", 2).is_none());
        assert!(compress(b"", 1).is_none());
    }
}
