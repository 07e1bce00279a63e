//! Writes the report.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;

use carafe_bench::machine;

use crate::arguments::Settings;
use crate::load::CONNECTIONS;
use crate::measure::{self, Subject, Task};

/// Starts all servers, measures them in turns and writes the report.
pub(crate) fn write(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("carafe-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure::measure(settings, &folder);
    fs::remove_dir_all(folder)?;
    let text = text(settings, &measured?);
    if let Some(file) = &settings.file {
        fs::write(file, &text)?;
    }
    print!("{text}");
    Ok(())
}

fn text(settings: &Settings, subjects: &[Subject]) -> String {
    let mut text = format!(
        "# Benchmarks over HTTP\n\n\
         Written by `cargo xtask bench http`, on {}. Each server is a process of its own on \
         loopback, with two worker threads for those in Rust, and gets requests over {CONNECTIONS} \
         connections that are kept open, from a program on the same processors. Everything is \
         measured in turns, in an order that is new each time, in {} rounds of {} ms each; all \
         numbers are medians of the rounds. CPU is the server's processor time for a request, the \
         kernel's part in it included; beside it, how many times that of the same framework's \
         handler without a session in the same round (for Flask: axum's), and between which values \
         half of the rounds are. Reading is one key of P1; a login stores the same key in a session \
         that is new each time.\n\n",
        machine::describe(),
        settings.rounds,
        settings.slice.as_millis(),
    );
    for (title, task) in [("Read one key", Task::Read), ("Log in", Task::Login)] {
        let of_task: Vec<_> = subjects.iter().filter(|subject| subject.task == task).collect();
        table(&mut text, title, &of_task);
    }
    format!("{}\n", text.trim_end())
}

fn table(text: &mut String, title: &str, subjects: &[&Subject]) {
    let _ = write!(
        text,
        "## {title}\n\n\
         | | CPU µs | | | requests/s | p50 µs | p99 µs |\n|---|--:|--:|:--|--:|--:|--:|"
    );
    for subject in subjects {
        let _ = write!(text, "\n| {} | {:.2} ", subject.title, subject.quartiles(|r| r.cpu).median);
        let baseline = subjects.iter().find(|other| other.name == subject.baseline);
        let _ = match baseline.filter(|other| other.name != subject.name) {
            None => write!(text, "| | "),
            Some(baseline) => {
                let ratio = subject.ratio(baseline);
                let digits = if ratio.median < 10.0 { 2 } else { 0 };
                write!(
                    text,
                    "| {:.digits$}× | {:.digits$} to {:.digits$} ",
                    ratio.median, ratio.low, ratio.high
                )
            }
        };
        let _ = write!(
            text,
            "| {:.0} | {:.0} | {:.0} |",
            subject.quartiles(|round| round.per_second).median,
            subject.quartiles(|round| round.p50).median,
            subject.quartiles(|round| round.p99).median,
        );
    }
    text.push_str("\n\n");
}
