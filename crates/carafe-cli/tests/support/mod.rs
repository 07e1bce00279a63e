//! Runs the program as a user would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value as Json;

/// A cookie of Flask, with the key `dev`, signed at [`SIGNED`].
pub(crate) const COOKIE: &str = "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";
pub(crate) const SIGNED: u64 = 1_700_000_000;
/// A key against which nothing speaks.
pub(crate) const GOOD_KEY: &str = "8d1f0c6b7a5e4d3c2b1a0f9e8d7c6b5a";

/// The output and exit code of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Run {
    /// The output of a run that went well and had nothing to say.
    pub(crate) fn quiet(self) -> String {
        assert_eq!((self.stderr.as_str(), self.code), ("", 0), "{}", self.stdout);
        self.stdout
    }

    /// The one line on standard error of a run that did not go well.
    pub(crate) fn complaint(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{:?}", self.stderr);
        assert_printable(&self.stderr);
        self.stderr.trim_end()
    }
}

/// Everything but the ends of lines can be shown on a terminal.
pub(crate) fn assert_printable(text: &str) {
    let bad = text.chars().find(|&c| c != '\n' && (c.is_control() || c == '\u{202e}'));
    assert_eq!(bad, None, "{text:?}");
}

/// A run that is being prepared. Its environment is empty.
pub(crate) struct Carafe {
    command: Command,
    stdin: Vec<u8>,
}

pub(crate) fn carafe<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Carafe {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carafe"));
    command.args(arguments).env_clear();
    Carafe { command, stdin: Vec::new() }
}

impl Carafe {
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, more: impl IntoIterator<Item = S>) -> Self {
        self.command.args(more);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn run(self) -> Run {
        let Self { mut command, stdin } = self;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut to_child = child.stdin.take().unwrap();
        // A program that refuses its arguments doesn't read: that is no error of the test.
        let writer = std::thread::spawn(move || drop(to_child.write_all(&stdin)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
        Run {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code().expect("no signal ends the program"),
        }
    }
}

/// A folder that goes with the test.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("carafe-cli-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file, and gives its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> OsString {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.into_os_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// The rows of a file of cases recorded from the real thing.
pub(crate) fn rows(file: &str) -> Vec<Json> {
    let path = format!("{}/../carafe-format/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let rows = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let rows: Vec<Json> = rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert!(!rows.is_empty());
    rows
}

pub(crate) fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

pub(crate) fn unhex(value: &Json) -> Vec<u8> {
    let digits = text(value);
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}
