//! The cost of Carafe: the benchmarks, and the guard of the hot paths.

use std::fs;
use std::path::{Path, PathBuf};

use crate::job::Job;
use crate::runner;
use crate::servers::redis::{EVERYSEC, REDIS};
use crate::servers::{Postgres, Redis};

/// The benchmarks' folder. They are a workspace of their own.
const FOLDER: &str = "crates/carafe-bench";

/// Servers with other crates, each in a workspace of its own.
const PEERS: [&str; 2] = ["crates/carafe-bench/peers/rusqlite", "crates/carafe-bench/peers/stores"];

/// The most instructions that each path may take.
const LIMITS: &str = "crates/carafe-bench/instructions.txt";

/// The numbers of calls with which a path is counted: the difference of the two counts excludes all
/// that happens once.
const CALLS: [u64; 2] = [100, 300];

/// Checks that the benchmarks are formatted, compile without warnings and pass their tests. The
/// peers' servers don't use Carafe, and have lock files: once built, they build again. It takes
/// about a minute, since most of the benchmarks' dependencies are built already.
pub(crate) fn check(job: &mut Job<'_>) -> Result<(), String> {
    for folder in [FOLDER].iter().chain(&PEERS) {
        job.run_cargo(&["fmt", "--check", "--manifest-path", &format!("{folder}/Cargo.toml")])?;
    }
    let own = |command, targets: &[&str]| {
        let mut cargo = job.cargo(&[command, "--locked", "--all-features"]);
        cargo
            .args(targets)
            .arg("--manifest-path")
            .arg(job.workspace.root.join(FOLDER).join("Cargo.toml"));
        cargo.arg("--target-dir").arg(&job.workspace.target);
        cargo
    };
    // The other programs have no tests.
    let (mut clippy, test) =
        (own("clippy", &["--all-targets"]), own("test", &["--lib", "--bin", "requests"]));
    clippy.args(["--", "-D", "warnings"]);
    job.runner.run(clippy)?;
    job.runner.run(test)
}

/// Measures everything, prints the report and writes it to `docs`.
pub(crate) fn report(job: &mut Job<'_>, rounds: u64) -> Result<(), String> {
    let programs = build(job, &["--bins"])?;
    let allocations = job.scratch_file("allocations.tsv");
    let counted = job.runner.capture(runner::command(programs.join("allocations")))?;
    fs::write(&allocations, counted)
        .map_err(|error| format!("can't write {}: {error}", allocations.display()))?;
    let mut tables = runner::command(programs.join("tables"));
    tables.arg(job.workspace.root.join("docs/reports")).arg(rounds.to_string()).arg(allocations);
    job.runner.run(tables)
}

/// The settings of the measurement of requests over HTTP.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BenchHttp {
    pub(crate) rounds: u64,
    /// The length of a round for each task of each server, in milliseconds.
    pub(crate) millis: u64,
    /// The names of the measured servers; all servers if there is none.
    pub(crate) only: Vec<String>,
}

/// Measures requests over HTTP, beside other crates and Flask, and prints the report. A report on
/// all servers is written to `docs`.
pub(crate) fn http(job: &mut Job<'_>, bench: &BenchHttp) -> Result<(), String> {
    let programs = build(job, &["--features", "http", "--bin", "requests"])?;
    // The feature `http` is on, since all other parts are then built already.
    build(job, &["--features", "http,metrics", "--bin", "metrics"])?;
    for peer in PEERS {
        build_in(job, peer, &[])?;
    }
    let python = job.tools.python().ok_or("there is no Python environment")?;
    let mut requests = runner::command(programs.join("requests"));
    requests.arg("report").arg("--python").arg(python);
    requests.args(["--rounds", &bench.rounds.to_string(), "--millis", &bench.millis.to_string()]);
    if bench.only.is_empty() {
        requests.arg("--file").arg(job.workspace.root.join("docs/reports/benchmarks-http.md"));
    } else {
        requests.args(["--only", &bench.only.join(",")]);
    }
    // The servers have the settings of real use.
    let redis = Redis::start(job, "redis-bench", REDIS, EVERYSEC)?;
    let postgres = Postgres::start(job, "postgres-bench", &[], None)?;
    requests.env("CARAFE_REDIS_URL", redis.url()).env("CARAFE_POSTGRES_URL", postgres.url());
    job.runner.run(requests)
}

/// Counts the instructions of each hot path, which don't depend on how fast or busy the machine is.
pub(crate) fn instructions(job: &mut Job<'_>) -> Result<(), String> {
    if !cfg!(target_arch = "x86_64") {
        job.note("NOT counted: the limits are for x86-64");
        return Ok(());
    }
    let text = fs::read_to_string(job.workspace.root.join(LIMITS))
        .map_err(|error| format!("can't read {LIMITS}: {error}"))?;
    let limits = limits(&text)?;
    let programs = build(job, &["--no-default-features", "--bin", "paths"])?;
    let paths = job.runner.capture(runner::command(programs.join("paths")))?;
    let (mut highest, mut above) = (0.0_f64, Vec::new());
    for path in paths.lines() {
        let limit = limits.iter().find(|(name, _)| name == path).map(|(_, limit)| *limit);
        let limit = limit.ok_or_else(|| format!("{LIMITS} has no line for {path}"))?;
        let [few, many] = CALLS.map(|calls| count(job, &programs, path, calls));
        let each = many?.saturating_sub(few?) / (CALLS[1] - CALLS[0]);
        let share = each as f64 / limit as f64;
        job.runner.say(&format!("{path}: {each} of {limit}"))?;
        highest = highest.max(share);
        if share > 1.0 {
            above.push(format!("{path} takes {each} instead of at most {limit}"));
        }
    }
    if !above.is_empty() {
        return Err(above.join(", "));
    }
    job.note(format!(
        "{} paths, at most {:.0}% of a limit",
        paths.lines().count(),
        highest * 100.0
    ));
    Ok(())
}

/// Builds programs of the benchmarks; returns the folder that they are in.
fn build(job: &mut Job<'_>, which: &[&str]) -> Result<PathBuf, String> {
    build_in(job, FOLDER, which)
}

/// Builds programs of another workspace into the same folder.
fn build_in(job: &mut Job<'_>, folder: &str, which: &[&str]) -> Result<PathBuf, String> {
    let target = job.workspace.target.join("bench");
    let manifest = job.workspace.root.join(folder).join("Cargo.toml");
    let mut command = job.cargo(&["build", "--release", "--locked", "--manifest-path"]);
    command.arg(manifest).arg("--target-dir").arg(&target).args(which);
    job.runner.run(command)?;
    Ok(target.join("release"))
}

/// The instructions of a run of a path.
fn count(job: &mut Job<'_>, programs: &Path, path: &str, calls: u64) -> Result<u64, String> {
    let valgrind = job.tools.programs().find(|(name, _)| *name == "valgrind");
    let (_, valgrind) = valgrind.ok_or("valgrind is not there")?;
    let log = job.scratch_file("callgrind.log");
    let mut command = runner::command(valgrind);
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(format!("--log-file={}", log.display()));
    command.arg(programs.join("paths")).args([path, &calls.to_string()]);
    job.runner.run(command)?;
    let text = fs::read_to_string(&log).map_err(|error| format!("can't read the log: {error}"))?;
    collected(&text).ok_or_else(|| format!("callgrind did not count: {}", text.trim()))
}

/// Returns the count in callgrind's log.
fn collected(log: &str) -> Option<u64> {
    let line = log.lines().find_map(|line| line.split_once("Collected : "))?;
    line.1.trim().parse().ok()
}

/// Reads a name and a number from each line but comments.
fn limits(text: &str) -> Result<Vec<(String, u64)>, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let limit = |line: &str| {
        let (name, limit) = line.split_once(' ')?;
        Some((name.to_owned(), limit.parse().ok()?))
    };
    lines
        .map(|line| limit(line).ok_or_else(|| format!("{LIMITS} has a bad line: {line}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        let log = "==1== Callgrind\n==1== Events    : Ir\n==1== Collected : 1234567\n==1==\n";
        assert_eq!(collected(log), Some(1_234_567));
        assert_eq!(collected("==1== Callgrind\n"), None);
    }

    #[test]
    fn limits_are_read() {
        let expected = [("read-p1".to_owned(), 700), ("write-p1".to_owned(), 50)];
        assert_eq!(limits("# most\nread-p1 700\nwrite-p1 50\n").unwrap(), expected);
        assert!(limits("read-p1\n").is_err());
    }
}
