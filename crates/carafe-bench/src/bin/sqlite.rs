//! The cost of an operation on a SQLite file, with 10³ to 10⁷ sessions in it.
//!
//! `sqlite FILE RECORDS [FILLED]` fills a file and prints, at each power of ten, a line of
//! tab-separated numbers: how many sessions there are, the bytes of the file for each, and the
//! microseconds that loading, updating, creating and deleting one takes, one after the other, as
//! medians of some batches. `RECORDS` is the last of the powers; `FILLED` that of an earlier run on the
//! same file.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{Record, SessionStore as _, Updated, Version};
use carafe_bench::payload::Payload;
use carafe_sqlite::{SqliteStore, Synchronous};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
/// Operations of each kind that are timed together.
const TIMED: u64 = 2_000;
/// How many times they are: a checkpoint of the log may fall into one of them.
const BATCHES: u64 = 7;
/// As many writers share a transaction while the file is filled.
const WRITERS: u64 = 256;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, records, rest @ ..] = arguments.as_slice() else {
        return Err("usage: sqlite FILE RECORDS [FILLED]".into());
    };
    let (file, records): (_, u64) = (Path::new(file), records.parse()?);
    let mut filled = rest.first().map_or(Ok(0), |filled| filled.parse())?;
    // A loss of power is no matter here, and no cost that depends on the number of records.
    let options = SqliteStore::options(file).synchronous(Synchronous::Normal);
    let store = Arc::new(options.open()?);
    let mut size = filled.max(1_000);
    while size <= records {
        fill(&store, filled, size).await?;
        filled = size;
        let bytes = file_size(file)? as f64 / size as f64;
        let mut batches = Vec::new();
        for batch in 0..BATCHES {
            batches.push(measure(&store, size, batch).await?);
        }
        let [load, update, create, delete] = [0, 1, 2, 3].map(|kind| median(&batches, kind));
        println!("{size}\t{bytes:.0}\t{load:.1}\t{update:.1}\t{create:.1}\t{delete:.1}");
        size *= 10;
    }
    Ok(())
}

/// Adds the records from one number to another.
async fn fill(store: &Arc<SqliteStore>, from: u64, to: u64) -> Result<(), Box<dyn Error>> {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for number in (from + writer..to).step_by(WRITERS as usize) {
                    store
                        .create(&id(number), &record(number), NOW)
                        .await
                        .map_err(|e| e.to_string())?;
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    Ok(())
}

/// The microseconds that each kind of operation takes among so many records; leaves them as many.
async fn measure(store: &SqliteStore, size: u64, batch: u64) -> Result<[f64; 4], Box<dyn Error>> {
    let chosen: Vec<u64> = (0..TIMED).map(|n| mix(n ^ batch << 32 ^ 0x5eed) % size).collect();
    // Records that were just read or written are in the cache, and their times are not measured.
    let mut versions = Vec::new();
    let started = Instant::now();
    for number in &chosen {
        let stored = store.load(&id(*number), NOW).await?.ok_or("a record is missing")?;
        versions.push(stored.version);
    }
    let load = each(started);

    let started = Instant::now();
    for (number, version) in chosen.iter().zip(versions) {
        let updated = store.update(&id(*number), version, &record(number + 1), NOW).await?;
        // The same record may have been chosen twice.
        if updated == Updated::Gone {
            return Err("a record is gone".into());
        }
    }
    let update = each(started);

    let started = Instant::now();
    for number in 0..TIMED {
        store.create(&id(u64::MAX - number), &record(number), NOW).await?;
    }
    let create = each(started);

    let started = Instant::now();
    for number in 0..TIMED {
        store.delete(&id(u64::MAX - number), Some(Version(1))).await?;
    }
    Ok([load, update, create, each(started)])
}

/// The median of one kind of operation.
fn median(batches: &[[f64; 4]], kind: usize) -> f64 {
    let mut times: Vec<f64> = batches.iter().map(|batch| batch[kind]).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The microseconds for each of the timed operations.
fn each(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6 / TIMED as f64
}

/// A session as an application would have it: of a user with two sessions, with 336 bytes of data.
fn record(number: u64) -> Record {
    let public_id =
        PublicId::from_bytes((u128::from(mix(number)) << 64 | u128::from(number)).to_le_bytes());
    let mut record = Record::new(public_id, NOW, 30 * 60, 24 * 60 * 60);
    record.data = Payload::p2().json.into_bytes();
    record.user = Some(format!("user{}", number / 2));
    record
}

/// Hashes are spread evenly; these are, too, and can be worked out again.
fn id(number: u64) -> SessionIdHash {
    let mut bytes = [0; 32];
    for (place, part) in bytes.chunks_exact_mut(8).enumerate() {
        part.copy_from_slice(&mix(number ^ (place as u64) << 61).to_le_bytes());
    }
    SessionIdHash::from_bytes(bytes)
}

/// `SplitMix64`'s output function.
fn mix(number: u64) -> u64 {
    let a = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}

/// The bytes of the file and its log.
fn file_size(file: &Path) -> Result<u64, Box<dyn Error>> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let log = std::fs::metadata(&log).map_or(0, |log| log.len());
    Ok(std::fs::metadata(file)?.len() + log)
}
