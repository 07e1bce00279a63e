//! Measures servers in turns.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::arguments::Settings;
use crate::catalogue::{Entry, Section};
use crate::load::{self, CONNECTIONS, Failure};
use crate::processors::{self, Share};
use crate::server::Server;
use crate::statistics::Quartiles;
use crate::task::Task;
use crate::visitor::Visitor;

/// The cookie that the bare handlers are sent, so that all servers get requests of the same size.
const SOME_COOKIE: &str = "eyJ1c2VybmFtZSI6ImFkbWluIn0.aSLsRg.6XhvPq1r0tYbNLmWzVJcQdK2sEo";

/// The measurements of one server and one task.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) title: &'static str,
    pub(crate) task: Task,
    server: usize,
    /// The request that each connection sends.
    requests: Vec<String>,
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

/// Starts the servers of a section that are asked for and measures them: each once a round, in an
/// order that is new each time. The first subject of each task is the one without a session.
pub(crate) fn measure(
    settings: &Settings,
    section: &Section,
    folder: &Path,
) -> Result<Vec<Subject>, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut servers, mut subjects) = (Vec::new(), Vec::new());
    for entry in settings.of(section) {
        let (own, load) = match section.threads {
            1 => (Share::Server, Share::Load),
            _ => (Share::All, Share::All),
        };
        processors::keep_to(own)?;
        let server = Server::start(entry, section.threads, settings, folder);
        processors::keep_to(load)?;
        let server = server?;
        let requests = run(&runtime, prepare(&server, entry))?;
        for (task, requests) in Task::ALL.into_iter().zip(requests) {
            let (title, server) = (entry.title, servers.len());
            subjects.push(Subject { title, task, server, requests, rounds: Vec::new() });
        }
        servers.push(server);
    }
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    let mut random = 0x5eed;
    for round in 0..=settings.rounds {
        shuffle(&mut order, &mut random);
        for &at in &order {
            let subject = &mut subjects[at];
            let server = &servers[subject.server];
            let before = server.cpu()?;
            let times = load::send(server.address, &subject.requests, settings.slice);
            let times = run(&runtime, times)?;
            let cpu = server.cpu()?.saturating_sub(before);
            // The first round only warms up.
            if round > 0 {
                subject.rounds.push(Round::new(times, cpu, settings.slice));
            }
        }
    }
    for subject in subjects.iter().filter(|subject| subject.task == Task::Read) {
        let address = servers[subject.server].address;
        for request in &subject.requests {
            run(&runtime, async {
                let (_, body) = load::ask(address, request).await?;
                expect(subject.title, "reads at the end", &body, "admin")
            })?;
        }
    }
    Ok(subjects)
}

/// Returns the requests that the connections send for each task. Each connection has one session to
/// read and one to write into; a login comes from a visitor without a session.
async fn prepare(server: &Server, entry: &Entry) -> Result<[Vec<String>; 3], Failure> {
    let (address, name) = (server.address, entry.name);
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        let [mut reader, mut writer] = [Visitor::default(), Visitor::default()];
        for visitor in [&mut reader, &mut writer] {
            visitor.ask(address, Task::Login).await?;
            visitor.keep_if_none("session", SOME_COOKIE);
        }
        expect(name, "reads", &reader.ask(address, Task::Read).await?, "admin")?;
        for count in ["1", if entry.has_session() { "2" } else { "1" }] {
            expect(name, "counts", &writer.ask(address, Task::Write).await?, count)?;
        }
        expect(name, "reads", &writer.ask(address, Task::Read).await?, "admin")?;
        reads.push(reader.request(Task::Read));
        writes.push(writer.request(Task::Write));
    }
    Ok([reads, writes, vec![Visitor::default().request(Task::Login)]])
}

fn expect(name: &str, what: &str, found: &str, expected: &str) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{name} {what} {found:?} and not {expected:?}").into())
}

fn run<T>(
    runtime: &Runtime,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Box<dyn Error>> {
    runtime.block_on(future).map_err(|error| error as Box<dyn Error>)
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
    /// Returns one value of each round.
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
    fn a_round_has_times_of_the_sorted_answers() {
        let times = (1..=200).rev().map(Duration::from_micros).collect();
        let round = Round::new(times, Duration::from_millis(1), Duration::from_millis(100));
        assert_eq!((round.cpu, round.per_second), (5.0, 2000.0));
        assert_eq!((round.p50, round.p99), (101.0, 199.0));
    }

    #[test]
    fn ratios_are_those_of_the_same_round() {
        let subject = |cpu: [f64; 3]| Subject {
            title: "",
            task: Task::Read,
            server: 0,
            requests: Vec::new(),
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
