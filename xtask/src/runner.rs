//! Running commands: logged, bounded in time, and with nothing left behind.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::background::{Background, Folder};
use crate::processes;
use crate::report::duration;
use crate::watchdog::{Watchdog, own_group};

/// Runs one command after the other, up to a common limit of time.
#[derive(Debug)]
pub(crate) struct Runner<'a> {
    watchdog: &'a mut Watchdog,
    output: Output,
    started: Instant,
    limit: Duration,
    left_behind: Vec<String>,
}

/// The target of the commands' output.
#[derive(Debug)]
enum Output {
    Log(PathBuf),
    Terminal,
}

enum Ended {
    Exited(ExitStatus),
    OutOfTime { id: u32 },
}

impl<'a> Runner<'a> {
    /// Writes all output to a new log.
    pub(crate) fn logged(
        watchdog: &'a mut Watchdog,
        log: &Path,
        limit: Duration,
    ) -> Result<Self, String> {
        File::create(log).map_err(|error| format!("can't write {}: {error}", log.display()))?;
        Ok(Self::new(watchdog, Output::Log(log.to_owned()), limit))
    }

    /// Lets the commands write to the terminal.
    pub(crate) fn on_terminal(watchdog: &'a mut Watchdog, limit: Duration) -> Self {
        Self::new(watchdog, Output::Terminal, limit)
    }

    fn new(watchdog: &'a mut Watchdog, output: Output, limit: Duration) -> Self {
        Self { watchdog, output, started: Instant::now(), limit, left_behind: Vec::new() }
    }

    /// Names of processes that commands left running and that had to be ended.
    pub(crate) fn left_behind(&self) -> &[String] {
        &self.left_behind
    }

    /// Runs a command to its end; fails unless it succeeds.
    pub(crate) fn run(&mut self, command: Command) -> Result<(), String> {
        let (stdout, stderr) = match self.open_log()? {
            Some(log) => (log.try_clone().map_err(|error| error.to_string())?.into(), log.into()),
            None => (Stdio::inherit(), Stdio::inherit()),
        };
        self.wait_for(command, stdout, stderr)
    }

    /// Runs a command and returns what it prints; its errors go to the log.
    ///
    /// # Errors
    /// Also fails if the output is not UTF-8.
    pub(crate) fn capture(&mut self, command: Command) -> Result<String, String> {
        let stderr = self.open_log()?.map_or_else(Stdio::inherit, Stdio::from);
        // A file and not a pipe: nothing has to read it while the command runs.
        let path = env::temp_dir().join(format!("carafe-{}.out", self.watchdog.marker()));
        let unwritable = |error: io::Error| format!("can't use {}: {error}", path.display());
        let file = File::create(&path).map_err(unwritable)?;
        let ended = self.wait_for(command, file.into(), stderr);
        let text = fs::read_to_string(&path).map_err(unwritable);
        fs::remove_file(&path).map_err(unwritable)?;
        ended.and(text)
    }

    /// Starts a server, which writes to a log of its own, after what is there, and ends by `signal`.
    pub(crate) fn start(
        &mut self,
        mut command: Command,
        signal: &'static str,
        log: &Path,
    ) -> Result<Background, String> {
        let name = short_name(&command);
        self.say(&format!("$ {} &", whole_line(&command)))?;
        let pipe = self.watchdog.pipe();
        let start = || {
            let output = File::options().create(true).append(true).open(log)?;
            command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
            Background::start(command, signal, pipe)
        };
        start().map_err(|error| format!("can't start `{name}`: {error}"))
    }

    /// A folder that is there as long as what is returned.
    pub(crate) fn folder(&mut self) -> Result<Folder, String> {
        Folder::create(self.watchdog.pipe())
            .map_err(|error| format!("can't make a folder: {error}"))
    }

    /// The last line of the log that is not empty; none where there is no log.
    pub(crate) fn last_line(&self) -> Result<Option<String>, String> {
        let Output::Log(path) = &self.output else {
            return Ok(None);
        };
        let log =
            fs::read(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
        let log = String::from_utf8_lossy(&log);
        let mut lines = log.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(lines.next_back().map(str::to_owned))
    }

    /// Writes a line of xtask's own to the log.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), String> {
        let written = match self.open_log()? {
            Some(mut log) => writeln!(log, "{line}"),
            None => writeln!(io::stderr(), "{line}"),
        };
        written.map_err(|error| format!("can't write to the log: {error}"))
    }

    fn wait_for(
        &mut self,
        mut command: Command,
        stdout: Stdio,
        stderr: Stdio,
    ) -> Result<(), String> {
        let name = short_name(&command);
        self.say(&format!("$ {}", whole_line(&command)))?;
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let ended =
            self.supervise(command).map_err(|error| format!("can't run `{name}`: {error}"))?;
        match ended {
            Ended::Exited(status) if status.success() => Ok(()),
            Ended::Exited(status) => Err(format!("`{name}` failed ({status})")),
            Ended::OutOfTime { id } => {
                let limit = duration(self.limit);
                Err(format!("stopped at the limit of {limit}, in `{name}` (process {id})"))
            }
        }
    }

    fn supervise(&mut self, mut command: Command) -> io::Result<Ended> {
        let marker = self.watchdog.marker().to_owned();
        command.env(processes::MARKER, &marker);
        own_group(&mut command);
        let mut child = command.spawn()?;
        let id = child.id();
        let ended = self.watchdog.pipe().guard(id).and_then(|()| self.wait_in_time(&mut child));
        if matches!(ended, Ok(Ended::Exited(_))) {
            // Children may need a moment after their parent.
            for left in processes::wait_until_gone(&[id], &marker, Duration::from_secs(1)) {
                self.left_behind.push(left.name);
            }
        }
        processes::end(&[id], &marker);
        if !matches!(ended, Ok(Ended::Exited(_))) {
            // Without process groups, the child itself still runs.
            child.kill()?;
            child.wait()?;
        }
        self.watchdog.pipe().release(id)?;
        ended
    }

    fn wait_in_time(&self, child: &mut Child) -> io::Result<Ended> {
        let deadline = self.started + self.limit;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Ended::Exited(status));
            }
            if Instant::now() >= deadline {
                return Ok(Ended::OutOfTime { id: child.id() });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn open_log(&self) -> Result<Option<File>, String> {
        match &self.output {
            Output::Terminal => Ok(None),
            Output::Log(path) => match File::options().append(true).open(path) {
                Ok(file) => Ok(Some(file)),
                Err(error) => Err(format!("can't write {}: {error}", path.display())),
            },
        }
    }
}

/// A command that does not inherit settings of what is tested from the user's shell.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(changes_the_tests) {
            command.env_remove(name);
        }
    }
    command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_PROGRESS_WHEN", "never");
    command
}

fn changes_the_tests(variable: &str) -> bool {
    const PREFIXES: [&str; 3] = ["FLASK_", "CARAFE_", "GUNICORN_"];
    const NAMES: [&str; 7] = [
        "SECRET_KEY",
        "PORT",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "PYTHONOPTIMIZE",
        "VIRTUAL_ENV",
    ];
    NAMES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// The program and its first argument: enough to tell which command it was.
fn short_name(command: &Command) -> String {
    words(command, 1)
}

fn whole_line(command: &Command) -> String {
    words(command, usize::MAX)
}

fn words(command: &Command, most_arguments: usize) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args().take(most_arguments));
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_tested_programs_are_not_inherited() {
        for name in ["FLASK_SECRET_KEY", "SECRET_KEY", "CARAFE_ALLOW_WEAK_KEY", "PYTHONPATH"] {
            assert!(changes_the_tests(name), "{name}");
        }
        for name in ["PATH", "HOME", "RUSTFLAGS", "PIP_CERT"] {
            assert!(!changes_the_tests(name), "{name}");
        }
    }

    #[test]
    fn commands_are_named_briefly() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["clippy", "--workspace"]);
        assert_eq!(short_name(&command), "cargo clippy");
        assert_eq!(whole_line(&command), "cargo clippy --workspace");
    }

    #[cfg(unix)]
    mod running {
        use super::*;

        /// Runs a script; returns how it ended, its log and what was left behind.
        fn sh(
            test: &str,
            script: &str,
            limit: Duration,
        ) -> (Result<(), String>, String, Vec<String>) {
            let log = env::temp_dir().join(format!("carafe-{}-{test}.log", std::process::id()));
            let mut watchdog = Watchdog::with(Command::new("cat"), test.to_owned()).unwrap();
            let mut runner = Runner::logged(&mut watchdog, &log, limit).unwrap();
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            let result = runner.run(command);
            let left_behind = runner.left_behind().to_vec();
            let last_line = runner.last_line().unwrap();
            drop(watchdog);
            let text = fs::read_to_string(&log).unwrap();
            assert_eq!(last_line.as_deref(), text.lines().next_back());
            fs::remove_file(&log).unwrap();
            (result, text, left_behind)
        }

        const ENOUGH: Duration = Duration::from_secs(60);

        #[test]
        fn all_output_is_in_the_log() {
            let (result, log, left) = sh("output", "echo one; echo two >&2", ENOUGH);
            assert_eq!(result, Ok(()));
            assert_eq!(log, "$ sh -c echo one; echo two >&2\none\ntwo\n");
            assert!(left.is_empty(), "{left:?}");
        }

        #[test]
        fn a_failure_tells_the_command_and_its_status() {
            let (result, ..) = sh("status", "exit 3", ENOUGH);
            assert_eq!(result, Err("`sh -c` failed (exit status: 3)".to_owned()));
        }

        #[test]
        fn a_command_that_takes_too_long_is_stopped() {
            let started = Instant::now();
            let (result, ..) = sh("limit", "sleep 60", Duration::from_millis(100));
            let error = result.unwrap_err();
            assert!(error.starts_with("stopped at the limit of 0.1 s, in `sh -c`"), "{error}");
            assert!(started.elapsed() < Duration::from_secs(30));
        }

        #[test]
        fn what_a_command_leaves_running_is_ended() {
            let (result, log, left) = sh("left", "sleep 60 & echo $!", ENOUGH);
            assert_eq!(result, Ok(()));
            assert_eq!(left, ["sleep"]);
            let id: u32 = log.lines().nth(1).unwrap().parse().unwrap();
            assert!(processes::find(&[], "left").iter().all(|process| process.id != id));
        }

        /// A group of its own is no way out.
        #[cfg(target_os = "linux")]
        #[test]
        fn what_moves_to_another_process_group_is_ended() {
            let script = "set -m; sleep 60 & exit 0";
            let (result, _, left) = sh("moved", script, ENOUGH);
            assert_eq!(result, Ok(()));
            assert_eq!(left, ["sleep"]);
            assert!(processes::find(&[], "moved").is_empty());
        }

        #[test]
        fn what_a_command_prints_can_be_captured() {
            let mut watchdog = Watchdog::with(Command::new("cat"), "captured".into()).unwrap();
            let mut runner = Runner::on_terminal(&mut watchdog, ENOUGH);
            let mut command = Command::new("echo");
            command.arg("text");
            assert_eq!(runner.capture(command), Ok("text\n".to_owned()));
            assert!(runner.capture(Command::new("false")).is_err());
        }
    }
}
