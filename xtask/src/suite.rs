//! Runs groups one after the other, and reports.

use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::args::{Replicated, Selection, Victim};
use crate::checks::bench::{self, BenchHttp};
use crate::checks::conditions::{self, Store};
use crate::checks::fuzz::{self, Fuzz};
use crate::checks::interop::{self, Server};
use crate::checks::mutants::{self, Mutants};
use crate::checks::python;
use crate::checks::{servers, stores};
use crate::group::Group;
use crate::groups;
use crate::job::Job;
use crate::need::Need;
use crate::report::{self, Outcome, Row};
use crate::runner::Runner;
use crate::system;
use crate::tools::Tools;
use crate::watchdog::Watchdog;
use crate::workspace::Workspace;

/// Runs what was selected of these groups; returns whether all of it passed.
pub(crate) fn run(groups: &'static [Group], selection: &Selection) -> Result<bool, String> {
    selection.check(groups)?;
    if selection.list {
        list(groups, selection);
        return Ok(true);
    }
    let workspace = Workspace::find()?;
    create_scratch(&workspace)?;
    let mut watchdog = start_watchdog()?;
    let may_install = !selection.no_install && system::may_install();
    let needs = needs(groups.iter().filter(|group| selection.takes(group.name)));
    let tools = Tools::prepare(&workspace, &mut watchdog, &needs, may_install)?;

    let mut rows = Vec::new();
    for group in groups {
        if selection.takes(group.name) {
            rows.push(run_group(group, &workspace, &tools, &mut watchdog)?);
        } else if selection.only.is_empty() {
            rows.push(left_out(group));
        }
    }
    drop(watchdog);

    println!("\n{}", report::table(&rows));
    let remedy = tools.remedy();
    if !remedy.is_empty() {
        println!("To install what is missing:\n  {}\n", remedy.join("\nor\n  "));
    }
    println!("{}", report::closing_line(&rows));
    Ok(report::success(&rows))
}

/// Compares the twin with Flask, on the terminal, for as long as it takes.
pub(crate) fn compare(requests: u64, seed: u64, server: Server) -> Result<bool, String> {
    on_terminal(&[Need::Python], |job| interop::compare(job, server, requests, seed))
}

/// Puts the twin under load, on the terminal.
pub(crate) fn load(seconds: u64) -> Result<bool, String> {
    on_terminal(&[Need::Python], |job| interop::load_for(job, seconds))
}

/// Measures what sessions cost in each kind of store.
pub(crate) fn capacity(seconds: u64) -> Result<bool, String> {
    let (redis, postgres) = (Need::Program(&groups::REDIS), Need::Program(&groups::POSTGRES));
    on_terminal(&[Need::Python, redis, postgres], |job| servers::capacity(job, seconds))
}

/// Ends sessions while Redis' primary dies, again and again.
pub(crate) fn failovers(rounds: u64, of: Replicated) -> Result<bool, String> {
    on_terminal(&[Need::Python, Need::Program(&groups::REDIS)], |job| match of {
        Replicated::Redis => servers::failovers_of_redis(job, rounds),
        Replicated::RedisCluster => servers::failovers_of_cluster(job, rounds),
    })
}

/// Kills servers under load, again and again.
pub(crate) fn crashes(kills: u64, of: Victim) -> Result<bool, String> {
    match of {
        Victim::Sqlite => on_terminal(&[Need::Python], |job| stores::crashes(job, kills)),
        Victim::Redis => on_terminal(&[Need::Python, Need::Program(&groups::REDIS)], |job| {
            servers::crashes_of_redis(job, kills)
        }),
        Victim::RedisEverysec => {
            on_terminal(&[Need::Python, Need::Program(&groups::REDIS)], |job| {
                servers::crashes_of_redis_everysec(job, kills)
            })
        }
        Victim::Postgres => on_terminal(&[Need::Python, Need::Program(&groups::POSTGRES)], |job| {
            servers::crashes_of_postgres(job, kills)
        }),
    }
}

/// Has one thing after the other go wrong with stores, under load.
pub(crate) fn conditions(minutes: u64, stores: &[Store]) -> Result<bool, String> {
    let mut needs = vec![Need::Python];
    for (store, program) in [(Store::Redis, &groups::REDIS), (Store::Postgres, &groups::POSTGRES)] {
        if stores.contains(&store) {
            needs.push(Need::Program(program));
        }
    }
    on_terminal(&needs, |job| {
        stores.iter().try_for_each(|&store| conditions::run(job, store, minutes * 60))
    })
}

/// Looks for inputs that break a promise, on the terminal.
pub(crate) fn fuzz(options: &Fuzz) -> Result<bool, String> {
    on_terminal(&[], |job| fuzz::run(job, options))
}

/// Looks for wrong code that no test notices.
pub(crate) fn mutants(options: &Mutants) -> Result<bool, String> {
    on_terminal(&[], |job| mutants::run(job, options))
}

/// Measures what everything costs.
pub(crate) fn bench(rounds: u64) -> Result<bool, String> {
    on_terminal(&[], |job| bench::report(job, rounds))
}

/// Measures what requests over HTTP cost.
pub(crate) fn bench_http(how: &BenchHttp) -> Result<bool, String> {
    let (redis, postgres) = (Need::Program(&groups::REDIS), Need::Program(&groups::POSTGRES));
    on_terminal(&[Need::Python, redis, postgres], |job| bench::http(job, how))
}

/// Builds what is published of the Python package.
pub(crate) fn wheels() -> Result<bool, String> {
    on_terminal(&[Need::Python], python::wheels)
}

fn on_terminal(
    needs: &[Need],
    run: impl FnOnce(&mut Job<'_>) -> Result<(), String>,
) -> Result<bool, String> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let workspace = Workspace::find()?;
    create_scratch(&workspace)?;
    let mut watchdog = start_watchdog()?;
    let tools = Tools::prepare(&workspace, &mut watchdog, needs, system::may_install())?;
    let missing = tools.missing_of(needs);
    if !missing.is_empty() {
        let remedy = tools.remedy().join("\n  or  ");
        return Err(format!("missing: {missing}\n  {remedy}"));
    }
    let runner = Runner::on_terminal(&mut watchdog, DAY);
    run(&mut Job::new(&workspace, &tools, runner))?;
    Ok(true)
}

fn run_group(
    group: &Group,
    workspace: &Workspace,
    tools: &Tools,
    watchdog: &mut Watchdog,
) -> Result<Row, String> {
    print!("{:18}", group.name);
    // The name is to be seen while the group runs; if it can't be, never mind.
    let _ = io::stdout().flush();
    let missing = tools.missing_of(group.needs);
    if !missing.is_empty() {
        println!("MISSING  {missing}");
        let time = Duration::ZERO;
        return Ok(Row { group: group.name, outcome: Outcome::Missing, time, note: missing });
    }

    let log = workspace.scratch().join(format!("{}.log", group.name));
    let started = Instant::now();
    let runner = Runner::logged(watchdog, &log, group.limit)?;
    let mut job = Job::new(workspace, tools, runner);
    let result = (group.run)(&mut job);
    let time = started.elapsed();
    let (outcome, note) = match result {
        Ok(()) => (Outcome::Passed, job.notes()),
        Err(reason) => (Outcome::Failed, reason),
    };
    let line = format!("{:8}  {:>10}  {note}", outcome.word(), report::duration(time));
    println!("{}", line.trim_end());
    if matches!(outcome, Outcome::Failed) {
        let text = fs::read(&log).map_err(|error| format!("can't read the log: {error}"))?;
        let tail = report::tail(&String::from_utf8_lossy(&text));
        if !tail.is_empty() {
            println!("---- {} ----\n{tail}\n---- end of it ----", log.display());
        }
    }
    Ok(Row { group: group.name, outcome, time, note })
}

fn left_out(group: &Group) -> Row {
    let note = String::new();
    Row { group: group.name, outcome: Outcome::LeftOut, time: Duration::ZERO, note }
}

fn list(groups: &[Group], selection: &Selection) {
    for group in groups.iter().filter(|group| selection.takes(group.name)) {
        let needs: Vec<_> = group.needs.iter().map(|need| need.name()).collect();
        println!("{:18}{}", group.name, group.about);
        if !needs.is_empty() {
            println!("{:18}needs {}", "", needs.join(", "));
        }
    }
}

/// Returns the needs of these groups, each once.
fn needs<'a>(groups: impl Iterator<Item = &'a Group>) -> Vec<Need> {
    let mut needs = Vec::new();
    for need in groups.flat_map(|group| group.needs) {
        if !needs.contains(need) {
            needs.push(*need);
        }
    }
    needs
}

fn create_scratch(workspace: &Workspace) -> Result<(), String> {
    let folder = workspace.scratch();
    fs::create_dir_all(&folder)
        .map_err(|error| format!("can't create {}: {error}", folder.display()))
}

fn start_watchdog() -> Result<Watchdog, String> {
    Watchdog::start().map_err(|error| format!("can't start the watchdog: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_looked_for_once() {
        let needs = needs(groups::TEST.iter());
        assert_eq!(needs.iter().filter(|need| **need == Need::Python).count(), 1);
        assert_eq!(needs.iter().filter(|need| **need == Need::Component("clippy")).count(), 1);
    }
}
