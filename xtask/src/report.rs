//! The table at the end, and the closing line.

use std::fmt::Write as _;
use std::time::Duration;

/// The outcome of a group.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// The group could not run, since something is missing.
    Missing,
    /// The user left it out.
    LeftOut,
}

impl Outcome {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Missing => "MISSING",
            Self::LeftOut => "left out",
        }
    }
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) time: Duration,
    /// Why it failed, what is missing, or what is worth knowing though it passed.
    pub(crate) note: String,
}

/// Every group with its outcome, its time and a note.
pub(crate) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.group.len()).max().unwrap_or(0).max("group".len());
    let mut text = format!("{:width$}  {:8}  {:>8}\n", "group", "result", "time");
    for row in rows {
        let time = match row.outcome {
            Outcome::Passed | Outcome::Failed => duration(row.time),
            Outcome::Missing | Outcome::LeftOut => "-".to_owned(),
        };
        let line =
            format!("{:width$}  {:8}  {time:>8}  {}", row.group, row.outcome.word(), row.note);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The last line: what is missing has failed, what was left out does not count.
pub(crate) fn closing_line(rows: &[Row]) -> String {
    let count =
        |wanted: fn(&Outcome) -> bool| rows.iter().filter(|row| wanted(&row.outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed | Outcome::Missing));
    format!("{passed} passed, {failed} failed")
}

/// Whether everything that was to run has passed.
pub(crate) fn success(rows: &[Row]) -> bool {
    rows.iter().all(|row| matches!(row.outcome, Outcome::Passed | Outcome::LeftOut))
}

/// The last lines of a log: all of a short one.
pub(crate) fn tail(log: &str) -> String {
    const SHORT: usize = 80;
    const TAIL: usize = 60;
    let lines: Vec<&str> = log.lines().collect();
    if lines.len() <= SHORT {
        return lines.join("\n");
    }
    let left_out = lines.len() - TAIL;
    format!("[{left_out} lines before this]\n{}", lines[left_out..].join("\n"))
}

/// `3.2 s`, or `4 min 05 s` for what takes minutes.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(group: &'static str, outcome: Outcome, note: &str) -> Row {
        Row { group, outcome, time: Duration::from_millis(1500), note: note.to_owned() }
    }

    #[test]
    fn the_table_lines_up_and_has_no_time_for_what_did_not_run() {
        let rows = [
            row("fmt", Outcome::Passed, ""),
            row("interop-twin", Outcome::Failed, "interop/differential.py is not there"),
            row("browser", Outcome::Missing, "chromium, nginx"),
            row("doc", Outcome::LeftOut, ""),
        ];
        let expected = "\
group         result        time
fmt           passed       1.5 s
interop-twin  FAILED       1.5 s  interop/differential.py is not there
browser       MISSING          -  chromium, nginx
doc           left out         -
";
        assert_eq!(table(&rows), expected);
        assert_eq!(closing_line(&rows), "1 passed, 2 failed");
        assert!(!success(&rows));
    }

    #[test]
    fn a_missing_group_is_no_success_and_one_left_out_is() {
        let missing = [row("fmt", Outcome::Passed, ""), row("doc", Outcome::Missing, "")];
        assert!(!success(&missing));
        let left_out = [row("fmt", Outcome::Passed, ""), row("doc", Outcome::LeftOut, "")];
        assert!(success(&left_out));
        assert_eq!(closing_line(&left_out), "1 passed, 0 failed");
    }

    #[test]
    fn a_long_log_is_cut_at_its_start() {
        let log = |lines: usize| (1..=lines).map(|n| format!("{n}\n")).collect::<String>();
        assert_eq!(tail(&log(80)).lines().count(), 80);
        let cut = tail(&log(81));
        assert!(cut.starts_with("[21 lines before this]\n22\n"), "{cut}");
        assert!(cut.ends_with("\n81"));
    }

    #[test]
    fn times_read_well() {
        assert_eq!(duration(Duration::from_millis(40)), "0.0 s");
        assert_eq!(duration(Duration::from_secs(245)), "4 min 05 s");
    }
}
