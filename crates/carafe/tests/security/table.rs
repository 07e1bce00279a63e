//! SECURITY.md and docs/attacks.md name existing tests; and promises about the source itself hold.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file below a folder whose name ends so.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(files(&path, endings));
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found
}

/// The names of all tests: functions below `#[test]` and `#[tokio::test]`, the named cases of the
/// stores' suite, and the checks of the tests in Python.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files(&root(), &[".rs"]) {
        let text = std::fs::read_to_string(&path).unwrap();
        let is_suite = ["records", "sessions", "interleavings"]
            .iter()
            .any(|part| path.to_str().unwrap().contains(&format!("carafe-store-tests/src/{part}")));
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some(name) = function(line) {
                if is_test || (is_suite && line.starts_with("pub async fn")) {
                    names.insert(name.to_owned());
                }
                is_test = false;
            }
        }
    }
    for path in files(&root().join("interop"), &[".py"]) {
        let text = std::fs::read_to_string(&path).unwrap();
        let plain = text.lines().map(|line| line.trim().trim_start_matches("async "));
        let definitions = plain.filter_map(|line| line.strip_prefix("def "));
        let names_of = definitions.filter_map(|line| line.split('(').next());
        let checks =
            names_of.filter(|name| name.starts_with("test_") || name.starts_with("check_"));
        names.extend(checks.map(str::to_owned));
    }
    names
}

/// The name of a function that a line begins.
fn function(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ").unwrap_or(line);
    let rest = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

/// Returns the words that are set as code and look like a test's name: words with `_` between them.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|code| {
        (code.matches('_').count() >= 2 || code.starts_with("check_"))
            && code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && !code.starts_with('_')
    })
}

#[test]
fn every_test_that_is_named_exists() {
    let tests = tests();
    assert!(tests.len() > 300, "{}", tests.len());
    for (file, least) in [("SECURITY.md", 60), ("docs/attacks.md", 25), ("docs/consistency.md", 60)]
    {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let named: BTreeSet<_> = named(&text).collect();
        assert!(named.len() >= least, "{file} names {} tests", named.len());
        let missing: Vec<_> = named.iter().filter(|name| !tests.contains(**name)).collect();
        assert!(missing.is_empty(), "{file} names tests that are not there: {missing:#?}");
    }
}

/// Each row of the table names a test and no other code, or says that there is no test yet.
#[test]
fn every_promise_names_its_test() {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows: Vec<_> = text
        .lines()
        .filter(|line| {
            line.starts_with("| ") && !line.starts_with("| Promise") && !line.starts_with("| ---")
        })
        .collect();
    assert!(rows.len() > 30, "{}", rows.len());
    let there = tests();
    for row in rows {
        let cells: Vec<_> = row.split(" | ").collect();
        assert_eq!(cells.len(), 4, "{row}");
        let tests = cells[3];
        assert!(named(tests).next().is_some() || tests.starts_with("not yet"), "{row}");
        for code in tests.split('`').skip(1).step_by(2) {
            assert!(there.contains(code), "{code} is no test: {row}");
        }
    }
}

#[test]
fn nothing_depends_on_the_build_profile() {
    for package in ["carafe", "carafe-format"] {
        for path in files(&root().join("crates").join(package).join("src"), &[".rs"]) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("debug_assert"), "{}", path.display());
        }
    }
}

/// No test can measure the time of a comparison reliably. The source shows that each comparison
/// uses `subtle`, and the seals their cipher's.
#[test]
fn secrets_are_compared_in_constant_time() {
    let source = |path: &str| {
        let path = root().join("crates").join(path);
        std::fs::read_to_string(path).unwrap()
    };
    for (path, comparison) in [
        (
            "carafe-format/src/signing/digest.rs",
            "a.len() == b.len() && difference.ct_eq(&0).into()",
        ),
        ("carafe/src/csrf/token.rs", "self.0[..].ct_eq(&secret.0[..]).into()"),
        (
            "carafe/src/csrf/wtf.rs",
            "Ok(Value::Text(text)) if text.as_wtf8().ct_eq(expected.as_wtf8()).into() => Ok(())",
        ),
        ("carafe-format/src/codec/sealed/mod.rs", ".decrypt_inout_detached("),
        (
            "carafe-format/src/flask_login.rs",
            "bool::from(mac(user, key).as_bytes().ct_eq(signature.as_bytes())).then_some(user)",
        ),
    ] {
        let text = source(path);
        assert_eq!(text.matches(comparison).count(), 1, "{path}");
        assert_eq!(
            text.matches("ct_eq").count(),
            usize::from(comparison.contains("ct_eq")),
            "{path}"
        );
    }
}
