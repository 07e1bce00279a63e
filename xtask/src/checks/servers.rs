//! Groups that need servers: the stores on Redis and PostgreSQL.

use std::process::Command;

use crate::checks::conditions::{self, Store};
use crate::checks::interop::{self, with_examples};
use crate::checks::stores;
use crate::job::Job;
use crate::servers::certificates::Certificates;
use crate::servers::postgres::FAST;
use crate::servers::redis::{ALWAYS, EVERYSEC, Make, REDIS, REDIS_6, VALKEY};
use crate::servers::{PgBouncer, Postgres, Redis, RedisCluster, Stopped};
use crate::shell::shell_word;

/// The number of times that a server is killed in a run of all the tests.
const KILLS: u64 = 10;

/// The number of seconds for which Redis may keep acknowledged writes from the disk with
/// `everysec`. It promises one; if the disk is slow it waits for another.
const EVERYSEC_SECONDS: &str = "2";

/// Runs the conformance suite and the crate's own tests on one server, then two processes on it,
/// and crashes of it and all the other conditions. It takes three minutes on a busy machine.
pub(crate) fn redis(job: &mut Job<'_>) -> Result<(), String> {
    let certificates = Certificates::make(job)?;
    let server = Redis::start_with_tls(job, "redis-server", &[], &certificates)?;
    let tls = server.tls_url().ok_or("the server has no port with TLS")?;
    let mut command = suite(job, "redis");
    command.env("CARAFE_REDIS_URL", server.url()).env("CARAFE_REDIS_TLS_URL", tls);
    command.env("CARAFE_REDIS_SERVER", server.program());
    command.env("CARAFE_ROOT_CERTIFICATE", certificates.authority());
    run(job, command, "on Redis")?;
    stores::races(job, &[&server.url()])?;
    accounts(job, &server.url())?;
    crashes_of_redis(job, KILLS)?;
    conditions::run(job, Store::Redis, conditions::SHORT)?;
    // The same program has to notice the losses of a server that keeps nothing.
    let forgetful = Redis::stopped(job, "redis-forgetful", REDIS, &[])?;
    crashes(job, &forgetful, 2, &["--expect-loss"])?;
    let small = Redis::start(job, "redis-full", REDIS, &[])?;
    stores::full(job, &small.url())?;
    drop(small);
    // A replica that is 20 ms away has never heard of the last logouts, unless they wait for it.
    failovers(job, 3, 20, &["--expect-loss"])?;
    failovers(job, 3, 20, &["--wait"])
}

/// Runs the tests on a Cluster of three nodes, with and without TLS; then slots that move and
/// masters that die, of a Cluster with replicas. It takes two minutes.
pub(crate) fn redis_cluster(job: &mut Job<'_>) -> Result<(), String> {
    let certificates = Certificates::make(job)?;
    let cluster = RedisCluster::start(job, "redis-cluster", &certificates)?;
    let mut command = suite(job, "redis");
    command.env("CARAFE_REDIS_URL", cluster.url());
    command.env("CARAFE_REDIS_SERVER", cluster.program()?);
    command.env("CARAFE_REDIS_TLS_URL", cluster.tls_url());
    command.env("CARAFE_ROOT_CERTIFICATE", certificates.authority());
    run(job, command, "on a Cluster")?;
    stores::races(job, &[&cluster.url()])?;
    drop(cluster);
    cluster_failovers(job, REDIS, 2, 5, &["--wait", "--reshard-seconds", "5"])?;
    // The same program has to notice the writes that a replica has never heard of.
    cluster_failovers(job, REDIS, 1, 50, &["--expect-loss"])
}

/// Runs the suite and the crate's own tests on Redis 6.2, without TLS, since the packaged server
/// was built without it. It takes half a minute.
pub(crate) fn redis_6(job: &mut Job<'_>) -> Result<(), String> {
    let server = Redis::start(job, "redis-server-6.2", REDIS_6, &[])?;
    let mut command = suite(job, "redis");
    command.args(["--", "--skip", "encryption::", "--skip", "interleavings::of_late_requests"]);
    command.env("CARAFE_REDIS_URL", server.url()).env("CARAFE_REDIS_SERVER", server.program());
    run(job, command, "on Redis 6.2")
}

/// The suite on Valkey, and a Cluster of Valkey's whose slots move and whose masters die. Without TLS,
/// which the server that can be had wasn't built with, and without the case that takes longer than
/// all others, of histories in which the server sees nothing that other cases don't do to it. A
/// minute.
pub(crate) fn valkey(job: &mut Job<'_>) -> Result<(), String> {
    let server = Redis::start(job, "valkey-server", VALKEY, &[])?;
    let version = server.command("INFO server")?;
    let version = version.lines().find_map(|line| line.strip_prefix("valkey_version:"));
    let version = version.ok_or("this is no Valkey")?.to_owned();
    let mut command = suite(job, "redis");
    command.args(["--", "--skip", "encryption::", "--skip", "interleavings::of_late_requests"]);
    command.env("CARAFE_REDIS_URL", server.url().replace("redis:", "valkey:"));
    command.env("CARAFE_REDIS_SERVER", server.program());
    run(job, command, &format!("on Valkey {version}"))?;
    drop(server);
    cluster_failovers(job, VALKEY, 2, 5, &["--wait", "--reshard-seconds", "3"])
}

/// The conformance suite and the crate's own tests, on PostgreSQL, which remembers statements, and
/// through PgBouncer, where it doesn't; then two processes on it, one of each kind, and crashes of it
/// and all the other conditions. Three minutes on a busy machine.
pub(crate) fn postgres(job: &mut Job<'_>) -> Result<(), String> {
    let certificates = Certificates::make(job)?;
    let encrypted = Postgres::start(job, "postgres-tls", FAST, Some(&certificates))?;
    let server = Postgres::start(job, "postgres-server", FAST, None)?;
    let pooler = PgBouncer::start(job, "pgbouncer", &server)?;
    for (url, prepared, place) in
        [(server.url(), "1", "on PostgreSQL"), (pooler.url(), "0", "through PgBouncer")]
    {
        let mut command = suite(job, "postgres");
        command.env("CARAFE_POSTGRES_URL", url).env("CARAFE_POSTGRES_PREPARED", prepared);
        command.env("CARAFE_POSTGRES_TLS_URL", encrypted.tls_url());
        command.env("CARAFE_ROOT_CERTIFICATE", certificates.authority());
        let [certificate, key] = certificates.client();
        command.env("CARAFE_CLIENT_CERTIFICATE", certificate).env("CARAFE_CLIENT_KEY", key);
        run(job, command, place)?;
    }
    stores::races(job, &[&server.url()])?;
    accounts(job, &server.url())?;
    crashes_of_postgres(job, KILLS)?;
    conditions::run(job, Store::Postgres, conditions::SHORT)
}

/// Tests the example `accounts` with its sessions on a server.
fn accounts(job: &mut Job<'_>, url: &str) -> Result<(), String> {
    let mut command = job.python("interop/test_accounts_on.py")?;
    command.args(["--store", url]);
    with_examples(job, &mut command, &["accounts"])?;
    interop::run(job, command)
}

/// Kills Redis under load, with `appendfsync always`: no acknowledged write is lost.
pub(crate) fn crashes_of_redis(job: &mut Job<'_>, kills: u64) -> Result<(), String> {
    let server = Redis::stopped(job, "redis-crashes", REDIS, ALWAYS)?;
    crashes(job, &server, kills, &[])
}

/// Kills Redis under load, with `everysec`: no more is lost than that setting allows.
pub(crate) fn crashes_of_redis_everysec(job: &mut Job<'_>, kills: u64) -> Result<(), String> {
    let server = Redis::stopped(job, "redis-everysec", REDIS, EVERYSEC)?;
    crashes(job, &server, kills, &["--may-lose-seconds", EVERYSEC_SECONDS])
}

/// Counts the ended sessions that are back after failovers, for replicas near and far.
pub(crate) fn failovers_of_redis(job: &mut Job<'_>, rounds: u64) -> Result<(), String> {
    for delay in [0, 1, 5] {
        failovers(job, rounds, delay, &[])?;
    }
    failovers(job, rounds, 5, &["--wait"])
}

fn failovers(
    job: &mut Job<'_>,
    rounds: u64,
    delay_ms: u64,
    expectations: &[&str],
) -> Result<(), String> {
    // The primary sends the missing writes to the replica at once.
    let primary =
        Redis::stopped(job, "redis-primary", REDIS, &["--repl-diskless-sync-delay", "0"])?;
    let replica = Redis::stopped(job, "redis-replica", REDIS, &[])?;
    let mut command = job.python("interop/failover.py")?;
    command.args(["--primary", &primary.command()?, "--primary-url", primary.url()]);
    command.args(["--replica", &replica.command()?, "--replica-url", replica.url()]);
    command.args(["--rounds", &rounds.to_string(), "--delay-ms", &delay_ms.to_string()]);
    command.args(expectations);
    with_examples(job, &mut command, &["twin"])?;
    interop::run(job, command)
}

/// Counts them on a Cluster whose masters die or freeze, and whose slots move before that.
pub(crate) fn failovers_of_cluster(job: &mut Job<'_>, rounds: u64) -> Result<(), String> {
    cluster_failovers(job, REDIS, rounds, 1, &["--reshard-seconds", "30"])?;
    cluster_failovers(job, REDIS, rounds, 5, &["--wait", "--reshard-seconds", "30"])
}

fn cluster_failovers(
    job: &mut Job<'_>,
    make: Make,
    rounds: u64,
    delay_ms: u64,
    expectations: &[&str],
) -> Result<(), String> {
    let nodes = RedisCluster::stopped(job, "redis-node", make)?;
    let mut command = job.python("interop/cluster_failover.py")?;
    for node in &nodes {
        command.args(["--node", &node.command()?]);
    }
    command.args(["--rounds", &rounds.to_string(), "--delay-ms", &delay_ms.to_string()]);
    command.args(expectations);
    with_examples(job, &mut command, &["twin"])?;
    interop::run(job, command)
}

/// Measures the cost of sessions in each kind of store, with the servers' settings of real use.
pub(crate) fn capacity(job: &mut Job<'_>, seconds: u64) -> Result<(), String> {
    job.run_cargo(&["build", "--release", "--example", "twin"])?;
    let redis = Redis::start(job, "redis-capacity", REDIS, EVERYSEC)?;
    let postgres = Postgres::start(job, "postgres-capacity", &[], None)?;
    for (url, id, prepared) in [
        ("memory".to_owned(), None, "0"),
        (redis.url(), Some(redis.id()), "0"),
        (postgres.url(), Some(postgres.id()), "0"),
        (postgres.url(), Some(postgres.id()), "1"),
    ] {
        let mut command = job.python("interop/capacity.py")?;
        command.args(["--store", &url, "--seconds", &seconds.to_string()]);
        command.env("CARAFE_TWIN_PREPARED", prepared);
        if let Some(id) = id {
            command.args(["--pid", &id.to_string()]);
        }
        let twin = job.workspace.target.join("release/examples/twin");
        command.env("CARAFE_TWIN", shell_word(&twin.to_string_lossy()));
        job.runner.run(command)?;
    }
    Ok(())
}

/// Kills PostgreSQL under load, with all its processes.
pub(crate) fn crashes_of_postgres(job: &mut Job<'_>, kills: u64) -> Result<(), String> {
    let server = Postgres::stopped(job, "postgres-crashes")?;
    crashes(job, &server, kills, &[])
}

/// Kills a server under load, and lets the twins go on by themselves.
fn crashes(
    job: &mut Job<'_>,
    server: &Stopped,
    kills: u64,
    expectations: &[&str],
) -> Result<(), String> {
    let mut command = job.python("interop/crashes.py")?;
    command.args(["--store", server.url(), "--kill", &server.command()?]);
    command.args(["--kills", &kills.to_string()]);
    command.args(expectations);
    with_examples(job, &mut command, &["twin"])?;
    interop::run(job, command)
}

/// Returns the command for a crate's tests that need a server. All packages are named, so that
/// cargo unites the features that it united before, and builds nothing twice.
fn suite(job: &Job<'_>, test: &str) -> Command {
    job.cargo(&["test", "--workspace", "--all-features", "--test", test])
}

/// Runs tests, and notes their number.
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

/// Returns the number of tests that passed, by cargo's summary.
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
