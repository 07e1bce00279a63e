//! `carafe sessions list`

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use carafe::UnixSeconds;
use carafe::id::PublicId;
use carafe::store::{Record, StoreError, Stored};

use super::progress::Progress;
use super::store::Store;
use super::{WHO, ago, ahead, is_session, sessions, table};
use crate::args::ListArgs;
use crate::failure::{Code, Failure};
use crate::json_line::JsonLine;
use crate::output::Output;
use crate::text::printable;
use crate::time::utc;

pub(super) async fn run(
    args: &ListArgs,
    store: &Store,
    output: &mut Output,
) -> Result<Code, Failure> {
    let now = args.now.get();
    let mut latest = Latest::new(args.limit.0);
    if let Some(user) = &args.user {
        let found = store.list_for_user(user, now).await.map_err(Failure::usage)?;
        found.into_iter().for_each(|(_, stored)| latest.add(stored.record));
    } else {
        let mut progress = Progress::new("read", store.scans_in_order(), output);
        let visit = |id, stored: Result<Stored, StoreError>| {
            progress.at(&id);
            match stored {
                Ok(stored) if !stored.record.is_expired(now) => latest.add(stored.record),
                Ok(_) => {}
                Err(_) => latest.unreadable += 1,
            }
            ControlFlow::Continue(())
        };
        let done = store.scan(visit).await;
        progress.finish();
        done.map_err(Failure::usage)?;
    }
    print(args, &latest, now, output)?;
    if latest.unreadable > 0 {
        output.warning(&format!(
            "{} can't be read: written by a later version, or damaged",
            sessions(latest.unreadable)
        ));
    }
    Ok(Code::Success)
}

fn print(
    args: &ListArgs,
    latest: &Latest,
    now: UnixSeconds,
    output: &mut Output,
) -> Result<(), Failure> {
    let records = || latest.kept.values();
    if args.json {
        for record in records() {
            output.line(json(record))?;
        }
    } else if latest.count == 0 {
        output.note(&match &args.user {
            Some(user) => format!("{} has no session; {WHO}", printable(user)),
            None => "there are no sessions".to_owned(),
        });
    } else if args.user.is_some() {
        let heading = ["SESSION", "LOGGED IN", "LAST USED", "ENDS", "ADDRESS", "AGENT"];
        let rows: Vec<_> = records()
            .map(|record| {
                let [id, _, rest @ ..] = row(record, now);
                let [logged_in, last_seen, ends, address, agent] = rest;
                [id, logged_in, last_seen, ends, address, agent]
            })
            .collect();
        table::print(heading, &rows, output)?;
    } else {
        let heading = ["SESSION", "USER", "LOGGED IN", "LAST USED", "ENDS", "ADDRESS", "AGENT"];
        let rows: Vec<_> = records().map(|record| row(record, now)).collect();
        table::print(heading, &rows, output)?;
    }
    let left_out = latest.count - latest.kept.len() as u64;
    if left_out > 0 {
        output.note(&format!("{left_out} more that were used before these: see --limit"));
    }
    Ok(())
}

fn row(record: &Record, now: UnixSeconds) -> [String; 7] {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    [
        record.public_id.to_string(),
        or_dash(&record.user),
        record.logged_in.map_or_else(|| "-".to_owned(), utc),
        ago(record.last_seen, now),
        ahead(record.ends(), now),
        or_dash(&record.address),
        or_dash(&record.agent),
    ]
}

fn json(record: &Record) -> String {
    super::show::fields(JsonLine::new(), record).finish()
}

/// The sessions with the latest uses.
pub(super) struct Latest {
    kept: BTreeMap<(Reverse<UnixSeconds>, PublicId), Record>,
    limit: usize,
    count: u64,
    unreadable: u64,
}

impl Latest {
    fn new(limit: usize) -> Self {
        Self { kept: BTreeMap::new(), limit, count: 0, unreadable: 0 }
    }

    fn add(&mut self, mut record: Record) {
        if !is_session(&record) {
            return;
        }
        // Only the size matters, and the content of all sessions may not fit into memory.
        record.data = Vec::new();
        self.count += 1;
        self.kept.insert((Reverse(record.last_seen), record.public_id), record);
        if self.kept.len() > self.limit {
            self.kept.pop_last();
        }
    }
}
