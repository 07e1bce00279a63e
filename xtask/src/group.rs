//! A group of checks: its name, its needs, and the way it runs.

use std::time::Duration;

use crate::job::Job;
use crate::need::Need;

/// Checks that pass or fail together and have one line in the table.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// One line for `help` and `--list`.
    pub(crate) about: &'static str,
    pub(crate) needs: &'static [Need],
    /// The time limit. A group that reaches it is stopped, and has failed.
    pub(crate) limit: Duration,
    /// Fails with one line that says what went wrong; the log has the rest.
    pub(crate) run: fn(&mut Job<'_>) -> Result<(), String>,
}
