//! The portability of published packages, judged by their dependencies, since the targets of other
//! systems may not be installed.

use std::collections::BTreeSet;

use crate::checks::rust::feature_choices;
use crate::job::Job;
use crate::workspace::all_packages;

/// The systems that every package is for.
const SYSTEMS: [&str; 3] =
    ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"];

/// A target without Unix, threads and sockets: `carafe` without features builds there, too.
const BARE: &str = "wasm32-wasip2";

/// The packages that link nothing on any system, with any choice of their features.
const CORE: [&str; 4] = ["carafe", "carafe-format", "carafe-minijinja", "carafe-sessions-page"];

/// Crates that only Unix has, or that need what a bare system hasn't.
const UNIX_ONLY: [&str; 6] =
    ["daemonize", "nix", "rustix", "signal-hook", "signal-hook-registry", "termios"];
/// The kernel's numbers written down in Rust. It links nothing, despite its name, and has no place
/// on another system.
const OF_LINUX: &str = "linux-raw-sys";
const NOT_BARE: [&str; 3] = ["libc", "mio", "socket2"];

/// Checks that no system library is linked, and that no dependency is for Unix alone. It takes a
/// few seconds.
pub(crate) fn portable(job: &mut Job<'_>) -> Result<(), String> {
    let native: BTreeSet<String> = all_packages()?
        .into_iter()
        .filter(|package| package.links)
        .map(|package| package.name)
        .collect();
    let published: Vec<_> = job.workspace.published().cloned().collect();
    let (mut lists, mut bad) = (0, Vec::new());
    for package in &published {
        let is_core = CORE.contains(&package.name.as_str());
        let choices = match is_core {
            true => feature_choices(&package.features),
            false => vec!["--all-features".to_owned()],
        };
        for (choice, system) in choices.iter().flat_map(|choice| SYSTEMS.map(|to| (choice, to))) {
            lists += 1;
            let names = dependencies(job, &package.name, choice, system)?;
            let is_bad = |name: &&String| {
                if name.as_str() == OF_LINUX {
                    return !system.contains("linux") || native.contains(*name);
                }
                UNIX_ONLY.contains(&name.as_str()) && system.contains("windows")
                    || is_core && is_native(name, &native)
            };
            let found = names.iter().filter(is_bad);
            bad.extend(found.map(|name| format!("{} {choice} on {system}: {name}", package.name)));
        }
    }
    let names = dependencies(job, "carafe", "--no-default-features", BARE)?;
    let is_bad = |name: &&String| {
        is_native(name, &native) || UNIX_ONLY.iter().chain(&NOT_BARE).any(|other| other == name)
    };
    bad.extend(names.iter().filter(is_bad).map(|name| format!("carafe on {BARE}: {name}")));
    match bad.first() {
        None => {
            job.note(format!("{} lists of dependencies", lists + 1));
            Ok(())
        }
        Some(first) => Err(format!("{} dependencies aren't portable: {first}", bad.len())),
    }
}

/// Whether a crate stands for a library of the system's, other than what every Windows has.
fn is_native(name: &str, native: &BTreeSet<String>) -> bool {
    (native.contains(name) || name.ends_with("-sys")) && !name.starts_with("windows")
}

/// The crates that a package is built from, for a system.
fn dependencies(
    job: &mut Job<'_>,
    package: &str,
    features: &str,
    system: &str,
) -> Result<BTreeSet<String>, String> {
    let mut tree = job.cargo(&["tree", "--locked", "--prefix=none", "--edges=normal,build"]);
    tree.args(["--package", package, "--target", system]).args(features.split(' '));
    let text = job.runner.capture(tree)?;
    let names = names(&text);
    if names.contains(package) { Ok(names) } else { Err(format!("cargo tree has no {package}")) }
}

/// The first word of each line.
fn names(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_a_tree() {
        let tree = "carafe v0.1.0 (/home/ann/carafe)\nbytes v1.0.0\n\nbytes v1.0.0 (*)\n";
        let expected = ["bytes", "carafe"].map(str::to_owned);
        assert_eq!(names(tree), expected.into());
    }

    #[test]
    fn libraries_of_the_system_are_recognised() {
        let native = BTreeSet::from(["ring".to_owned()]);
        for (name, expected) in
            [("ring", true), ("openssl-sys", true), ("windows-sys", false), ("syn", false)]
        {
            assert_eq!(is_native(name, &native), expected, "{name}");
        }
    }
}
