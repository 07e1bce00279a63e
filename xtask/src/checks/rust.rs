//! Groups that need nothing but the Rust toolchain.

use std::fs;
use std::path::Path;

use crate::checks::artifacts::build_example;
use crate::checks::examples::examples;
use crate::checks::words::words;
use crate::job::Job;

/// The largest number of crates that the example `login` may be built from.
const MOST_CRATES: usize = 130;

/// The adapters for frameworks, and the number of lines that each has to stay below.
const ADAPTERS: [&str; 2] = ["crates/carafe/src/actix", "crates/carafe/src/axum"];
const ADAPTER_LINES: usize = 400;

pub(crate) fn fmt(job: &mut Job<'_>) -> Result<(), String> {
    job.run_cargo(&["fmt", "--all", "--check"])?;
    for adapter in ADAPTERS {
        let lines = lines_in(&job.workspace.root.join(adapter))?;
        if lines >= ADAPTER_LINES {
            return Err(format!(
                "{adapter} has {lines} lines, and less than {ADAPTER_LINES} are \
                                allowed: what isn't the framework's belongs into the core"
            ));
        }
        let name = adapter.rsplit('/').next().unwrap_or(adapter);
        job.note(format!("{name}: {lines} lines"));
    }
    words(job)?;
    examples(job)
}

/// Returns the number of lines of all files in a folder, comments and blank lines included.
fn lines_in(folder: &Path) -> Result<usize, String> {
    let unreadable = |error| format!("can't read {}: {error}", folder.display());
    let mut lines = 0;
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        lines += match path.is_dir() {
            true => lines_in(&path)?,
            false => fs::read_to_string(&path).map_err(unreadable)?.lines().count(),
        };
    }
    Ok(lines)
}

pub(crate) fn clippy(job: &mut Job<'_>) -> Result<(), String> {
    let everything = ["--workspace", "--all-targets", "--all-features"];
    job.run_cargo(&[&["clippy"], &everything[..], &["--", "-D", "warnings"]].concat())
}

pub(crate) fn doc(job: &mut Job<'_>) -> Result<(), String> {
    let mut command = job.cargo(&["doc", "--workspace", "--all-features", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    job.runner.run(command)
}

pub(crate) fn unit(job: &mut Job<'_>) -> Result<(), String> {
    job.run_cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"])
}

/// Clippy and not `cargo check`, since it can be strict about our own code alone.
pub(crate) fn features(job: &mut Job<'_>) -> Result<(), String> {
    let (mut failed, mut tried) = (Vec::new(), 0);
    for package in job.workspace.published() {
        for choice in feature_choices(&package.features) {
            tried += 1;
            let mut arguments = vec!["clippy", "--package", &package.name];
            arguments.extend(choice.split(' '));
            arguments.extend(["--", "-D", "warnings"]);
            if let Err(error) = job.run_cargo(&arguments) {
                job.runner.say(&format!("xtask: {} {choice}: {error}", package.name))?;
                failed.push(format!("{} {choice}", package.name));
            }
        }
    }
    match failed.first() {
        None => {
            job.note(format!("{tried} choices of features"));
            Ok(())
        }
        Some(first) => Err(format!("{} of {tried} fail, the first is {first}", failed.len())),
    }
}

/// No feature, each feature alone, and all.
pub(crate) fn feature_choices(features: &[String]) -> Vec<String> {
    let mut choices = vec!["--no-default-features".to_owned()];
    if !features.is_empty() {
        let alone = features.iter().filter(|name| *name != "default");
        choices.extend(alone.map(|name| format!("--no-default-features --features {name}")));
        choices.push("--all-features".to_owned());
    }
    choices
}

/// Checks the ports of other applications, and that the guides show them. It takes about half a
/// minute, since most of their dependencies are built already.
pub(crate) fn ports(job: &mut Job<'_>) -> Result<(), String> {
    const MANIFEST: &str = "interop/ports/Cargo.toml";
    job.run_cargo(&["fmt", "--check", "--manifest-path", MANIFEST])?;
    let own = |command| {
        let mut cargo = job.cargo(&[command, "--locked", "--all-targets", "--manifest-path"]);
        cargo.arg(MANIFEST).arg("--target-dir").arg(&job.workspace.target);
        cargo
    };
    let (mut clippy, test) = (own("clippy"), own("test"));
    clippy.args(["--", "-D", "warnings"]);
    job.runner.run(clippy)?;
    job.runner.run(test)
}

/// Counts the crates of the example, which is also a check that it builds as a newcomer builds it.
pub(crate) fn crates(job: &mut Job<'_>) -> Result<(), String> {
    let built = build_example(job, "login")?;
    let count = built.packages.len();
    for package in &built.packages {
        job.runner.say(package)?;
    }
    if count > MOST_CRATES {
        return Err(format!("{count} crates, at most {MOST_CRATES} are allowed"));
    }
    job.note(format!("{count} crates"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lines_of_all_files_count() {
        let folder = std::env::temp_dir().join(format!("carafe-lines-{}", std::process::id()));
        fs::create_dir_all(folder.join("more")).unwrap();
        fs::write(folder.join("mod.rs"), "//! One.\n\nmod more;\n").unwrap();
        fs::write(folder.join("more/mod.rs"), "fn two() {}\nfn three() {}").unwrap();
        let lines = lines_in(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(lines, Ok(5));
        assert!(lines_in(&folder).is_err());
    }

    #[test]
    fn every_feature_stands_alone_once() {
        let features = ["axum", "default", "uuid"].map(str::to_owned);
        assert_eq!(
            feature_choices(&features),
            [
                "--no-default-features",
                "--no-default-features --features axum",
                "--no-default-features --features uuid",
                "--all-features",
            ]
        );
        assert_eq!(feature_choices(&[]), ["--no-default-features"]);
    }
}
