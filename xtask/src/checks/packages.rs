//! The packages for a registry: complete, and enough for an application that has nothing else.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::job::Job;
use crate::runner;

/// Packs all packages together, inspects them, and builds them.
pub(crate) fn package(job: &mut Job<'_>) -> Result<(), String> {
    let published: Vec<_> = job.workspace.published().cloned().collect();
    let mut incomplete = Vec::new();
    for package in &published {
        let name = &package.name;
        let list = job.cargo(&["package", "--list", "--locked", "--package", name]);
        let files = job.runner.capture(list)?;
        incomplete.extend(not_packed(&files).map(|file| format!("{name} has no {file}")));
        let unset = package.unset.iter().filter(|field| **field != "repository");
        incomplete.extend(unset.map(|field| format!("{name} sets no {field}")));
    }
    if !incomplete.is_empty() {
        return Err(incomplete.join("; "));
    }
    if published.iter().any(|package| package.unset.contains(&"repository")) {
        job.note("`repository` in the root's Cargo.toml is empty: fill it in before publishing");
    }
    let mut package = job.cargo(&["package", "--locked"]);
    package.args(published.iter().flat_map(|package| ["--package", &package.name]));
    job.runner.run(package)
}

/// Returns the required files that a package lacks.
fn not_packed(files: &str) -> impl Iterator<Item = &'static str> {
    let wanted = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];
    wanted.into_iter().filter(move |wanted| !files.lines().any(|file| file == *wanted))
}

/// Builds two packages outside of the workspace against the packed files alone: the README's
/// application as a user copies it, and one that depends on every library with all its features.
pub(crate) fn user(job: &mut Job<'_>) -> Result<(), String> {
    let folder = job.scratch_file("user");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
    }
    let packed = unpack(job, &folder.join("packages"))?;
    let readme = packed.iter().find(|(name, _)| name == "carafe");
    let (_, carafe) = readme.ok_or("there is no package `carafe`")?;
    let readme = carafe.join("README.md");
    let readme = fs::read_to_string(&readme).map_err(|error| unusable(&readme, &error))?;

    let manifest = block(&readme, "toml").ok_or("the README has no manifest")?.to_owned();
    let program = block(&readme, "rust").ok_or("the README has no program")?;
    build(job, &folder.join("application"), &manifest, ("main.rs", program), &packed)?;

    let libraries = job.workspace.published().filter(|package| package.is_library);
    let mut manifest = "[dependencies]\n".to_owned();
    let mut source = String::new();
    for package in libraries {
        let features: Vec<_> =
            package.features.iter().filter(|name| !name.starts_with('_')).collect();
        let (name, version) = (&package.name, &package.version);
        let _ =
            writeln!(manifest, "{name} = {{ version = \"{version}\", features = {features:?} }}");
        let _ = writeln!(source, "pub use {};", name.replace('-', "_"));
    }
    build(job, &folder.join("everything"), &manifest, ("lib.rs", &source), &packed)?;
    job.note(format!("{} packages", packed.len()));
    Ok(())
}

/// Packs all packages and unpacks them; returns each with its folder.
fn unpack(job: &mut Job<'_>, folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let published: Vec<_> = job.workspace.published().cloned().collect();
    let mut package = job.cargo(&["package", "--locked", "--no-verify", "--allow-dirty"]);
    package.args(published.iter().flat_map(|package| ["--package", &package.name]));
    job.runner.run(package)?;
    fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
    let mut packed = Vec::new();
    for package in published {
        let name = format!("{}-{}", package.name, package.version);
        let mut tar = runner::command("tar");
        tar.arg("-xzf").arg(job.workspace.target.join(format!("package/{name}.crate")));
        tar.arg("-C").arg(folder);
        job.runner.run(tar)?;
        packed.push((package.name, folder.join(name)));
    }
    Ok(packed)
}

/// Builds a package that is a workspace of its own, with the versions of the repository's lock file.
fn build(
    job: &mut Job<'_>,
    folder: &Path,
    dependencies: &str,
    (file, source): (&str, &str),
    packed: &[(String, PathBuf)],
) -> Result<(), String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut manifest = format!(
        "[workspace]\n\n[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         {dependencies}\n[patch.crates-io]\n"
    );
    for (name, path) in packed {
        let _ = writeln!(manifest, "{name} = {{ path = {:?} }}", path.display().to_string());
    }
    let sources = folder.join("src");
    fs::create_dir_all(&sources).map_err(|error| unusable(&sources, &error))?;
    for (path, text) in [("Cargo.toml", manifest.as_str()), (&format!("src/{file}"), source)] {
        let path = folder.join(path);
        fs::write(&path, text).map_err(|error| unusable(&path, &error))?;
    }
    let lock = folder.join("Cargo.lock");
    fs::copy(job.workspace.root.join("Cargo.lock"), &lock)
        .map_err(|error| unusable(&lock, &error))?;
    let mut build = job.cargo(&["build", "--target-dir"]);
    build.arg(job.scratch_file("user-target")).current_dir(folder);
    job.runner.run(build)
}

fn unusable(path: &Path, error: &std::io::Error) -> String {
    format!("can't use {}: {error}", path.display())
}

/// The first block of code of this language in a document.
fn block<'a>(document: &'a str, language: &str) -> Option<&'a str> {
    let begin = format!("\n```{language}");
    let (_, rest) = document.split_once(&begin)?;
    let (_, block) = rest.split_once('\n')?;
    block.split_once("```").map(|(block, _)| block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_hold_their_licences() {
        let files = "Cargo.toml\nLICENSE-MIT\nREADME.md\nsrc/LICENSE-APACHE\n";
        assert_eq!(not_packed(files).collect::<Vec<_>>(), ["LICENSE-APACHE"]);
    }

    #[test]
    fn the_first_block_of_a_language_is_found() {
        let text = "a\n```toml\nx = 1\n```\n```rust,no_run\nfn main() {}\n```\n```rust\n2\n```\n";
        assert_eq!(block(text, "rust"), Some("fn main() {}\n"));
        assert_eq!(block(text, "toml"), Some("x = 1\n"));
        assert_eq!(block(text, "python"), None);
    }
}
