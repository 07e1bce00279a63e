//! The command line.

mod error;
mod formats;
mod keys;
#[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
mod sessions;

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::error::one_line;
pub(crate) use self::formats::{FormatArg, MaxAge, SigningArgs, seconds};
pub(crate) use self::keys::KeyArgs;
#[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
pub(crate) use self::sessions::{
    ConsentArgs, GcArgs, ListArgs, RevokeArgs, RevokeUserArgs, SessionsArgs, SessionsCommand,
    ShowArgs, StatsArgs, StoreArgs,
};

/// Looks into the sessions of Flask and Carafe: what is in a cookie, who signed it, why it is
/// refused, and whether a service is safe.
#[derive(Debug, Parser)]
#[command(
    name = "carafe",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = AFTER_HELP
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Colour the output: auto (on a terminal), always or never
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN",
          hide_possible_values = true, hide_default_value = true, display_order = 900)]
    pub(crate) color: Color,
}

const AFTER_HELP: &str = "\
Examples:
  Who is logged in in this cookie?        carafe inspect COOKIE
  Why is it refused?                      carafe verify COOKIE --secret-key-file key
  Change a service's key                  carafe keygen --help
  Sign a cookie anew with another key     carafe reseal COOKIE --secret-key-file new.key \\
                                                               --secret-key-file old.key
  Is my service safe?                     carafe doctor --url http://127.0.0.1:5000/login
  Log a user out everywhere               carafe sessions revoke-user ada --store URL

COOKIE is a cookie's value, name=value, or a whole Cookie: or Set-Cookie: line as it was copied (in
single quotes, for the shell's sake), or - for standard input with one a line.

Exit codes: 0 done and the answer is yes; 1 the answer is no (refused, not a session, a weak key,
something unsafe); 2 not done (wrong arguments, bad input, a file that can't be read).";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless the environment has NO_COLOR.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Inspect(InspectArgs),
    Verify(VerifyArgs),
    Sign(SignArgs),
    Reseal(ResealArgs),
    Keygen(KeygenArgs),
    CheckKey(CheckKeyArgs),
    Doctor(DoctorArgs),
    #[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
    Sessions(SessionsArgs),
    /// Print a script that completes this program's arguments in a shell
    ///
    /// For bash, for example: carafe completions bash > ~/.local/share/bash-completion/completions/carafe
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page of this program or of one of its commands
    ///
    /// To read it: carafe man verify | man -l -
    Man {
        /// The command whose page it is, such as verify or sessions list
        command: Vec<String>,
    },
}

/// Where cookies come from.
#[derive(Debug, Args)]
pub(crate) struct CookieArgs {
    /// The cookie's value, name=value, a pasted Cookie: or Set-Cookie: line, or - for standard
    /// input with one a line
    pub(crate) cookie: OsString,

    /// The cookie's name: which one of a pasted line is meant, and what a sealed cookie is bound to
    ///
    /// Without it, the name is the one in the pasted line; of several cookies, the one called
    /// session, __Host-session or __Secure-session, or the only one that looks like a session.
    #[arg(long, value_name = "NAME")]
    pub(crate) cookie_name: Option<String>,
}

/// Show what a cookie says, without a key: its format, its content and when it was signed
///
/// Nothing is verified: every client can have made the cookie. Recognised are sessions of Flask and of
/// Starlette (FastAPI), sealed sessions, sessions of Django, JSON Web Tokens, and the ids of stored
/// sessions and of Flask-Session.
///
/// Exits with 0 if the cookie was recognised and read, and with 1 if not.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) cookies: CookieArgs,

    /// Print one line of JSON for each cookie
    #[arg(long)]
    pub(crate) json: bool,

    /// The present, in Unix seconds [default: now]
    #[arg(long, value_name = "UNIX", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) now: Option<u64>,
}

/// Verify a cookie's signature and age, and print its session as tagged JSON
///
/// What is printed is the session as it stands in the cookie. Otherwise one line on standard error
/// says why the cookie is refused; where it would be good with another salt, digest or derivation,
/// the line says so. Sealed cookies are recognised and opened. Sessions of Starlette (FastAPI) need
/// --salt itsdangerous.Signer --key-derivation django-concat; those of Django, and JSON Web Tokens,
/// are recognised but not verified.
///
/// Exits with 0 if the cookie (or each of them) is good, and with 1 if not.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) cookies: CookieArgs,

    /// How old the signature may be, in seconds, or `none`; unless set, Flask's 31 days
    #[arg(long, value_name = "SECONDS", default_value = "2678400", allow_negative_numbers = true)]
    pub(crate) max_age: MaxAge,

    /// The present, in Unix seconds [default: now]
    #[arg(long, value_name = "UNIX", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) now: Option<u64>,

    /// Print one line of JSON for each cookie, good or refused
    #[arg(long)]
    pub(crate) json: bool,

    // Those with headings of their own come last: what follows them would stand below these.
    #[command(flatten)]
    pub(crate) keys: KeyArgs,

    #[command(flatten)]
    pub(crate) signing: SigningArgs,
}

/// Sign a session and print its cookie
///
/// The session is a JSON object, with Flask's tags where it has types that JSON lacks, and may hold
/// all that Python's json writes: NaN, big integers, lone surrogates. It is signed as Flask would
/// write it, with its keys sorted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  carafe sign '{\"user_id\":42}' --secret-key-file key
  carafe sign '{\"pair\":{\" t\":[1,2]},\"raw\":{\" b\":\"AP8=\"}}' --secret-key-file key")]
pub(crate) struct SignArgs {
    /// The session as JSON, or - for standard input
    pub(crate) json: OsString,

    /// The time of the signature, in Unix seconds [default: now]
    #[arg(long, value_name = "UNIX", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timestamp: Option<u64>,

    /// Don't compress, also where that would save space
    #[arg(long)]
    pub(crate) no_compress: bool,

    /// The format: `flask`, or for an encrypted one `sealed` or sealed,cookie-name=NAME
    #[arg(long, value_name = "FORMAT", default_value = "flask")]
    pub(crate) format: FormatArg,

    /// How long a sealed session is accepted, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "2678400",
          value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) lifetime: u64,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,

    #[command(flatten)]
    pub(crate) signing: SigningArgs,
}

/// Verify a cookie and write it anew: under the first of the keys, or in another format
///
/// The cookie is verified with all of the keys and written with the first, as it was: with the
/// time of its signature, so that its session doesn't live longer.
///
/// Exits with 0 if the cookie (or each of them) was written anew, and with 1 if one was refused.
#[derive(Debug, Args)]
#[command(after_help = "\
A FORMAT is flask or sealed, with settings after commas:
  flask,digest=sha256,salt=TEXT,key-derivation=django-concat
  sealed,cookie-name=__Host-session

Examples:
  From an old key to a new one:
    carafe reseal COOKIE --secret-key-file new.key --secret-key-file old.key
  From Flask's SHA-1 to SHA-256, for every cookie of a file:
    carafe reseal - --to flask,digest=sha256 --secret-key-file key < cookies")]
pub(crate) struct ResealArgs {
    #[command(flatten)]
    pub(crate) cookies: CookieArgs,

    /// The format that the cookie has [default: recognised]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<FormatArg>,

    /// The format that is written [default: the one that the cookie has]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: Option<FormatArg>,

    /// How old the cookie may be, in seconds, or `none`; unless set, Flask's 31 days
    #[arg(long, value_name = "SECONDS", default_value = "2678400", allow_negative_numbers = true)]
    pub(crate) max_age: MaxAge,

    /// The present, in Unix seconds [default: now]
    #[arg(long, value_name = "UNIX", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) now: Option<u64>,

    /// The time of the new signature, in Unix seconds [default: that of the old one]
    #[arg(long, value_name = "UNIX", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timestamp: Option<u64>,

    /// Don't compress, also where that would save space
    #[arg(long)]
    pub(crate) no_compress: bool,

    /// How long a session that is sealed now is accepted, in seconds from its time
    #[arg(long, value_name = "SECONDS", default_value = "2678400",
          value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) lifetime: u64,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

/// Make a secret key
///
/// It comes from the operating system's random numbers. Without --format it is text that fits into
/// SECRET_KEY and into a file for --secret-key-file.
#[derive(Debug, Args)]
#[command(after_help = "\
To change a service's key without ending sessions, give it the new one and, for as long as a
session lives, the old one as a fallback:
  SECRET_KEY=\"$(carafe keygen)\"
  FLASK_SECRET_KEY_FALLBACKS='[\"the old key\"]'
A key that has leaked must not stay as a fallback: it lets attackers in.

A file that no other user can read:
  (umask 077; carafe keygen > key)")]
pub(crate) struct KeygenArgs {
    /// How many random bytes it has: 16 to 1024
    #[arg(long, value_name = "N", default_value_t = 32,
          value_parser = clap::value_parser!(u16).range(16..=1024))]
    pub(crate) bytes: u16,

    /// How it is written
    #[arg(long, value_enum, default_value_t = KeygenFormat::Hex, value_name = "FORMAT")]
    pub(crate) format: KeygenFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeygenFormat {
    /// Two hexadecimal digits for each byte
    Hex,
    /// Base64 with the characters of URLs, unpadded
    Base64,
    /// A line for an environment file: SECRET_KEY=…
    Env,
}

/// Say how strong a secret key is, or whether a cookie was signed with a well-known one
///
/// Without --cookie the keys are checked that --secret-key-file, the environment or the prompt
/// give. With it, the keys that documentation and tutorials print are tried on the cookie; no key
/// of yours is needed for that. Meant for cookies of your own site.
///
/// Exits with 0 if nothing was found, and with 1 if a key is weak or well known.
#[derive(Debug, Args)]
pub(crate) struct CheckKeyArgs {
    /// A cookie, as for `inspect`, to try the well-known keys on
    #[arg(long, value_name = "COOKIE", conflicts_with_all = ["secret_key", "secret_key_file"])]
    pub(crate) cookie: Option<OsString>,

    /// Which cookie of a pasted line is meant
    #[arg(long, value_name = "NAME", requires = "cookie")]
    pub(crate) cookie_name: Option<String>,

    /// Print one line of JSON for each key or cookie
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

/// Check a service's settings, and one of its responses, for what is unsafe or contradictory
///
/// Reads the environment that the service would read (SECRET_KEY, FLASK_*, CARAFE_*): run it where
/// the service runs. With --url it also asks a running service on this machine for one page. Each
/// finding comes with its remedy.
///
/// Exits with 0 if nothing was found, and with 1 otherwise.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  carafe doctor
  carafe doctor --url http://127.0.0.1:5000/login
  carafe doctor --url http://127.0.0.1:5000/ --cookie 'session=eyJ…'
  carafe doctor --set-cookie \"$(curl -si -d 'user=me' http://127.0.0.1:5000/login | grep -i ^set-c)\"")]
pub(crate) struct DoctorArgs {
    /// A page of a service on this machine, best one that sets the session's cookie
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// A Set-Cookie: line of the service, as it was copied: for what only a login sets
    #[arg(long, value_name = "LINE")]
    pub(crate) set_cookie: Option<OsString>,

    /// Cookies to send with the request: a Cookie: line, or name=value
    #[arg(long, value_name = "COOKIE", requires = "url")]
    pub(crate) cookie: Option<OsString>,

    /// The name of the session's cookie [default: SESSION_COOKIE_NAME, or recognised]
    #[arg(long, value_name = "NAME")]
    pub(crate) cookie_name: Option<String>,

    /// The profile that the service starts from, before it reads the environment [default: the one
    /// that the service's cookie shows, or flask]
    #[arg(long, value_enum, value_name = "PROFILE")]
    pub(crate) profile: Option<Profile>,

    /// Print one line of JSON for each finding
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Flask, and Carafe's SessionLayer::flask: Flask's defaults
    Flask,
    /// SessionLayer::signed and ::stored: a safer cookie
    Signed,
    /// SessionLayer::sealed: a safer cookie, encrypted
    Sealed,
}

impl Profile {
    /// The name that `--profile` takes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Flask => "flask",
            Self::Signed => "signed",
            Self::Sealed => "sealed",
        }
    }
}
