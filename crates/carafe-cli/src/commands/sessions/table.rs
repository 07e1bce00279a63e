//! Rows of text in columns.

use crate::failure::Failure;
use crate::output::{Output, Style};
use crate::text::printable;

/// The widest cell. Longer text is cut: `--json` has all of it.
const WIDEST: usize = 48;

/// Prints rows under their heading. Cells may hold any text.
pub(super) fn print<const N: usize>(
    heading: [&str; N],
    rows: &[[String; N]],
    output: &mut Output,
) -> Result<(), Failure> {
    let rows: Vec<[String; N]> =
        rows.iter().map(|row| std::array::from_fn(|at| fitting(&row[at]))).collect();
    let width = |at: usize| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([heading[at].len()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let heading = output.paint(Style::Heading, &line(heading));
    output.line(heading)?;
    for row in &rows {
        output.line(line(std::array::from_fn(|at| row[at].as_str())))?;
    }
    Ok(())
}

/// A cell's text in one line, safe for a terminal, and not too long.
fn fitting(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= WIDEST {
        return text.into_owned();
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_short_and_safe() {
        assert_eq!(fitting("a\x1b[2J\n"), "a\\u001b[2J\\n");
        assert_eq!(fitting(&"é".repeat(48)), "é".repeat(48));
        assert_eq!(fitting(&"é".repeat(49)), format!("{}…", "é".repeat(47)));
    }
}
