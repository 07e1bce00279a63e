//! `carafe reseal`

use carafe::signing::SigningOptions;

use super::sign::{SEALED_NAME, Writer, compression, warn_of_size};
use crate::args::{CookieArgs, FormatArg, ResealArgs};
use crate::cookies;
use crate::failure::{Code, Failure};
use crate::keys::Keys;
use crate::opener::{Accept, Opened, Opener, Opens};
use crate::output::Output;

pub(crate) fn run(args: &ResealArgs, output: &mut Output) -> Result<Code, Failure> {
    let keys = Keys::load(&args.keys, output)?;
    let (accept, options) = match &args.from {
        None => (Accept::Any, SigningOptions::default()),
        Some(FormatArg::Flask(settings)) => {
            (Accept::Flask, settings.over(SigningOptions::default()))
        }
        Some(FormatArg::Sealed { .. }) => (Accept::Sealed, SigningOptions::default()),
    };
    let mut opener = Opener::new(&keys, options.clone(), args.max_age.0, args.now, accept);
    let writer =
        Writer { keys: &keys, compression: compression(args.no_compress), lifetime: args.lifetime };
    cookies::for_each(&cookie_args(args), output, |output, cookie| {
        let opened = match opener.open(cookie) {
            Ok(opened) => opened,
            Err(refusal) => {
                output.error(&cookie.located(&refusal.message));
                return Ok(Code::Refused);
            }
        };
        let written = write(args, &writer, &options, &opened)?;
        warn_of_size(&written, output);
        output.line(written)?;
        Ok(Code::Success)
    })
}

/// The name that a sealed cookie is bound to may stand in --from.
fn cookie_args(args: &ResealArgs) -> CookieArgs {
    let named = match &args.from {
        Some(FormatArg::Sealed { cookie_name }) => cookie_name.clone(),
        _ => None,
    };
    CookieArgs {
        cookie: args.cookies.cookie.clone(),
        cookie_name: args.cookies.cookie_name.clone().or(named),
    }
}

fn write(
    args: &ResealArgs,
    writer: &Writer<'_>,
    options: &SigningOptions,
    opened: &Opened,
) -> Result<String, Failure> {
    let json = opened.json.as_slice();
    let signed = args.timestamp.unwrap_or(opened.signed);
    // A session with a new time has a new end as well.
    let expires = opened.expires.filter(|_| args.timestamp.is_none());
    let had_name = match &opened.format {
        Opens::Sealed { cookie_name } => Some(cookie_name.as_str()),
        Opens::Flask => None,
    };
    match (&args.to, had_name) {
        (Some(FormatArg::Flask(settings)), _) => {
            Ok(writer.flask(json, &settings.over(SigningOptions::default()), signed))
        }
        (Some(FormatArg::Sealed { cookie_name }), had_name) => {
            let name = cookie_name.as_deref().or(had_name).unwrap_or(SEALED_NAME);
            writer.seal(json, name, signed, expires)
        }
        (None, Some(name)) => writer.seal(json, name, signed, expires),
        (None, None) => Ok(writer.flask(json, options, signed)),
    }
}
