//! No command outlives xtask, not even one that was killed.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn the_watchdog_ends_what_runs_once_xtask_is_gone() {
    let marker = format!("watchdog-test-{}", std::process::id());
    let mut watchdog = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["watch", &marker])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut marked =
        Command::new("sleep").arg("60").env("CARAFE_XTASK_RUN", &marker).spawn().unwrap();
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();

    thread::sleep(Duration::from_millis(200));
    assert!(watchdog.try_wait().unwrap().is_none(), "it waits as long as the pipe is open");
    assert!(marked.try_wait().unwrap().is_none());

    // This is what the end of xtask looks like from the watchdog's side.
    drop(watchdog.stdin.take());
    let started = Instant::now();
    assert!(!marked.wait().unwrap().success());
    assert!(watchdog.wait().unwrap().success());
    assert!(started.elapsed() < Duration::from_secs(30), "it was not ended, it has ended");

    assert!(other.try_wait().unwrap().is_none(), "what is not xtask's is left alone");
    other.kill().unwrap();
    other.wait().unwrap();
}
