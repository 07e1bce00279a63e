//! The commands.

mod check_key;
mod inspect;
mod keygen;
mod reseal;
#[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
mod sessions;
mod sign;
mod verify;

use std::io::Write as _;

use clap::CommandFactory as _;

use crate::args::{Cli, Command};
use crate::doctor;
use crate::failure::{Code, Failure};
use crate::output::Output;

pub(crate) fn run(command: Command, output: &mut Output) -> Result<Code, Failure> {
    match command {
        Command::Inspect(args) => inspect::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Sign(args) => sign::run(&args, output),
        Command::Reseal(args) => reseal::run(&args, output),
        Command::Keygen(args) => keygen::run(&args, output),
        Command::CheckKey(args) => check_key::run(&args, output),
        Command::Doctor(args) => doctor::run(&args, output),
        #[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
        Command::Sessions(args) => sessions::run(&args, output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "carafe", &mut script);
            output.line(script.trim_ascii_end())?;
            Ok(Code::Success)
        }
        Command::Man { command } => man(&command, output),
    }
}

/// Prints the page of the program, or of one of its commands.
fn man(command: &[String], output: &mut Output) -> Result<Code, Failure> {
    let mut page = Cli::command();
    page.build();
    for name in command {
        page = page.find_subcommand(name).cloned().ok_or_else(|| {
            let command = command.join(" ");
            Failure::Usage(format!("there is no command {command} (see `carafe --help`)"))
        })?;
    }
    let mut roff = Vec::new();
    clap_mangen::Man::new(page).render(&mut roff)?;
    roff.flush()?;
    output.line(roff.trim_ascii_end())?;
    Ok(Code::Success)
}
