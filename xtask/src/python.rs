//! The Python environment of the tests, with the packages that
//! `interop/requirements.txt` pins. It is made anew when they change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::runner::{self, Runner};
use crate::system::{Program, find_command};
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "interop/requirements.txt";

/// The oldest version that the pinned packages run on.
const OLDEST: (u32, u32) = (3, 11);

/// In order of preference.
const INTERPRETERS: [&str; 6] =
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];

static PYTHON: Program = Program {
    name: "python3 (3.11 or later)",
    commands: &INTERPRETERS,
    apt: "python3 python3-venv",
    dnf: "python3 python3-pip",
    pacman: "python python-pip",
    brew: "python@3",
};

static VENV: Program = Program {
    name: "python3-venv or pip",
    commands: &[],
    apt: "python3-venv",
    dnf: "python3-pip",
    pacman: "python-pip",
    brew: "python@3",
};

/// Why there is no environment.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The system lacks something.
    Absent(&'static Program),
    /// Making it failed.
    Failed(String),
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// Makes the environment unless it is there; returns its interpreter.
pub(crate) fn prepare(workspace: &Workspace, runner: &mut Runner<'_>) -> Result<PathBuf, Trouble> {
    let requirements = workspace.root.join(REQUIREMENTS);
    let pinned = fs::read_to_string(&requirements)
        .map_err(|error| format!("can't read {REQUIREMENTS}: {error}"))?;
    let (python, version) = find(runner).ok_or(Trouble::Absent(&PYTHON))?;

    let folder = workspace.scratch().join("python");
    let interpreter = interpreter_of(&folder);
    let stamp_file = folder.join("made-from.txt");
    let stamp = format!("# {} {version}\n{pinned}", python.display());
    let fresh = fs::read_to_string(&stamp_file).is_ok_and(|made_from| made_from == stamp);
    if fresh && runner.run(python_command(&interpreter, &["-c", "import flask"])).is_ok() {
        return Ok(interpreter);
    }

    println!("making the Python environment in {}", folder.display());
    if folder.exists() {
        let removed = fs::remove_dir_all(&folder);
        removed.map_err(|error| format!("can't remove {}: {error}", folder.display()))?;
    }
    let pip = make(runner, &python, &folder).ok_or(Trouble::Absent(&VENV))?;
    let mut install = runner::command(&interpreter);
    install.args(pip);
    // Without dependencies: everything is pinned. Ignoring what is installed: a
    // borrowed pip sees the packages of the system too.
    install.args(["install", "--no-input", "--no-deps", "--ignore-installed", "--requirement"]);
    install.arg(&requirements);
    install.env("PIP_CACHE_DIR", workspace.scratch().join("pip-cache"));
    install.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    runner.run(install)?;
    fs::write(&stamp_file, stamp)
        .map_err(|error| format!("can't write {}: {error}", stamp_file.display()))?;
    Ok(interpreter)
}

/// The first interpreter that is recent enough, with its version.
fn find(runner: &mut Runner<'_>) -> Option<(PathBuf, String)> {
    const ASK: &str = "import platform; print(platform.python_version())";
    INTERPRETERS.iter().find_map(|name| {
        let path = find_command(name)?;
        let version = runner.capture(python_command(&path, &["-c", ASK])).ok()?;
        let version = version.trim().to_owned();
        (parse_version(&version)? >= OLDEST).then_some((path, version))
    })
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Makes an empty environment; returns the arguments with which its interpreter
/// runs pip. Debian splits both venv's pip and pip itself off from Python, so that
/// any one of them has to do.
fn make(runner: &mut Runner<'_>, python: &Path, folder: &Path) -> Option<Vec<String>> {
    let folder = folder.to_str()?;
    let own_pip = vec!["-m".to_owned(), "pip".to_owned()];
    if runner.run(python_command(python, &["-m", "venv", folder])).is_ok() {
        return Some(own_pip);
    }
    // The system's pip can be run by its path, from any interpreter.
    const ASK: &str = "import pip; print(pip.__path__[0])";
    if let Ok(pip) = runner.capture(python_command(python, &["-c", ASK])) {
        let bare = ["-m", "venv", "--clear", "--without-pip", folder];
        if runner.run(python_command(python, &bare)).is_ok() {
            return Some(vec![pip.trim().to_owned()]);
        }
    }
    let virtualenv = ["-m", "virtualenv", "--clear", folder];
    runner.run(python_command(python, &virtualenv)).is_ok().then_some(own_pip)
}

fn python_command(python: &Path, arguments: &[&str]) -> Command {
    let mut command = runner::command(python);
    command.args(arguments);
    command
}

fn interpreter_of(folder: &Path) -> PathBuf {
    if cfg!(windows) { folder.join("Scripts/python.exe") } else { folder.join("bin/python") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parse_version("3.9.18").unwrap() < OLDEST);
        assert!(parse_version("3.11.2").unwrap() >= OLDEST);
        assert!(parse_version("3.14.0rc1").unwrap() >= OLDEST);
        assert_eq!(parse_version("Python"), None);
    }

    #[test]
    fn every_requirement_is_pinned() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../interop/requirements.txt");
        let text = fs::read_to_string(file).unwrap();
        let pins: Vec<&str> =
            text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(pins.contains(&"Flask==3.1.3"), "{pins:?}");
        for pin in pins {
            let (name, version) = pin.split_once("==").unwrap();
            assert!(!name.is_empty() && !version.is_empty() && !version.contains('*'), "{pin}");
        }
    }
}
