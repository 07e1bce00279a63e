//! An error of usage as one line.

use clap::CommandFactory as _;

use super::Cli;

/// What clap says in several lines, in one, with where to read on.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let said: Vec<&str> = rendered
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty())
        .collect();
    let said = said.join(" ");
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    let command = command().map_or(String::new(), |name| format!(" {name}"));
    format!("{said} (see `carafe{command} --help`)")
}

/// The command that was given, if it is one.
fn command() -> Option<String> {
    let program = Cli::command();
    let mut given = std::env::args_os().skip(1).filter_map(|word| word.into_string().ok());
    given.find(|word| program.find_subcommand(word).is_some())
}
