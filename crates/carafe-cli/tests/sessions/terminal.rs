//! The output at a terminal: a pseudo-terminal, which the program can't tell from a real one.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::service::{Service, now, who};
use carafe::UnixSeconds;

/// Runs the program at a terminal at which `typed` is typed; what is shown there, and how it ended.
fn at_terminal(url: &str, arguments: &[&str], typed: &str) -> (String, i32) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let path = ptsname(&controller, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
    let end = || Stdio::from(terminal.try_clone().unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_carafe"))
        .arg("sessions")
        .args(arguments)
        .env_clear()
        .env("CARAFE_STORE", url)
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    let mut controller = File::from(controller);
    controller.write_all(typed.as_bytes()).unwrap();
    let mut reader = controller.try_clone().unwrap();
    let shown = std::thread::spawn(move || {
        let mut shown = Vec::new();
        // When no process has the terminal open any more, reading it is an error on Linux.
        let _ = reader.read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    });
    let code = child.wait().unwrap().code().unwrap();
    drop(terminal);
    (shown.join().unwrap(), code)
}

#[tokio::test]
async fn a_person_is_asked_first() {
    let service = Service::start();
    let browser = service.logged_in("ada").await;
    let id = service.ids("ada").remove(0);
    for typed in ["n\n", "\n", "no\n", "yea\n", "\x04"] {
        for arguments in [&["revoke-user", "ada"][..], &["revoke", &id]] {
            let (shown, code) = at_terminal(&service.url, arguments, typed);
            assert_eq!(code, 1, "{shown}");
            assert!(shown.contains("[y/N] ") && shown.contains("nothing was done"), "{shown}");
        }
    }
    assert_eq!(who(&browser).await, "ada");
    let (shown, code) = at_terminal(&service.url, &["revoke", &id], "y\n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains(&format!("End the session {id} of ada, last used ")), "{shown}");
    assert_eq!(who(&browser).await, "");
    let browser = service.logged_in("ada").await;
    let (shown, code) = at_terminal(&service.url, &["revoke-user", "ada"], "YES\n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("End 1 session of ada, and logins in cookies? [y/N] "), "{shown}");
    assert_eq!(who(&browser).await, "");
    let (shown, _) = at_terminal(&service.url, &["revoke-user", "ada"], "n\n");
    assert!(shown.contains("ada has no session in this store. End logins"), "{shown}");
}

#[tokio::test]
async fn a_table_has_a_heading_that_stands_out_and_no_line_is_left_of_a_bar() {
    let service = Service::start();
    service.logged_in("ada").await;
    service.put(|record| record.idle_expires = UnixSeconds(now() - 1)).await;
    let (shown, code) = at_terminal(&service.url, &["list", "ada"], "");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.starts_with("\x1b[1mSESSION "), "{shown:?}");
    let (shown, _) = at_terminal(&service.url, &["gc"], "");
    let left = shown.rsplit("\x1b[K").next().unwrap();
    assert_eq!(left, "deleted 1 record that had expired\r\n", "{shown:?}");
}
