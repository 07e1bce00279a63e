//! `carafe sessions stats`

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::ControlFlow;

use carafe::UnixSeconds;
use carafe::store::{StoreError, Stored};

use super::is_session;
use super::progress::Progress;
use super::store::Store;
use crate::args::StatsArgs;
use crate::failure::{Code, Failure};
use crate::json_line::JsonLine;
use crate::output::{Output, Style};

#[derive(Default)]
struct Stats {
    records: u64,
    live: u64,
    logged_in: u64,
    expired: u64,
    old_ids: u64,
    unreadable: u64,
    bytes: u64,
    largest: u64,
    /// Hashes of the users' names: of millions of users, names would take too much memory.
    users: HashSet<u64>,
    hasher: RandomState,
}

impl Stats {
    fn add(&mut self, stored: Result<Stored, StoreError>, now: UnixSeconds) {
        self.records += 1;
        let Ok(Stored { record, .. }) = stored else {
            self.unreadable += 1;
            return;
        };
        let bytes = record.to_bytes().len() as u64;
        self.bytes += bytes;
        self.largest = self.largest.max(bytes);
        if record.is_expired(now) {
            self.expired += 1;
        } else if !is_session(&record) {
            self.old_ids += 1;
        } else {
            self.live += 1;
            if let Some(user) = &record.user {
                self.logged_in += 1;
                self.users.insert(self.hasher.hash_one(user));
            }
        }
    }

    fn rows(&self) -> [(&'static str, u64, &'static str); 9] {
        [
            ("records", self.records, "all that the store has"),
            ("live", self.live, "sessions that go on"),
            ("logged_in", self.logged_in, "of these, with a user"),
            ("users", self.users.len() as u64, "who are logged in somewhere"),
            ("expired", self.expired, "not yet deleted"),
            ("old_ids", self.old_ids, "of sessions that have just got a new id"),
            ("unreadable", self.unreadable, "written by a later version, or damaged"),
            ("bytes", self.bytes, "of all records, without the store's own"),
            ("largest", self.largest, "bytes of one record"),
        ]
    }
}

pub(super) async fn run(
    args: &StatsArgs,
    store: &Store,
    output: &mut Output,
) -> Result<Code, Failure> {
    let now = args.now.get();
    let mut stats = Stats::default();
    let mut progress = Progress::new("counted", store.scans_in_order(), output);
    let visit = |id, stored| {
        progress.at(&id);
        stats.add(stored, now);
        ControlFlow::Continue(())
    };
    let done = store.scan(visit).await;
    progress.finish();
    done.map_err(Failure::usage)?;
    let rows = stats.rows();
    if args.json {
        let line =
            rows.iter().fold(JsonLine::new(), |line, (name, count, _)| line.plain(name, count));
        output.line(line.finish())?;
        return Ok(Code::Success);
    }
    let widest = rows.iter().map(|(_, count, _)| count.to_string().len()).max().unwrap_or(0);
    for (name, count, what) in rows {
        let name = output.paint(Style::Key, &format!("{:<10}", name.replace('_', " ")));
        let what = output.paint(Style::Dim, what);
        output.line(format!("{name}  {count:>widest$}  {what}"))?;
    }
    Ok(Code::Success)
}
