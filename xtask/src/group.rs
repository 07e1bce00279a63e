//! What a group of checks is: its name, what it needs, how it runs.

use std::time::Duration;

use crate::job::Job;
use crate::need::Need;

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
