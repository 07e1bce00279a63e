//! The processor time of other processes.

use std::error::Error;
use std::fs;
use std::time::Duration;

/// The processor time that a process and its children have used so far, to the nanosecond: of all
/// their threads, also of those that have ended.
pub(crate) fn used(id: u32) -> Result<Duration, Box<dyn Error>> {
    let mut used = of_process(id)?;
    for child in children(id)? {
        // A process that has ended meanwhile was no server's worker.
        used += of_process(child).unwrap_or_default();
    }
    Ok(used)
}

#[cfg(target_os = "linux")]
fn of_process(id: u32) -> Result<Duration, Box<dyn Error>> {
    use nix::time::{ClockId, clock_getcpuclockid};
    use nix::unistd::Pid;

    let clock: ClockId = clock_getcpuclockid(Pid::from_raw(id.try_into()?))?;
    Ok(clock.now()?.into())
}

#[cfg(not(target_os = "linux"))]
fn of_process(_: u32) -> Result<Duration, Box<dyn Error>> {
    Err("only Linux tells the processor time of another process here".into())
}

/// The processes that a process has started, and that run.
fn children(id: u32) -> Result<Vec<u32>, Box<dyn Error>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // Processes end while this goes on.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        if parent(&stat) == Some(id) {
            children.push(process);
        }
    }
    Ok(children)
}

/// The parent of a process.
fn parent(stat: &str) -> Option<u32> {
    // The name, in parentheses, may have anything in it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::Instant;

    #[test]
    fn parents_are_read() {
        assert_eq!(parent("7 (a) (b) S 3 7 7 0 -1 4194304"), Some(3));
        assert_eq!(parent("7 (a"), None);
    }

    #[test]
    fn threads_that_have_ended_and_children_count() {
        let id = std::process::id();
        let before = used(id).unwrap();
        let work = Duration::from_millis(30);
        let busy = move || {
            let started = Instant::now();
            let before = used(id).unwrap();
            while used(id).unwrap() - before < work && started.elapsed().as_secs() < 20 {}
        };
        std::thread::spawn(busy).join().unwrap();
        assert!(used(id).unwrap() - before >= work);
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let found = children(id).unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(found.contains(&child.id()));
    }
}
