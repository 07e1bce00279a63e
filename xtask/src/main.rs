//! Project tasks: `cargo xtask help` lists them.
#![forbid(unsafe_code)]

mod args;
mod background;
mod checks;
mod group;
mod groups;
mod job;
mod need;
mod packaged;
mod processes;
mod python;
mod python_package;
mod report;
mod runner;
mod servers;
mod shell;
mod suite;
mod system;
mod tools;
mod watchdog;
mod workspace;

use std::env;
use std::io;
use std::process::ExitCode;

use args::Command;

/// The exit code for arguments that were not understood.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let command = match args::parse(&arguments) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("xtask: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let result = match command {
        Command::Help => {
            print!("{}", args::help(groups::TEST, groups::RELEASE));
            Ok(true)
        }
        Command::Test(selection) => suite::run(groups::TEST, &selection),
        Command::ReleaseCheck(selection) => suite::run(groups::RELEASE, &selection),
        Command::Capacity { seconds } => suite::capacity(seconds),
        Command::Failovers { rounds, of } => suite::failovers(rounds, of),
        Command::Fuzz(options) => suite::fuzz(&options),
        Command::Interop { requests, seed, server } => suite::compare(requests, seed, server),
        Command::Load { seconds } => suite::load(seconds),
        Command::Crashes { kills, of } => suite::crashes(kills, of),
        Command::Conditions { minutes, stores } => suite::conditions(minutes, &stores),
        Command::Mutants(options) => suite::mutants(&options),
        Command::Bench { rounds } => suite::bench(rounds),
        Command::BenchHttp(how) => suite::bench_http(&how),
        Command::Python => python_package::print(),
        Command::Wheels => suite::wheels(),
        Command::Watch { marker } => {
            watchdog::watch(&marker, io::stdin().lock());
            Ok(true)
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
