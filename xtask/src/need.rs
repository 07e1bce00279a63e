//! The programs that have to be on the machine.

use crate::packaged::Packaged;
use crate::system::Program;

/// A program or environment that has to be on the machine before a group can run.
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
    /// Returns its name, as `--list` shows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Program(program) => program.name,
            Self::Component(name) => name,
            Self::Python => "python3",
            Self::Packaged(packaged) => packaged.name,
        }
    }
}
