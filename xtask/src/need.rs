//! What has to be on the machine.

use crate::system::Program;
use crate::valkey;

/// Something that has to be on the machine before a group can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A program that the system's package manager has.
    Program(&'static Program),
    /// A component of the Rust toolchain, such as `rustfmt`.
    Component(&'static str),
    /// The Python environment with the pinned packages.
    Python,
    /// A Valkey server, which Python's package manager has.
    Valkey,
}

impl Need {
    /// Its name, as `--list` shows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Program(program) => program.name,
            Self::Component(name) => name,
            Self::Python => "python3",
            Self::Valkey => valkey::SERVER,
        }
    }
}
