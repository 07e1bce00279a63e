//! Carafe's sessions in PostgreSQL.
//!
//! ```no_run
//! use carafe::{SecretKey, SessionLayer};
//! use carafe_postgres::PostgresStore;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = PostgresStore::new("postgres://app:password@127.0.0.1/app")?;
//! let sessions = SessionLayer::stored(store, SecretKey::from_env("SECRET_KEY")?)?;
//! # let _ = sessions;
//! # Ok(())
//! # }
//! ```
//!
//! # What it does
//!
//! 1. Reading a session is one statement and one round trip, and so is writing one.
//!    A write that meets another one asks in a second statement what became of the session.
//! 2. Statements are unnamed and leave nothing behind in their connection, as PgBouncer asks of what
//!    it pools by transaction, unless you want
//!    [the server to remember them](PostgresOptions::prepared_statements).
//! 3. A write whose answer was lost is never sent again: it fails with
//!    [`StoreErrorKind::Uncertain`](carafe::store::StoreErrorKind::Uncertain).
//! 4. A small pool replaces connections that broke. What an error says of its connection holds for
//!    its siblings: a lost answer closes those that were idle as well. While the server is down,
//!    statements fail at once.
//! 5. A statement that had no effect because another transaction came first is sent again, so that
//!    every level of isolation works.
//! 6. The tables, `carafe_sessions` and two for revocations, are made at first use, in the schema
//!    that [`schema`](PostgresOptions::schema) names, and brought up to date by later versions of this
//!    library. Updates of a session touch no index.
//! 7. What has expired is removed in batches that wait for no lock.
//! 8. The store works in every tokio runtime, in several at once and one after the other, and under
//!    the clock of a test that has paused it.
//!
//! A write that was acknowledged is on disk, as long as the server's `fsync` and
//! `synchronous_commit` are on, as they are by default. PostgreSQL 12 or later is needed; 15 is
//! tested.
//!
//! # TLS
//!
//! Beyond this machine connections are encrypted, and the server's certificate is checked, unless
//! the URL says otherwise:
//!
//! 1. Without `sslmode`, TLS is required, except for loopback addresses and Unix sockets.
//! 2. `require` and `verify-full` require it everywhere. `verify-ca` accepts a certificate for another
//!    name.
//! 3. `prefer` and `allow` go without where the server has none, and then never send a password in
//!    clear text beyond this machine.
//! 4. `disable` goes without.
//!
//! `sslrootcert`, `sslcert` and `sslkey` name files, as for `libpq`.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod connect;
mod connection;
mod error;
mod greeting;
mod idle;
mod listen;
mod migrations;
mod options;
mod places;
mod pool;
mod rows;
mod scan;
mod socket;
mod sqlstate;
mod store;
mod tables;
mod tls;
mod url;

pub use self::options::PostgresOptions;
pub use self::store::PostgresStore;
