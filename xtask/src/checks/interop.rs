//! Groups that run against real Flask: Python programs in `interop/`.

use std::process::Command;

use crate::checks::artifacts::build_example;
use crate::job::{Job, variable};
use crate::servers::postgres::FAST;
use crate::servers::redis::REDIS;
use crate::servers::{Postgres, Redis};
use crate::shell::shell_word;

/// The number of random sessions in a run of all the tests; always the same.
const SESSIONS: u64 = 5_000;
const INPUTS: u64 = 20_000;
const REQUESTS: u64 = 2_000;
const LOGINS: u64 = 1_200;
const SEED: u64 = 1;

/// The time that each kind of store is under load in a run of all the tests.
const LOAD_SECONDS: u64 = 5;

/// The folder of the browser tests' programs.
const BROWSER: &str = "interop/browser";

/// The framework that serves the twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Axum,
    Actix,
}

impl Server {
    /// Its name on the twin's command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix",
        }
    }
}

/// The examples that the browser tests look at.
const BROWSER_EXAMPLES: [&str; 7] =
    ["accounts", "cart", "live", "shared-login", "spa", "two-stacks", "two-stacks-actix"];

pub(crate) fn exchange(job: &mut Job<'_>) -> Result<(), String> {
    let mut command = job.python("interop/exchange.py")?;
    command.args(["--count", &SESSIONS.to_string()]);
    command.args(["--seed", &SEED.to_string()]);
    with_examples(job, &mut command, &["exchange"])?;
    run(job, command)
}

/// The fuzzers' corpus, and mutations of it, read by Flask and by Carafe.
pub(crate) fn json(job: &mut Job<'_>) -> Result<(), String> {
    let mut command = job.python("interop/fuzz_json.py")?;
    command.args(["--count", &INPUTS.to_string()]);
    command.args(["--seed", &SEED.to_string()]);
    with_examples(job, &mut command, &["exchange"])?;
    run(job, command)
}

/// The programs that compare are put to the test themselves, with Flask on both sides.
pub(crate) fn tester(job: &mut Job<'_>) -> Result<(), String> {
    let command = job.python("interop/test_differential.py")?;
    run(job, command)
}

pub(crate) fn twin(job: &mut Job<'_>) -> Result<(), String> {
    compare(job, Server::Axum, REQUESTS, SEED)
}

/// Many connections at once on the twin.
pub(crate) fn load(job: &mut Job<'_>) -> Result<(), String> {
    load_for(job, LOAD_SECONDS)
}

pub(crate) fn load_for(job: &mut Job<'_>, seconds: u64) -> Result<(), String> {
    let mut command = job.python("interop/load.py")?;
    command.args(["--seconds", &seconds.to_string()]);
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)
}

/// Sends random requests to the twin and to Flask.
pub(crate) fn compare(
    job: &mut Job<'_>,
    server: Server,
    requests: u64,
    seed: u64,
) -> Result<(), String> {
    let mut command = job.python("interop/differential.py")?;
    // All log lines are searched for secrets.
    command.args(["--carafe-args", &format!("--server {} --log trace", server.name())]);
    command.args(["--requests", &requests.to_string()]);
    command.args(["--seed", &seed.to_string()]);
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)
}

pub(crate) fn login(job: &mut Job<'_>) -> Result<(), String> {
    let mut command = job.python("interop/test_login.py")?;
    with_examples(job, &mut command, &["login"])?;
    run(job, command)
}

/// Shares logins with Flask-Login, on both servers.
pub(crate) fn flask_login(job: &mut Job<'_>) -> Result<(), String> {
    let mut command = job.python("interop/login_differential.py")?;
    command.args(["--requests", &LOGINS.to_string()]);
    command.args(["--seed", &SEED.to_string()]);
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)
}

/// Runs the tests of axum on actix-web.
pub(crate) fn actix(job: &mut Job<'_>) -> Result<(), String> {
    compare(job, Server::Actix, REQUESTS, SEED)?;
    let mut command = job.python("interop/test_login.py")?;
    let built = build_example(job, "login-actix")?;
    command.args(["--login", &shell_word(&built.executable.to_string_lossy())]);
    run(job, command)
}

/// The sealed format in another implementation.
pub(crate) fn sealed(job: &mut Job<'_>) -> Result<(), String> {
    let command = job.python("interop/sealed_format.py")?;
    run(job, command)
}

pub(crate) fn templates(job: &mut Job<'_>) -> Result<(), String> {
    let mut command = job.python("interop/test_templates.py")?;
    command.args(["--count", &SESSIONS.to_string()]);
    command.args(["--seed", &SEED.to_string()]);
    with_examples(job, &mut command, &["render"])?;
    run(job, command)
}

/// Runs the browser tests. It takes about three minutes, most of it Chromium's.
pub(crate) fn browser(job: &mut Job<'_>) -> Result<(), String> {
    // Tabs at two processes share their sessions there.
    let redis = Redis::start(job, "browser-redis", REDIS, &[])?;
    let postgres = Postgres::start(job, "browser-postgres", FAST, None)?;
    let mut failed = Vec::new();
    for program in browser_programs(job)? {
        let mut command = job.python(&program)?;
        with_examples(job, &mut command, &BROWSER_EXAMPLES)?;
        command.env("CARAFE_REDIS_URL", redis.url()).env("CARAFE_POSTGRES_URL", postgres.url());
        // Chromium writes to the home folder, whatever its profile's folder is.
        command.env("HOME", job.scratch_file("home"));
        if let Err(error) = run(job, command) {
            job.runner.say(&format!("xtask: {program}: {error}"))?;
            failed.push(program);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("{} failed", failed.join(", "))) }
}

/// Tests are named `test_….py`; other files there are their modules.
fn browser_programs(job: &Job<'_>) -> Result<Vec<String>, String> {
    let folder = job.workspace.root.join(BROWSER);
    let entries = folder.read_dir().map_err(|error| format!("can't read {BROWSER}: {error}"))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut programs: Vec<_> = names
        .filter(|name| name.starts_with("test_") && name.ends_with(".py"))
        .map(|name| format!("{BROWSER}/{name}"))
        .collect();
    programs.sort();
    if programs.is_empty() { Err(format!("there is no test in {BROWSER}")) } else { Ok(programs) }
}

/// Runs a program, whose last line reports the result.
pub(super) fn run(job: &mut Job<'_>, command: Command) -> Result<(), String> {
    job.runner.run(command)?;
    if let Some(line) = job.runner.last_line()? {
        job.note(line);
    }
    Ok(())
}

/// Builds examples and tells the command how to start them: `CARAFE_TWIN` and so on.
pub(crate) fn with_examples(
    job: &mut Job<'_>,
    command: &mut Command,
    names: &[&str],
) -> Result<(), String> {
    for name in names {
        let built = build_example(job, name)?;
        command.env(variable(name), shell_word(&built.executable.to_string_lossy()));
    }
    Ok(())
}
