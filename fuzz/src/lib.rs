//! The targets of the fuzzers: each function takes any bytes, and panics if a promise is broken.
//!
//! The programs in `fuzz_targets/` give them to libFuzzer, and `crates/carafe/tests/fuzz_corpus.rs`
//! runs them on the corpus.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a target fails by panicking"
)]

mod cookie_header;
pub mod corpus;
mod csrf_form;
mod flask_codec;
mod record;
mod sealed_codec;
mod tagged_json;
mod visit;

pub use self::cookie_header::cookie_header;
pub use self::csrf_form::csrf_form;
pub use self::flask_codec::flask_codec;
pub use self::record::record;
pub use self::sealed_codec::sealed_codec;
pub use self::tagged_json::tagged_json;

/// A target: any bytes will do.
pub type Target = fn(&[u8]);

/// Every target under its name, which is that of its program and of its corpus.
pub const TARGETS: [(&str, Target); 6] = [
    ("cookie_header", cookie_header),
    ("csrf_form", csrf_form),
    ("flask_codec", flask_codec),
    ("record", record),
    ("sealed_codec", sealed_codec),
    ("tagged_json", tagged_json),
];
