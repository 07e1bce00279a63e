//! A running group: the workspace, the tools and the commands.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::runner::{self, Runner};
use crate::tools::Tools;
use crate::workspace::{Workspace, cargo};

/// The workspace, tools and log that a group runs with.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) tools: &'a Tools,
    pub(crate) runner: Runner<'a>,
    notes: Vec<String>,
}

impl<'a> Job<'a> {
    pub(crate) fn new(workspace: &'a Workspace, tools: &'a Tools, runner: Runner<'a>) -> Self {
        Self { workspace, tools, runner, notes: Vec::new() }
    }

    /// Adds a note to the table's line of a group that passes.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Returns all notes, with the leftovers of the commands.
    pub(crate) fn notes(&self) -> String {
        let mut notes = self.notes.clone();
        let left = self.runner.left_behind();
        if !left.is_empty() {
            notes.push(format!("left running, ended here: {}", left.join(", ")));
        }
        notes.join("; ")
    }

    /// A cargo command, in the workspace's root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = runner::command(cargo());
        command.args(arguments).current_dir(&self.workspace.root);
        command
    }

    /// Runs cargo; fails unless it succeeds.
    pub(crate) fn run_cargo(&mut self, arguments: &[&str]) -> Result<(), String> {
        let command = self.cargo(arguments);
        self.runner.run(command)
    }

    /// Returns the command for a Python program of the repository, in the pinned environment. The
    /// environment names the programs that xtask has found: `CARAFE_NGINX` and so on.
    pub(crate) fn python(&self, program: &str) -> Result<Command, String> {
        if !self.workspace.root.join(program).is_file() {
            return Err(format!("{program} is not there"));
        }
        let python = self.tools.python().ok_or("there is no Python environment")?;
        let mut command = runner::command(python);
        command.arg(program).current_dir(&self.workspace.root);
        for (name, path) in self.tools.programs() {
            command.env(variable(name), path);
        }
        let scratch = self.workspace.scratch();
        command.env("PYTHONUNBUFFERED", "1").env("PYTHONNOUSERSITE", "1");
        // The checkout and the user's home must stay clean.
        command.env("PYTHONPYCACHEPREFIX", scratch.join("pycache"));
        command.env("SE_CACHE_PATH", scratch.join("selenium"));
        command.env("SE_OFFLINE", "true").env("SE_AVOID_STATS", "true");
        for name in ["NO_PROXY", "no_proxy"] {
            command.env(name, no_proxy(env::var(name).ok().as_deref()));
        }
        Ok(command)
    }

    /// Returns the path of a file of this name among xtask's own.
    pub(crate) fn scratch_file(&self, name: &str) -> PathBuf {
        self.workspace.scratch().join(name)
    }
}

/// The variable that holds the path of a program.
pub(crate) fn variable(name: &str) -> String {
    format!("CARAFE_{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// The servers under test are on this machine: no proxy must come between.
fn no_proxy(inherited: Option<&str>) -> String {
    let inherited = inherited.filter(|hosts| !hosts.is_empty());
    inherited.into_iter().chain(["localhost,127.0.0.1,::1"]).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_handed_on_in_variables() {
        assert_eq!(variable("chromedriver"), "CARAFE_CHROMEDRIVER");
        assert_eq!(variable("redis-server"), "CARAFE_REDIS_SERVER");
    }

    #[test]
    fn proxies_that_are_set_stay_set() {
        assert_eq!(no_proxy(None), "localhost,127.0.0.1,::1");
        assert_eq!(no_proxy(Some("")), "localhost,127.0.0.1,::1");
        assert_eq!(no_proxy(Some("example.org")), "example.org,localhost,127.0.0.1,::1");
    }
}
