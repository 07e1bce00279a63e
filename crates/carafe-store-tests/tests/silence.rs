//! Neither the log nor the metrics of the cases show an id, a user or a value.
//!
//! A program of its own, since it listens to everything that happens in it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Deleted, MemoryStore, Record, RevocationStore, Revocations, SessionStore, StoreError, Stored,
    Updated, UserRevocation, Version,
};
use carafe_store_tests::Fixture;
use metrics_util::debugging::DebuggingRecorder;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// Users, addresses, agents and texts of sessions that a store was given.
static SECRETS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn note(record: &Record) {
    let data = String::from_utf8_lossy(&record.data);
    let texts = data.split('"').filter(|text| text.chars().all(char::is_alphanumeric));
    let known = [&record.user, &record.address, &record.agent].map(Option::as_deref);
    let mut secrets = SECRETS.lock().unwrap();
    // Shorter ones are words of the log, too.
    let texts = texts.chain(known.into_iter().flatten()).filter(|text| text.len() >= 5);
    secrets.extend(texts.map(str::to_owned));
}

/// A store that notes what it is given.
#[derive(Clone, Default)]
struct Watched(Arc<MemoryStore>);

impl SessionStore for Watched {
    async fn create(
        &self,
        id: &SessionIdHash,
        new: &Record,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        note(new);
        self.0.create(id, new, now).await
    }

    async fn load(
        &self,
        id: &SessionIdHash,
        now: UnixSeconds,
    ) -> Result<Option<Stored>, StoreError> {
        self.0.load(id, now).await
    }

    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<Updated, StoreError> {
        note(record);
        self.0.update(id, expected, record, now).await
    }

    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        self.0.delete(id, expected).await
    }

    async fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        self.0.list_for_user(user, now).await
    }

    async fn delete_for_user(&self, user: &str, keep: Option<PublicId>) -> Result<u64, StoreError> {
        self.0.delete_for_user(user, keep).await
    }

    async fn delete_expired(&self, now: UnixSeconds, limit: u32) -> Result<u64, StoreError> {
        self.0.delete_expired(now, limit).await
    }
}

impl RevocationStore for Watched {
    async fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.0.revoke(id, until, now).await
    }

    async fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.0.revoke_user(user, revocation, now).await
    }

    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> Result<Revocations, StoreError> {
        self.0.revocations(id, user, now).await
    }

    async fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.0.delete_expired_revocations(now, limit).await
    }
}

impl Fixture for Watched {
    type Store = Self;

    async fn open(&self) -> Self {
        self.clone()
    }
}

async fn watched() -> Watched {
    Watched::default()
}

/// Whether a part of a line may be an id, a key, a signature or a hash of any kind: letters and
/// digits together, longer than any name.
fn looks_random(part: &str) -> bool {
    part.len() >= 20
        && part.bytes().any(|byte| byte.is_ascii_digit())
        && part.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn check(output: &str) {
    let mut secrets = SECRETS.lock().unwrap().clone();
    // Words of the log's own.
    for word in ["first", "large"] {
        secrets.remove(word);
    }
    assert!(secrets.len() >= 10, "the store was given too little: {secrets:?}");
    for line in output.lines() {
        let mut parts =
            line.split(|char: char| !(char.is_ascii_alphanumeric() || "-_".contains(char)));
        assert!(!parts.any(looks_random), "{line}");
        for secret in &secrets {
            let words = line.split(|char: char| !char.is_alphanumeric());
            assert!(words.into_iter().all(|word| word != secret), "{secret:?} in {line}");
        }
    }
}

#[test]
fn no_case_shows_an_id_a_user_or_a_value() {
    let log = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::NEW)
        .with_ansi(false)
        .without_time()
        .with_writer(|| Log);
    log.init();
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    recorder.install().unwrap();

    carafe_store_tests::with_cases!(run_of, watched);

    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    for event in ["created", "loaded", "renewed", "rotated", "refused", "expired", "logged_out"] {
        assert!(log.contains(&format!("event=\"session.{event}\"")), "no {event}");
    }
    for event in ["session.conflict", "session.retried", "session.unknown", "store.failed"] {
        assert!(log.contains(&format!("event=\"{event}\"")), "no {event}");
    }
    check(&log);
    let metrics = metrics.snapshot().into_vec();
    let names: BTreeSet<_> = metrics.iter().map(|(key, ..)| key.key().name()).collect();
    for name in ["carafe_conflicts_total", "carafe_store_errors_total", "carafe_errors_total"] {
        assert!(names.contains(name), "no {name} in {names:?}");
    }
    check(&metrics.iter().map(|(key, ..)| format!("{:?}\n", key.key())).collect::<String>());
}
