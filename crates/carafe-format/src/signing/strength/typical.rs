//! The weak keys that are tried on the signature of a cookie.

use super::{guesses, published};

/// Endings that people put after a word.
const ENDINGS: [&str; 14] = [
    "", "1", "12", "123", "1234", "12345", "!", "1!", "123!", "2023", "2024", "2025", "2026",
    "_key",
];

/// Names of keys.
const NAMES: [&str; 8] =
    ["secret", "key", "secretkey", "password", "token", "session", "salt", "app"];

/// The longest repetition of a character or a few, and the longest part of a sequence.
const LONGEST: usize = 64;

/// Sequences that are repeated, and that parts are taken of.
const SEQUENCES: [&str; 5] = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789abcdef",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz0123456789",
];

/// Returns the keys that an attacker tries first: the published keys in their spellings, and a limited
/// number of placeholders and of keys that [`guesses`] finds guessable.
pub(crate) fn typical_keys() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut guessable: Vec<Vec<u8>> = placeholders();
    guessable.extend(words());
    guessable.extend(pairs());
    guessable.extend(repetitions());
    guessable.extend((0..10_000).map(|number: u32| number.to_string().into_bytes()));
    guessable.extend((0..1_000).map(|number: u32| format!("{number:04}").into_bytes()));
    (published::spellings(), guessable)
}

/// Names of variables that nothing has replaced.
fn placeholders() -> Vec<Vec<u8>> {
    let names = ["SECRET_KEY", "SECRET", "FLASK_SECRET_KEY", "APP_SECRET", "APP_SECRET_KEY", "KEY"];
    let names = names.into_iter().flat_map(|name| {
        let lower = name.to_ascii_lowercase();
        [name.to_owned(), lower.replace('_', "-"), lower.replace('_', " "), lower]
    });
    let written = names.flat_map(|name| {
        [
            format!("${{{name}}}"),
            format!("${name}"),
            format!("$({name})"),
            format!("<{name}>"),
            format!("<your-{name}>"),
            format!("<your {name}>"),
            format!("<your_{name}>"),
            format!("{{{{ {name} }}}}"),
            format!("{{{{{name}}}}}"),
            format!("{{{name}}}"),
            format!("%{name}%"),
            format!("[{name}]"),
            format!("__{name}__"),
            format!("change-this-{name}"),
            format!("your-{name}-change-in-production"),
            format!("your_{name}_change_in_production"),
            format!("{name}-change-in-production"),
            format!("{name}_change_in_production"),
        ]
    });
    written.map(String::into_bytes).collect()
}

/// Single words, as they are and with an ending.
fn words() -> impl Iterator<Item = Vec<u8>> {
    let (first, common) = guesses::words();
    let first = first.flat_map(|word| ENDINGS.map(|ending| format!("{word}{ending}")));
    let common = common.flat_map(|word| ["", "1", "123"].map(|end| format!("{word}{end}")));
    first.chain(common).map(String::into_bytes)
}

/// A word before a word that keys are named with, with `key` and numbers after them.
fn pairs() -> impl Iterator<Item = Vec<u8>> {
    let pairs = guesses::words().0.flat_map(|a| NAMES.map(|b| (a, b)));
    pairs.flat_map(|(a, b)| {
        ["", "-", "_", " "].into_iter().flat_map(move |separator| {
            let pair = format!("{a}{separator}{b}");
            [format!("{pair}{separator}key"), format!("{pair}123"), pair].map(String::into_bytes)
        })
    })
}

/// One character or a sequence over and over, and parts of keyboard rows.
fn repetitions() -> impl Iterator<Item = Vec<u8>> {
    let characters = (32..127).map(|byte: u8| vec![byte]);
    let starts = SEQUENCES.into_iter().flat_map(|sequence| {
        (2..=sequence.len()).map(move |len| sequence.as_bytes()[..len].to_vec())
    });
    let rows = guesses::rows().flat_map(|row| (2..=row.len()).map(move |len| row[..len].to_vec()));
    let units = characters.chain(starts).chain(rows);
    units.flat_map(|unit| {
        let lengths = (1..=LONGEST).filter(|len| len % unit.len() == 0 || *len >= 16);
        let lengths: Vec<usize> = lengths.collect();
        lengths.into_iter().map(move |len| unit.iter().copied().cycle().take(len).collect())
    })
}
