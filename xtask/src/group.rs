//! What a group of checks is: its name, what it needs, how it runs.

use std::time::Duration;

use crate::job::Job;
use crate::packaged::Packaged;
use crate::system::Program;

/// Checks that pass or fail together and have one line in the table.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// One line for `help` and `--list`.
    pub(crate) about: &'static str,
    pub(crate) needs: &'static [Need],
    /// The group is stopped, and has failed, once it has run for this long.
    pub(crate) limit: Duration,
    /// Fails with one line that says what went wrong; the log has the rest.
    pub(crate) run: fn(&mut Job<'_>) -> Result<(), String>,
}

/// Something that has to be on the machine before a group can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A program that the system's package manager has.
    Program(&'static Program),
    /// A component of the Rust toolchain, such as `rustfmt`.
    Component(&'static str),
    /// The Python environment with the pinned packages.
    Python,
    /// A server that Python's package manager has.
    Packaged(&'static Packaged),
}

impl Need {
    /// Its name, as `--list` shows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Program(program) => program.name,
            Self::Component(name) => name,
            Self::Python => "python3",
            Self::Packaged(packaged) => packaged.name,
        }
    }
}
