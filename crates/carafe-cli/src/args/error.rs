//! An error of usage as one line.

use clap::CommandFactory as _;

use super::Cli;

/// Returns clap's message of several lines in one line, with a pointer to the help.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let lines = rendered
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty());
    let mut said = String::new();
    for line in lines {
        // What continues a sentence, and what is a remark of its own.
        let continues = said.is_empty() || said.ends_with(':') || line.starts_with('[');
        said += if said.is_empty() {
            ""
        } else if continues {
            " "
        } else {
            "; "
        };
        said += line;
    }
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    let command = command().map_or(String::new(), |name| format!(" {name}"));
    format!("{said} (see `carafe{command} --help`)")
}

/// Returns the given command, if it is one, with the command below it.
fn command() -> Option<String> {
    let mut within = Cli::command();
    let mut names = Vec::new();
    for word in std::env::args_os().skip(1).filter_map(|word| word.into_string().ok()) {
        if let Some(command) = within.find_subcommand(&word).cloned() {
            within = command;
            names.push(word);
        }
    }
    (!names.is_empty()).then(|| names.join(" "))
}
