//! The Python package, as it is imported without being installed.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::workspace::{Workspace, cargo};

/// The package's Python modules.
const SOURCES: &str = "crates/carafe-python/python/carafe_sessions";

/// Builds the package without optimisation, and prints the folder to put on `PYTHONPATH`.
pub(crate) fn print() -> Result<bool, String> {
    let workspace = Workspace::find()?;
    let mut build = Command::new(cargo());
    build.args(BUILD).current_dir(&workspace.root);
    // The program prints nothing but the folder to its standard output.
    build.stdout(Stdio::null());
    let status = build.status().map_err(|error| format!("can't run cargo: {error}"))?;
    if !status.success() {
        return Ok(false);
    }
    println!("{}", assemble(&workspace)?.display());
    Ok(true)
}

/// The arguments of the build of the native part.
pub(crate) const BUILD: [&str; 4] = ["build", "--locked", "--package", "carafe-python"];

/// The folder that holds the package.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.scratch().join("pythonpath")
}

/// Puts the native part beside the Python modules; returns the folder that holds the package.
pub(crate) fn assemble(workspace: &Workspace) -> Result<PathBuf, String> {
    let folder = folder(workspace);
    let package = folder.join("carafe_sessions");
    if package.exists() {
        fs::remove_dir_all(&package).map_err(|error| cannot("remove", &package, &error))?;
    }
    fs::create_dir_all(&package).map_err(|error| cannot("make", &package, &error))?;
    let sources = workspace.root.join(SOURCES);
    let entries = fs::read_dir(&sources).map_err(|error| cannot("read", &sources, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| cannot("read", &sources, &error))?.path();
        let is_source =
            path.extension().is_some_and(|kind| kind == "py" || kind == "pyi" || kind == "typed");
        if let Some(name) = path.file_name().filter(|_| is_source) {
            fs::copy(&path, package.join(name)).map_err(|error| cannot("copy", &path, &error))?;
        }
    }
    let library =
        workspace.target.join("debug").join(format!("{DLL_PREFIX}carafe_sessions{DLL_SUFFIX}"));
    // The name by which Python finds a module that uses its stable interface alone.
    let module = if cfg!(windows) { "_core.pyd" } else { "_core.abi3.so" };
    fs::copy(&library, package.join(module)).map_err(|error| cannot("copy", &library, &error))?;
    Ok(folder)
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("can't {what} {}: {error}", path.display())
}
