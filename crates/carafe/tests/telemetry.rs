//! `docs/telemetry.md` lists all events and metrics that there are, and no others.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What stands between two marks and has the form of a name of ours.
fn names(text: &str, mark: char, prefixes: &[&str]) -> BTreeSet<String> {
    let name = |part: &&str| {
        prefixes.iter().any(|prefix| part.starts_with(prefix))
            && part.chars().all(|char| char.is_ascii_lowercase() || "._".contains(char))
    };
    text.split(mark).filter(name).map(str::to_owned).collect()
}

/// The first cells of the tables in a document.
fn listed(document: &str, prefixes: &[&str]) -> BTreeSet<String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.flat_map(|(name, _)| names(name, '`', prefixes)).collect()
}

#[test]
fn every_event_is_documented() {
    let prefixes = ["session.", "store.", "csrf."];
    let spans = ["session.open", "session.commit"].map(str::to_owned);
    let mut emitted = names(&read("src/event.rs"), '"', &prefixes);
    assert!(emitted.len() > 15, "{emitted:?}");
    emitted.extend(spans);
    assert_eq!(listed(&read("../../docs/telemetry.md"), &prefixes), emitted);
}

#[test]
fn every_metric_is_documented_and_described() {
    let prefixes = ["carafe_"];
    let emitted = names(&read("src/event.rs"), '"', &prefixes);
    assert!(emitted.len() > 10, "{emitted:?}");
    assert_eq!(names(&read("src/metrics.rs"), '"', &prefixes), emitted);
    assert_eq!(listed(&read("../../docs/telemetry.md"), &prefixes), emitted);
}
