//! The tasks that are measured.

/// The requests that are sent to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Read,
    Write,
    Login,
}

impl Task {
    /// In the order of the report.
    pub(crate) const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Login];

    /// The request's method and path.
    pub(crate) fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Read => ("GET", "/session"),
            Self::Write => ("POST", "/visit"),
            Self::Login => ("POST", "/login"),
        }
    }
}
