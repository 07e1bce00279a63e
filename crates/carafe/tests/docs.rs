//! Everything that the documents name exists: files, links, commands, examples, features, settings,
//! tests and the library's names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Returns every file and folder below a folder, by its path from the root.
fn all(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "target" || (name.starts_with('.') && name != ".cargo") {
            continue;
        }
        found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
        // The packages' links to the README would be followed twice.
        if path.is_dir() && !path.is_symlink() {
            found.extend(all(&path));
        }
    }
    found
}

/// Returns the documents by their paths, without links to other documents.
fn documents() -> Vec<(String, String)> {
    let names = all(&root()).into_iter().filter(|path| path.ends_with(".md"));
    let names = names.filter(|path| !root().join(path).is_symlink());
    let found: Vec<_> = names.map(|path| (path.clone(), read(&path))).collect();
    assert!(found.len() > 15, "{}", found.len());
    found
}

/// Returns a document without its blocks of code.
fn prose(text: &str) -> String {
    text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

/// Returns the parts of the prose that are set as code.
fn codes(prose: &str) -> impl Iterator<Item = &str> {
    prose.split('`').skip(1).step_by(2)
}

/// Returns the anchor of a heading.
fn anchor(heading: &str) -> String {
    let letters = heading.trim_start_matches('#').trim().to_lowercase();
    let letters = letters.chars().filter(|char| char.is_alphanumeric() || "-_ ".contains(*char));
    letters.map(|char| if char == ' ' { '-' } else { char }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for (document, text) in documents() {
        let prose = prose(&text);
        let marks = [("](", ')'), ("src=\"", '"'), ("href=\"", '"')];
        for (begin, end) in marks {
            for link in prose.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap()) {
                links += 1;
                if link.starts_with("https://") {
                    continue;
                }
                let (path, place) = link.split_once('#').unwrap_or((link, ""));
                let folder = root().join(&document).parent().unwrap().to_owned();
                let target =
                    if path.is_empty() { root().join(&document) } else { folder.join(path) };
                assert!(target.exists(), "{document} links to {link}");
                if !place.is_empty() {
                    let linked = std::fs::read_to_string(target).unwrap();
                    let mut headings = linked.lines().filter(|line| line.starts_with('#'));
                    assert!(headings.any(|line| anchor(line) == place), "{document}: {link}");
                }
            }
        }
    }
    assert!(links > 60, "{links}");
}

/// A registry shows the README of a package without the files beside it.
#[test]
fn the_readmes_of_packages_link_to_nothing_beside_them() {
    let mut readmes = 0;
    for package in root().join("crates").read_dir().unwrap() {
        let Ok(text) = std::fs::read_to_string(package.unwrap().path().join("README.md")) else {
            continue;
        };
        readmes += 1;
        for mark in ["](", "src=\"", "href=\""] {
            for link in prose(&text).split(mark).skip(1) {
                assert!(link.starts_with("https://"), "{link:.60}");
            }
        }
    }
    assert!(readmes > 7, "{readmes}");
    let lines = read("README.md").lines().count();
    assert!(lines <= 120, "README.md has {lines} lines");
    let words = read("DESIGN.md").split_whitespace().count();
    assert!(words <= 1500, "DESIGN.md has {words} words");
}

/// Guides with Rust code are compiled: a source includes them as documentation.
#[test]
fn every_guide_with_code_is_compiled() {
    let sources = all(&root().join("crates")).into_iter().filter(|path| path.ends_with("lib.rs"));
    let sources: String = sources.map(|path| read(&path)).collect();
    let mut compiled = 0;
    for (document, text) in documents() {
        let has_code = text.contains("\n```rust");
        if has_code && document.starts_with("docs/") {
            compiled += 1;
            let is_included = sources.contains(&format!("{document}\""));
            assert!(is_included, "{document} has Rust code that no documentation test compiles");
        }
    }
    assert!(compiled > 3, "{compiled}");
}

/// The table of contents leads to every guide.
#[test]
fn every_guide_is_in_the_table_of_contents() {
    let contents = read("docs/README.md");
    for (document, _) in documents() {
        let Some(guide) = document.strip_prefix("docs/") else { continue };
        if !guide.contains('/') && guide != "README.md" {
            assert!(contents.contains(&format!("({guide})")), "docs/README.md lacks {guide}");
        }
    }
}

#[test]
fn every_file_that_is_named_exists() {
    let there = all(&root());
    let exists = |name: &str| {
        let name = name.trim_end_matches('/');
        there.iter().any(|path| path == name || path.ends_with(&format!("/{name}")))
    };
    let endings = [".rs", ".py", ".md", ".toml", ".txt", ".jsonl", ".conf", ".svg"];
    let folders = ["crates/", "docs/", "examples/", "fuzz/", "interop/", "xtask/", ".cargo/"];
    let mut named = 0;
    for (document, text) in documents() {
        for code in codes(&prose(&text)) {
            let is_path =
                code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte));
            let is_ours = folders.iter().any(|folder| code.starts_with(folder))
                || endings.iter().any(|ending| code.ends_with(ending));
            // The name is Flask's own.
            let is_flasks = document.ends_with("flask-tests.md") && code.contains("test_");
            if is_path && is_ours && !is_flasks {
                named += 1;
                assert!(exists(code), "{document} names {code}");
            }
        }
    }
    assert!(named > 40, "{named}");

    let contributing = read("CONTRIBUTING.md");
    let layout = contributing.split("\n```").nth(1).unwrap();
    let mut named = 0;
    for line in layout.lines() {
        let names = line.split_whitespace();
        for name in names.take_while(|name| name.ends_with('/') || name.ends_with(".rs")) {
            named += 1;
            assert!(exists(name), "the map in CONTRIBUTING.md names {name}");
        }
    }
    assert!(named > 25, "{named}");
}

/// Returns the names of the examples' folders.
fn examples() -> BTreeSet<String> {
    let entries = root().join("examples").read_dir().unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_example_is_listed() {
    let contents = read("docs/README.md");
    let table = contents.split("\n## Examples").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let listed = rows.flat_map(|row| codes(row.split(" | ").next().unwrap()).map(str::to_owned));
    assert_eq!(listed.collect::<BTreeSet<_>>(), examples());

    let changelog = read("CHANGELOG.md");
    let entry = changelog.split("- The examples ").nth(1).unwrap().split("\n- ").next().unwrap();
    assert_eq!(codes(entry).map(str::to_owned).collect::<BTreeSet<_>>(), examples());
}

#[test]
fn every_feature_is_listed() {
    let manifest = read("crates/carafe/Cargo.toml");
    let features = manifest.split("[features]").nth(1).unwrap().split("\n[").next().unwrap();
    let features = features.lines().filter(|line| !line.starts_with('#'));
    let features = features.filter_map(|line| Some(line.split_once(" = ")?.0));
    let features: BTreeSet<_> =
        features.filter(|name| *name != "default" && !name.starts_with('_')).collect();

    let readme = read("README.md");
    let table = readme.split("| feature of `carafe`").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let listed: BTreeSet<_> =
        rows.flat_map(|row| codes(row.split(" | ").next().unwrap())).collect();
    assert_eq!(listed, features);
}

/// Returns the words of each command with this beginning, up to the end of its line or its code.
fn commands<'a>(text: &'a str, begin: &str) -> Vec<Vec<&'a str>> {
    let rests = text.match_indices(begin).map(|(at, _)| &text[at + begin.len()..]);
    let commands = rests.map(|rest| rest.split(['\n', '`', '#', '<', ',']).next().unwrap());
    commands.map(|command| command.split_whitespace().collect()).collect()
}

#[test]
fn every_command_is_one() {
    let help = read("xtask/src/args/help.rs");
    let groups = read("xtask/src/groups.rs");
    let tasks = help.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let tasks: BTreeSet<_> = tasks.filter_map(|line| line.split_whitespace().next()).collect();
    let mut seen = 0;
    let others = all(&root()).into_iter().filter(|path| {
        let is_ours = path.starts_with("crates/") || path.starts_with("examples/");
        is_ours && (path.ends_with(".rs") || path.ends_with("Cargo.toml"))
    });
    let texts = others.map(|path| (path.clone(), read(&path))).chain(documents());
    for (path, text) in texts.filter(|(path, _)| !path.ends_with("tests/docs.rs")) {
        for words in commands(&text, "cargo xtask ") {
            let [task, rest @ ..] = words.as_slice() else { continue };
            seen += 1;
            let told = format!("{path}: cargo xtask {}", words.join(" "));
            assert!(tasks.contains(task), "{told}");
            let mut rest = rest.iter();
            while let Some(word) = rest.next() {
                if *task == "bench" && *word == "http" {
                    continue;
                }
                assert!(word.starts_with("--") && help.contains(&format!("{word} ")), "{told}");
                let takes_none = ["--merge", "--no-install", "--list"].contains(word);
                let value = if takes_none { None } else { rest.next() };
                if *task == "test" && !takes_none {
                    let group = format!("name: \"{}\"", value.unwrap());
                    assert!(groups.contains(&group), "{told}");
                }
            }
        }
        for words in commands(&text, "cargo run --example ") {
            let name = words[0];
            assert!(name == "NAME" || examples().contains(name), "{path}: example {name}");
        }
        for words in commands(&text, "cargo test -p ") {
            for test in words.iter().zip(&words[1..]).filter(|(option, _)| **option == "--test") {
                let tests = root().join("crates").join(words[0]).join("tests");
                let (file, folder) = (format!("{}.rs", test.1), tests.join(test.1));
                assert!(tests.join(file).exists() || folder.exists(), "{path}: --test {}", test.1);
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// The table of settings lists all settings of the environment.
#[test]
fn every_setting_is_listed() {
    let guide = read("docs/from-flask.md");
    let table = guide.split("\n## Settings").nth(1).unwrap().split("\n\n").nth(2).unwrap();
    let words = table.split(|char: char| !char.is_ascii_uppercase() && char != '_');
    let listed = words.filter(|word| word.starts_with("FLASK_") && !word.contains("SECRET_KEY"));
    let known = carafe::Config::VARIABLES.into_iter().filter(|name| name.starts_with("FLASK_"));
    assert_eq!(listed.collect::<BTreeSet<_>>(), known.collect());
}

/// The library's types and their items, such as `SessionLayer::flask`.
#[test]
fn every_name_of_the_library_exists() {
    let sources = all(&root().join("crates")).into_iter();
    let sources = sources.filter(|path| path.ends_with(".rs") && path.contains("/src/"));
    let source: String = sources.map(|path| read(&path)).collect();
    let words: BTreeSet<&str> =
        source.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').collect();
    let methods = source.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
    let methods: BTreeSet<_> = methods.collect();
    let is_type = |name: &str| {
        ["struct", "enum", "trait"].iter().any(|kind| {
            [' ', '<', ';', '(', ':']
                .iter()
                .any(|end| source.contains(&format!("pub {kind} {name}{end}")))
        })
    };
    let mut named = 0;
    for (document, text) in documents() {
        for code in codes(&prose(&text)) {
            let parts: Vec<_> = code
                .split(|char: char| !char.is_ascii_alphanumeric() && !"_:".contains(char))
                .collect();
            for (owner, name) in parts.iter().filter_map(|part| part.rsplit_once("::")) {
                let owner = owner.rsplit(':').next().unwrap();
                if owner.starts_with(|char: char| char.is_ascii_uppercase()) && is_type(owner) {
                    named += 1;
                    let is_method = name.starts_with(|char: char| char.is_ascii_lowercase());
                    let is_there = match is_method {
                        true => methods.contains(name),
                        false => words.contains(name),
                    };
                    assert!(is_there, "{document} names {owner}::{name}");
                }
            }
        }
    }
    assert!(named > 70, "{named}");
}

/// Each test that is named beside one of Flask's is in the named file.
#[test]
fn every_test_beside_flasks_exists() {
    let text = read("docs/flask-tests.md");
    let sources: Vec<_> = ["carafe", "carafe-format", "carafe-minijinja"]
        .iter()
        .flat_map(|package| all(&root().join("crates").join(package).join("tests")))
        .filter(|path| path.ends_with(".rs"))
        .collect();
    let mut named = 0;
    for (file, name) in codes(&prose(&text)).filter_map(|code| code.split_once("::")) {
        if file.starts_with(|char: char| char.is_ascii_uppercase()) {
            continue;
        }
        named += 1;
        let ending = format!("/{file}.rs");
        let mut files = sources.iter().filter(|path| path.ends_with(&ending));
        assert!(files.any(|path| read(path).contains(&format!("fn {name}("))), "{file}::{name}");
    }
    assert!(named > 50, "{named}");
}
