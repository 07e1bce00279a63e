//! `carafe check-key`

use std::ffi::OsString;

use carafe::inspect::{WeakKeys, inspect};
use carafe::signing::KeyStrength;

use crate::args::{CheckKeyArgs, CookieArgs};
use crate::cookies;
use crate::failure::{Code, Failure};
use crate::json_line::JsonLine;
use crate::keys::{Keys, finding};
use crate::output::{Output, Style};
use crate::text::printable;

pub(crate) fn run(args: &CheckKeyArgs, output: &mut Output) -> Result<Code, Failure> {
    match &args.cookie {
        Some(cookie) => check_cookie(args, cookie, output),
        None => check_keys(args, output),
    }
}

fn check_keys(args: &CheckKeyArgs, output: &mut Output) -> Result<Code, Failure> {
    let keys = Keys::load_quietly(&args.keys, output)?;
    let mut code = Code::Success;
    for (name, key) in keys.iter() {
        let strength = key.strength();
        let found = finding(strength);
        if found.is_some() {
            code = Code::Refused;
        }
        if args.json {
            let line = JsonLine::new().text("key", name).text("strength", word(strength));
            output.line(line.plain("weak", found.is_some()).finish())?;
            continue;
        }
        let name = printable(name);
        let line = match found {
            Some(what) => {
                let weak = output.paint(Style::Warning, word(strength));
                format!("{weak}: {name} {what}; make another with `carafe keygen`")
            }
            None => {
                let good = output.paint(Style::Good, word(strength));
                format!("{good}: nothing speaks against {name}")
            }
        };
        output.line(line)?;
    }
    Ok(code)
}

/// Returns the strength as a word.
fn word(strength: KeyStrength) -> &'static str {
    match strength {
        KeyStrength::Published => "published",
        KeyStrength::Placeholder => "placeholder",
        KeyStrength::Guessable => "guessable",
        KeyStrength::Short => "short",
        _ => "good",
    }
}

fn check_cookie(
    args: &CheckKeyArgs,
    cookie: &OsString,
    output: &mut Output,
) -> Result<Code, Failure> {
    let cookies = CookieArgs { cookie: cookie.clone(), cookie_name: args.cookie_name.clone() };
    let mut weak_keys = WeakKeys::new();
    cookies::for_each(&cookies, output, |output, cookie| {
        if inspect(cookie.value).is_none() {
            let message = "this is no session's cookie: paste its value, or the whole line";
            if args.json {
                let line = JsonLine::new().optional("line", cookie.line);
                let line = line.plain("weak", "null").plain("published_key", "null");
                output.line(line.text("message", message).finish())?;
            } else {
                output.error(&cookie.located(message));
            }
            return Ok(Code::Refused);
        }
        let found = weak_keys.find(cookie.value);
        if args.json {
            let line = JsonLine::new().optional("line", cookie.line);
            let line = match found {
                Some(strength) => line.text("strength", word(strength)),
                None => line,
            };
            let published = found == Some(KeyStrength::Published);
            let line = line.plain("weak", found.is_some()).plain("published_key", published);
            output.line(line.finish())?;
        } else {
            output.line(cookie.located(&verdict(found, weak_keys.len(), output)))?;
        }
        Ok(if found.is_some() { Code::Refused } else { Code::Success })
    })
}

/// Returns the verdict on a key by a cookie that it signed.
fn verdict(found: Option<KeyStrength>, tried: usize, output: &Output) -> String {
    let Some(strength) = found else {
        let good = output.paint(Style::Good, "good");
        return format!(
            "{good}: none of the {tried} keys that an attacker would try first has signed the \
             cookie; `carafe check-key --secret-key-file FILE` judges the key itself"
        );
    };
    let bad = output.paint(Style::Warning, word(strength));
    let key = match strength {
        KeyStrength::Published => "that is published",
        KeyStrength::Placeholder => "that is a placeholder, or asks to be changed",
        _ => "that can be guessed",
    };
    format!(
        "{bad}: the cookie was signed with a key {key}, so that an attacker can make sessions of \
         this site; replace the key now, with `carafe keygen`"
    )
}
