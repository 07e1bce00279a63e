//! The Python package `carafe-sessions`: beside real Flask, and beside the twin on axum.

use std::process::Command;

use crate::checks::interop::{run, with_examples};
use crate::checks::stores::new_file;
use crate::job::Job;
use crate::python_package;
use crate::runner;
use crate::servers::redis::{REDIS, Redis};

/// How much randomness a run of all the tests has; always the same.
const REQUESTS: u64 = 2_000;
const SEED: u64 = 1;

/// The twin in Python, with the package's sessions in signed cookies.
const IN_COOKIES: &str = "interop/twin.py --store cookie";

/// Takes about two minutes.
pub(crate) fn python(job: &mut Job<'_>) -> Result<(), String> {
    let build = job.cargo(&python_package::BUILD);
    job.runner.run(build)?;
    python_package::assemble(job.workspace)?;

    types(job)?;
    let tests = ["test_package_cookies.py", "test_package.py", "test_package_asgi.py"];
    for name in ["package_examples.py"].into_iter().chain(tests) {
        let program = program(job, &format!("interop/{name}"))?;
        run(job, program)?;
    }
    suites(job)?;
    beside_flask(job)?;
    beside_axum(job)?;
    let sqlite = new_file(job, "package.db")?;
    let redis = Redis::start(job, "redis-package", REDIS, &[])?;
    let mut import = program(job, "interop/test_package_import.py")?;
    import.args(["--redis", &redis.url()]);
    run(job, import)?;
    kills(job, &redis.url())?;
    races(job, &["memory:", &format!("sqlite:{}", sqlite.display()), &redis.url()])?;
    let sqlite = new_file(job, "package-shared.db")?;
    shared(job, &format!("sqlite:{}", sqlite.display()))
}

/// A Python program that finds the package.
fn program(job: &Job<'_>, name: &str) -> Result<Command, String> {
    let mut command = job.python(name)?;
    command.env("PYTHONPATH", python_package::folder(job.workspace));
    Ok(command)
}

/// Checks the types of the package.
fn types(job: &mut Job<'_>) -> Result<(), String> {
    let folder = job.workspace.root.join("crates/carafe-python");
    let python = job.tools.python().ok_or("there is no Python environment")?;
    let mut command = runner::command(python);
    command.args(["-m", "mypy"]).arg("--config-file").arg(folder.join("pyproject.toml"));
    command.arg("--cache-dir").arg(job.workspace.scratch().join("mypy"));
    command.arg(folder.join("python/carafe_sessions"));
    job.runner.run(command)
}

/// Flask's and ItsDangerous' own test suites, which are downloaded.
fn suites(job: &mut Job<'_>) -> Result<(), String> {
    let mut command = program(job, "interop/package_suites.py")?;
    command.arg("--folder").arg(job.scratch_file("suites"));
    run(job, command)
}

/// Random requests to real Flask and to Flask on the package.
fn beside_flask(job: &mut Job<'_>) -> Result<(), String> {
    let mut command = program(job, "interop/differential.py")?;
    let python = job.tools.python().ok_or("there is no Python environment")?;
    command.args(["--carafe", &format!("{} {IN_COOKIES}", python.display())]);
    command.args(["--requests", &REQUESTS.to_string(), "--seed", &SEED.to_string()]);
    run(job, command)
}

/// Random requests to Flask on the package and to the twin on axum.
fn beside_axum(job: &mut Job<'_>) -> Result<(), String> {
    let mut command = program(job, "interop/differential.py")?;
    let python = job.tools.python().ok_or("there is no Python environment")?;
    command.args(["--flask", &format!("{} {IN_COOKIES}", python.display())]);
    command.args(["--requests", &REQUESTS.to_string(), "--seed", &(SEED + 1).to_string()]);
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)
}

/// Many clients in one session, on Flask and on axum.
fn races(job: &mut Job<'_>, stores: &[&str]) -> Result<(), String> {
    let mut command = program(job, "interop/package_races.py")?;
    for store in stores {
        command.args(["--store", store]);
    }
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)
}

/// Workers that are killed while clients count.
fn kills(job: &mut Job<'_>, store: &str) -> Result<(), String> {
    let mut command = program(job, "interop/package_kills.py")?;
    command.args(["--store", store]);
    run(job, command)
}

/// What one stack has stored, the other one reads.
fn shared(job: &mut Job<'_>, store: &str) -> Result<(), String> {
    let mut command = program(job, "interop/package_shared.py")?;
    command.args(["--store", store, "--requests", &REQUESTS.to_string()]);
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)
}

/// Builds the source package and, with optimisation, the wheel for this machine, into `target/wheels`. Then
/// tries the wheel: it is installed into a folder of its own, and used.
pub(crate) fn wheels(job: &mut Job<'_>) -> Result<(), String> {
    let folder = job.workspace.target.join("wheels");
    let python = job.tools.python().ok_or("there is no Python environment")?.to_path_buf();
    let manifest = job.workspace.root.join("crates/carafe-python/Cargo.toml");
    for how in [&["sdist"][..], &["build", "--release", "--locked"]] {
        let mut command = runner::command(&python);
        command.args(["-m", "maturin"]).args(how).arg("--manifest-path").arg(&manifest);
        command.arg("--out").arg(&folder).current_dir(&job.workspace.root);
        job.runner.run(command)?;
    }
    let installed = job.scratch_file("wheel");
    let mut install = runner::command(&python);
    install.args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--upgrade"]);
    install.arg("--find-links").arg(&folder).arg("--target").arg(&installed).arg("carafe-sessions");
    job.runner.run(install)?;
    let mut promises = job.python("interop/test_package.py")?;
    promises.env("PYTHONPATH", &installed);
    run(job, promises)
}
