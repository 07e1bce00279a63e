//! Input of any kind ends in a result or in one clear line: never in a panic, and nothing that a
//! terminal would act on comes out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use support::{COOKIE, GOOD_KEY, Run, assert_printable, carafe, rows, text};

/// Each way of looking at cookies, with the input on standard input.
const WAYS: [&[&str]; 6] = [
    &["inspect", "-"],
    &["inspect", "-", "--json"],
    &["verify", "-"],
    &["verify", "-", "--json"],
    &["reseal", "-", "--to", "sealed"],
    &["sign", "-"],
];

fn feed(way: &[&str], input: impl Into<Vec<u8>>) -> Run {
    carafe(way).env("SECRET_KEY", GOOD_KEY).stdin(input).run()
}

fn check(way: &[&str], input: &[u8]) {
    let run = feed(way, input);
    assert!((0..=2).contains(&run.code), "{way:?} {run:?}");
    assert_printable(&run.stdout);
    assert_printable(&run.stderr);
    for line in run.stderr.lines() {
        let starts = ["error: ", "warning: ", "note: "].iter().any(|kind| line.starts_with(kind));
        assert!(starts, "{way:?} {line}");
    }
}

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_be_bytes()[0]).collect()
    }
}

#[test]
fn ten_megabytes_of_anything_are_one_line() {
    let size = 10 << 20;
    let long = [&b"eyJ"[..], &vec![b'A'; size], b".ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs"].concat();
    let binary = Random(7).bytes(size).into_iter().filter(|&b| b != b'\n').collect::<Vec<_>>();
    let one_line = |way: &[&str], input: &[u8]| {
        let run = feed(way, input);
        assert!(matches!(run.code, 1 | 2), "{way:?} {}", run.code);
        assert!(run.stdout.len() + run.stderr.len() < 2000, "{way:?}");
        assert_eq!((run.stdout + &run.stderr).lines().count(), 1, "{way:?}");
    };
    for way in WAYS {
        one_line(way, &long);
        one_line(way, &binary);
    }
    for byte in *b"A.\0=:" {
        one_line(&["verify", "-"], &vec![byte; size]);
    }
    // More than a line may have.
    let run = feed(&["verify", "-"], [vec![b'x'; 17 << 20], format!("\n{COOKIE}").into()].concat());
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    assert!(run.stderr.contains("error: line 2: wrong key"), "{}", run.stderr);
}

#[test]
fn every_byte_can_stand_in_a_line() {
    let all: Vec<u8> = (0..=255).filter(|&byte| byte != b'\n').collect();
    for way in WAYS {
        check(way, &all);
        for byte in 0..=255u8 {
            if byte % 8 == 0 || !(33..=125).contains(&byte) {
                check(way, &[&[byte], COOKIE.as_bytes(), &[byte]].concat());
            }
        }
    }
}

#[test]
fn damaged_cookies_and_noise() {
    let cookies: Vec<String> = [rows("flask.jsonl"), rows("flask-invalid.jsonl")]
        .concat()
        .iter()
        .filter_map(|row| row["cookie"].as_str().map(str::to_owned))
        .chain(rows("sealed.jsonl").iter().map(|row| text(&row["cookie"]).to_owned()))
        .collect();
    let mut random = Random(42);
    // Many lines a run, so that many cases fit into a second.
    for round in 0..24 {
        let mut input = Vec::new();
        for _ in 0..500 {
            let mut line = cookies[random.below(cookies.len())].clone().into_bytes();
            for _ in 0..random.below(4) {
                if line.is_empty() {
                    break;
                }
                let at = random.below(line.len());
                match random.below(4) {
                    0 => line[at] = random.bytes(1)[0],
                    1 => line.truncate(at),
                    2 => line.insert(at, b".:;= \"\\-_"[random.below(9)]),
                    _ => line.extend_from_slice(&random.bytes(3)),
                }
            }
            input.extend_from_slice(&line);
            input.push(b'\n');
        }
        let noise = random.below(5000);
        input.extend_from_slice(&random.bytes(noise));
        check(WAYS[round % WAYS.len()], &input);
    }
}

#[test]
fn hostile_json_is_signed_safely_or_refused() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for json in [
        "".to_owned(),
        "{".to_owned(),
        "{}{}".to_owned(),
        "\u{feff}{}".to_owned(),
        deep("[", "]"),
        deep("{\"a\":", "}"),
        deep("{\" t\":[", "]}"),
        format!("{{\"a\":{}}}", "9".repeat(4301)),
        "{\"a\":\"\x1b[31m\"}".to_owned(),
        "{\"a\":\"\u{9b}".to_owned(),
    ] {
        let run = feed(&["sign", "-"], json.clone());
        run.complaint(2);
        assert!(run.stderr.len() < 300, "{}", run.stderr);
    }
    let dangerous = "{\"\u{9b}31m\":\"\u{202e}\u{7f}\\u001b[2J\"}";
    let cookie = feed(&["sign", "-"], dangerous).quiet();
    let verified = carafe(["verify", cookie.trim_end()]).env("SECRET_KEY", GOOD_KEY).run().quiet();
    assert_eq!(verified, "{\"\\u009b31m\":\"\\u202e\\u007f\\u001b[2J\"}\n");
    assert_printable(&carafe(["inspect", cookie.trim_end()]).run().quiet());
}

#[cfg(unix)]
#[test]
fn arguments_need_not_be_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let bytes: Vec<u8> = (1..=255).collect();
    let hostile = OsStr::from_bytes(&bytes);
    for command in ["inspect", "verify", "reseal", "sign", "man", "completions", "doctor", "x"] {
        let run = carafe([command.as_ref(), hostile]).env("SECRET_KEY", GOOD_KEY).run();
        run.complaint(if matches!(command, "sign" | "man" | "completions" | "doctor" | "x") {
            2
        } else {
            1
        });
    }
    for option in ["--max-age", "--now", "--digest", "--salt", "--secret-key-file", "--cookie-name"]
    {
        let arguments = ["verify".as_ref(), COOKIE.as_ref(), option.as_ref(), hostile];
        let run = carafe(arguments).env("SECRET_KEY", GOOD_KEY).run();
        assert!(matches!(run.code, 1 | 2), "{option}");
        run.complaint(run.code);
    }
}
