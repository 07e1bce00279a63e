//! `carafe inspect`

use carafe::inspect::{CookieFormat, Inspection, inspect};

use crate::args::InspectArgs;
use crate::cookies::{self, Cookie};
use crate::failure::{Code, Failure};
use crate::json_line::JsonLine;
use crate::output::{Output, Style};
use crate::text::{one_line_json, printable};
use crate::time::{self, span, utc};
use crate::tree;

/// The largest name and value of a cookie that browsers keep.
pub(super) const MAX_COOKIE: usize = 4096;

pub(crate) fn run(args: &InspectArgs, output: &mut Output) -> Result<Code, Failure> {
    let mut first = true;
    cookies::for_each(&args.cookies, output, |output, cookie| {
        let seen = inspect(cookie.value);
        let problem = problem(seen.as_ref());
        if args.json {
            output.line(json(cookie, seen.as_ref(), problem.as_deref()))?;
        } else if let Some(problem) = &problem {
            output.error(&cookie.located(problem));
        } else if let Some(seen) = &seen {
            if !first {
                output.line("")?;
            }
            first = false;
            let now = args.now.unwrap_or_else(time::now);
            print(cookie, seen, now, output)?;
        }
        Ok(if problem.is_none() { Code::Success } else { Code::Refused })
    })
}

/// Returns the reason why there is no content to show, if there should be some.
fn problem(seen: Option<&Inspection>) -> Option<String> {
    let Some(seen) = seen else {
        return Some(
            "this is no session's cookie: neither Flask's payload.time.signature nor another form \
             that is known; paste its value, or the whole Cookie: or Set-Cookie: line"
                .to_owned(),
        );
    };
    let error = seen.value()?.err()?;
    let signed = signed(seen).map_or(String::new(), |signed| format!(" of {}", utc(signed)));
    Some(format!(
        "this looks like {}{signed}, but it was changed or cut off: {error}; was all of it copied?",
        seen.format
    ))
}

fn print(
    cookie: &Cookie<'_>,
    seen: &Inspection,
    now: u64,
    output: &mut Output,
) -> Result<(), Failure> {
    let format = seen.format.to_string();
    let or = seen.or.map_or(String::new(), |or| format!(" (or {or}: they look alike)"));
    let title = output.paint(Style::Heading, &cookie.located(&capitalised(&format)));
    let unverified = output.paint(Style::Warning, "NOT VERIFIED");
    output.line(format!("{title}{or}, {unverified}: {}", what_to_do(seen.format)))?;
    for (name, value) in facts(cookie, seen, now) {
        let name = output.paint(Style::Dim, &format!("{name:<11}"));
        output.line(format!("  {name}{value}"))?;
    }
    if let Some(Ok(value)) = seen.value() {
        output.line("")?;
        for line in tree::lines(&value, output) {
            output.line(line)?;
        }
    }
    Ok(())
}

fn what_to_do(format: CookieFormat) -> &'static str {
    match format {
        CookieFormat::Flask | CookieFormat::Starlette => {
            "every client can have made it; `carafe verify` tells"
        }
        CookieFormat::Sealed => "it is encrypted; `carafe verify` opens it",
        CookieFormat::StoredId | CookieFormat::FlaskSession => {
            "its content is in the service's store"
        }
        _ => "every client can have made it",
    }
}

/// Returns the time of the signature, by the clock of the version of ItsDangerous that signed it.
fn signed(seen: &Inspection) -> Option<u64> {
    seen.signed_before_1_1.or(seen.signed)
}

/// Returns the facts about the cookie itself.
fn facts(cookie: &Cookie<'_>, seen: &Inspection, now: u64) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(name) = cookie.name {
        facts.push(("name", printable(name).into_owned()));
    }
    if let Some(signed) = signed(seen) {
        let age = match now.checked_sub(signed) {
            Some(age) => format!("{} ago", span(age)),
            None => format!("{} from now", span(signed - now)),
        };
        let by = if seen.signed_before_1_1.is_some() {
            ", by ItsDangerous before 1.1, which counted from 2011: later versions take it for expired"
        } else {
            ""
        };
        facts.push(("signed", format!("{}, {age}{by}", utc(signed))));
    }
    if let Some(id) = seen.key_id {
        facts.push(("key id", hex(&id)));
    }
    match seen.digest {
        Some(digest) => facts.push(("digest", digest.name().to_owned())),
        None if matches!(seen.format, CookieFormat::Flask | CookieFormat::Starlette) => {
            facts.push(("digest", "none has signatures of this length: cut off?".to_owned()));
        }
        None => {}
    }
    if let Some(header) = &seen.header {
        facts.push(("header", String::from_utf8_lossy(&one_line_json(header)).into_owned()));
    }
    if let Some(Ok(json)) = &seen.payload {
        let compressed = if seen.compressed { "compressed" } else { "not compressed" };
        facts.push(("payload", format!("{} bytes of JSON, {compressed}", json.len())));
    }
    let size = cookie.value.len();
    let too_large = size + cookie.name.unwrap_or("session").len() > MAX_COOKIE;
    let limit = if too_large {
        format!("more than the {MAX_COOKIE} that browsers keep, the name included")
    } else {
        format!("of the {MAX_COOKIE} that browsers keep, the name included")
    };
    facts.push(("cookie", format!("{size} bytes, {limit}")));
    facts
}

fn json(cookie: &Cookie<'_>, seen: Option<&Inspection>, problem: Option<&str>) -> String {
    let line = JsonLine::new().optional("line", cookie.line).plain("verified", false);
    let Some(seen) = seen else {
        let message = problem.unwrap_or_default();
        return line.plain("format", "null").text("message", message).finish();
    };
    let mut line = line.text("format", seen.format.name());
    if let Some(or) = seen.or {
        line = line.text("or_format", or.name());
    }
    if let Some(name) = cookie.name {
        line = line.text("name", name);
    }
    line = line.plain("cookie_bytes", cookie.value.len()).optional("signed_at", seen.signed);
    if let Some(signed) = signed(seen) {
        line = line.text("signed", &utc(signed));
    }
    if seen.signed_before_1_1.is_some() {
        line = line.plain("itsdangerous_before_1_1", true);
    }
    if let Some(digest) = seen.digest {
        line = line.text("digest", digest.name());
    }
    if let Some(id) = seen.key_id {
        line = line.text("key_id", &hex(&id));
    }
    match (problem, &seen.payload) {
        (Some(message), _) => line.text("message", message),
        (None, Some(Ok(json))) => line
            .plain("compressed", seen.compressed)
            .plain("payload_bytes", json.len())
            .payload(json),
        _ => line,
    }
    .finish()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}
