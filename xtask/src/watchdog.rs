//! Sees to it that no command outlives xtask, however xtask ends.
//!
//! xtask starts itself a second time as the watchdog and holds a pipe to it. The
//! pipe closes when xtask ends, be it by Ctrl-C or by SIGKILL; then the watchdog ends
//! whatever still runs. So xtask needs no signal handlers.

use std::env;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::processes;

/// xtask's end of the pipe.
#[derive(Debug)]
pub(crate) struct Watchdog {
    marker: String,
    process: Child,
    pipe: Pipe,
}

/// Tells the watchdog what must not outlive xtask.
#[derive(Clone, Debug)]
pub(crate) struct Pipe(Arc<Mutex<Option<ChildStdin>>>);

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
        let pipe = Pipe(Arc::new(Mutex::new(process.stdin.take())));
        Ok(Self { marker, process, pipe })
    }

    /// The value of [`processes::MARKER`] for commands of this xtask.
    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }

    /// Returns the pipe that tells it of processes and folders.
    pub(crate) fn pipe(&self) -> Pipe {
        self.pipe.clone()
    }
}

impl Pipe {
    /// Tells of a process group that must not outlive xtask.
    pub(crate) fn guard(&self, group: u32) -> io::Result<()> {
        self.tell(&format!("guard {group}"))
    }

    /// Tells that the group has ended, and its number may be another's soon.
    pub(crate) fn release(&self, group: u32) -> io::Result<()> {
        self.tell(&format!("release {group}"))
    }

    /// Tells of a folder that must not outlive xtask.
    pub(crate) fn guard_folder(&self, folder: &Path) -> io::Result<()> {
        self.tell(&format!("remove {}", folder.display()))
    }

    /// Tells that the folder is gone.
    pub(crate) fn release_folder(&self, folder: &Path) -> io::Result<()> {
        self.tell(&format!("removed {}", folder.display()))
    }

    fn tell(&self, line: &str) -> io::Result<()> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(pipe) => writeln!(pipe, "{line}"),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.pipe.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Err(error) = self.process.wait() {
            eprintln!("xtask: the watchdog was lost: {error}");
        }
    }
}

/// The watchdog itself: waits for xtask's end, then ends its commands and removes its folders.
pub(crate) fn watch(marker: &str, input: impl BufRead) {
    let (mut groups, mut folders): (Vec<u32>, Vec<PathBuf>) = Default::default();
    // An error is the end of the pipe as well.
    for line in input.lines().map_while(Result::ok) {
        let (verb, object) = line.split_once(' ').unwrap_or((&line, ""));
        match (verb, object.parse()) {
            ("guard", Ok(group)) => groups.push(group),
            ("release", Ok(group)) => groups.retain(|other| *other != group),
            ("remove", _) => folders.push(object.into()),
            ("removed", _) => folders.retain(|other| other != Path::new(object)),
            _ => eprintln!("xtask: the watchdog does not understand `{line}`"),
        }
    }
    processes::end(&groups, marker);
    for folder in folders {
        if let Err(error) = fs::remove_dir_all(&folder) {
            eprintln!("xtask: can't remove {}: {error}", folder.display());
        }
    }
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

    #[test]
    fn folders_go_with_the_pipe() {
        let [left, gone] = ["left", "gone"].map(|name| {
            let name = format!("carafe watchdog {} {name}", std::process::id());
            let folder = env::temp_dir().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("file"), "text").unwrap();
            folder
        });
        let lines = format!("remove {}\nremove {}\nremoved {1}\n", left.display(), gone.display());
        watch("no such marker", Cursor::new(lines));
        assert!(!left.exists() && gone.exists());
        fs::remove_dir_all(&gone).unwrap();
    }
}
