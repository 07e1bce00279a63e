//! `carafe sessions gc`

use std::ops::ControlFlow;

use carafe::UnixSeconds;
use carafe::store::{StoreError, Stored};

use super::progress::Progress;
use super::store::Store;
use crate::args::GcArgs;
use crate::failure::{Code, Failure};
use crate::json_line::JsonLine;
use crate::output::Output;
use crate::time::now;

/// The number of records that are deleted in one step, few enough that other calls get their turn.
const BATCH: u32 = 1000;

pub(super) async fn run(
    args: &GcArgs,
    store: &Store,
    output: &mut Output,
) -> Result<Code, Failure> {
    if store.expires_by_itself() {
        output.note("there is nothing to do: Redis deletes what has expired by itself");
        return print(args, 0, output);
    }
    let now = now().into();
    // The bar needs the total.
    let expired = count(store, now, output).await?;
    if args.dry_run {
        return print(args, expired, output);
    }
    let mut deleted = 0;
    let mut progress = Progress::new("deleted", false, output);
    let done = loop {
        match delete(store, now).await {
            Ok([records, revocations]) => {
                deleted += records + revocations;
                progress.of(records, expired);
                if records.max(revocations) < u64::from(BATCH) {
                    break Ok(());
                }
            }
            Err(error) => break Err(error),
        }
    };
    progress.finish();
    match done {
        Ok(()) => {
            if deleted == 0 && expired > 0 {
                output.warning(&format!(
                    "{} that had expired were kept: this machine's clock is ahead of the server's, or \
                     far ahead of what the file has seen; set the clock, or if it is right, run this \
                     again in a day",
                    records(expired)
                ));
            }
            print(args, deleted, output)
        }
        Err(error) => Err(Failure::Usage(format!(
            "{error}; {} were deleted before that, and running it again deletes the rest",
            records(deleted)
        ))),
    }
}

/// Deletes a batch of records and one of revocations, and returns the number of each.
async fn delete(store: &Store, now: UnixSeconds) -> Result<[u64; 2], StoreError> {
    let records = store.delete_expired(now, BATCH).await?;
    Ok([records, store.delete_expired_revocations(now, BATCH).await?])
}

async fn count(store: &Store, now: UnixSeconds, output: &mut Output) -> Result<u64, Failure> {
    let mut expired = 0;
    let mut progress = Progress::new("searched", store.scans_in_order(), output);
    let visit = |id, stored: Result<Stored, StoreError>| {
        progress.at(&id);
        expired += u64::from(stored.is_ok_and(|stored| stored.record.ends() <= now));
        ControlFlow::Continue(())
    };
    let done = store.scan(visit).await;
    progress.finish();
    done.map_err(Failure::usage)?;
    Ok(expired)
}

fn print(args: &GcArgs, count: u64, output: &mut Output) -> Result<Code, Failure> {
    let key = if args.dry_run { "expired" } else { "deleted" };
    if args.json {
        output.line(JsonLine::new().plain(key, count).finish())?;
    } else if args.dry_run {
        output.line(format!("would delete {} that expired", records(count)))?;
    } else {
        output.line(format!("deleted {} that had expired", records(count)))?;
    }
    Ok(Code::Success)
}

/// Revocations expire too.
fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
