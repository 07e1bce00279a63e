//! Measures everything and writes the report: `tables FOLDER ROUNDS [ALLOCATIONS]`.

use std::error::Error;
use std::fs;
use std::path::Path;

use carafe_bench::measure::measure;
use carafe_bench::report::{self, Allocations, Measured};
use carafe_bench::suite::{self, Sweep, Table};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rounds, rest @ ..] = arguments.as_slice() else {
        return Err("usage: tables FOLDER ROUNDS [ALLOCATIONS]".into());
    };
    let (folder, rounds) = (Path::new(folder), rounds.parse()?);
    let allocations = match rest {
        [file, ..] => report::parse_allocations(&fs::read_to_string(file)?),
        [] => Allocations::new(),
    };
    let (tables, sweeps) = run(rounds);

    fs::create_dir_all(folder)?;
    let mut text = report::heading(rounds);
    for table in &tables {
        text.push_str(&table.to_markdown(&allocations));
    }
    for sweep in &sweeps {
        text.push_str(&sweep.to_markdown());
        fs::write(folder.join(format!("{}.svg", sweep.file)), sweep.to_svg())?;
    }
    let text = format!("{}\n", text.trim_end());
    fs::write(folder.join("benchmarks.md"), &text)?;
    print!("{text}");
    Ok(())
}

/// Measures all that there is in one run.
fn run(rounds: usize) -> (Vec<Table<Measured>>, Vec<Sweep<Measured>>) {
    let mut groups = Vec::new();
    let tables = suite::tables().into_iter();
    let tables: Vec<_> = tables.map(|table| table.map(|subjects| groups.push(subjects))).collect();
    let sweeps = suite::sweeps().into_iter();
    let sweeps: Vec<_> = sweeps.map(|sweep| sweep.map(|subjects| groups.push(subjects))).collect();
    let mut measured = measure(groups, rounds).into_iter();
    let mut next = |()| measured.next().unwrap_or_default();
    (
        tables.into_iter().map(|table| table.map(&mut next)).collect(),
        sweeps.into_iter().map(|sweep| sweep.map(&mut next)).collect(),
    )
}
