//! The fuzz targets on their corpus: what the fuzzers found worth keeping is tried in every run.
#![cfg(all(feature = "axum", feature = "sealed"))]

#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the programs that fuzz are other crates")]
mod targets;

use std::path::Path;

#[test]
fn every_target_passes_on_its_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let text = std::fs::read_to_string(corpus.join(name).with_extension("hex")).unwrap();
        let inputs = targets::corpus::inputs(&text).unwrap();
        assert!(inputs.len() >= 10, "{name} has a corpus of {} inputs", inputs.len());
        for data in inputs {
            let outcome = std::panic::catch_unwind(|| target(&data));
            assert!(outcome.is_ok(), "{name} fails on \"{}\"", data.escape_ascii());
            // What is cut off or changed on its way is no reason to panic, either.
            target(&data[..data.len() / 2]);
            target(&[&data[..], b"\0"].concat());
        }
    }
}

#[test]
fn every_target_has_a_program() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let programs = manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"));
    let mut programs: Vec<_> = programs.map(|line| line.trim_end_matches(".rs\"")).collect();
    programs.sort_unstable();
    assert_eq!(programs, targets::TARGETS.map(|(name, _)| name));
}
