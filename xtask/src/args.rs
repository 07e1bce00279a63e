//! The command line.

use std::fmt::Write as _;

use crate::checks::fuzz::Fuzz;
use crate::checks::mutants::Mutants;
use crate::group::Group;

/// What `cargo xtask help` prints before the lists of groups.
const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test           run all the tests, group by group
  interop        compare the twin with real Flask on random requests
                   --requests N   how many requests to send (default 20000)
                   --seed S       where the randomness starts (default 1)
                   --server NAME  what serves the twin: axum (the default) or actix
  load           many connections at once on the twin, with each kind of store
                   --seconds N    for how long each (default 30)
  crashes        kill servers under load, at random moments
                   --kills N      how often (default 200)
                   --of WHAT      twins that share a SQLite file (sqlite, the default), or the
                                  store itself: redis, redis-everysec, postgres
  failovers      end sessions in Redis while its primary dies: how many are back?
                   --rounds N     how often, at each distance of the replica (default 100)
  capacity       the CPU of a request and the bytes of a session, in each kind of store
                   --seconds N    for how long each kind of request (default 10)
  fuzz           look for inputs that break a promise, with libFuzzer
                   --seconds N    how long to look at each target (default 60)
                   --runs N       or how many inputs to try on each
                   --target T     this target alone; repeatable
                   --merge        add what reaches new code to fuzz/corpus
  mutants        change the core, one place after the other: do its tests notice? (hours)
                   --part P       this part alone; repeatable
                   --sample N     one of N changes, to be sooner done (default 1: all)
  bench          measure what Carafe and its peers cost; write docs/benchmarks.md
                   --rounds N     how often everything is measured (default 301)
  bench http     measure requests over HTTP; write docs/benchmarks-http.md
                   --seconds N    for how long each task of each server (default 3)
  release-check  check what a release needs beyond the tests
  help           print this

Options of `test` and `release-check`:
  --only GROUP     run this group alone; repeatable
  --without GROUP  leave this group out; repeatable
  --no-install     install nothing, also as root on Debian; report it as missing
  --list           list the groups and what they need; run none
";

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
    Failovers {
        rounds: u64,
    },
    Capacity {
        seconds: u64,
    },
    Fuzz(Fuzz),
    Mutants(Mutants),
    Bench {
        rounds: u64,
    },
    BenchHttp {
        seconds: u64,
    },
    /// The process that cleans up after an xtask that was killed; not for people.
    Watch {
        marker: String,
    },
}

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    /// Servers that share a SQLite file.
    Sqlite,
    /// Redis, with each of two settings.
    Redis,
    RedisEverysec,
    Postgres,
}

/// What serves the twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Axum,
    Actix,
}

impl Server {
    /// Its name on the twin's command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix",
        }
    }
}

/// Which groups to run, and how.
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

    /// Fails if a group is named that there is not, or if no group is left to run.
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
        "capacity" => number(rest, "--seconds", 10).map(|seconds| Command::Capacity { seconds }),
        "failovers" => number(rest, "--rounds", 100).map(|rounds| Command::Failovers { rounds }),
        "bench" => match rest {
            [http, rest @ ..] if http == "http" => {
                number(rest, "--seconds", 3).map(|seconds| Command::BenchHttp { seconds })
            }
            _ => number(rest, "--rounds", 301).map(|rounds| Command::Bench { rounds }),
        },
        "watch" => match rest {
            [marker] => Ok(Command::Watch { marker: marker.clone() }),
            _ => Err("`watch` takes one marker".to_owned()),
        },
        other => Err(format!("there is no command `{other}`; see `cargo xtask help`")),
    }
}

/// The text of `cargo xtask help`.
pub(crate) fn help(test: &[Group], release: &[Group]) -> String {
    let mut text = HELP.to_owned();
    for (command, groups) in [("test", test), ("release-check", release)] {
        let _ = writeln!(text, "\nGroups of `{command}`:");
        let width = groups.iter().map(|group| group.name.len()).max().unwrap_or(0);
        for group in groups {
            let _ = writeln!(text, "  {:width$}  {}", group.name, group.about);
        }
    }
    text
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

/// The value of the only option that there is, which is at least 1.
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
    // libFuzzer takes 0 for no end.
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

fn unknown(option: &str) -> String {
    format!("there is no option `{option}` here; see `cargo xtask help`")
}

/// Walks over `--name value` and `--name=value` alike.
struct Options<'a> {
    rest: std::slice::Iter<'a, String>,
    attached: Option<&'a str>,
}

impl<'a> Options<'a> {
    fn new(arguments: &'a [String]) -> Self {
        Self { rest: arguments.iter(), attached: None }
    }

    fn next(&mut self) -> Option<&'a str> {
        let argument = self.rest.next()?;
        match argument.split_once('=') {
            Some((name, value)) => {
                self.attached = Some(value);
                Some(name)
            }
            None => Some(argument),
        }
    }

    fn value(&mut self, option: &str) -> Result<String, String> {
        self.attached
            .take()
            .or_else(|| self.rest.next().map(String::as_str))
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| format!("`{option}` needs a value"))
    }

    fn number(&mut self, option: &str) -> Result<u64, String> {
        let value = self.value(option)?;
        value.parse().map_err(|_| format!("`{option}` takes a whole number, not `{value}`"))
    }

    /// Refuses a value given to an option that takes none.
    fn done(&mut self) -> Result<(), String> {
        match self.attached.take() {
            Some(value) => Err(format!("this option takes no value, but got `{value}`")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_repeat_and_take_both_spellings() {
        let Ok(Command::Test(selection)) =
            parsed("test --without browser --without=interop-twin --no-install")
        else {
            panic!("not a selection");
        };
        assert_eq!(selection.without, ["browser", "interop-twin"]);
        assert!(selection.no_install && !selection.list && selection.only.is_empty());
        assert!(selection.takes("unit"));
        assert!(!selection.takes("browser"));
    }

    #[test]
    fn only_and_without_combine() {
        let Ok(Command::ReleaseCheck(selection)) =
            parsed("release-check --only a --only b --without b")
        else {
            panic!("not a selection");
        };
        assert!(selection.takes("a"));
        assert!(!selection.takes("b"));
        assert!(!selection.takes("c"));
    }

    #[test]
    fn a_group_that_is_not_there_is_refused_with_the_names_of_those_that_are() {
        let selection = Selection { only: vec!["brwser".to_owned()], ..Selection::default() };
        let error = selection.check(groups::TEST).unwrap_err();
        assert!(error.contains("`brwser`") && error.contains("browser"), "{error}");
    }

    #[test]
    fn running_nothing_is_refused() {
        let fmt = vec!["fmt".to_owned()];
        let selection = Selection { only: fmt.clone(), without: fmt, ..Selection::default() };
        assert!(selection.check(groups::TEST).is_err());
    }

    #[test]
    fn interop_reads_its_numbers() {
        let default = Command::Interop { requests: 20_000, seed: 1, server: Server::Axum };
        assert_eq!(parsed("interop"), Ok(default));
        assert_eq!(
            parsed("interop --seed=7 --requests 5"),
            Ok(Command::Interop { requests: 5, seed: 7, server: Server::Axum })
        );
        assert!(matches!(
            parsed("interop --server actix"),
            Ok(Command::Interop { server: Server::Actix, .. })
        ));
        assert!(parsed("interop --server rocket").is_err());
        assert!(parsed("interop --requests 0").is_err());
        assert!(parsed("interop --requests many").is_err());
    }

    #[test]
    fn fuzz_reads_its_options() {
        let Ok(Command::Fuzz(fuzz)) = parsed("fuzz") else { panic!("not fuzzing") };
        assert_eq!(fuzz, Fuzz { seconds: 60, ..Fuzz::default() });
        let Ok(Command::Fuzz(fuzz)) = parsed("fuzz --runs=5 --target a --target b --merge") else {
            panic!("not fuzzing");
        };
        assert_eq!((fuzz.runs, fuzz.targets.len(), fuzz.merge), (Some(5), 2, true));
        assert!(parsed("fuzz --seconds 0").is_err() && parsed("fuzz --runs 0").is_err());
    }

    #[test]
    fn mutants_reads_its_options() {
        let parts = vec!["csrf".to_owned(), "codec".to_owned()];
        assert_eq!(
            parsed("mutants --part csrf --part=codec --sample 9"),
            Ok(Command::Mutants(Mutants { parts, sample: 9 }))
        );
        assert!(parsed("mutants --sample 0").is_err() && parsed("mutants csrf").is_err());
    }

    #[test]
    fn commands_with_one_number_read_it() {
        assert_eq!(parsed("load"), Ok(Command::Load { seconds: 30 }));
        assert_eq!(parsed("bench --rounds 7"), Ok(Command::Bench { rounds: 7 }));
        assert_eq!(parsed("bench http"), Ok(Command::BenchHttp { seconds: 3 }));
        assert_eq!(parsed("bench http --seconds 2"), Ok(Command::BenchHttp { seconds: 2 }));
        assert!(parsed("bench http --rounds 3").is_err() && parsed("bench https").is_err());
        let sqlite = Command::Crashes { kills: 5, of: Victim::Sqlite };
        assert_eq!(parsed("crashes --kills=5"), Ok(sqlite));
        let postgres = Command::Crashes { kills: 200, of: Victim::Postgres };
        assert_eq!(parsed("crashes --of postgres"), Ok(postgres));
        assert!(parsed("crashes --of disk").is_err());
        assert_eq!(parsed("failovers"), Ok(Command::Failovers { rounds: 100 }));
        assert!(parsed("crashes --kills 0").is_err() && parsed("crashes --seconds 5").is_err());
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for line in [
            "tset",
            "test --onyl fmt",
            "test fmt",
            "test --only",
            "test --only=",
            "test --list=yes",
            "interop --only fmt",
            "watch",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        for line in ["", "help", "--help", "test --help", "interop -h"] {
            assert_eq!(parsed(line), Ok(Command::Help), "{line}");
        }
    }

    #[test]
    fn the_help_names_every_group() {
        let text = help(groups::TEST, groups::RELEASE);
        for group in groups::TEST.iter().chain(groups::RELEASE) {
            assert!(text.contains(group.about), "{}", group.name);
        }
    }
}
