//! Groups that need servers: the stores on Redis and PostgreSQL.

use std::process::Command;

use crate::job::Job;
use crate::servers::certificates::Certificates;
use crate::servers::postgres::FAST;
use crate::servers::{PgBouncer, Postgres, Redis, RedisCluster};

/// The conformance suite and the crate's own tests, on one server. Half a minute.
pub(crate) fn redis(job: &mut Job<'_>) -> Result<(), String> {
    let certificates = Certificates::make(job)?;
    let server = Redis::start_with_tls(job, "redis-server", &certificates)?;
    let tls = server.tls_url().ok_or("the server has no port with TLS")?;
    let mut command = suite(job, "redis");
    command.env("CARAFE_REDIS_URL", server.url()).env("CARAFE_REDIS_TLS_URL", tls);
    command.env("CARAFE_ROOT_CERTIFICATE", certificates.authority());
    run(job, command, "on Redis")
}

/// The same on a Cluster of three nodes.
pub(crate) fn redis_cluster(job: &mut Job<'_>) -> Result<(), String> {
    let cluster = RedisCluster::start(job, "redis-cluster")?;
    let mut command = suite(job, "redis");
    command.env("CARAFE_REDIS_URL", cluster.url());
    run(job, command, "on a Cluster")
}

/// The conformance suite and the crate's own tests, on PostgreSQL and through PgBouncer.
pub(crate) fn postgres(job: &mut Job<'_>) -> Result<(), String> {
    let certificates = Certificates::make(job)?;
    let encrypted = Postgres::start(job, "postgres-tls", FAST, Some(&certificates))?;
    let server = Postgres::start(job, "postgres-server", FAST, None)?;
    let pooler = PgBouncer::start(job, "pgbouncer", &server)?;
    for (url, place) in [(server.url(), "on PostgreSQL"), (pooler.url(), "through PgBouncer")] {
        let mut command = suite(job, "postgres");
        command.env("CARAFE_POSTGRES_URL", url);
        command.env("CARAFE_POSTGRES_TLS_URL", encrypted.tls_url());
        command.env("CARAFE_ROOT_CERTIFICATE", certificates.authority());
        run(job, command, place)?;
    }
    Ok(())
}

/// A crate's tests that need a server. All packages are named, so that cargo unites the features
/// that it united before, and builds nothing twice.
fn suite(job: &Job<'_>, test: &str) -> Command {
    job.cargo(&["test", "--workspace", "--all-features", "--test", test])
}

/// Runs tests, and notes how many there were.
fn run(job: &mut Job<'_>, command: Command, place: &str) -> Result<(), String> {
    job.runner.run(command)?;
    let summary = job.runner.last_line()?.unwrap_or_default();
    match passed(&summary) {
        Some(0) | None => Err(format!("no tests ran {place}")),
        Some(number) => {
            job.note(format!("{number} tests {place}"));
            Ok(())
        }
    }
}

/// How many tests passed, as cargo's summary has it.
fn passed(summary: &str) -> Option<u32> {
    let (_, rest) = summary.split_once("test result: ok. ")?;
    rest.split_once(" passed")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_how_many_passed() {
        let line = "test result: ok. 115 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(passed(line), Some(115));
        assert_eq!(passed("    Finished `test` profile"), None);
    }
}
