use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Where secret keys come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Keys (otherwise SECRET_KEY, FLASK_SECRET_KEY and \
                               FLASK_SECRET_KEY_FALLBACKS, or a prompt)")]
pub(crate) struct KeyArgs {
    /// A file that holds a secret key and nothing else; a newline at its end doesn't count. May be
    /// given several times: the first key signs, all of them verify
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_key_file: Vec<PathBuf>,

    /// A secret key, for trying out: other users of this machine, and your shell's history, see it.
    /// May be given several times
    #[arg(long, value_name = "TEXT", conflicts_with = "secret_key_file")]
    pub(crate) secret_key: Vec<OsString>,

    /// Don't warn about weak keys
    #[arg(long)]
    pub(crate) allow_weak_key: bool,
}
