//! How many guesses a key withstands, from repetitions, sequences, keyboard rows and words in it.

use std::sync::LazyLock;

/// Longer keys are judged by this number of bytes at their beginning and at their end.
const JUDGED: usize = 128;

/// Words that people choose, besides the words that keys are named with.
const COMMON: &str = include_str!("common_words.txt");

/// Words of keys, and small words between others: an attacker tries these first.
const FIRST: &str = "\
    a access admin an and api app apps at auth bar baz bytes cat change changed changeme company cookie csrf \
    debug default demo dev development django do dont env example fastapi flask foo for from good \
    guess hard hash hello here hidden hmac hs256 i in insert insecure internal is it jwt just key \
    keys local long login master me my mysecret name never not of on only or our pass password \
    please private prod production project random really replace safe salt secret secretkey secrets \
    secure server service session sessions set sha256 shared sign signing site some something staging \
    string strong super supersecret sure test testing text that the this to todo token top unique use user \
    value very want web with word world you your";

/// Rows of keyboards, and their columns.
const ROWS: [&[u8]; 16] = [
    b"`1234567890-=",
    b"~!@#$%^&*()_+",
    b"qwertyuiop[]\\",
    b"qwertzuiop",
    b"azertyuiop",
    b"asdfghjkl;'",
    b"qsdfghjklm",
    b"zxcvbnm,./",
    b"yxcvbnm,.-",
    b"wxcvbn",
    b"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    b"qazwsxedcrfvtgbyhnujmikolp",
    // Two at once, in turns.
    b"1q2w3e4r5t6y7u8i9o0p",
    b"q1w2e3r4t5y6u7i8o9p0",
    b"1a2b3c4d5e6f7g8h9i0j",
    b"a1b2c3d4e5f6g7h8i9j0",
];

/// Costs in bits: how much longer a search takes for each kind of part.
const FIRST_WORD: f32 = 6.0;
const COMMON_WORD: f32 = 11.0;
const SEPARATOR: f32 = 2.0;
const CAPITALS: f32 = 1.0;
const LEET: f32 = 2.0;
const YEAR: f32 = 7.0;
const SEQUENCE: f32 = 4.0;
const PROGRESSION: f32 = 6.0;
const ROW: f32 = 5.0;

/// A word and its cost.
type Word = (&'static [u8], f32);

/// The words of both lists, by their first letter.
static WORDS: LazyLock<[Vec<Word>; 26]> = LazyLock::new(|| {
    let (first, common) = words();
    let first = first.map(|word| (word.as_bytes(), FIRST_WORD));
    let mut words = [const { Vec::new() }; 26];
    for (word, cost) in first.chain(common.map(|word| (word.as_bytes(), COMMON_WORD))) {
        words[usize::from(word[0] - b'a')].push((word, cost));
    }
    words
});

/// The words that keys are named with, and then the other common ones.
pub(super) fn words() -> (impl Iterator<Item = &'static str>, impl Iterator<Item = &'static str>) {
    (FIRST.split_ascii_whitespace(), COMMON.split_ascii_whitespace())
}

/// The rows of keyboards.
pub(super) fn rows() -> impl Iterator<Item = &'static [u8]> {
    ROWS.into_iter()
}

/// Estimates how hard a key is to guess for an attacker who knows how people choose keys: the logarithm
/// to base 2 of the number of guesses. The estimate is a low one.
///
/// The key is taken apart in the cheapest way: into words, repetitions of what came before,
/// sequences, parts of keyboard rows, years, and bytes that have to be tried one by one.
pub(super) fn bits(key: &[u8]) -> f32 {
    if key.len() > 2 * JUDGED {
        let ends = [&key[..JUDGED], &key[key.len() - JUDGED..]].concat();
        return bits(&zeroize::Zeroizing::new(ends));
    }
    let lower = zeroize::Zeroizing::new(key.to_ascii_lowercase());
    let byte = byte_bits(key);
    // The cost of the cheapest way to each place.
    let mut cheapest = vec![f32::INFINITY; key.len() + 1];
    cheapest[0] = 0.0;
    for at in 0..key.len() {
        let so_far = cheapest[at];
        let mut reach = |len: usize, cost: f32| {
            let end = &mut cheapest[at + len];
            *end = end.min(so_far + cost);
        };
        reach(1, if is_separator(key[at]) { SEPARATOR.min(byte) } else { byte });
        reach_words(key, at, &mut reach);
        reach_copies(&lower, at, &mut reach);
        reach_sequences(key, at, &mut reach);
        reach_rows(&lower, at, &mut reach);
        if is_year(&key[at..]) {
            reach(4, YEAR);
        }
    }
    cheapest[key.len()]
}

/// A kind of characters: how many there are, and whether a byte is one.
type Kind = (u16, fn(&u8) -> bool);

/// The cost of a byte that follows from nothing, by the kinds of characters in the key.
fn byte_bits(key: &[u8]) -> f32 {
    let has = |kind: fn(&u8) -> bool| key.iter().any(kind);
    let is_hex = key.iter().all(u8::is_ascii_hexdigit)
        && !(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase));
    if is_hex && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) {
        return 4.0;
    }
    let kinds: [Kind; 5] = [
        (10, u8::is_ascii_digit),
        (26, u8::is_ascii_lowercase),
        (26, u8::is_ascii_uppercase),
        (33, |byte| byte.is_ascii_punctuation() || *byte == b' '),
        (161, |byte| !byte.is_ascii_graphic() && *byte != b' '),
    ];
    let alphabet: u16 = kinds.iter().filter(|(_, kind)| has(*kind)).map(|(size, _)| size).sum();
    f32::from(alphabet.max(2)).log2()
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b' ' | b'.')
}

fn is_year(text: &[u8]) -> bool {
    matches!(text, [b'1', b'9', a, b, ..] | [b'2', b'0', a, b, ..]
        if a.is_ascii_digit() && b.is_ascii_digit())
}

fn reach_words(key: &[u8], at: usize, reach: &mut impl FnMut(usize, f32)) {
    let letters = (b'a'..=b'z').filter(|&letter| is_letter(key[at], letter));
    let words = letters.flat_map(|letter| &WORDS[usize::from(letter - b'a')]);
    for &(word, cost) in words {
        let Some(text) = key[at..].get(..word.len()) else { continue };
        if word.iter().zip(text).all(|(&letter, &byte)| is_letter(byte, letter)) {
            let leet = if word.eq_ignore_ascii_case(text) { 0.0 } else { LEET };
            reach(word.len(), cost + leet + capitals(text));
        }
    }
}

/// Whether a byte is the letter, or stands for it as in `s3cr3t` and `p@$$w0rd`.
fn is_letter(byte: u8, letter: u8) -> bool {
    match byte {
        b'0' => letter == b'o',
        b'1' | b'!' => matches!(letter, b'i' | b'l'),
        b'3' => letter == b'e',
        b'4' | b'@' => letter == b'a',
        b'5' | b'$' => letter == b's',
        b'7' => letter == b't',
        byte => byte.eq_ignore_ascii_case(&letter),
    }
}

/// The cost to guess which letters are capitals.
fn capitals(text: &[u8]) -> f32 {
    let large = text.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    let small = text.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    match (large, small) {
        (0, _) => 0.0,
        (_, 0) => CAPITALS,
        (1, _) if text[0].is_ascii_uppercase() => CAPITALS,
        // Any letter may be a capital: a bit for each.
        _ => f32::from(u8::try_from(text.len()).unwrap_or(u8::MAX)),
    }
}

/// A copy of earlier text, once or several times.
fn reach_copies(key: &[u8], at: usize, reach: &mut impl FnMut(usize, f32)) {
    for distance in 1..=at {
        let len = same_len(&key[at..], &key[at - distance..]);
        if len >= 2 {
            reach(len, log2(distance) + log2(len) + 1.0);
        }
    }
}

fn same_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// `abcd`, `9876`, and larger steps such as `2468`.
fn reach_sequences(key: &[u8], at: usize, reach: &mut impl FnMut(usize, f32)) {
    let [first, second, ..] = key[at..] else { return };
    let step = second.wrapping_sub(first);
    let steps = key[at..].windows(2).take_while(|pair| pair[1].wrapping_sub(pair[0]) == step);
    let len = 1 + steps.count();
    match step {
        0 => {}
        1 | u8::MAX if len >= 3 => reach(len, SEQUENCE + log2(len)),
        _ if len >= 4 => reach(len, PROGRESSION + log2(len)),
        _ => {}
    }
}

/// Three keys or more that lie side by side.
fn reach_rows(key: &[u8], at: usize, reach: &mut impl FnMut(usize, f32)) {
    for row in ROWS {
        for start in memchr::memchr_iter(key[at], row) {
            let forwards = same_len(&key[at..], &row[start..]);
            let back = row[..=start].iter().rev();
            let backwards = key[at..].iter().zip(back).take_while(|(a, b)| a == b).count();
            let len = forwards.max(backwards);
            if len >= 3 {
                reach(len, ROW + log2(len));
            }
        }
    }
}

fn log2(number: usize) -> f32 {
    f32::from(u16::try_from(number).unwrap_or(u16::MAX)).log2()
}
