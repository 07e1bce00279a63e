//! The question before a change that can't be undone.

use std::io::IsTerminal as _;

use crate::args::ConsentArgs;
use crate::failure::Failure;
use crate::output::Output;

/// Whether the user agrees. Without a terminal for the question, an option must say so.
pub(super) fn given(
    args: &ConsentArgs,
    question: &str,
    output: &mut Output,
) -> Result<bool, Failure> {
    if args.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::Usage(
            "nothing was done: this can't be undone, and there is no terminal to ask you on; \
             --yes does it, and --dry-run says what it would be"
                .to_owned(),
        ));
    }
    output.question(&format!("{question} [y/N] "))?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    let yes = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if !yes {
        output.note("nothing was done");
    }
    Ok(yes)
}
