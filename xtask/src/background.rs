//! The servers and folders that live beside the commands of a group.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::processes;
use crate::watchdog::{Pipe, own_group};

/// The time limit for a server to end once it was asked to.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process in a process group of its own. It ends with this value, or with xtask.
///
/// It doesn't carry the marker of commands, so it is not ended with the leftovers of a command.
#[derive(Debug)]
pub(crate) struct Background {
    child: Child,
    /// The signal that asks it to end.
    signal: &'static str,
    pipe: Pipe,
    ended: bool,
}

impl Background {
    /// Starts a process that `signal`, such as `TERM`, asks to end.
    pub(crate) fn start(
        mut command: Command,
        signal: &'static str,
        pipe: Pipe,
    ) -> io::Result<Self> {
        own_group(&mut command);
        let child = command.spawn()?;
        let started = Self { child, signal, pipe, ended: false };
        started.pipe.guard(started.id())?;
        Ok(started)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> io::Result<bool> {
        self.child.try_wait().map(|status| status.is_none())
    }

    /// Ends it and all that it has started as a crash would, by SIGKILL.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        // PostgreSQL's processes are in groups of their own. The parent goes first, so that it
        // starts no others.
        let children = processes::children(self.id());
        self.child.kill()?;
        processes::send("KILL", &children);
        self.child.wait()?;
        self.release()
    }

    /// Asks it to end, and waits; kills it if it doesn't.
    fn end(&mut self) -> io::Result<()> {
        if !self.ended {
            processes::send(self.signal, &[self.id()]);
            let deadline = Instant::now() + PATIENCE;
            while self.is_running()? {
                if Instant::now() >= deadline {
                    return self.kill();
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
        self.release()
    }

    fn release(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.ended, true) {
            let group = [self.id()];
            let left: Vec<_> = processes::find(&group, "").iter().map(|left| left.id).collect();
            processes::send("KILL", &left);
            self.pipe.release(self.id())?;
        }
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if !self.ended
            && let Err(error) = self.end()
        {
            eprintln!("xtask: can't end a server: {error}");
        }
    }
}

/// A folder that is removed with this value, or with xtask. Every user may look into it, since some
/// servers refuse to run as root.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    pipe: Pipe,
}

impl Folder {
    pub(crate) fn create(pipe: Pipe) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("carafe-{}-{number}", std::process::id()));
        fs::create_dir(&path)?;
        pipe.guard_folder(&path)?;
        Ok(Self { path, pipe })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let removed = fs::remove_dir_all(&self.path);
        if let Err(error) = removed.and_then(|()| self.pipe.release_folder(&self.path)) {
            eprintln!("xtask: can't remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::watchdog::Watchdog;

    fn watchdog() -> Watchdog {
        Watchdog::with(Command::new("cat"), "background".to_owned()).unwrap()
    }

    fn shell(script: &str, pipe: Pipe) -> Background {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Background::start(command, "TERM", pipe).unwrap()
    }

    #[test]
    fn a_server_that_is_asked_may_end_in_its_own_way() {
        let (watchdog, number) = (watchdog(), std::process::id());
        let file = env::temp_dir().join(format!("carafe-background-{number}"));
        let script = format!(
            "trap 'echo done >{}; exit' TERM; echo; while :; do sleep 0.01; done",
            file.display()
        );
        let mut server = shell(&script, watchdog.pipe());
        thread::sleep(Duration::from_millis(200));
        assert!(server.is_running().unwrap());
        drop(server);
        assert_eq!(fs::read_to_string(&file).unwrap(), "done\n");
        fs::remove_file(file).unwrap();
    }

    #[test]
    fn nothing_of_a_server_survives_a_kill_or_its_value() {
        let watchdog = watchdog();
        for drops in [false, true] {
            let mut server = shell("sleep 60 & sleep 60", watchdog.pipe());
            let deadline = Instant::now() + Duration::from_secs(10);
            while processes::children(server.id()).len() < 2 && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(5));
            }
            let group = server.id();
            if drops {
                drop(server);
            } else {
                server.kill().unwrap();
            }
            assert!(processes::wait_until_gone(&[group], "none", PATIENCE).is_empty());
        }
    }
}
