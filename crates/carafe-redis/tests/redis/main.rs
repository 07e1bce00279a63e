//! Tests against a real server, whose URL is in `CARAFE_REDIS_URL`. They may delete all its
//! scripts, and cut connections to it. Those that need servers of their own start the program that
//! `CARAFE_REDIS_SERVER` names, `redis-server` otherwise.
//!
//! `cargo xtask test --only redis` and `--only redis-cluster` start servers and run them.

mod access;
mod clock;
mod encryption;
mod eviction;
mod failover;
mod faults;
mod idle;
mod index;
mod listening;
mod own;
mod resp;
mod routing;
mod scan;
mod server_side;
mod way;
mod wire;

use std::time::Duration;

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionId, SessionIdHash};
use carafe::store::Record;
use carafe_redis::RedisStore;
use carafe_store_tests::Fixture;

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

/// Keys of one test's own.
struct Keys {
    prefix: String,
}

impl Fixture for Keys {
    type Store = RedisStore;

    async fn open(&self) -> RedisStore {
        // A machine that is busy with other tests is no failure.
        let options = RedisStore::options(url()).answer_timeout(Duration::from_secs(20));
        options.prefix(&self.prefix).open().unwrap()
    }

    fn expires_by_itself(&self) -> bool {
        true
    }
}

async fn keys() -> Keys {
    Keys { prefix: prefix() }
}

carafe_store_tests::suite!(keys);

fn prefix() -> String {
    format!("test-{}", PublicId::random().unwrap())
}

pub(crate) fn url() -> String {
    std::env::var("CARAFE_REDIS_URL").expect("CARAFE_REDIS_URL must hold the URL of a server")
}

/// Whether the server is a Cluster.
pub(crate) fn is_cluster() -> bool {
    url().contains("-cluster://")
}

/// Held by tests that would notice when another makes the server forget its scripts.
pub(crate) static SCRIPTS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A store whose keys no other test uses.
pub(crate) fn store() -> (RedisStore, String) {
    let prefix = prefix();
    (RedisStore::options(url()).prefix(&prefix).open().unwrap(), prefix)
}

pub(crate) fn id() -> SessionIdHash {
    SessionId::random().unwrap().hash()
}

pub(crate) fn record(user: Option<&str>) -> Record {
    let mut record = Record::new(PublicId::random().unwrap(), NOW, 3600, 86_400);
    record.user = user.map(str::to_owned);
    record.data = br#"{"a":1}"#.to_vec();
    record
}
