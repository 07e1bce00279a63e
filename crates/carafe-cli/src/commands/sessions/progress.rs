//! The progress of long work, on a terminal.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use carafe::id::SessionIdHash;

use crate::output::Output;

/// The interval at which the line is written anew, and the delay of the first time.
const INTERVAL: Duration = Duration::from_millis(200);

/// The length of a bar.
const WIDTH: usize = 30;

/// A line on standard error that changes, and disappears at the end. There is none if standard
/// error is no terminal.
pub(super) struct Progress<'a> {
    output: Option<&'a mut Output>,
    doing: &'static str,
    /// Whether the records come in the order of their ids.
    in_order: bool,
    count: u64,
    shown: Instant,
    is_shown: bool,
}

impl<'a> Progress<'a> {
    pub(super) fn new(doing: &'static str, in_order: bool, output: &'a mut Output) -> Self {
        let output = std::io::stderr().is_terminal().then_some(output);
        Self { output, doing, in_order, count: 0, shown: Instant::now(), is_shown: false }
    }

    /// Counts one record more. Ids are hashes, so the place of one among all tells the number that
    /// is left.
    pub(super) fn at(&mut self, id: &SessionIdHash) {
        let [first, second, ..] = *id.as_bytes();
        let share = f64::from(u16::from_be_bytes([first, second])) / f64::from(u16::MAX);
        self.add(1, self.in_order.then_some(share));
    }

    /// Counts `more` records, of a total.
    pub(super) fn of(&mut self, more: u64, total: u64) {
        let count = self.count + more;
        self.add(more, (total > 0).then(|| (count as f64 / total as f64).min(1.0)));
    }

    fn add(&mut self, more: u64, share: Option<f64>) {
        self.count += more;
        let Some(output) = &mut self.output else { return };
        if self.shown.elapsed() < INTERVAL {
            return;
        }
        self.shown = Instant::now();
        self.is_shown = true;
        output.transient(&line(self.doing, self.count, share));
    }

    pub(super) fn finish(&mut self) {
        if let Some(output) = self.output.as_mut().filter(|_| self.is_shown) {
            output.transient("");
        }
    }
}

fn line(doing: &str, count: u64, share: Option<f64>) -> String {
    match share {
        Some(share) => {
            // Between 0 and the width.
            let full = (share * WIDTH as f64) as usize;
            let (full, empty) = ("#".repeat(full), "-".repeat(WIDTH - full));
            format!("[{full}{empty}] {:3.0} %  {count} {doing}", share * 100.0)
        }
        None => format!("{count} {doing}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work() {
        assert_eq!(line("searched", 7, None), "7 searched");
        assert_eq!(
            line("searched", 0, Some(0.0)),
            format!("[{}]   0 %  0 searched", "-".repeat(30))
        );
        let half = format!("[{}{}]  50 %  9 deleted", "#".repeat(15), "-".repeat(15));
        assert_eq!(line("deleted", 9, Some(0.5)), half);
        assert_eq!(line("deleted", 9, Some(1.0)), format!("[{}] 100 %  9 deleted", "#".repeat(30)));
    }
}
