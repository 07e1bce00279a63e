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
    let http = |rounds, only: &[&str]| {
        let only = only.iter().map(|&name| name.to_owned()).collect();
        Ok(Command::BenchHttp(BenchHttp { rounds, millis: 200, only }))
    };
    assert_eq!(parsed("bench http"), http(40, &[]));
    assert_eq!(parsed("bench http --only a,b --rounds 2 --only c"), http(2, &["a,b", "c"]));
    assert!(parsed("bench http --millis 0").is_err() && parsed("bench https").is_err());
    let sqlite = Command::Crashes { kills: 5, of: Victim::Sqlite };
    assert_eq!(parsed("crashes --kills=5"), Ok(sqlite));
    let postgres = Command::Crashes { kills: 200, of: Victim::Postgres };
    assert_eq!(parsed("crashes --of postgres"), Ok(postgres));
    assert!(parsed("crashes --of disk").is_err());
    let all = Command::Conditions { minutes: 10, stores: Store::ALL.to_vec() };
    assert_eq!(parsed("conditions"), Ok(all));
    let redis = Command::Conditions { minutes: 60, stores: vec![Store::Redis] };
    assert_eq!(parsed("conditions --store redis --minutes 60"), Ok(redis));
    assert!(parsed("conditions --store disk").is_err());
    assert!(parsed("conditions --minutes 0").is_err());
    let redis = Command::Failovers { rounds: 100, of: Replicated::Redis };
    assert_eq!(parsed("failovers"), Ok(redis));
    let cluster = Command::Failovers { rounds: 9, of: Replicated::RedisCluster };
    assert_eq!(parsed("failovers --of redis-cluster --rounds 9"), Ok(cluster));
    assert!(parsed("failovers --of disk").is_err() && parsed("failovers --rounds 0").is_err());
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
