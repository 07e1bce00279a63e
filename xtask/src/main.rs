//! Project tasks: `cargo xtask test` and others.
#![forbid(unsafe_code)]

fn main() {}
