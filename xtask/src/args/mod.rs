//! The command line.

mod help;
mod options;
#[cfg(test)]
mod tests;

pub(crate) use self::help::help;
use self::options::Options;
use crate::checks::bench::BenchHttp;
use crate::checks::conditions::Store;
use crate::checks::fuzz::Fuzz;
use crate::checks::interop::Server;
use crate::checks::mutants::Mutants;
use crate::group::Group;

/// One invocation of xtask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Test(Selection),
    ReleaseCheck(Selection),
    Interop {
        requests: u64,
        seed: u64,
        server: Server,
    },
    Load {
        seconds: u64,
    },
    Crashes {
        kills: u64,
        of: Victim,
    },
    Conditions {
        minutes: u64,
        stores: Vec<Store>,
    },
    Failovers {
        rounds: u64,
        of: Replicated,
    },
    Capacity {
        seconds: u64,
    },
    Fuzz(Fuzz),
    Mutants(Mutants),
    Bench {
        rounds: u64,
    },
    BenchHttp(BenchHttp),
    /// Builds the Python package for `PYTHONPATH`.
    Python,
    /// Builds its wheel and its source package.
    Wheels,
    /// The process that cleans up after an xtask that was killed; not for people.
    Watch {
        marker: String,
    },
}

/// The server that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    /// Servers that share a SQLite file.
    Sqlite,
    /// Redis, with each of two settings.
    Redis,
    RedisEverysec,
    Postgres,
}

/// The server that fails over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replicated {
    /// A primary and a replica of Redis.
    Redis,
    /// A Cluster of three primaries, each with a replica.
    RedisCluster,
}

/// The groups to run, and the way to run them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) only: Vec<String>,
    pub(crate) without: Vec<String>,
    pub(crate) no_install: bool,
    pub(crate) list: bool,
}

impl Selection {
    /// Whether the group of this name is to run.
    pub(crate) fn takes(&self, name: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|other| other == name);
        (self.only.is_empty() || named(&self.only)) && !named(&self.without)
    }

    /// Fails if a named group doesn't exist, or if no group is left to run.
    pub(crate) fn check(&self, groups: &[Group]) -> Result<(), String> {
        let names: Vec<&str> = groups.iter().map(|group| group.name).collect();
        for name in self.only.iter().chain(&self.without) {
            if !names.contains(&name.as_str()) {
                return Err(format!(
                    "there is no group `{name}`; the groups are {}",
                    names.join(", ")
                ));
            }
        }
        if names.iter().any(|name| self.takes(name)) {
            Ok(())
        } else {
            Err("these options leave no group to run".to_owned())
        }
    }
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: &[String]) -> Result<Command, String> {
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(Command::Help);
    };
    if rest.iter().any(|option| option == "--help" || option == "-h") {
        return Ok(Command::Help);
    }
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "test" => selection(rest).map(Command::Test),
        "release-check" => selection(rest).map(Command::ReleaseCheck),
        "interop" => interop(rest),
        "fuzz" => fuzz(rest).map(Command::Fuzz),
        "mutants" => mutants(rest).map(Command::Mutants),
        "load" => number(rest, "--seconds", 30).map(|seconds| Command::Load { seconds }),
        "crashes" => crashes(rest),
        "conditions" => conditions(rest),
        "capacity" => number(rest, "--seconds", 10).map(|seconds| Command::Capacity { seconds }),
        "failovers" => failovers(rest),
        "bench" => match rest {
            [http, rest @ ..] if http == "http" => bench_http(rest).map(Command::BenchHttp),
            _ => number(rest, "--rounds", 301).map(|rounds| Command::Bench { rounds }),
        },
        "python" => match rest {
            [] => Ok(Command::Python),
            [option, ..] => Err(unknown(option)),
        },
        "wheels" => match rest {
            [] => Ok(Command::Wheels),
            [option, ..] => Err(unknown(option)),
        },
        "watch" => match rest {
            [marker] => Ok(Command::Watch { marker: marker.clone() }),
            _ => Err("`watch` takes one marker".to_owned()),
        },
        other => Err(format!("there is no command `{other}`; see `cargo xtask help`")),
    }
}

fn selection(arguments: &[String]) -> Result<Selection, String> {
    let mut selection = Selection::default();
    let mut options = Options::new(arguments);
    while let Some(option) = options.next() {
        match option {
            "--only" => selection.only.push(options.value(option)?),
            "--without" => selection.without.push(options.value(option)?),
            "--no-install" => selection.no_install = true,
            "--list" => selection.list = true,
            other => return Err(unknown(other)),
        }
        options.done()?;
    }
    Ok(selection)
}

fn interop(arguments: &[String]) -> Result<Command, String> {
    let (mut requests, mut seed, mut server) = (20_000, 1, Server::Axum);
    let mut options = Options::new(arguments);
    while let Some(option) = options.next() {
        match option {
            "--requests" => requests = options.number(option)?,
            "--seed" => seed = options.number(option)?,
            "--server" => {
                server = match options.value(option)?.as_str() {
                    "axum" => Server::Axum,
                    "actix" => Server::Actix,
                    other => return Err(format!("`--server` is axum or actix, not `{other}`")),
                }
            }
            other => return Err(unknown(other)),
        }
        options.done()?;
    }
    if requests == 0 {
        return Err("`--requests` must be at least 1".to_owned());
    }
    Ok(Command::Interop { requests, seed, server })
}

/// Returns the value of the only option, which is at least 1.
fn number(arguments: &[String], name: &str, default: u64) -> Result<u64, String> {
    let mut number = default;
    let mut options = Options::new(arguments);
    while let Some(option) = options.next() {
        if option != name {
            return Err(unknown(option));
        }
        number = options.number(option)?;
        options.done()?;
    }
    if number == 0 {
        return Err(format!("`{name}` must be at least 1"));
    }
    Ok(number)
}

fn crashes(arguments: &[String]) -> Result<Command, String> {
    let (mut kills, mut of) = (200, Victim::Sqlite);
    let mut options = Options::new(arguments);
    while let Some(option) = options.next() {
        match option {
            "--kills" => kills = options.number(option)?,
            "--of" => {
                of = match options.value(option)?.as_str() {
                    "sqlite" => Victim::Sqlite,
                    "redis" => Victim::Redis,
                    "redis-everysec" => Victim::RedisEverysec,
                    "postgres" => Victim::Postgres,
                    other => return Err(format!("`--of` is not known: {other}")),
                }
            }
            other => return Err(unknown(other)),
        }
        options.done()?;
    }
    if kills == 0 {
        return Err("`--kills` must be at least 1".to_owned());
    }
    Ok(Command::Crashes { kills, of })
}

fn conditions(arguments: &[String]) -> Result<Command, String> {
    let (mut minutes, mut stores) = (10, Vec::new());
    let mut options = Options::new(arguments);
    while let Some(option) = options.next() {
        match option {
            "--minutes" => minutes = options.number(option)?,
            "--store" => {
                let name = options.value(option)?;
                let store = Store::named(&name);
                stores.push(store.ok_or_else(|| format!("`--store` is not known: {name}"))?);
            }
            other => return Err(unknown(other)),
        }
        options.done()?;
    }
    if minutes == 0 {
        return Err("`--minutes` must be at least 1".to_owned());
    }
    if stores.is_empty() {
        stores = Store::ALL.to_vec();
    }
    Ok(Command::Conditions { minutes, stores })
}

fn failovers(arguments: &[String]) -> Result<Command, String> {
    let (mut rounds, mut of) = (100, Replicated::Redis);
    let mut options = Options::new(arguments);
    while let Some(option) = options.next() {
        match option {
            "--rounds" => rounds = options.number(option)?,
            "--of" => {
                of = match options.value(option)?.as_str() {
                    "redis" => Replicated::Redis,
                    "redis-cluster" => Replicated::RedisCluster,
                    other => return Err(format!("`--of` is not known: {other}")),
                }
            }
            other => return Err(unknown(other)),
        }
        options.done()?;
    }
    if rounds == 0 {
        return Err("`--rounds` must be at least 1".to_owned());
    }
    Ok(Command::Failovers { rounds, of })
}

fn fuzz(arguments: &[String]) -> Result<Fuzz, String> {
    let mut fuzz = Fuzz { seconds: 60, ..Fuzz::default() };
    let mut options = Options::new(arguments);
    while let Some(option) = options.next() {
        match option {
            "--seconds" => fuzz.seconds = options.number(option)?,
            "--runs" => fuzz.runs = Some(options.number(option)?),
            "--target" => fuzz.targets.push(options.value(option)?),
            "--merge" => fuzz.merge = true,
            other => return Err(unknown(other)),
        }
        options.done()?;
    }
    // libFuzzer takes 0 for a run without an end.
    if fuzz.seconds == 0 || fuzz.runs == Some(0) {
        return Err("`--seconds` and `--runs` must be at least 1".to_owned());
    }
    Ok(fuzz)
}

fn mutants(arguments: &[String]) -> Result<Mutants, String> {
    let mut mutants = Mutants { parts: Vec::new(), sample: 1 };
    let mut options = Options::new(arguments);
    while let Some(option) = options.next() {
        match option {
            "--part" => mutants.parts.push(options.value(option)?),
            "--sample" => mutants.sample = options.number(option)?,
            other => return Err(unknown(other)),
        }
        options.done()?;
    }
    if mutants.sample == 0 {
        return Err("`--sample` must be at least 1".to_owned());
    }
    Ok(mutants)
}

fn bench_http(arguments: &[String]) -> Result<BenchHttp, String> {
    let mut bench = BenchHttp { rounds: 40, millis: 200, only: Vec::new() };
    let mut options = Options::new(arguments);
    while let Some(option) = options.next() {
        match option {
            "--rounds" => bench.rounds = options.number(option)?,
            "--millis" => bench.millis = options.number(option)?,
            "--only" => bench.only.push(options.value(option)?),
            other => return Err(unknown(other)),
        }
        options.done()?;
    }
    if bench.rounds == 0 || bench.millis == 0 {
        return Err("`--rounds` and `--millis` must be at least 1".to_owned());
    }
    Ok(bench)
}

fn unknown(option: &str) -> String {
    format!("there is no option `{option}` here; see `cargo xtask help`")
}
