//! `carafe sessions show`

use carafe::UnixSeconds;
use carafe::store::Record;
use carafe::value::Value;

use super::store::Store;
use super::{ahead, find, no_session, when};
use crate::args::ShowArgs;
use crate::failure::{Code, Failure};
use crate::json_line::JsonLine;
use crate::output::{Output, Style};
use crate::text::printable;
use crate::time::utc;
use crate::tree;

/// Keys whose values let a reader forge the visitor's requests.
const SECRET_KEYS: [&str; 2] = ["_carafe_csrf", "csrf_token"];

pub(super) async fn run(
    args: &ShowArgs,
    store: &Store,
    output: &mut Output,
) -> Result<Code, Failure> {
    let now = args.now.get();
    let user = args.user.as_deref();
    let found = find(store, args.id, user, now, output).await?;
    let Some((_, stored)) = found.into_iter().max_by_key(|(_, stored)| stored.record.renewed)
    else {
        return Ok(no_session(args.id, user, output));
    };
    let record = &stored.record;
    if args.json {
        let line = fields(JsonLine::new(), record).plain("bytes", record.to_bytes().len());
        let line = match content(record) {
            Some((value, _)) => match value.to_tagged_json() {
                Ok(json) => line.payload(json.as_bytes()),
                Err(_) => line.plain("payload", "null"),
            },
            None => line.plain("payload", "null"),
        };
        output.line(line.finish())?;
        return Ok(Code::Success);
    }
    print(record, now, output)?;
    Ok(Code::Success)
}

fn print(record: &Record, now: UnixSeconds, output: &mut Output) -> Result<(), Failure> {
    let whose = super::named(record.user.as_deref());
    let heading = format!("The session {} of {whose}", record.public_id);
    let heading = output.paint(Style::Heading, &heading);
    output.line(heading)?;
    let mut facts = vec![("began", when(record.created, now))];
    if let Some(login) = record.logged_in {
        facts.push(("logged in", when(login, now)));
    }
    facts.push(("last used", when(record.last_seen, now)));
    facts.push(("new id", when(record.renewed, now)));
    let idle = format!(
        "{}, {}, unless it is used",
        utc(record.idle_expires),
        ahead(record.idle_expires, now)
    );
    let end = format!("{}, {}, in any case", utc(record.expires), ahead(record.expires, now));
    if record.idle_expires < record.expires {
        facts.push(("ends", idle));
    }
    facts.push(("ends", end));
    for (name, text) in [("address", &record.address), ("agent", &record.agent)] {
        if let Some(text) = text {
            facts.push((name, printable(text).into_owned()));
        }
    }
    facts.push(("content", format!("{} bytes of JSON", record.data.len())));
    for (name, fact) in facts {
        let name = output.paint(Style::Dim, &format!("{name:<10}"));
        output.line(format!("  {name} {fact}"))?;
    }
    output.line("")?;
    let Some((value, hidden)) = content(record) else {
        output.warning("the content can't be read: written by something else, or damaged");
        return Ok(());
    };
    for line in tree::lines(&value, output) {
        output.line(line)?;
    }
    for key in hidden {
        output.note(&format!("{key} is not shown: it is the secret of the visitor's CSRF tokens"));
    }
    Ok(())
}

/// Returns the content without secret values, and the keys that were left out.
fn content(record: &Record) -> Option<(Value, Vec<&'static str>)> {
    let value = Value::from_tagged_json(&record.data).ok()?;
    let Value::Dict(mut dict) = value else { return None };
    let hidden = SECRET_KEYS.into_iter().filter(|key| dict.remove(*key).is_some()).collect();
    Some((Value::Dict(dict), hidden))
}

/// Returns the facts about a session beside its content.
pub(super) fn fields(line: JsonLine, record: &Record) -> JsonLine {
    let mut line = line.text("session", &record.public_id.to_string());
    line = match &record.user {
        Some(user) => line.text("user", user),
        None => line.plain("user", "null"),
    };
    line = line
        .plain("began_at", record.created)
        .optional("logged_in_at", record.logged_in)
        .plain("last_used_at", record.last_seen)
        .plain("ends_at", record.ends())
        .plain("ends_in_any_case_at", record.expires);
    for (name, text) in [("address", &record.address), ("agent", &record.agent)] {
        if let Some(text) = text {
            line = line.text(name, text);
        }
    }
    line
}
