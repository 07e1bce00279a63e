//! `carafe sessions revoke` and `revoke-user`

use carafe::UnixSeconds;
use carafe::signing::CLOCK_SKEW;
use carafe::store::{Deleted, Record};

use super::store::Store;
use super::{WHO, ago, consent, find, is_session, named, no_session, sessions};
use crate::args::{ConsentArgs, RevokeArgs, RevokeUserArgs};
use crate::failure::{Code, Failure};
use crate::json_line::JsonLine;
use crate::output::Output;
use crate::text::printable;

/// The number of attempts to find a session that gets a new id at the same moment.
const TRIES: usize = 10;

pub(super) async fn one(
    args: &RevokeArgs,
    store: &Store,
    output: &mut Output,
) -> Result<Code, Failure> {
    let (user, now) = (args.user.as_deref(), args.consent.now.get());
    let mut found = find(store, args.id, user, now, output).await?;
    let Some((_, stored)) = found.first() else {
        return Ok(no_session(args.id, user, output));
    };
    let record = stored.record.clone();
    let what = describe(&record, now);
    if args.consent.dry_run {
        return would(&args.consent, &format!("end {what}"), 1, output);
    }
    if !consent::given(&args.consent, &format!("End {what}?"), output)? {
        return Ok(Code::Refused);
    }
    // A user's session is found fast, and can't become another user's.
    let user = user.or(record.user.as_deref());
    let mut ended = 0;
    for _ in 0..TRIES {
        if found.is_empty() {
            break;
        }
        for (hash, stored) in found {
            // The deletion names the version, since the session may move to another id at this
            // moment: then the next look finds it there.
            let deleted = store.delete(&hash, stored.version).await.map_err(Failure::usage)?;
            ended += u64::from(deleted == Deleted::Deleted);
        }
        found = find(store, args.id, user, now, output).await?;
    }
    if !found.is_empty() {
        return Err(Failure::Usage(
            "the session is changed so often that it could not be ended: try again".to_owned(),
        ));
    }
    if ended == 0 {
        return Ok(no_session(args.id, user, output));
    }
    done(&args.consent, &format!("ended {what}"), 1, output)
}

pub(super) async fn user(
    args: &RevokeUserArgs,
    store: &Store,
    output: &mut Output,
) -> Result<Code, Failure> {
    let now = args.consent.now.get();
    let list = store.list_for_user(&args.user, now).await.map_err(Failure::usage)?;
    let count = list.iter().filter(|(_, stored)| is_session(&stored.record)).count() as u64;
    let whose = printable(&args.user).into_owned();
    if args.consent.dry_run {
        let what = format!("end {} of {whose}, and logins in cookies", sessions(count));
        return would(&args.consent, &what, count, output);
    }
    let question = match count {
        0 => format!("{whose} has no session in this store. End logins in cookies?"),
        _ => format!("End {} of {whose}, and logins in cookies?", sessions(count)),
    };
    if !consent::given(&args.consent, &question, output)? {
        return Ok(Code::Refused);
    }
    // Clocks differ: a login of now may be dated later, and the cookie accepted for longer elsewhere.
    let time = now + CLOCK_SKEW;
    let until = now + args.cookie_lifetime + (CLOCK_SKEW + 86_400 + 1);
    store.revoke_user(&args.user, time, until).await.map_err(Failure::usage)?;
    let ended = store.delete_for_user(&args.user).await.map_err(Failure::usage)?;
    if ended == 0 {
        // A mistyped name must not look like a success.
        output.warning(&format!("{whose} had no session in this store: {WHO}"));
    }
    let what = format!("ended {} of {whose}, and logins in cookies", sessions(ended));
    done(&args.consent, &what, ended, output)
}

fn describe(record: &Record, now: UnixSeconds) -> String {
    let address = record
        .address
        .as_deref()
        .map_or_else(String::new, |address| format!(", from {}", printable(address)));
    format!(
        "the session {} of {}, last used {}{address}",
        record.public_id,
        named(record.user.as_deref()),
        ago(record.last_seen, now)
    )
}

fn would(args: &ConsentArgs, what: &str, count: u64, output: &mut Output) -> Result<Code, Failure> {
    if args.json {
        let line = JsonLine::new().plain("dry_run", true).plain("would_end", count);
        output.line(line.finish())?;
    } else {
        output.line(format!("would {what}"))?;
    }
    Ok(Code::Success)
}

fn done(args: &ConsentArgs, what: &str, count: u64, output: &mut Output) -> Result<Code, Failure> {
    if args.json {
        output.line(JsonLine::new().plain("ended", count).finish())?;
    } else {
        output.line(what)?;
    }
    Ok(Code::Success)
}
