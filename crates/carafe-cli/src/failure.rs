//! The failures of commands, and their exit codes.

use std::io;
use std::process::ExitCode;

/// The program's exit codes, which scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Done, and the answer is yes.
    Success = 0,
    /// Done, and the answer is no: not verified, not a session, a weak key, something unsafe.
    Refused = 1,
    /// Not done: wrong arguments, bad input, a file that can't be read.
    Usage = 2,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// The reason why a command ends early. The text is one line that names the remedy.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The question can't be answered.
    Usage(String),
    /// The reader of the output has stopped.
    ReaderGone,
}

impl Failure {
    /// Returns a failure for an error of the library that the input caused.
    pub(crate) fn usage(error: impl std::fmt::Display) -> Self {
        Self::Usage(error.to_string())
    }

    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Usage(_) => Code::Usage,
            // The reader, such as `head`, has all that it wanted.
            Self::ReaderGone => Code::Success,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Usage(format!("the output can't be written: {error}")),
        }
    }
}
