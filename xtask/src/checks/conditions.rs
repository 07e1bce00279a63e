//! Two processes of the twin on one store, under one fault after the other.

use crate::checks::interop::{self, with_examples};
use crate::checks::stores::new_file;
use crate::job::Job;
use crate::servers::redis::{ALWAYS, REDIS};
use crate::servers::{Postgres, Redis, Stopped};

/// The length, in a run of all the tests: each condition comes once.
pub(crate) const SHORT: u64 = 1;

/// The store of the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Memory,
    Sqlite,
    Redis,
    Postgres,
}

impl Store {
    pub(crate) const ALL: [Self; 4] = [Self::Memory, Self::Sqlite, Self::Redis, Self::Postgres];

    /// Returns its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|store| store.name() == name)
    }
}

/// One store under every condition, for this long, and each of them at least once: about 40 seconds.
pub(crate) fn run(job: &mut Job<'_>, store: Store, seconds: u64) -> Result<(), String> {
    match store {
        Store::Memory => conditions(job, seconds, &["--store", "memory"]),
        Store::Sqlite => {
            let file = new_file(job, "conditions.db")?;
            let url = format!("sqlite:{}", file.display());
            conditions(job, seconds, &["--store", &url])
        }
        Store::Redis => {
            let server = Redis::stopped(job, "redis-conditions", REDIS, ALWAYS)?;
            on_server(job, &server, seconds)
        }
        Store::Postgres => {
            let server = Postgres::stopped(job, "postgres-conditions")?;
            on_server(job, &server, seconds)
        }
    }
}

fn on_server(job: &mut Job<'_>, server: &Stopped, seconds: u64) -> Result<(), String> {
    let start = server.command()?;
    conditions(job, seconds, &["--store", server.url(), "--server", &start])
}

fn conditions(job: &mut Job<'_>, seconds: u64, store: &[&str]) -> Result<(), String> {
    let mut command = job.python("interop/conditions/__main__.py")?;
    command.args(["--seconds", &seconds.to_string()]);
    command.args(store);
    with_examples(job, &mut command, &["twin"])?;
    interop::run(job, command)
}
