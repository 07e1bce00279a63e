//! The growth of each parser's work with its input, counted in allocated bytes.
//!
//! A program of its own, since it replaces the allocator by one that counts.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use carafe::csrf::CsrfLayer;
use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
use carafe::value::Value;
use carafe::{KeyRing, SecretKey, Session, SessionLayer, WantedPage, inspect};
use tower::Service as _;

const NOW: u64 = 1_700_000_000;
/// Sizes of the input in bytes, the second four times the first.
const SIZES: [usize; 2] = [8_000, 32_000];

fn key() -> SecretKey {
    SecretKey::new("a key for these tests").unwrap()
}

/// A parser, and what it does with an input.
struct Parser {
    name: &'static str,
    run: fn(&[u8]),
    /// What is repeated, between a beginning and an end.
    shapes: &'static [(&'static str, &'static str, &'static str)],
}

/// A request with a header, to an application that opens the session.
fn request(name: &str, value: &[u8], form: &[u8]) {
    let app = || {
        Router::new()
            .route("/", any(async |session: Session| session.len().to_string()))
            .layer(CsrfLayer::same_host().form_limit(1 << 20))
            .layer(SessionLayer::flask(key()))
    };
    let mut request = Request::post("/").header("host", "a").header("origin", "http://a");
    if !form.is_empty() && name != "content-type" {
        request = request.header("content-type", "multipart/form-data; boundary=x");
    }
    if let Ok(value) = http::HeaderValue::from_bytes(value) {
        request = request.header(name, value);
    }
    let request = request.body(Body::from(form.to_vec())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let response: Result<Response, Infallible> = runtime.block_on(app().call(request));
    assert!(response.is_ok());
}

fn signed(payload: &[u8]) -> String {
    UrlSafeTimedSerializer::new(&KeyRing::new(key()), &SigningOptions::default())
        .dumps_json(payload, NOW)
}

const PARSERS: &[Parser] = &[
    Parser {
        name: "the Cookie header",
        run: |input| request("cookie", input, b""),
        shapes: &[
            ("", "session=;", ""),
            ("", "session", ""),
            ("", "kNNNNNN=b; ", ""),
            ("", "session ", ""),
            ("", "session=\"\\\"; ", ""),
            ("session=\"", "\\", "\""),
            ("session=\"", "\\101", "\""),
            ("", ";", ""),
            ("", " ", ""),
            ("session=", ".", ""),
            ("session=", "a.", ""),
            ("session=.", "eJ", ".aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ],
    },
    Parser {
        name: "the Content-Type header",
        run: |input| request("content-type", input, b"a"),
        shapes: &[
            ("multipart/form-data; ", "x=\"\\\";", ""),
            ("multipart/form-data; ", "x=\"", ""),
            ("multipart/form-data; ", "x=", ""),
            ("multipart/form-data; ", "; ", ""),
            ("multipart/form-data; boundary=\"", "\\", ""),
        ],
    },
    Parser {
        name: "a token in a header",
        run: |input| request("x-csrf-token", input, b""),
        shapes: &[("", "A", ""), ("", "=", ""), ("", ".", "")],
    },
    Parser {
        name: "a form's parts",
        run: |input| request("x-none", b"", input),
        shapes: &[
            ("--x\r\nContent-Disposition: form-data; ", "x=\"\\\";", "\r\n\r\n"),
            ("--x\r\n", "Content-Disposition: form-data; x=\"\r\n", "\r\n\r\n"),
            ("--x\r\n", "a: b\r\n", "\r\n"),
            ("", "--x\r\n\r\n\r\n", ""),
            ("--x\r\n\r\n", "\r\n--", ""),
            ("--x\r\n\r\n", "\r\n", ""),
            ("--x\r\n", "\r", ""),
        ],
    },
    Parser {
        name: "a form's fields",
        run: |input| request("content-type", b"application/x-www-form-urlencoded", input),
        shapes: &[("", "a&", ""), ("", "csrf_token&", ""), ("", "&", ""), ("", "=", "")],
    },
    Parser { name: "tagged JSON", run: |input| drop(Value::from_tagged_json(input)), shapes: JSON },
    Parser {
        name: "a signed session's content",
        run: |input| request("cookie", format!("session={}", signed(input)).as_bytes(), b""),
        shapes: JSON,
    },
    Parser {
        name: "a cookie without a key",
        run: |input| {
            let _ = inspect::inspect(input).map(|found| found.value().is_some());
        },
        shapes: &[
            ("", ".", ""),
            ("", "a.", ""),
            ("", "eyI", ".aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            (".", "eJ", ".aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            ("\"", "\\", "\""),
            ("\"", "\\101", "\""),
        ],
    },
    Parser {
        name: "a pasted line",
        run: |input| drop(inspect::pasted(input)),
        shapes: &[
            ("", "a=b; ", ""),
            ("Cookie: ", "session=a.b.c; ", ""),
            ("Set-Cookie: ", "Path=/; ", ""),
            ("", "Cookie: ", ""),
            ("", "\"", ""),
            ("", "'", ""),
            ("", " ", ""),
            ("", "=", ""),
            ("", "-b ", ""),
        ],
    },
    Parser {
        name: "the wanted page",
        run: |input| drop(WantedPage::from_query(std::str::from_utf8(input).unwrap())),
        shapes: &[
            ("", "next=/a&", ""),
            ("", "next=%", ""),
            ("next=/", "%2F", ""),
            ("next=/", "../", ""),
            ("", "&", ""),
        ],
    },
];

const JSON: &[(&str, &str, &str)] = &[
    ("", "[", ""),
    ("[", "[],", "0]"),
    ("[", "0,", "0]"),
    ("", "9", ""),
    ("{\"a\":", "9", "}"),
    ("{\"a\":0.", "9", "}"),
    ("{\"a\":1e", "9", "}"),
    ("{", "\"a\":0,", "\"a\":0}"),
    ("{", "\"NNNNNN\":0,", "\"a\":0}"),
    ("{", "\"\\u0061NNNNNN\":0,", "\"a\":0}"),
    ("{\"a\":{", "\"NNNNNN\":0,", "\"a\":0}}"),
    ("{", "\"\\u0061\":0,", "\"a\":0}"),
    ("{\"a\":\"", "\\u0061", "\"}"),
    ("{\"a\":\"", "\\ud83d", "\"}"),
    ("{\"a\":\"", "\\", "\"}"),
    ("{\"a\":\"", "\u{e9}", "\"}"),
    ("{\"a\":[", "{\" t\":[]},", "0]}"),
    ("{\"a\":", "{\" t\":[", "]}}"),
    ("{\"a\":{\" b\":\"", "QUFB", "\"}}"),
    ("{\"a\":{\" b\":\"", "QUFB\\n", "\"}}"),
    ("{\"a\":{\" d\":\"", "Tue, ", "\"}}"),
    ("{\"a\":{\" m\":\"", "a", "\"}}"),
    ("{\"a\":{\" u\":\"", "a-", "\"}}"),
    ("{\"a\":{", "\" di\":1,", "\" di\":1}}"),
    ("{\"a\":0}", " ", ""),
];

/// The input of a shape. `NNNNNN` becomes another number in each piece, the greatest first.
fn input((begin, piece, end): (&str, &str, &str), size: usize) -> Vec<u8> {
    let numbers = (0..size / piece.len()).rev();
    let pieces = numbers.map(|n| piece.replace("NNNNNN", &format!("{n:06}")));
    [begin, &pieces.collect::<String>(), end].concat().into_bytes()
}

/// The bytes that are allocated for an input, of a second run: the first fills what is kept.
fn allocated(run: fn(&[u8]), input: &[u8]) -> u64 {
    run(input);
    allocation_counter::measure(|| run(input)).bytes_total
}

#[test]
fn what_is_allocated_grows_with_the_input_and_no_faster() {
    for parser in PARSERS {
        for shape in parser.shapes {
            let [few, many] = SIZES.map(|size| allocated(parser.run, &input(*shape, size)));
            assert!(
                many <= 5 * few + 1000,
                "{}: {few} and {many} bytes for {shape:?}",
                parser.name
            );
        }
    }
}
