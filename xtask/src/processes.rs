//! Finding and ending the processes that a command has left behind.
//!
//! A command runs in a process group of its own. That is not enough: browsers and
//! database servers move to groups of theirs. So every command also carries a
//! marker in its environment, which its descendants inherit.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The environment variable that holds the marker.
pub(crate) const MARKER: &str = "CARAFE_XTASK_RUN";

/// The time limit for a process to end once it was asked to.
const PATIENCE: Duration = Duration::from_secs(3);

/// A process that still runs.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) name: String,
}

/// Asks every process of these groups, or with this marker, to end; ends by force
/// what is still there after [`PATIENCE`].
pub(crate) fn end(groups: &[u32], marker: &str) {
    for signal in ["TERM", "KILL"] {
        let left = find(groups, marker);
        if left.is_empty() {
            return;
        }
        send(signal, &left.iter().map(|process| process.id).collect::<Vec<_>>());
        wait_until_gone(groups, marker, PATIENCE);
    }
}

/// Gives the processes some time to end by themselves; returns those that did not.
pub(crate) fn wait_until_gone(groups: &[u32], marker: &str, patience: Duration) -> Vec<Process> {
    let deadline = Instant::now() + patience;
    loop {
        let left = find(groups, marker);
        if left.is_empty() || Instant::now() >= deadline {
            return left;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal through the shell, whose `kill` is always there.
pub(crate) fn send(signal: &str, processes: &[u32]) {
    let mut kill = Command::new("sh");
    // A process that has just ended must not keep the others from the signal.
    kill.args(["-c", r#"for id; do kill -s "$0" "$id"; done"#, signal]);
    kill.args(processes.iter().map(u32::to_string));
    kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = kill.status() {
        eprintln!("xtask: can't run sh to end processes: {error}");
    }
}

/// The processes of these groups or with this marker; dead ones do not count.
#[cfg(target_os = "linux")]
pub(crate) fn find(groups: &[u32], marker: &str) -> Vec<Process> {
    let entry = format!("{MARKER}={marker}");
    living(|id, stat| {
        let marked = || {
            std::fs::read(format!("/proc/{id}/environ")).is_ok_and(|environment| {
                environment.split(|byte| *byte == 0).any(|item| item == entry.as_bytes())
            })
        };
        (groups.contains(&stat.group) || marked())
            .then(|| Process { id, name: stat.name.to_owned() })
    })
}

/// The processes that this one has started; dead ones do not count.
#[cfg(target_os = "linux")]
pub(crate) fn children(parent: u32) -> Vec<u32> {
    living(|id, stat| (stat.parent == parent).then_some(id))
}

/// Picks from all processes that are not dead.
#[cfg(target_os = "linux")]
fn living<T>(pick: impl Fn(u32, &Stat<'_>) -> Option<T>) -> Vec<T> {
    use std::fs;

    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: u32| {
        // A process can end while it is looked at: then it is not there.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let stat = Stat::parse(&stat)?;
        if stat.dead { None } else { pick(id, &stat) }
    })
    .collect()
}

/// The processes of these groups; the marker can't be seen on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn find(groups: &[u32], _marker: &str) -> Vec<Process> {
    let Ok(output) = Command::new("ps").args(["-A", "-o", "pid=,pgid=,stat=,comm="]).output()
    else {
        return Vec::new();
    };
    let parse = |line: &str| {
        let mut fields = line.split_whitespace();
        let (id, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let alive = !fields.next()?.starts_with('Z');
        (alive && groups.contains(&group))
            .then(|| Process { id, name: fields.collect::<Vec<_>>().join(" ") })
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(parse).collect()
}

/// The processes that this one has started.
#[cfg(not(target_os = "linux"))]
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let output = Command::new("pgrep").args(["-P", &parent.to_string()]).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(|line| line.trim().parse().ok()).collect()
}

/// The needed fields in a line of `/proc/ID/stat`.
#[cfg(target_os = "linux")]
#[derive(Debug, PartialEq, Eq)]
struct Stat<'a> {
    name: &'a str,
    dead: bool,
    parent: u32,
    group: u32,
}

#[cfg(target_os = "linux")]
impl<'a> Stat<'a> {
    /// The name stands in parentheses and may itself hold spaces and parentheses.
    fn parse(line: &'a str) -> Option<Self> {
        let (head, tail) = line.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let mut fields = tail.split_whitespace();
        let state = fields.next()?;
        let (parent, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Self { name, dead: matches!(state, "Z" | "X"), parent, group })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_may_hold_anything() {
        let stat = Stat::parse("12 (a) (b c)) S 1 77 12 0 -1").unwrap();
        assert_eq!(stat, Stat { name: "a) (b c)", dead: false, parent: 1, group: 77 });
        assert!(Stat::parse("12 (x) Z 1 77 12").unwrap().dead);
        assert_eq!(Stat::parse(""), None);
        assert_eq!(Stat::parse("12 (x"), None);
    }

    #[test]
    fn a_process_is_found_by_its_marker_and_ended() {
        let marker = format!("test-{}", std::process::id());
        let mut child = Command::new("sleep").arg("60").env(MARKER, &marker).spawn().unwrap();
        // The child carries the marker only once it has become `sleep`.
        let deadline = Instant::now() + Duration::from_secs(10);
        while find(&[], &marker).is_empty() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        let found = find(&[], &marker);
        assert_eq!(found.iter().map(|process| process.id).collect::<Vec<_>>(), [child.id()]);
        end(&[], &marker);
        assert!(find(&[], &marker).is_empty());
        assert!(!child.wait().unwrap().success());
    }
}
