//! The guides show the ports as they are.

use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The lines of a diff that one side has.
fn side(diff: &str, mark: char) -> String {
    let lines = diff.lines().filter_map(|line| line.strip_prefix([' ', mark]));
    lines.map(|line| format!("{line}\n")).collect()
}

fn check(guide: &str, application: &str) {
    let guide = read(guide);
    let (_, diff) = guide.split_once("```diff\n").unwrap();
    let (diff, _) = diff.split_once("```\n").unwrap();
    let [before, after] = ["before", "after"].map(|side| read(&format!("{application}/{side}.rs")));
    assert_eq!(side(diff, '-'), before);
    assert_eq!(side(diff, '+'), after);
    let changed = |mark| diff.lines().filter(|line| line.starts_with(mark)).count();
    let numbers = format!(
        "**{} lines out, {} in; {} lines before, {} after.**",
        changed('-'),
        changed('+'),
        before.lines().count(),
        after.lines().count()
    );
    assert!(guide.contains(&numbers), "the guide doesn't say {numbers}");
}

#[test]
fn the_guide_from_tower_sessions_is_true() {
    check("../../docs/from-tower-sessions.md", "reading-list");
}

#[test]
fn the_guide_from_actix_session_is_true() {
    check("../../docs/from-actix-session.md", "poll");
}
