//! Measures all servers in turns.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::arguments::Settings;
use crate::load;
use crate::server::Server;
use crate::statistics::Quartiles;

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

/// What is sent to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Read,
    Login,
}

/// What is measured of one server and one task.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) baseline: &'static str,
    pub(crate) task: Task,
    server: usize,
    request: String,
    rounds: Vec<Round>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// Microseconds of the server's processor time for one request.
    pub(crate) cpu: f64,
    pub(crate) per_second: f64,
    /// Within how many microseconds half of the answers were there, and nearly all.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Starts the servers and measures them: each once a round, in an order that is new each time.
pub(crate) fn measure(settings: &Settings, folder: &Path) -> Result<Vec<Subject>, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (servers, mut subjects) = start(settings, folder, &runtime)?;
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    let mut random = 0x5eed;
    for round in 0..=settings.rounds {
        shuffle(&mut order, &mut random);
        for &at in &order {
            let subject = &mut subjects[at];
            let server = &servers[subject.server];
            let before = server.cpu()?;
            let times = load::send(server.address, &subject.request, settings.slice);
            let times = run(&runtime, times)?;
            let cpu = server.cpu()?.saturating_sub(before);
            // The first round only warms up.
            if round > 0 {
                subject.rounds.push(Round::new(times, cpu, settings.slice));
            }
        }
    }
    Ok(subjects)
}

/// The servers that are asked for and those that they are compared with, and what to send to each.
fn start(
    settings: &Settings,
    folder: &Path,
    runtime: &Runtime,
) -> Result<(Vec<Server>, Vec<Subject>), Box<dyn Error>> {
    if let Some(unknown) = settings.only.iter().find(|name| SERVERS.iter().all(|s| s.0 != **name)) {
        let names = SERVERS.map(|(name, ..)| name).join(", ");
        return Err(format!("there is no server {unknown}; the servers are {names}").into());
    }
    let is_baseline = |name| SERVERS.iter().any(|(s, _, base)| *base == name && settings.takes(s));
    let (mut servers, mut subjects) = (Vec::new(), Vec::new());
    for (name, title, baseline) in SERVERS {
        if !settings.takes(name) && !is_baseline(name) {
            continue;
        }
        let server = match (name, &settings.python) {
            ("flask", None) => continue,
            ("flask", Some(python)) => Server::start_flask(python, folder)?,
            _ => Server::start(name, folder)?,
        };
        let login = request("POST", "/login", None);
        let (head, _) = run(runtime, load::ask(server.address, &login))?;
        let cookie = cookie(&head).unwrap_or_else(|| SOME_COOKIE.to_owned());
        let read = request("GET", "/session", Some(&cookie));
        let (_, body) = run(runtime, load::ask(server.address, &read))?;
        if body != "admin" {
            return Err(format!("{name} read {body:?}").into());
        }
        for (task, request) in [(Task::Read, read), (Task::Login, login)] {
            let server = servers.len();
            let rounds = Vec::new();
            subjects.push(Subject { name, title, baseline, task, server, request, rounds });
        }
        servers.push(server);
    }
    Ok((servers, subjects))
}

fn run<T>(
    runtime: &Runtime,
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

/// Fisher and Yates' shuffle.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for last in (1..order.len()).rev() {
        // Knuth's MMIX generator; its low bits are poor.
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        order.swap(last, (*random >> 33) as usize % (last + 1));
    }
}

impl Subject {
    /// What the rounds have of something.
    pub(crate) fn quartiles(&self, of: impl Fn(&Round) -> f64) -> Quartiles {
        Quartiles::of(self.rounds.iter().map(of))
    }

    /// How many times the other's processor time a request takes: the median of the rounds' ratios,
    /// in which whatever slowed down a whole round plays no part.
    pub(crate) fn ratio(&self, other: &Self) -> Quartiles {
        let rounds = self.rounds.iter().zip(&other.rounds);
        Quartiles::of(rounds.map(|(this, other)| this.cpu / other.cpu))
    }
}

impl Round {
    fn new(mut times: Vec<Duration>, cpu: Duration, slice: Duration) -> Self {
        times.sort_unstable();
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        // Each connection gets at least one answer.
        let at = |percent: usize| micros(times[times.len() * percent / 100]);
        Self {
            cpu: micros(cpu) / times.len() as f64,
            per_second: times.len() as f64 / slice.as_secs_f64(),
            p50: at(50),
            p99: at(99),
        }
    }
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

    #[test]
    fn a_round_has_times_of_the_sorted_answers() {
        let times = (1..=200).rev().map(Duration::from_micros).collect();
        let round = Round::new(times, Duration::from_millis(1), Duration::from_millis(100));
        assert_eq!((round.cpu, round.per_second), (5.0, 2000.0));
        assert_eq!((round.p50, round.p99), (101.0, 199.0));
    }

    #[test]
    fn ratios_are_those_of_the_same_round() {
        let subject = |cpu: [f64; 3]| Subject {
            name: "",
            title: "",
            baseline: "",
            task: Task::Read,
            server: 0,
            request: String::new(),
            rounds: cpu.map(|cpu| Round { cpu, per_second: 0.0, p50: 0.0, p99: 0.0 }).to_vec(),
        };
        let (this, other) = (subject([2.0, 22.0, 6.0]), subject([1.0, 20.0, 4.0]));
        assert_eq!(this.ratio(&other).median, 1.5);
    }

    #[test]
    fn shuffled_is_in_another_order_and_complete() {
        let mut order: Vec<usize> = (0..20).collect();
        shuffle(&mut order, &mut 1);
        assert!(!order.is_sorted());
        order.sort_unstable();
        assert!(order.into_iter().eq(0..20));
    }
}
