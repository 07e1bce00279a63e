//! The documentation as docs.rs builds it.

use std::fs;

use crate::job::Job;
use crate::runner;
use crate::system::find_command;

/// Builds the documentation of all packages with all features and `--cfg docsrs`, which shows for each
/// item the feature that it needs.
///
/// docs.rs has a nightly toolchain. Without one, this toolchain is allowed to use unstable features.
pub(crate) fn docsrs(job: &mut Job<'_>) -> Result<(), String> {
    let target = job.scratch_file("docsrs");
    let arguments = ["doc", "--all-features", "--no-deps", "--locked", "--target-dir"];
    let mut doc = match has_nightly(job)? {
        true => {
            let mut doc = runner::command("rustup");
            doc.args(["run", "nightly", "cargo"]).args(arguments);
            doc.env_remove("RUSTC").env_remove("RUSTDOC").env_remove("RUSTUP_TOOLCHAIN");
            doc.current_dir(&job.workspace.root);
            job.note("with the nightly toolchain");
            doc
        }
        false => {
            let mut doc = job.cargo(&arguments);
            doc.env("RUSTC_BOOTSTRAP", "1");
            job.note("with RUSTC_BOOTSTRAP=1, since there is no nightly toolchain");
            doc
        }
    };
    doc.arg(&target).env("RUSTDOCFLAGS", "--cfg docsrs");
    let libraries = job.workspace.published().filter(|package| package.is_library);
    doc.args(libraries.flat_map(|package| ["--package", &package.name]));
    job.runner.run(doc)?;

    // The pages of items that need a feature each: they exist, and show it.
    let pages = [
        "carafe/sealed/index.html",
        "carafe/actix/index.html",
        "carafe/testing/struct.Client.html",
        "carafe/metrics/index.html",
        "carafe_sessions_page/struct.SessionsPage.html",
    ];
    for page in pages {
        let path = target.join("doc").join(page);
        let html = fs::read_to_string(&path)
            .map_err(|error| format!("the documentation has no {page}: {error}"))?;
        if !html.contains("stab portability") {
            return Err(format!("{page} doesn't show which feature it needs"));
        }
    }
    Ok(())
}

fn has_nightly(job: &mut Job<'_>) -> Result<bool, String> {
    let Some(rustup) = find_command("rustup") else { return Ok(false) };
    let mut list = runner::command(rustup);
    list.args(["toolchain", "list"]);
    let list = job.runner.capture(list)?;
    Ok(list.lines().any(|line| line.starts_with("nightly-")))
}
