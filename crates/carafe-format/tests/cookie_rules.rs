//! The rules of browsers, by a table that `interop/browser/test_rules.py` compares with Chromium.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use carafe_format::inspect::SetCookieLine;

#[test]
fn each_cookie_of_the_table_breaks_the_rules_that_it_names() {
    let rows = include_str!("vectors/cookie-rules.jsonl").lines();
    let mut seen = 0;
    for row in rows.map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()) {
        let line = row["line"].as_str().unwrap();
        let broken = SetCookieLine::parse(line).unwrap().broken_rules();
        let broken: Vec<String> = broken.iter().map(|rule| format!("{rule:?}")).collect();
        assert_eq!(serde_json::json!(broken), row["broken"], "{line}");
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}
