//! Published secret keys: printed in documentation, tutorials, templates and books, or typed by
//! people until they have something better.

use std::collections::HashSet;
use std::sync::LazyLock;

use zeroize::Zeroizing;

use crate::signing::python_literal;

/// One key a line, with its source.
const LIST: &str = include_str!("published_keys.txt");

/// The list, parsed once.
static KEYS: LazyLock<Keys> = LazyLock::new(Keys::parse);

struct Keys {
    /// The keys as the list writes them.
    written: Vec<Vec<u8>>,
    /// The whole keys, in their normal form.
    whole: HashSet<Vec<u8>>,
    /// The beginnings of many keys, in their normal form.
    beginnings: Vec<Vec<u8>>,
}

impl Keys {
    fn parse() -> Self {
        let mut keys = Self { written: Vec::new(), whole: HashSet::new(), beginnings: Vec::new() };
        for key in lines().filter_map(|line| Some(line.split_once('\t')?.0)) {
            let (key, is_beginning) = key.strip_suffix('*').map_or((key, false), |key| (key, true));
            let Some(key) = python_literal::bytes(key.as_bytes()) else { continue };
            let normal = normalise(&key).to_vec();
            if is_beginning {
                keys.beginnings.push(normal);
            } else {
                keys.whole.insert(normal);
                keys.written.push(key);
            }
        }
        keys
    }
}

fn lines() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter(|line| !line.starts_with("# ") && *line != "#")
}

/// Whether this is a published key. Case makes no difference, nor do spaces, `-` and `_`.
pub(super) fn is_published(key: &[u8]) -> bool {
    let key = normalise(key);
    KEYS.whole.contains(&*key) || KEYS.beginnings.iter().any(|start| key.starts_with(start))
}

/// The well-known keys in the spellings that people use: to try them on a signature.
pub(super) fn spellings() -> Vec<Vec<u8>> {
    let mut spellings = Vec::new();
    for key in &KEYS.written {
        spellings.push(python_literal::escape(key, b'\''));
        let words: Vec<&[u8]> =
            key.split(|byte| is_separator(*byte)).filter(|word| !word.is_empty()).collect();
        for separator in [&b" "[..], b"_", b"-", b""] {
            let joined = words.join(separator).to_ascii_lowercase();
            let titled: Vec<Vec<u8>> = words.iter().map(|word| capitalised(word)).collect();
            let titled = titled.join(separator);
            spellings.extend([capitalised(&joined), joined.to_ascii_uppercase(), titled, joined]);
        }
        spellings.push(key.clone());
    }
    spellings.sort_unstable();
    spellings.dedup();
    spellings.retain(|key| !key.is_empty());
    spellings
}

fn capitalised(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_ascii_lowercase();
    text.iter_mut().take(1).for_each(|byte| *byte = byte.to_ascii_uppercase());
    text
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'_')
}

/// In lower case, without spaces, `-` and `_`, unless it consists of nothing else.
fn normalise(key: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = key.trim_ascii();
    let plain = key.iter().filter(|byte| !is_separator(**byte)).map(u8::to_ascii_lowercase);
    let mut normal = Zeroizing::new(Vec::with_capacity(key.len()));
    normal.extend(plain);
    if normal.is_empty() {
        normal.extend_from_slice(key);
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_makes_no_difference() {
        let spellings: [&[u8]; 12] = [
            b"dev",
            b"DEV\n",
            b" any random string ",
            b"Any-Random_String",
            b"CHANGEME",
            b"change-me",
            b"youwillneverguess",
            b"your_secret_key",
            b"_5#y2L\"F4Q8z\n\xec]/",
            b"A0Zr98j/3yX R~XHH!jmN]LWX/,?RT",
            b"django-insecure-9x$!k2",
            b"CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
        ];
        for key in spellings {
            assert!(is_published(key), "{:?}", String::from_utf8_lossy(key));
        }
    }

    #[test]
    fn other_keys_are_not_published() {
        for key in [&b"developer"[..], b"secret key of mine", b"django-", b"", b"-", b"\xff\xfe"] {
            assert!(!is_published(key) || key == b"django-", "{key:?}");
        }
    }

    #[test]
    fn every_line_of_the_list_has_a_key_and_its_source() {
        let mut seen = HashSet::new();
        for line in lines() {
            let (key, source) = line.split_once('\t').unwrap();
            assert!(!key.is_empty() && source.len() > 4 && !source.contains('\t'), "{line}");
            let key = python_literal::bytes(key.as_bytes()).unwrap();
            assert!(seen.insert(normalise(&key).to_vec()), "twice: {line}");
        }
        assert!(seen.len() > 200, "{}", seen.len());
    }

    #[test]
    fn every_spelling_of_a_published_key_is_published() {
        for key in spellings() {
            // Text as Python prints it is read by `strength`, and not here.
            assert!(is_published(&key) || key.contains(&b'\\'), "{}", key.escape_ascii());
        }
    }
}
