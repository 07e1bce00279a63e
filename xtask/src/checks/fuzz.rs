//! Fuzzing: libFuzzer on the targets of `fuzz/`, with stable Rust.

#[path = "../../../fuzz/src/corpus.rs"]
#[allow(unreachable_pub, reason = "the targets are another crate")]
mod corpus;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::job::Job;
use crate::runner;

/// The flags with which libFuzzer sees the code that an input reaches: cargo-fuzz's flags, without
/// the address sanitizer, which takes a nightly compiler and finds little in code that is free of
/// `unsafe`.
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

/// The extension of the corpus' files.
const FILES: &str = "hex";

/// The options of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fuzz {
    /// The time that each target runs.
    pub(crate) seconds: u64,
    /// The number of inputs that each target gets, however long that takes.
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
        let scratch = job.scratch_file("fuzz").join(&target);
        let file = folder.join("corpus").join(&target).with_extension(FILES);
        let corpus = unpack(&file, &scratch.join("corpus"))?;
        let found = scratch.join("found");
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
            // The fewest inputs that reach all reached code, so that the corpus stays small.
            command.args(["-set_cover_merge=1", "-use_counters=0"]).arg(&corpus).arg(&found);
            limit(&mut command, &found);
            job.runner.run(command).map_err(|error| format!("{target}: {error}"))?;
            pack(&corpus, &file)?;
        }
    }
    Ok(())
}

fn limit(command: &mut Command, found: &Path) {
    command.args(["-max_len=4096", "-print_final_stats=1"]);
    command.args([format!("-rss_limit_mb={MEMORY}"), format!("-timeout={HANG}")]);
    command.arg(format!("-artifact_prefix={}-", found.display()));
}

/// Builds the programs, and returns their folder.
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

/// The names of the targets: each has a file of the corpus.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for file in files(&folder.join("corpus"))? {
        let name = file.file_stem().and_then(|name| name.to_str());
        names.extend(
            name.filter(|_| file.extension().is_some_and(|is| is == FILES)).map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

/// Writes each input of a file of the corpus into a file of its own, as libFuzzer takes them.
fn unpack(file: &Path, folder: &Path) -> Result<PathBuf, String> {
    let inputs = corpus::inputs(&read(file)?)
        .map_err(|error| format!("can't read {}: {error}", file.display()))?;
    create(folder)?;
    // Inputs of an earlier run, which may have been removed from the file since.
    for old in files(folder)? {
        fs::remove_file(&old)
            .map_err(|error| format!("can't remove {}: {error}", old.display()))?;
    }
    for (number, input) in inputs.iter().enumerate() {
        write(&folder.join(format!("{number:04}")), input)?;
    }
    Ok(folder.to_owned())
}

/// Adds the inputs of a folder to a file of the corpus.
fn pack(folder: &Path, file: &Path) -> Result<(), String> {
    let mut inputs = Vec::new();
    for path in files(folder)? {
        let input = fs::read(&path);
        inputs.push(input.map_err(|error| format!("can't read {}: {error}", path.display()))?);
    }
    write(file, corpus::with(&read(file)?, &inputs).as_bytes())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()
    });
    entries.map_err(|error| format!("can't read {}: {error}", folder.display()))
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("can't read {}: {error}", file.display()))
}

fn write(file: &Path, content: &[u8]) -> Result<(), String> {
    fs::write(file, content).map_err(|error| format!("can't write {}: {error}", file.display()))
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
    fs::create_dir_all(folder)
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

    #[test]
    fn inputs_are_packed_as_they_were_unpacked() {
        let scratch = std::env::temp_dir().join(format!("carafe-corpus-{}", std::process::id()));
        let (file, folder) = (scratch.join("a.hex"), scratch.join("corpus"));
        create(&folder).unwrap();
        write(&folder.join("left-over"), b"old").unwrap();
        let text = "00ff what it is\n7b7d\n";
        write(&file, text.as_bytes()).unwrap();
        unpack(&file, &folder).unwrap();
        assert_eq!(files(&folder).unwrap().len(), 2);
        pack(&folder, &file).unwrap();
        assert_eq!(read(&file).unwrap(), text);
        write(&folder.join("found"), b"new").unwrap();
        pack(&folder, &file).unwrap();
        let packed = read(&file).unwrap();
        fs::remove_dir_all(&scratch).unwrap();
        assert_eq!(packed, "00ff what it is\n6e6577\n7b7d\n");
    }
}
