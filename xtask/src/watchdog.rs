//! Sees to it that no command outlives xtask, however xtask ends.
//!
//! xtask starts itself a second time as the watchdog and holds a pipe to it. The
//! pipe closes when xtask ends, be it by Ctrl-C or by SIGKILL; then the watchdog ends
//! whatever still runs. So xtask needs no signal handlers.

use std::env;
use std::io::{self, BufRead, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::processes;

/// xtask's end of the pipe.
#[derive(Debug)]
pub(crate) struct Watchdog {
    marker: String,
    process: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// Starts the watchdog.
    pub(crate) fn start() -> io::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let marker = format!("{}-{}", std::process::id(), now.as_nanos());
        let mut command = Command::new(env::current_exe()?);
        command.args(["watch", &marker]);
        Self::with(command, marker)
    }

    /// Starts that command as the watchdog.
    pub(crate) fn with(mut command: Command, marker: String) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        own_group(&mut command);
        let mut process = command.spawn()?;
        let pipe = process.stdin.take();
        Ok(Self { marker, process, pipe })
    }

    /// The value of [`processes::MARKER`] for commands of this xtask.
    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }

    /// Tells it of a process group that must not outlive xtask.
    pub(crate) fn guard(&mut self, group: u32) -> io::Result<()> {
        self.tell(&format!("guard {group}"))
    }

    /// Tells it that the group has ended, and its number may be another's soon.
    pub(crate) fn release(&mut self, group: u32) -> io::Result<()> {
        self.tell(&format!("release {group}"))
    }

    fn tell(&mut self, line: &str) -> io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => writeln!(pipe, "{line}"),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.pipe.take());
        if let Err(error) = self.process.wait() {
            eprintln!("xtask: the watchdog was lost: {error}");
        }
    }
}

/// The watchdog itself: waits for xtask's end, then ends its commands.
pub(crate) fn watch(marker: &str, input: impl BufRead) {
    let mut groups: Vec<u32> = Vec::new();
    // An error is the end of the pipe as well.
    for line in input.lines().map_while(Result::ok) {
        match line.split_once(' ').map(|(verb, group)| (verb, group.parse())) {
            Some(("guard", Ok(group))) => groups.push(group),
            Some(("release", Ok(group))) => groups.retain(|other| *other != group),
            _ => eprintln!("xtask: the watchdog does not understand `{line}`"),
        }
    }
    processes::end(&groups, marker);
}

/// Puts the command into a process group of its own, out of reach of Ctrl-C.
pub(crate) fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn sleeper() -> io::Result<Child> {
        let mut command = Command::new("sleep");
        own_group(command.arg("60"));
        command.spawn()
    }

    #[test]
    fn what_is_guarded_ends_with_the_pipe_and_what_was_released_does_not() {
        let (mut guarded, mut released) = (sleeper().unwrap(), sleeper().unwrap());
        let lines = format!("guard {}\nguard {}\nrelease {1}\n", guarded.id(), released.id());
        watch("no such marker", Cursor::new(lines));
        assert!(!guarded.wait().unwrap().success());
        assert!(released.try_wait().unwrap().is_none());
        released.kill().unwrap();
        released.wait().unwrap();
    }
}
