//! Groups on processes of the twin that share a store.

use std::path::{Path, PathBuf};

use crate::checks::conditions::{self, Store};
use crate::checks::interop::{run, with_examples};
use crate::job::Job;

/// The number of times that a server is killed in a run of all the tests.
const KILLS: u64 = 20;

/// Tests memory and SQLite with many clients, with crashes, under every condition and on a full
/// disk. It takes about three minutes.
pub(crate) fn embedded(job: &mut Job<'_>) -> Result<(), String> {
    let file = new_file(job, "races.db")?;
    races(job, &["memory", &format!("sqlite:{}", file.display())])?;
    crashes(job, KILLS)?;
    // The same program has to notice the losses of a store that keeps nothing.
    let mut command = job.python("interop/crashes.py")?;
    command.args(["--store", "memory", "--kills", "1", "--expect-loss"]);
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)?;
    for store in [Store::Memory, Store::Sqlite] {
        conditions::run(job, store, conditions::SHORT)?;
    }
    full(job, "sqlite")
}

/// Tests a store that is full until there is room. The program makes a disk for SQLite by itself,
/// or says that it can't. It takes a quarter of a minute.
pub(crate) fn full(job: &mut Job<'_>, store: &str) -> Result<(), String> {
    let mut command = job.python("interop/full_store.py")?;
    command.args(["--store", store]);
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)
}

/// Lets many clients change one session, on two processes.
pub(crate) fn races(job: &mut Job<'_>, stores: &[&str]) -> Result<(), String> {
    let mut command = job.python("interop/races.py")?;
    for store in stores {
        command.args(["--store", store]);
    }
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)
}

/// Kills two servers on one file at random moments.
pub(crate) fn crashes(job: &mut Job<'_>, kills: u64) -> Result<(), String> {
    let file = new_file(job, "crashes.db")?;
    let mut command = job.python("interop/crashes.py")?;
    command.args(["--store", &format!("sqlite:{}", file.display())]);
    command.args(["--kills", &kills.to_string()]);
    with_examples(job, &mut command, &["twin"])?;
    run(job, command)
}

/// Returns the path of a new database, in a folder without files of an earlier run.
pub(crate) fn new_file(job: &Job<'_>, name: &str) -> Result<PathBuf, String> {
    let folder = job.scratch_file("stores");
    std::fs::create_dir_all(&folder).map_err(|error| cannot("make", &folder, &error))?;
    for name in [name.to_owned(), format!("{name}-wal"), format!("{name}-shm")] {
        let file = folder.join(name);
        if file.exists() {
            std::fs::remove_file(&file).map_err(|error| cannot("remove", &file, &error))?;
        }
    }
    Ok(folder.join(name))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("can't {what} {}: {error}", path.display())
}
