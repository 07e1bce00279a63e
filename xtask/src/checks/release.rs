//! The checks that a release needs beyond the tests.

use std::fs;
use std::process::Command;

use crate::checks::cargo_tool::cargo_tool;
use crate::job::Job;
use crate::runner;
use crate::system::find_command;
use crate::workspace::{Package, all_packages};

/// Checks licences, bans and sources in any case; advisories if their database can be had.
pub(crate) fn deny(job: &mut Job<'_>) -> Result<(), String> {
    let cargo_deny = cargo_tool(job, "cargo-deny")?;
    let deny = |arguments: &[&str]| -> Command {
        let mut command = runner::command(&cargo_deny);
        command.args(["--all-features", "--locked"]).args(arguments);
        command.current_dir(&job.workspace.root);
        command
    };
    let (check, fetch, advisories) = (
        deny(&["check", "licenses", "bans", "sources"]),
        deny(&["fetch", "db"]),
        deny(&["check", "--disable-fetch", "advisories"]),
    );
    job.runner.run(check)?;
    if job.runner.run(fetch).is_err() {
        job.note("advisories NOT checked: their database is out of reach");
        return Ok(());
    }
    job.runner.run(advisories)
}

/// Checks the promised Rust version: by the dependencies' versions, by clippy's lint on the library
/// functions that the sources use, and by a build if that toolchain is here.
pub(crate) fn msrv(job: &mut Job<'_>) -> Result<(), String> {
    let promised = promised_rust(job)?;
    let newer: Vec<_> =
        all_packages()?.into_iter().filter(|package| needs_newer(package, &promised)).collect();
    for package in &newer {
        let needed = package.rust_version.as_deref().unwrap_or_default();
        job.runner.say(&format!(
            "{} {} needs Rust {needed}, newer than {promised}",
            package.name, package.version
        ))?;
    }
    if let Some(first) = newer.first() {
        let (count, name) = (newer.len(), &first.name);
        return Err(format!("{count} dependencies need more than Rust {promised}, as {name}"));
    }

    job.run_cargo(&[
        "clippy",
        "--workspace",
        "--all-features",
        "--locked",
        "--",
        "-D",
        "clippy::incompatible_msrv",
    ])?;

    let list = |command: &str| {
        let mut rustup = runner::command(command);
        rustup.args(["toolchain", "list"]);
        rustup
    };
    let toolchains = match find_command("rustup") {
        Some(_) => job.runner.capture(list("rustup"))?,
        None => String::new(),
    };
    let Some(toolchain) = toolchain_of(&toolchains, &promised) else {
        job.note(format!(
            "Rust {promised} by lint and the dependencies' statements alone: NOT built, since that \
             toolchain is not installed"
        ));
        return Ok(());
    };
    let mut check = runner::command("rustup");
    check.args(["run", &toolchain, "cargo", "check", "--workspace", "--all-features"]);
    check.args(["--locked", "--target-dir"]).arg(job.scratch_file("msrv"));
    check.current_dir(&job.workspace.root);
    job.runner.run(check)
}

/// The one version that all published packages promise.
fn promised_rust(job: &Job<'_>) -> Result<String, String> {
    let mut promised: Option<&str> = None;
    for package in job.workspace.published() {
        let Some(version) = &package.rust_version else {
            return Err(format!("{} has no rust-version", package.name));
        };
        if promised.is_some_and(|other| other != version) {
            return Err(format!("{} has a rust-version of its own", package.name));
        }
        promised = Some(version);
    }
    promised.map(str::to_owned).ok_or_else(|| "no package is published".to_owned())
}

fn needs_newer(package: &Package, promised: &str) -> bool {
    package.rust_version.as_deref().is_some_and(|needed| numbers(needed) > numbers(promised))
}

/// The parts of a version, so that 1.9 comes before 1.89.
fn numbers(version: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
    numbers.resize(3, 0);
    numbers
}

/// The toolchain of that version in the output of `rustup toolchain list`.
fn toolchain_of(list: &str, version: &str) -> Option<String> {
    let mut names = list.lines().filter_map(|line| line.split_whitespace().next());
    let is_it = |name: &&str| {
        let number = name.split('-').next().unwrap_or(name);
        number.contains('.') && numbers(number)[..2] == numbers(version)[..2]
    };
    names.rfind(is_it).map(str::to_owned)
}

/// Compares the API with the last release's, once there is one.
pub(crate) fn semver(job: &mut Job<'_>) -> Result<(), String> {
    let mut tags = runner::command("git");
    tags.args(["tag", "--list", "v*", "--sort=-version:refname"]);
    tags.current_dir(&job.workspace.root);
    let tags = job.runner.capture(tags)?;
    let Some(last) = tags.lines().next().map(str::to_owned) else {
        job.note("NOT checked: there is no tag of an earlier release, such as v0.1.0");
        return Ok(());
    };
    let tool = cargo_tool(job, "cargo-semver-checks")?;
    let libraries = job.workspace.published().filter(|package| package.is_library);
    let mut check = runner::command(tool);
    check.args(["semver-checks", "--all-features", "--baseline-rev", &last]);
    check.args(libraries.flat_map(|package| ["--package", &package.name]));
    check.current_dir(&job.workspace.root);
    job.note(format!("compared with {last}"));
    job.runner.run(check)
}

pub(crate) fn changelog(job: &mut Job<'_>) -> Result<(), String> {
    let text = fs::read_to_string(job.workspace.root.join("CHANGELOG.md"))
        .map_err(|error| format!("can't read CHANGELOG.md: {error}"))?;
    for package in job.workspace.published() {
        if !has_entry(&text, &package.version) {
            let (name, version) = (&package.name, &package.version);
            return Err(format!("CHANGELOG.md has no entry for {version}, the version of {name}"));
        }
    }
    Ok(())
}

/// Whether there is a heading such as `## 0.1.0` or `## [0.1.0] - 2026-01-31`.
fn has_entry(changelog: &str, version: &str) -> bool {
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    headings
        .filter_map(|heading| heading.split_whitespace().next())
        .any(|first| first.trim_start_matches('[').trim_end_matches(']') == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let package = |version: Option<&str>| Package {
            name: "http".to_owned(),
            version: "1.0.0".to_owned(),
            published: true,
            features: Vec::new(),
            examples: Vec::new(),
            rust_version: version.map(str::to_owned),
            links: false,
            is_library: true,
            unset: Vec::new(),
        };
        for (version, newer) in [
            (None, false),
            (Some("1.9"), false),
            (Some("1.89"), false),
            (Some("1.89.0"), false),
            (Some("1.89.1"), true),
            (Some("1.90"), true),
            (Some("2.0"), true),
        ] {
            assert_eq!(needs_newer(&package(version), "1.89"), newer, "{version:?}");
        }
    }

    #[test]
    fn the_toolchain_is_found_by_its_version_alone() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default)\n\
                    nightly-x86_64-unknown-linux-gnu\n\
                    1.8.9-x86_64-unknown-linux-gnu\n\
                    1.89.0-x86_64-unknown-linux-gnu\n";
        let found = toolchain_of(list, "1.89");
        assert_eq!(found.as_deref(), Some("1.89.0-x86_64-unknown-linux-gnu"));
        assert_eq!(toolchain_of(list, "1.90"), None);
        assert_eq!(toolchain_of("", "1.90"), None);
    }

    #[test]
    fn changelog_entries_are_headings() {
        assert!(has_entry("# Changelog\n\n## [0.1.0] - 2026-01-31\n", "0.1.0"));
        assert!(has_entry("## 0.1.0\n", "0.1.0"));
        assert!(!has_entry("## 0.1.0-beta\nabout 0.1.0\n### 0.1.0\n", "0.1.0"));
    }
}
