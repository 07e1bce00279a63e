//! Mutation testing: whether the tests notice when the code is wrong. cargo-mutants changes one
//! place after the other, and each change has to make a test fail.

use std::path::Path;
use std::process::Command;

use crate::checks::cargo_tool::cargo_tool;
use crate::job::Job;
use crate::runner;

/// A part of the library, and the tests that should notice changes to it.
struct Part {
    name: &'static str,
    /// The package whose code is changed.
    package: &'static str,
    /// The files below the package's `src`.
    files: &'static [&'static str],
    /// The tests beside the unit tests.
    tests: &'static [&'static str],
}

/// The parts that the safety of sessions depends on, and the values that sessions hold.
const PARTS: [Part; 5] = [
    Part {
        name: "signing",
        package: "carafe-format",
        files: &["signing/**", "base64.rs"],
        tests: &["itsdangerous", "keys", "layer", "tampering", "security"],
    },
    Part {
        name: "codec",
        package: "carafe-format",
        files: &["codec/**"],
        tests: &["sealed", "formats", "tampering", "vectors", "security"],
    },
    Part {
        name: "cookie",
        package: "carafe-format",
        files: &["cookie/**"],
        tests: &["layer", "flask_acceptance", "security"],
    },
    Part {
        name: "csrf",
        package: "carafe",
        files: &["csrf/**", "id.rs"],
        tests: &["csrf", "security"],
    },
    Part {
        name: "value",
        package: "carafe-format",
        files: &["value/**"],
        tests: &["vectors", "tagged_json", "payload", "readers"],
    },
];

/// The features that the parts' tests need, and no more: each change is compiled.
const FEATURES: &str = "carafe/axum,carafe/sealed,carafe/testing,carafe-format/sealed";

/// The options of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mutants {
    /// The parts; all if none is named.
    pub(crate) parts: Vec<String>,
    /// One of this number of changes is tried.
    pub(crate) sample: u64,
}

/// Tries the changes to one part after the other, and fails if a test missed one. The results are
/// in the scratch folder.
pub(crate) fn run(job: &mut Job<'_>, mutants: &Mutants) -> Result<(), String> {
    for name in &mutants.parts {
        if !PARTS.iter().any(|part| part.name == name) {
            let names = PARTS.map(|part| part.name).join(", ");
            return Err(format!("there is no part `{name}`; the parts are {names}"));
        }
    }
    let program = cargo_tool(job, "cargo-mutants")?;
    let mut missed = Vec::new();
    for part in &PARTS {
        if !mutants.parts.is_empty() && !mutants.parts.iter().any(|name| name == part.name) {
            continue;
        }
        let found = job.scratch_file("mutants").join(part.name);
        std::fs::create_dir_all(&found)
            .map_err(|error| format!("can't create {}: {error}", found.display()))?;
        // Most changes are caught by the unit tests, which are compiled soonest. The changes that
        // they miss are tried again with all tests.
        let first = command(job, &program, part, mutants.sample, &found);
        if job.runner.run(first).is_ok() {
            continue;
        }
        let mut all = command(job, &program, part, mutants.sample, &found);
        all.args(part.tests.iter().flat_map(|test| ["--test", test]));
        if let Err(error) = job.runner.run(all) {
            missed.push(format!("{}: {error}, see {}", part.name, found.display()));
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(missed.join("; ")) }
}

/// Returns the command for cargo-mutants on a part, with its unit tests. Changes that were caught
/// before are left out.
fn command(job: &Job<'_>, program: &Path, part: &Part, sample: u64, found: &Path) -> Command {
    let mut command = runner::command(program);
    command.arg("mutants").current_dir(&job.workspace.root);
    command.args(["--package", part.package, "--no-default-features", "--features", FEATURES]);
    // Requests notice changes to the formats that no test of the formats does.
    command.args(["--test-package", "carafe", "--test-package", "carafe-format"]);
    command.args(["--jobs", "1", "--no-shuffle", "--colors", "never", "--iterate"]);
    command.arg("--output").arg(found);
    for file in part.files {
        command.arg("--file").arg(format!("crates/{}/src/{file}", part.package));
    }
    if sample > 1 {
        command.arg(format!("--shard=0/{sample}")).arg("--sharding=round-robin");
    }
    // Each change is linked anew, which is faster without debug information. The dependencies are
    // compiled once for all parts, with faster settings than usual.
    command.arg(r#"--cargo-arg=--config=profile.dev.package."*".opt-level=1"#);
    command.env("CARGO_TARGET_DIR", job.scratch_file("mutants-target"));
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    command.args(["--", "--lib"]);
    command
}
