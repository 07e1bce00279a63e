//! The cost of Carafe, beside the limits that the cryptography sets and beside its peers.
//!
//! `cargo xtask bench` runs it and writes `docs/reports/benchmarks.md` and the plots there. All that is
//! compared is measured in one run, in turns, so that what else the machine does hits all alike.

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "servers")]
pub mod application;
pub mod limits;
pub mod machine;
pub mod measure;
pub mod ours;
pub mod paths;
pub mod payload;
#[cfg(feature = "peers")]
pub mod peers;
pub mod plot;
pub mod report;
pub mod request;
pub mod stored;
pub mod subject;
pub mod suite;
pub mod whole;

/// The secret key of everything here: 32 bytes, as `openssl rand -hex 16` gives them.
pub const KEY: &str = "8b1f0c6e5a7d4932b6e0f1a2c3d4e5f6";
