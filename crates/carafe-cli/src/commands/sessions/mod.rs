//! `carafe sessions`: the sessions in a store.

mod consent;
mod gc;
mod list;
mod progress;
mod revoke;
mod show;
mod stats;
mod store;
mod table;
mod url;

use std::ops::ControlFlow;

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{Record, State, StoreError, Stored};

use self::progress::Progress;
use self::store::Store;
use crate::args::{SessionsArgs, SessionsCommand};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::text::printable;
use crate::time::{span, utc};

/// The hint for an unknown user name.
const WHO: &str = "`carafe sessions list` shows how the service calls its users";

pub(super) fn run(args: &SessionsArgs, output: &mut Output) -> Result<Code, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::Usage(format!("the program can't wait for a store here: {error}"))
    })?;
    let store = url::open_store(&args.store, output)?;
    let done = runtime.block_on(async {
        match &args.command {
            SessionsCommand::List(args) => list::run(args, &store, output).await,
            SessionsCommand::Show(args) => show::run(args, &store, output).await,
            SessionsCommand::Revoke(args) => revoke::one(args, &store, output).await,
            SessionsCommand::RevokeUser(args) => revoke::user(args, &store, output).await,
            SessionsCommand::Gc(args) => gc::run(args, &store, output).await,
            SessionsCommand::Stats(args) => stats::run(args, &store, output).await,
        }
    });
    // The store's threads end with it, and their work ends with the runtime.
    drop(store);
    done
}

/// Whether a record is a session, and not an old id that leads to one.
fn is_session(record: &Record) -> bool {
    record.state == State::Live
}

/// Finds the records of a live session by its public id: one, or two at the moment of a renewal.
async fn find(
    store: &Store,
    id: PublicId,
    user: Option<&str>,
    now: UnixSeconds,
    output: &mut Output,
) -> Result<Vec<(SessionIdHash, Stored)>, Failure> {
    let is_it =
        |record: &Record| record.public_id == id && is_session(record) && !record.is_expired(now);
    if let Some(user) = user {
        let mut found = store.list_for_user(user, now).await.map_err(Failure::usage)?;
        found.retain(|(_, stored)| is_it(&stored.record));
        return Ok(found);
    }
    let mut found = Vec::new();
    let mut progress = Progress::new("searched", store.scans_in_order(), output);
    let visit = |hash, stored: Result<Stored, StoreError>| {
        progress.at(&hash);
        if let Ok(stored) = stored
            && is_it(&stored.record)
        {
            found.push((hash, stored));
        }
        ControlFlow::Continue(())
    };
    let done = store.scan(visit).await;
    progress.finish();
    done.map_err(Failure::usage)?;
    Ok(found)
}

/// Reports that a session doesn't exist.
fn no_session(id: PublicId, user: Option<&str>, output: &mut Output) -> Code {
    output.error(&match user {
        Some(user) => format!(
            "{} has no session {id}: it may have ended; `carafe sessions list` with the user \
             shows those that there are",
            printable(user)
        ),
        None => format!("there is no session {id}: it may have ended"),
    });
    Code::Refused
}

/// A time in the past.
fn ago(time: UnixSeconds, now: UnixSeconds) -> String {
    match now.0.checked_sub(time.0) {
        Some(0) => "now".to_owned(),
        Some(age) => format!("{} ago", span(age)),
        None => format!("{} from now", span(time.since(now))),
    }
}

/// A time in the future.
fn ahead(time: UnixSeconds, now: UnixSeconds) -> String {
    match time.0.checked_sub(now.0) {
        Some(left) if left > 0 => format!("in {}", span(left)),
        _ => format!("{} ago", span(now.since(time))),
    }
}

/// A time, and how long ago that is.
fn when(time: UnixSeconds, now: UnixSeconds) -> String {
    format!("{}, {}", utc(time), ago(time, now))
}

/// A user for a message.
fn named(user: Option<&str>) -> String {
    user.map_or_else(
        || "a visitor who isn't logged in".to_owned(),
        |user| printable(user).into_owned(),
    )
}

/// A number of sessions in words.
fn sessions(count: u64) -> String {
    if count == 1 { "1 session".to_owned() } else { format!("{count} sessions") }
}
