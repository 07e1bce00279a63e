use std::ffi::OsString;
use std::path::PathBuf;

use carafe::UnixSeconds;
use carafe::id::PublicId;
use clap::{Args, Subcommand};

use super::seconds;
use crate::time::now;

/// List, show and end the sessions of a service that keeps them in a store
///
/// The store is SQLite, Redis or PostgreSQL. Sessions go by their public ids, which `list` shows and
/// which open nothing: no command prints an id that a cookie has. What is ended is dead at once, for
/// every process of the service.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
A store's URL is one of:
  sqlite:///var/lib/shop/sessions.db      (sqlite://sessions.db is a file in this folder)
  redis://user:password@host:6379/0       rediss:// with TLS; redis-cluster://host:6379 a Cluster
  postgres://user:password@host/database  with TLS, unless the host is this machine

Examples:
  export CARAFE_STORE=sqlite:///var/lib/shop/sessions.db
  Where is a user logged in?           carafe sessions list ada
  Log a user out everywhere            carafe sessions revoke-user ada
  End one session                      carafe sessions revoke 8Xj0bVtQmWmW0r3VnEuY5A
  How many sessions are there?         carafe sessions stats

Exit codes: 0 done; 1 there is no such session, or you said no; 2 not done (wrong arguments, the
store can't be reached)."
)]
pub(crate) struct SessionsArgs {
    #[command(subcommand)]
    pub(crate) command: SessionsCommand,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Where the sessions are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Store (otherwise CARAFE_STORE)")]
pub(crate) struct StoreArgs {
    /// The store's URL: sqlite://PATH, redis://…, rediss://… or postgres://…. Other users of this
    /// machine see a password in it: for that, there are --store-file and CARAFE_STORE
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<OsString>,

    /// A file whose first line is the store's URL
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "store")]
    pub(crate) store_file: Option<PathBuf>,

    /// What the names of Redis' keys or of SQLite's tables begin with, where the service has set it
    /// [default: carafe on Redis, nothing in SQLite]
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,

    /// The schema of PostgreSQL with the tables, where the service has set it [default: the first of
    /// the role's search path]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) schema: Option<String>,

    /// The certificate, in PEM, of the authority that signed the server's [default: those that the
    /// operating system trusts]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    List(ListArgs),
    Show(ShowArgs),
    Revoke(RevokeArgs),
    RevokeUser(RevokeUserArgs),
    Gc(GcArgs),
    Stats(StatsArgs),
}

/// List the sessions of a user, or of all users
///
/// The sessions that were used last come first. Listing all users' goes through the whole store; it is
/// read in small pieces, so that the service goes on meanwhile.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The user, as the service calls them: what it gave to `Session::login`. Without it all
    /// sessions are listed, also those of visitors who aren't logged in
    pub(crate) user: Option<String>,

    /// How many sessions are listed at most, or `none`
    #[arg(long, value_name = "N", default_value = "100")]
    pub(crate) limit: Limit,

    /// Print one line of JSON for each session
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) now: NowArgs,
}

/// Show one session: whose it is, its times and its content
///
/// The content can be private, and so is what is printed. Secrets of CSRF tokens are left out.
///
/// Exits with 1 if there is no such session.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The session's public id, as `list` shows it
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    pub(crate) id: PublicId,

    /// Whose session it is: without it, the whole store is searched
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// Print a line of JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) now: NowArgs,
}

/// End one session
///
/// It asks before it does so, unless --yes is given. Requests that are under way with the session
/// can't bring it back.
///
/// Exits with 1 if there is no such session, or if the answer is no.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The session's public id, as `list` shows it
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    pub(crate) id: PublicId,

    /// Whose session it is: without it, the whole store is searched
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,

    #[command(flatten)]
    pub(crate) consent: ConsentArgs,
}

/// Log a user out everywhere: end all of the user's sessions
///
/// It asks before it does so, unless --yes is given. It also ends logins whose sessions are in
/// cookies, where the service asks this store for revocations (`SessionLayer::with_revocations`): those up
/// to now count no more.
///
/// Exits with 1 if the answer is no. A user without sessions is no error.
#[derive(Debug, Args)]
pub(crate) struct RevokeUserArgs {
    /// The user, as the service calls them: what it gave to `Session::login`
    #[arg(value_name = "USER")]
    pub(crate) user: String,

    /// How long the service accepts sessions in cookies, in seconds: for as long the store
    /// remembers that the user's logins up to now count no more
    #[arg(long, value_name = "SECONDS", default_value = "2678400", value_parser = seconds,
          allow_negative_numbers = true)]
    pub(crate) cookie_lifetime: u64,

    #[command(flatten)]
    pub(crate) consent: ConsentArgs,
}

/// Delete what has expired
///
/// Services do so themselves, as long as they run. Expired sessions are dead, deleted or not: this
/// makes room. Redis removes them by itself.
#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// Only count the sessions that have expired; old revocations are not among them
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print a line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Count the sessions
///
/// This goes through the whole store; it is read in small pieces, so that the service goes on
/// meanwhile.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// Print a line of JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) now: NowArgs,
}

#[derive(Debug, Args)]
pub(crate) struct NowArgs {
    /// The present, in Unix seconds [default: now]
    #[arg(long, value_name = "UNIX", value_parser = seconds, allow_negative_numbers = true)]
    now: Option<u64>,
}

impl NowArgs {
    pub(crate) fn get(&self) -> UnixSeconds {
        self.now.unwrap_or_else(now).into()
    }
}

/// For what can't be undone.
#[derive(Debug, Args)]
pub(crate) struct ConsentArgs {
    /// Don't ask: for scripts, which have no terminal to be asked on
    #[arg(long)]
    pub(crate) yes: bool,

    /// Only say what would be ended
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print a line of JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) now: NowArgs,
}

/// How many results are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) usize);

impl std::str::FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(usize::MAX)),
            text => match text.parse() {
                Ok(limit) if limit > 0 => Ok(Self(limit)),
                _ => Err("it must be a number such as 100, or none".to_owned()),
            },
        }
    }
}
