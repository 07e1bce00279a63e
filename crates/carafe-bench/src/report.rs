//! The report: what was measured, as Markdown and plots.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::machine;
use crate::measure::Times;
use crate::plot::{Line, Plot};
use crate::suite::{Sweep, Table};

/// The number of allocations of a call, by table, column and row.
pub type Allocations = BTreeMap<(String, String, String), u64>;

/// Reads what the program `allocations` prints: title, column, row and number, with tabs between.
#[must_use]
pub fn parse_allocations(text: &str) -> Allocations {
    let line = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        let place = (fields.next()?, fields.next()?, fields.next()?);
        Some((place, fields.next()?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// The subjects' names and times.
pub type Measured = Vec<(String, Times)>;

fn find<'a>(measured: &'a Measured, row: &str) -> Option<&'a Times> {
    measured.iter().find(|(name, _)| name == row).map(|(_, times)| times)
}

impl Table<Measured> {
    /// The rows' names in the order in which they first stand in a column.
    fn rows(&self) -> Vec<&str> {
        let mut rows: Vec<&str> = Vec::new();
        for (name, _) in self.columns.iter().flat_map(|(_, measured)| measured) {
            if !rows.contains(&name.as_str()) {
                rows.push(name);
            }
        }
        rows
    }

    /// The table as Markdown: nanoseconds, how many times the baseline's, and allocations.
    #[must_use]
    pub fn to_markdown(&self, allocations: &Allocations) -> String {
        let mut text = format!("## {}\n\n{}\n\n| ns |", self.title, self.note);
        for (column, _) in &self.columns {
            let _ = write!(text, " {column} | |");
        }
        text.push_str("\n|---|");
        text.push_str(&"--:|:--|".repeat(self.columns.len()));
        for row in self.rows() {
            let _ = write!(text, "\n| {row} |");
            for (column, measured) in &self.columns {
                let Some(times) = find(measured, row) else {
                    text.push_str(" – | |");
                    continue;
                };
                let _ = write!(text, " {} |", thousands(times.median()));
                if let Some(baseline) = find(measured, self.baseline) {
                    let _ = write!(text, " {:.2}×", times.ratio(baseline));
                }
                let place = (self.title.to_owned(), column.clone(), row.to_owned());
                if let Some(count) = allocations.get(&place) {
                    let _ = write!(text, ", {count} a.");
                }
                text.push_str(" |");
            }
        }
        text.push_str("\n\n");
        text
    }
}

impl Sweep<Measured> {
    /// The plot.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let lines =
            self.names().map(|name| Line { points: self.line(name), name: name.to_owned() });
        Plot { title: self.title, axis: self.axis, lines: lines.collect() }.to_svg()
    }

    /// A table with what each further step of the horizontal axis costs.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text =
            format!("## {}, by {}\n\n![The plot]({}.svg)\n\n|", self.title, self.axis, self.file);
        for (at, _) in &self.points {
            let _ = write!(text, " | {at}");
        }
        text.push_str(" | slope |\n|---|");
        text.push_str(&"--:|".repeat(self.points.len() + 1));
        for name in self.names() {
            let line = self.line(name);
            let _ = write!(text, "\n| {name} |");
            for (_, nanoseconds) in &line {
                let _ = write!(text, " {} |", thousands(*nanoseconds));
            }
            let (Some(first), Some(last)) = (line.first(), line.last()) else {
                continue;
            };
            let _ = write!(text, " {:.2} |", (last.1 - first.1) / (last.0 - first.0));
        }
        text.push_str("\n\n");
        text
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let first = self.points.first();
        first.into_iter().flat_map(|(_, times)| times.iter().map(|(name, _)| name.as_str()))
    }

    fn line(&self, name: &str) -> Vec<(f64, f64)> {
        let median = |(at, measured)| Some((at, find(measured, name)?.median()));
        self.points.iter().map(|(at, measured)| (*at, measured)).filter_map(median).collect()
    }
}

/// The report's beginning.
#[must_use]
pub fn heading(rounds: usize) -> String {
    format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`, on {}. Medians of {rounds} rounds of one run, in each of \
         which everything was measured once, in turns. Beside each time: how many times the limit's \
         it is, as the median of the rounds' ratios, and the allocations of one call (a.). P1 is a \
         user's name; P2 has ids, a CSRF token, a flashed message and a small cart; P3 a large \
         cart, and pages. [performance.md](../performance.md) says what follows for an application, and \
         [benchmarks-http.md](benchmarks-http.md) has requests over HTTP.\n\n",
        machine::describe()
    )
}

/// A number of nanoseconds, its digits in groups.
fn thousands(nanoseconds: f64) -> String {
    let whole = format!("{nanoseconds:.0}");
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0.4, 12.0, 999.6, 1234567.0].map(thousands), ["0", "12", "1,000", "1,234,567"]);
    }
}
