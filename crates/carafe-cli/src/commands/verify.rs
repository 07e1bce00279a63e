//! `carafe verify`

use crate::args::VerifyArgs;
use crate::cookies::{self, Cookie};
use crate::failure::{Code, Failure};
use crate::json_line::JsonLine;
use crate::keys::Keys;
use crate::opener::{Accept, Opened, Opener, Refusal};
use crate::output::Output;
use crate::text::one_line_json;
use crate::time::utc;

pub(crate) fn run(args: &VerifyArgs, output: &mut Output) -> Result<Code, Failure> {
    let keys = Keys::load(&args.keys, output)?;
    let options = args.signing.options();
    let mut opener = Opener::new(&keys, options, args.max_age.0, args.now, Accept::Any);
    cookies::for_each(&args.cookies, output, |output, cookie| {
        let result = opener.open(cookie);
        if args.json {
            let line = JsonLine::new().optional("line", cookie.line);
            let line = match &result {
                Ok(opened) => verified(line, opened, &keys, opener.now()),
                Err(refusal) => refused(line, refusal),
            };
            output.line(line.finish())?;
        } else {
            match &result {
                Ok(opened) => print(cookie, opened, &keys, output)?,
                Err(refusal) => output.error(&cookie.located(&refusal.message)),
            }
        }
        Ok(if result.is_ok() { Code::Success } else { Code::Refused })
    })
}

fn print(
    cookie: &Cookie<'_>,
    opened: &Opened,
    keys: &Keys,
    output: &mut Output,
) -> Result<(), Failure> {
    output.line(one_line_json(&opened.json))?;
    if keys.ring.len() > 1 {
        let (place, of) = (opened.key + 1, keys.ring.len());
        let name = keys.name(opened.key);
        let note = match opened.key {
            0 => format!("verified with key {place} of {of}, {name}: the current one"),
            _ => format!(
                "verified with key {place} of {of}, {name}: an older one; `carafe reseal` signs \
                 anew with the first"
            ),
        };
        output.note(&cookie.located(&note));
    }
    Ok(())
}

fn verified(line: JsonLine, opened: &Opened, keys: &Keys, now: u64) -> JsonLine {
    let age = i128::from(now) - i128::from(opened.signed);
    line.plain("verified", true)
        .text("format", opened.format.name())
        .plain("key", opened.key + 1)
        .text("key_name", keys.name(opened.key))
        .plain("signed_at", opened.signed)
        .text("signed", &utc(opened.signed))
        .plain("age", age)
        .optional("expires_at", opened.expires)
        .payload(&opened.json)
}

fn refused(line: JsonLine, refusal: &Refusal) -> JsonLine {
    line.plain("verified", false)
        .text("reason", refusal.reason.name())
        .text("message", &refusal.message)
        .optional("signed_at", refusal.signed)
}
