//! `carafe`: the program that looks into sessions.
//!
//! Each command is a thin use of the library `carafe`: nothing here decodes, inflates or signs.

mod args;
mod commands;
mod cookies;
mod doctor;
mod failure;
mod json_line;
mod keys;
mod opener;
mod output;
mod text;
mod time;
mod tree;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use args::Cli;
use failure::{Code, Failure};
use output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut output = Output::new(cli.color);
    let done = commands::run(cli.command, &mut output);
    let done = done.and_then(|code| output.flush().map(|()| code));
    match done {
        Ok(code) => code.into(),
        Err(failure) => {
            if let Failure::Usage(message) = &failure {
                output.error(message);
            }
            failure.code().into()
        }
    }
}

/// Prints help and version as they are, and an error of usage as one line.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        let code = if error.use_stderr() { Code::Usage } else { Code::Success };
        return match error.print() {
            Ok(()) => code.into(),
            Err(error) => Failure::from(error).code().into(),
        };
    }
    let mut output = Output::new(args::Color::Auto);
    output.error(&args::one_line(error));
    Code::Usage.into()
}
