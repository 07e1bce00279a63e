//! Fuzzing: libFuzzer on the targets of `fuzz/`, with stable Rust.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::job::Job;
use crate::runner;

/// What the compiler is told so that libFuzzer sees which code an input reaches: what cargo-fuzz
/// tells it, less the address sanitizer, which takes a nightly compiler and finds little in code
/// that is free of `unsafe`.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// The most memory that a target may take, in MiB, and the longest time for one input, in seconds.
const MEMORY: u32 = 512;
const HANG: u32 = 10;

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fuzz {
    /// How long each target runs.
    pub(crate) seconds: u64,
    /// How many inputs each target gets, whatever time that takes.
    pub(crate) runs: Option<u64>,
    /// The targets; all if none is named.
    pub(crate) targets: Vec<String>,
    /// Whether inputs that reach new code are added to the corpus.
    pub(crate) merge: bool,
}

/// Runs one target after the other, and stops at the first input that breaks one.
pub(crate) fn run(job: &mut Job<'_>, fuzz: &Fuzz) -> Result<(), String> {
    let folder = job.workspace.root.join("fuzz");
    let targets = chosen(&targets(&folder)?, &fuzz.targets)?;
    let programs = build(job, &folder)?;
    for target in targets {
        let corpus = folder.join("corpus").join(&target);
        // What is new goes here, so that the checkout stays as it is.
        let found = job.scratch_file("fuzz").join(&target);
        create(&found)?;
        let program = programs.join(&target);
        let mut command = runner::command(&program);
        command.arg(&found).arg(&corpus);
        match fuzz.runs {
            Some(runs) => command.arg(format!("-runs={runs}")),
            None => command.arg(format!("-max_total_time={}", fuzz.seconds)),
        };
        limit(&mut command, &found);
        job.runner.run(command).map_err(|error| format!("{target}: {error}"))?;
        if fuzz.merge {
            let mut command = runner::command(&program);
            // As few inputs as reach all code that is reached, so that the corpus stays small.
            command.args(["-set_cover_merge=1", "-use_counters=0"]).arg(&corpus).arg(&found);
            limit(&mut command, &found);
            job.runner.run(command).map_err(|error| format!("{target}: {error}"))?;
        }
    }
    Ok(())
}

fn limit(command: &mut Command, found: &Path) {
    command.args(["-max_len=4096", "-print_final_stats=1"]);
    command.args([format!("-rss_limit_mb={MEMORY}"), format!("-timeout={HANG}")]);
    command.arg(format!("-artifact_prefix={}-", found.display()));
}

/// Builds the programs, and says where they are.
fn build(job: &mut Job<'_>, folder: &Path) -> Result<PathBuf, String> {
    let mut rustc = runner::command("rustc");
    rustc.arg("-vV");
    let version = job.runner.capture(rustc)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc does not say for which machine it compiles")?;
    let target_folder = job.scratch_file("fuzz-target");
    // With a target named, the flags are for the programs and not for build scripts.
    let mut command = job.cargo(&["build", "--release", "--locked", "--bins", "--target", host]);
    command.current_dir(folder).arg("--target-dir").arg(&target_folder);
    command.env("RUSTFLAGS", COVERAGE.join(" ")).env_remove("CARGO_ENCODED_RUSTFLAGS");
    job.runner.run(command)?;
    Ok(target_folder.join(host).join("release"))
}

/// The names of the targets: each has a corpus.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let corpus = folder.join("corpus");
    let entries =
        corpus.read_dir().map_err(|error| format!("can't read {}: {error}", corpus.display()))?;
    let mut names: Vec<_> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn chosen(all: &[String], wanted: &[String]) -> Result<Vec<String>, String> {
    for name in wanted {
        if !all.contains(name) {
            return Err(format!("there is no target `{name}`; the targets are {}", all.join(", ")));
        }
    }
    let takes = |name: &&String| wanted.is_empty() || wanted.contains(name);
    Ok(all.iter().filter(takes).cloned().collect())
}

fn create(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("can't create {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_chosen_by_name() {
        let all = ["a", "b", "c"].map(str::to_owned);
        let choose = |names: &[&str]| {
            chosen(&all, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(choose(&[]).unwrap(), ["a", "b", "c"]);
        assert_eq!(choose(&["c", "a"]).unwrap(), ["a", "c"]);
        assert!(choose(&["d"]).unwrap_err().contains("a, b, c"));
    }
}
