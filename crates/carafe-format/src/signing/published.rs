//! Secret keys that everybody knows: printed in documentation, tutorials, templates and books, or
//! what people type until they have something better.

/// Keys that begin like this were made by a tool that says they aren't for production.
const PREFIXES: [&str; 1] = ["django insecure "];

/// In the form that [`normalise`] gives: lower case, with spaces for `-` and `_`.
const KEYS: &[&[u8]] = &[
    // Flask's documentation, in its versions, as bytes and as the text that people copy.
    b"dev",
    b"development key",
    b"any random string",
    b"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    b" 5#y2l\"f4q8z\n\xec]/",
    b" 5#y2l\"f4q8z\\n\\xec]/",
    b"a0zr98j/3yx r~xhh!jmn]lwx/,?rt",
    b"\xfd{h\xe5<\x95\xf9\xe3\x96.5\xd1\x01o<!\xd5\xa2\xa0\x9fr\"\xa1\xa8",
    b"\\xfd{h\\xe5<\\x95\\xf9\\xe3\\x96.5\\xd1\\x01o<!\\xd5\\xa2\\xa0\\x9fr\"\\xa1\\xa8",
    // Tutorials, courses and books.
    b"you will never guess",
    b"hard to guess string",
    b"5791628bb0b13ce0c676dfde280ba245",
    b"random string",
    b"fkdjsafjdkfdlkjfadskjfadskljdsfklj",
    b"thisisasupposedtobesecret!",
    b"thisissecret",
    b"this is secret",
    b"thisisasecret",
    b"this is a secret",
    b"this is a secret key",
    b"this is really unique and secret",
    b"super secret",
    b"super secret key",
    b"super secret string",
    b"supersecret",
    b"supersecretkey",
    b"some secret",
    b"some secret key",
    b"some random string",
    b"a random string",
    b"a very secret key",
    b"very secret",
    b"very secret key",
    b"not so secret",
    b"not a secret",
    b"top secret",
    b"topsecret",
    b"long random string",
    b"a really long secret key",
    b"keep it secret",
    b"keep it secret keep it safe",
    b"shh",
    b"shhh",
    b"shhhh",
    b"s3cr3t",
    b"s3cret",
    b"keyboard cat",
    b"my precious",
    b"my precious two",
    // The defaults and templates of applications and frameworks.
    b"secret!",
    b"temporary key",
    b"changethis",
    b"changeit",
    b"change this",
    b"change it",
    b"change me to a complex random secret",
    b"thisisasecret 1234",
    b"your own random generated secret key",
    b"test non dev secret",
    b"\\2\\1thisismyscretkey\\1\\2\\e\\y\\y\\h",
    b"\x02\x01thisismyscretkey\x01\x02\\e\\y\\y\\h",
    b"c292a0a3aa32397cdb050e233733900f",
    b"unsafe secret key",
    b"insecure secret key",
    b"insecure",
    b"somethingsecret",
    b"secret key base",
    // What stands where a key belongs.
    b"secret",
    b"secrets",
    b"secretkey",
    b"secret key",
    b"secret key here",
    b"secret string",
    b"the secret key",
    b"my secret",
    b"mysecret",
    b"my secret key",
    b"mysecretkey",
    b"my super secret key",
    b"your secret",
    b"your secret key",
    b"your secret key here",
    b"yoursecretkey",
    b"insert secret key here",
    b"enter your secret key",
    b"changeme",
    b"change me",
    b"change me!",
    b"changeme!",
    b"please change me",
    b"replace me",
    b"replaceme",
    b"todo",
    b"fixme",
    b"key",
    b"secret123",
    b"default",
    b"default secret key",
    b"none",
    b"null",
    b"test",
    b"testing",
    b"test key",
    b"test secret",
    b"test secret key",
    b"development",
    b"dev key",
    b"dev secret",
    b"dev secret key",
    b"production",
    b"password",
    b"hello world",
    b"foobar",
    // This project's documentation.
    b"a key, long and random",
    b"the new key, long and random",
    b"the old key, long and random",
    b"6f1c0b9a5d3e4c7f8a2b1d0e9f8c7b6a",
    b"5a2f9e0c71d84b36a7f1c0e95d3b8246",
    b"e8d10b7c42f94a6590c3b71f2ed6a854",
];

/// Whether everybody knows this key. Case, space around it, and the choice between spaces, `-` and
/// `_` make no difference.
pub(super) fn is_published(key: &[u8]) -> bool {
    let key = normalise(key);
    KEYS.contains(&key.as_slice())
        || PREFIXES.iter().any(|prefix| key.starts_with(prefix.as_bytes()))
}

/// Well-known keys whose capitals follow no rule.
const IN_MIXED_CASE: &[&[u8]] = &[
    b"_5#y2L\"F4Q8z\n\xec]/",
    b"_5#y2L\"F4Q8z\\n\\xec]/",
    b"A0Zr98j/3yX R~XHH!jmN]LWX/,?RT",
    b"\xfd{H\xe5<\x95\xf9\xe3\x96.5\xd1\x01O<!\xd5\xa2\xa0\x9fR\"\xa1\xa8",
    b"\\xfd{H\\xe5<\\x95\\xf9\\xe3\\x96.5\\xd1\\x01O<!\\xd5\\xa2\\xa0\\x9fR\"\\xa1\\xa8",
];

/// The well-known keys, in the spellings that people use: to try them on a signature.
pub(crate) fn published_keys() -> Vec<Vec<u8>> {
    let mut keys: Vec<Vec<u8>> = IN_MIXED_CASE.iter().map(|key| key.to_vec()).collect();
    for key in KEYS {
        for space in [&b" "[..], b"_", b"-", b""] {
            let words: Vec<&[u8]> = key.split(|&byte| byte == b' ').collect();
            let joined = words.join(space);
            let titled: Vec<Vec<u8>> = words.iter().map(|word| capitalised(word)).collect();
            let titled = titled.join(space);
            keys.extend([capitalised(&joined), joined.to_ascii_uppercase(), titled, joined]);
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| !key.is_empty());
    keys
}

fn capitalised(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    text.iter_mut().take(1).for_each(|byte| *byte = byte.to_ascii_uppercase());
    text
}

fn normalise(key: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
    let plain = |byte: &u8| match byte {
        b'-' | b'_' => b' ',
        other => other.to_ascii_lowercase(),
    };
    zeroize::Zeroizing::new(key.trim_ascii().iter().map(plain).collect())
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
            b"you-will-never-guess",
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
        for key in [&b"developer"[..], b"secret key of mine", b"django", b"", b"\xff\xfe"] {
            assert!(!is_published(key), "{key:?}");
        }
    }

    #[test]
    fn every_spelling_of_a_published_key_is_published() {
        let keys = published_keys();
        assert!(keys.len() > 500, "{}", keys.len());
        // Without the spaces between its words a key is another one, which is tried all the same.
        let known = keys.iter().filter(|key| is_published(key)).count();
        assert!(known * 10 > keys.len() * 7, "{known} of {}", keys.len());
        for key in IN_MIXED_CASE {
            assert!(is_published(key), "{key:?}");
        }
    }

    #[test]
    fn the_list_can_match() {
        // A key that isn't in its normal form would never be found.
        for &key in KEYS {
            let normal = normalise(key);
            // Trimming takes the space that stands for a leading underscore.
            assert_eq!(normal.as_slice(), key.trim_ascii(), "{key:?}");
        }
    }
}
