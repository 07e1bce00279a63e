//! The tasks that are measured.

/// What is sent to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Read,
    Write,
    Login,
}

impl Task {
    /// In the order of the report.
    pub(crate) const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Login];

    /// Its method and path.
    pub(crate) fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Read => ("GET", "/session"),
            Self::Write => ("POST", "/visit"),
            Self::Login => ("POST", "/login"),
        }
    }
}
