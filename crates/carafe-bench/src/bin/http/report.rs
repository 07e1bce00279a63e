//! Measures all servers in turns, and writes the report.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use carafe_bench::machine;

use crate::load::{self, CONNECTIONS};
use crate::server::Server;

/// How often everything is measured.
const ROUNDS: u32 = 10;

/// The servers, what the report calls them, and which one's bare handler each is compared with.
const SERVERS: [(&str, &str, &str); 12] = [
    ("bare", "axum, no session", "bare"),
    ("carafe-signed", "**Carafe** signed, never compressed", "bare"),
    ("carafe-flask", "**Carafe** as Flask: signed, compressed where that helps", "bare"),
    ("carafe-sealed", "**Carafe** sealed", "bare"),
    ("carafe-memory", "**Carafe** in memory", "bare"),
    ("carafe-sqlite", "**Carafe** in SQLite", "bare"),
    ("signed-cookie-jar", "axum-extra 0.12 `SignedCookieJar`", "bare"),
    ("tower-sessions-memory", "tower-sessions 0.15 in memory", "bare"),
    ("actix-bare", "actix-web, no session", "actix-bare"),
    ("actix-carafe", "**Carafe** on actix-web, signed", "actix-bare"),
    ("actix-session", "actix-session 0.11, cookies", "actix-bare"),
    ("flask", "Flask under gunicorn", "bare"),
];

/// What the bare handlers are sent, so that all get requests of the same size.
const SOME_COOKIE: &str = "session=eyJ1c2VybmFtZSI6ImFkbWluIn0.aSLsRg.6XhvPq1r0tYbNLmWzVJcQdK2sEo";

/// What is measured, and where the report goes.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) file: PathBuf,
    /// For how long each task is sent to each server, in seconds, over all rounds.
    pub(crate) seconds: f64,
    /// The Python that has Flask and gunicorn.
    pub(crate) python: Option<String>,
}

/// What is measured of one server and one task.
struct Subject {
    name: &'static str,
    title: &'static str,
    baseline: &'static str,
    server: usize,
    request: String,
    requests: u64,
    cpu: Duration,
    rounds: Vec<Round>,
}

struct Round {
    per_second: f64,
    half: Duration,
    most: Duration,
}

/// Starts all servers, measures them in turns and writes the report.
pub(crate) fn write(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("carafe-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(settings, &folder);
    fs::remove_dir_all(folder)?;
    let (reads, logins) = measured?;
    let text = text(settings, &reads, &logins);
    fs::write(&settings.file, &text)?;
    print!("{text}");
    Ok(())
}

/// The tasks of reading and of logging in, measured.
fn measure(
    settings: &Settings,
    folder: &Path,
) -> Result<(Vec<Subject>, Vec<Subject>), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut servers = Vec::new();
    let (mut reads, mut logins) = (Vec::new(), Vec::new());
    for (name, title, baseline) in SERVERS {
        let server = match (name, &settings.python) {
            ("flask", None) => continue,
            ("flask", Some(python)) => Server::start_flask(python, folder)?,
            _ => Server::start(name, folder)?,
        };
        let login = request("POST", "/login", None);
        let (head, _) = run(&runtime, load::ask(server.address, &login))?;
        let cookie = cookie(&head).unwrap_or_else(|| SOME_COOKIE.to_owned());
        let read = request("GET", "/session", Some(&cookie));
        let (_, body) = run(&runtime, load::ask(server.address, &read))?;
        if body != "admin" {
            return Err(format!("{name} read {body:?}").into());
        }
        let subject = |request| Subject {
            name,
            title,
            baseline,
            server: servers.len(),
            request,
            requests: 0,
            cpu: Duration::ZERO,
            rounds: Vec::new(),
        };
        reads.push(subject(read));
        logins.push(subject(login));
        servers.push(server);
    }
    let time = Duration::from_secs_f64(settings.seconds) / ROUNDS;
    let warm = Duration::from_millis(200);
    for round in 0..=ROUNDS {
        for subject in reads.iter_mut().chain(&mut logins) {
            // The first round only warms up.
            let time = if round == 0 { warm } else { time };
            let server = &servers[subject.server];
            let before = server.cpu()?;
            let times = run(&runtime, load::send(server.address, &subject.request, time))?;
            if round > 0 {
                subject.cpu += server.cpu()?.saturating_sub(before);
                subject.add(times, time);
            }
        }
    }
    Ok((reads, logins))
}

fn run<T>(
    runtime: &tokio::runtime::Runtime,
    future: impl Future<Output = Result<T, Box<dyn Error + Send + Sync>>>,
) -> Result<T, Box<dyn Error>> {
    runtime.block_on(future).map_err(|error| error as Box<dyn Error>)
}

fn request(method: &str, path: &str, cookie: Option<&str>) -> String {
    let cookie = cookie.map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
    let length = if method == "POST" { "content-length: 0\r\n" } else { "" };
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{length}{cookie}\r\n")
}

/// The cookie that an answer sets.
fn cookie(head: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    set.find_map(|(_, cookie)| cookie.split(';').next().map(str::to_owned))
}

impl Subject {
    fn add(&mut self, mut times: Vec<Duration>, time: Duration) {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
        self.requests += times.len() as u64;
        let per_second = times.len() as f64 / time.as_secs_f64();
        self.rounds.push(Round { per_second, half: at(50), most: at(99) });
    }

    /// Microseconds of the server's processor time for one request.
    fn cpu_each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.requests as f64
    }

    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        let mut all: Vec<f64> = self.rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

fn text(settings: &Settings, reads: &[Subject], logins: &[Subject]) -> String {
    let mut text = format!(
        "# Benchmarks over HTTP\n\n\
         Written by `cargo xtask bench http`, on {}. Each server is a process of its own on \
         loopback, with two worker threads for those in Rust, and gets requests over {CONNECTIONS} \
         connections that are kept open, from a program on the same processors. Everything is \
         measured in turns, {:.1} s each over {ROUNDS} rounds; rates and times are medians of the \
         rounds. CPU is the server's processor time for a request, the kernel's part in it \
         included, which Linux counts in steps of 10 ms; beside it, how many times that of the same \
         framework's handler without a session (for Flask: axum's). Reading is one key of P1; a \
         login stores the same key in a session that is new each time.\n\n",
        machine::describe(),
        settings.seconds
    );
    for (title, subjects) in [("Read one key", reads), ("Log in", logins)] {
        let _ = write!(
            text,
            "## {title}\n\n| | CPU µs | | requests/s | p50 µs | p99 µs |\n|---|--:|:--|--:|--:|--:|"
        );
        for subject in subjects {
            let baseline = subjects.iter().find(|other| other.name == subject.baseline);
            let ratio = baseline.map_or(f64::NAN, |bare| subject.cpu_each() / bare.cpu_each());
            let micros = |time: Duration| time.as_secs_f64() * 1e6;
            let _ = write!(
                text,
                "\n| {} | {:.1} | {ratio:.2}× | {:.0} | {:.0} | {:.0} |",
                subject.title,
                subject.cpu_each(),
                subject.median(|round| round.per_second),
                subject.median(|round| micros(round.half)),
                subject.median(|round| micros(round.most)),
            );
        }
        text.push_str("\n\n");
    }
    format!("{}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_taken_from_answers() {
        let head = "HTTP/1.1 200 OK\r\nvary: Cookie\r\nSet-Cookie: a=b; Path=/\r\n\r\n";
        assert_eq!(cookie(head).as_deref(), Some("a=b"));
        assert_eq!(cookie("HTTP/1.1 200 OK\r\n\r\n"), None);
    }

    #[test]
    fn every_server_has_a_bare_one() {
        for (_, _, baseline) in SERVERS {
            assert!(SERVERS.iter().any(|(name, ..)| *name == baseline));
        }
    }
}
