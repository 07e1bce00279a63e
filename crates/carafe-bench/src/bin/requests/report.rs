//! Writes the report.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;

use carafe_bench::machine;

use crate::arguments::Settings;
use crate::catalogue::SECTIONS;
use crate::load::CONNECTIONS;
use crate::measure::{self, Round, Subject};
use crate::statistics::Quartiles;
use crate::task::Task;

/// Starts all servers, measures them in turns and writes the report.
pub(crate) fn write(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let mut text = introduction(settings);
    for section in &SECTIONS {
        let folder = std::env::temp_dir().join(format!("carafe-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let measured = measure::measure(settings, section, &folder);
        fs::remove_dir_all(folder)?;
        let measured = measured?;
        if !measured.is_empty() {
            let _ = write!(text, "## {}\n\n{}", section.title, section.about);
            for task in Task::ALL {
                table(&mut text, task, &measured);
            }
        }
    }
    let text = format!("{}\n", text.trim_end());
    if let Some(file) = &settings.file {
        fs::write(file, &text)?;
    }
    print!("{text}");
    Ok(())
}

fn introduction(settings: &Settings) -> String {
    format!(
        "# Benchmarks over HTTP\n\n\
         Written by `cargo xtask bench http`, on {}. Each server is a process of its own on \
         loopback, and gets requests over {CONNECTIONS} connections that are kept open. Where \
         nothing else is said, those in Rust have one thread, on a processor of its own, and the \
         program that sends the requests is on another. What is in one section is measured in turns, in an order that is new each time, in {} rounds of \
         {} ms each; all numbers are medians of the rounds. CPU is the server's processor time for \
         a request, the kernel's part in it included; beside it, how many times that of the same \
         framework's handler without a session in the same round (for Flask: axum's), and between \
         which values half of the rounds are.\n\n\
         Reading is one key of P1. A write counts the visits in a session that has that key \
         already. Each connection has its own session to read, and its own to write into. A login \
         stores the key in a session that is new each time.\n\n",
        machine::describe(),
        settings.rounds,
        settings.slice.as_millis(),
    )
}

/// A row for each server. All are compared with the first.
fn table(text: &mut String, task: Task, measured: &[Subject]) {
    let title = match task {
        Task::Read => "Read one key",
        Task::Write => "Write into an existing session",
        Task::Login => "Log in",
    };
    let _ = write!(
        text,
        "### {title}\n\n\
         | | CPU µs | | | requests/s | p50 µs | p99 µs |\n|---|--:|--:|:--|--:|--:|--:|"
    );
    let mut subjects = measured.iter().filter(|subject| subject.task == task).peekable();
    let bare = subjects.peek().copied();
    for (row, subject) in subjects.enumerate() {
        let median = |of: fn(&Round) -> f64| subject.quartiles(of).median;
        let _ = write!(text, "\n| {} | {:.2} ", subject.title, median(|round| round.cpu));
        let _ = match bare.filter(|_| row > 0).map(|bare| subject.ratio(bare)) {
            None => write!(text, "| | "),
            Some(Quartiles { low, median, high }) => {
                let digits = if median < 10.0 { 2 } else { 0 };
                write!(text, "| {median:.digits$}× | {low:.digits$} to {high:.digits$} ")
            }
        };
        let _ = write!(
            text,
            "| {:.0} | {:.0} | {:.0} |",
            median(|round| round.per_second),
            median(|round| round.p50),
            median(|round| round.p99),
        );
    }
    text.push_str("\n\n");
}
