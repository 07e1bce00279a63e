//! `docs/telemetry.md` lists all events, spans and metrics that there are, as they are in the source,
//! and no others.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// Names, each with its level and its fields: of events, and of spans.
type Listing = BTreeSet<(String, String, BTreeSet<String>)>;

/// A metric's type, and the values of its labels.
type Metrics = BTreeMap<String, (String, BTreeMap<String, BTreeSet<String>>)>;

fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap()
}

/// The code of a file, without lines of comment.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The code of each file below a folder.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false if path.extension().is_some_and(|end| end == "rs") => {
            vec![(path.clone(), code(&path))]
        }
        false => Vec::new(),
    });
    files.collect()
}

/// Where a macro is called, and with which arguments.
fn calls<'a>(code: &'a str, name: &str) -> Vec<(usize, Vec<&'a str>)> {
    let opening = format!("{name}!(");
    let calls = code.match_indices(&opening).filter(|(at, _)| {
        !code[..*at].ends_with(|char: char| char.is_ascii_alphanumeric() || char == '_')
    });
    calls.map(|(at, _)| (at, arguments(&code[at + opening.len()..]))).collect()
}

/// What stands between commas up to the parenthesis that closes.
fn arguments(text: &str) -> Vec<&str> {
    let (mut found, mut begin, mut depth, mut quoted, mut escaped) = (vec![], 0, 0, false, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '{' | '[' => depth += 1,
            ',' | ')' if depth == 0 => {
                found.push(text[begin..at].trim());
                begin = at + 1;
                if char == ')' {
                    found.retain(|argument| !argument.is_empty());
                    return found;
                }
            }
            ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
    }
    panic!("a call has no end: {text}");
}

/// A text, if the source has it as a literal.
fn literal(argument: &str) -> Option<String> {
    Some(argument.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// Every second part between marks.
fn marked(text: &str, mark: char) -> impl Iterator<Item = String> {
    text.split(mark).skip(1).step_by(2).map(str::to_owned)
}

/// The events of a file.
fn events(code: &str) -> Listing {
    let mut found = Listing::new();
    for level in LEVELS {
        for (at, arguments) in calls(code, &format!("tracing::{level}")) {
            let (mut names, mut fields) = (Vec::new(), BTreeSet::new());
            assert!(arguments.contains(&"target: \"carafe\""), "{arguments:?}");
            for argument in arguments {
                match argument.split_once('=') {
                    _ if argument.starts_with('"') || argument.starts_with("target:") => {}
                    Some((name, value)) if name.trim() == "event" => {
                        names.extend(literal(value.trim()));
                    }
                    // One of several, chosen just before.
                    None if argument == "event" => {
                        let choice = code[..at].rsplit("let event =").next().unwrap();
                        names.extend(marked(choice.split(';').next().unwrap(), '"'));
                    }
                    field => {
                        let field = field.map_or(argument, |(name, _)| name.trim());
                        fields.insert(field.trim_start_matches(['?', '%']).to_owned());
                    }
                }
            }
            assert!(!names.is_empty(), "an event has no name: {}", &code[at..at + 80]);
            found.extend(names.into_iter().map(|name| (name, level.to_owned(), fields.clone())));
        }
    }
    found
}

/// The cells of the table below a heading.
fn table(heading: &str) -> Vec<Vec<String>> {
    let document = read("../../docs/telemetry.md");
    let section = document.split("\n## ").find(|part| part.starts_with(heading)).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells =
        |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    rows.map(cells).collect()
}

/// The names, levels and fields of a table.
fn listed(heading: &str) -> Listing {
    let rows = table(heading).into_iter();
    rows.map(|row| {
        (marked(&row[0], '`').next().unwrap(), row[1].clone(), marked(&row[2], '`').collect())
    })
    .collect()
}

#[test]
fn every_event_is_documented() {
    let mut emitted = Listing::new();
    for crate_ in ["carafe", "carafe-sqlite", "carafe-redis", "carafe-postgres"] {
        for (file, code) in files(&path("..").join(crate_).join("src")) {
            let events = events(&code);
            let elsewhere = crate_ == "carafe" && !file.ends_with("event.rs");
            assert!(!elsewhere || events.is_empty(), "{} logs {events:?}", file.display());
            emitted.extend(events);
        }
    }
    assert!(emitted.len() > 20, "{emitted:?}");
    assert_eq!(listed("Events"), emitted);
}

#[test]
fn every_span_is_documented() {
    let source = code(&path("src/event.rs"));
    let levels =
        source.match_indices("_span!(").map(|(at, _)| source[..at].rsplit(':').next().unwrap());
    let levels: BTreeSet<_> = levels.collect();
    assert_eq!(levels.len(), 1, "{levels:?}");
    let level = levels.first().unwrap().to_string();

    let mut made = Listing::new();
    for (file, code) in files(&path("src")) {
        if file.ends_with("event.rs") {
            continue;
        }
        let strange =
            ["span!", "instrument]", "instrument("].map(|sign| code.matches(sign).count());
        let ours = calls(&code, "event::span");
        let known = [ours.len(), 0, code.matches(".instrument(").count()];
        assert_eq!(strange, known, "{} has spans of another kind", file.display());
        for (_, arguments) in ours {
            let fields = arguments[1..].iter().map(|field| (*field).to_owned()).collect();
            made.insert((literal(arguments[0]).unwrap(), level.clone(), fields));
        }
        for (_, arguments) in calls(&code, "event::within") {
            made.insert((literal(arguments[0]).unwrap(), level.clone(), BTreeSet::new()));
        }
    }
    assert!(made.len() > 2, "{made:?}");
    assert_eq!(listed("Spans"), made);
}

/// The texts that a function of the source chooses from.
fn choices(source: &str, function: &str) -> BTreeSet<String> {
    let body = source.split(&format!("fn {function}(")).nth(1).unwrap();
    let lines = body.lines().take_while(|line| *line != "}");
    lines.filter_map(|line| marked(line.split_once("=>")?.1, '"').next()).collect()
}

/// The calls of the store, under the names that they are counted by.
fn operations() -> BTreeSet<String> {
    let source = code(&path("src/store/erased.rs"));
    let lines = source.split("\nerase! {").skip(1).flat_map(str::lines).map(str::trim);
    // Before each is the kind of error that it has if it is late.
    let calls = lines
        .filter_map(|line| line.strip_prefix("Unavailable ").or(line.strip_prefix("Uncertain ")));
    calls.map(|call| call.split('(').next().unwrap().to_owned()).collect()
}

/// The metrics of the source.
fn counted() -> Metrics {
    let source = code(&path("src/event.rs"));
    let mut found = Metrics::new();
    let mut add = |kind: &str, arguments: &[&str]| {
        // In our own macros.
        let Some(name) = literal(arguments[0]) else { return };
        let (known, labels) =
            found.entry(name).or_insert_with(|| (kind.to_owned(), BTreeMap::new()));
        assert_eq!(known, kind);
        for label in &arguments[1..] {
            let (label, value) = label.split_once("=>").unwrap();
            let values = match value.trim() {
                "operation" => operations(),
                value => match value.split_once('(') {
                    Some((function, _)) => choices(&source, function),
                    None => BTreeSet::from([literal(value).unwrap()]),
                },
            };
            labels.entry(literal(label.trim()).unwrap()).or_default().extend(values);
        }
    };
    for name in ["count", "metrics::counter"] {
        calls(&source, name).iter().for_each(|(_, arguments)| add("counter", arguments));
    }
    calls(&source, "metrics::histogram")
        .iter()
        .for_each(|(_, arguments)| add("histogram", arguments));
    // Before the name stands what is measured.
    calls(&source, "record").iter().for_each(|(_, arguments)| add("histogram", &arguments[1..]));
    found
}

/// What a table says of a label: its values, or the type whose they are.
fn values(text: &str) -> BTreeSet<String> {
    let named: BTreeSet<_> = marked(text, '`').collect();
    if named.contains("ErrorKind") {
        let kinds = code(&path("src/error.rs"));
        let kinds = kinds.split("pub enum ErrorKind {").nth(1).unwrap();
        return kinds
            .lines()
            .map(str::trim)
            .take_while(|line| *line != "}")
            .filter_map(snake_case)
            .collect();
    }
    if named.contains("SessionStore") {
        let methods = code(&path("src/store/mod.rs"));
        let methods = methods.split("pub trait SessionStore").nth(1).unwrap();
        let names = methods.lines().filter_map(|line| line.trim().strip_prefix("fn "));
        let names = names.map(|name| name.split('(').next().unwrap().to_owned());
        // Watching isn't a call that a request waits for, and has no duration.
        return names.filter(|name| !name.starts_with("watch")).collect();
    }
    named
}

/// The name of an enum's variant, as labels have it.
fn snake_case(variant: &str) -> Option<String> {
    let words = variant.strip_suffix(',')?.chars().flat_map(|char| {
        char.is_ascii_uppercase().then_some('_').into_iter().chain(char.to_lowercase())
    });
    Some(words.skip(1).collect())
}

/// The metrics of the document.
fn documented() -> Metrics {
    let rows = table("Metrics").into_iter().map(|row| {
        let label = |text: &str| {
            let (name, rest) = text.split_once(':').unwrap();
            (name.trim_matches('`').to_owned(), values(rest))
        };
        // No metric has two.
        let labels =
            if row[2] == "–" { BTreeMap::new() } else { BTreeMap::from([label(&row[2])]) };
        (marked(&row[0], '`').next().unwrap(), (row[1].clone(), labels))
    });
    rows.collect()
}

#[test]
fn every_metric_is_documented_with_its_labels() {
    let (documented, mut counted) = (documented(), counted());
    assert!(counted.len() > 10, "{counted:?}");
    // Of all kinds of errors, those of cookies: `every_reason_is_documented` has them.
    let refused = "carafe_cookies_refused_total";
    let all = counted[refused].1["reason"].clone();
    let reasons = documented[refused].1["reason"].clone();
    assert!(reasons.is_subset(&all), "{reasons:?}");
    counted.get_mut(refused).unwrap().1.insert("reason".to_owned(), reasons);
    assert_eq!(documented, counted);
}

/// Each is described under its own type and unit.
#[test]
fn every_metric_is_described() {
    let source = code(&path("src/metrics.rs"));
    let (counters, histograms) = source.split_once("const HISTOGRAMS").unwrap();
    let described = |text: &str| -> BTreeMap<String, String> {
        let parts = text.split("Unit::").collect::<Vec<_>>();
        let pairs = parts.windows(2).filter_map(|pair| {
            let name = marked(pair[0], '"').last()?;
            Some((name, pair[1].split(',').next().unwrap().to_lowercase()))
        });
        pairs.filter(|(name, _)| name.starts_with("carafe_")).collect()
    };
    let rows = table("Metrics");
    let of_type = |kind: &str| -> BTreeMap<String, String> {
        let rows = rows.iter().filter(|row| row[1] == kind);
        let unit = |unit: &String| match kind {
            // Of what, is for people.
            "counter" => "count".to_owned(),
            _ => unit.clone(),
        };
        rows.map(|row| (marked(&row[0], '`').next().unwrap(), unit(&row[3]))).collect()
    };
    assert_eq!(of_type("counter"), described(counters));
    assert_eq!(of_type("histogram"), described(histograms));
}

/// The rules for Prometheus are about metrics and labels that there are.
#[test]
fn every_rule_is_about_something() {
    let document = read("../../docs/telemetry.md");
    let rules = document.split("```").find(|part| part.starts_with("yaml")).unwrap();
    let documented = documented();
    let mut uses = 0;
    for rule in rules.split("carafe_").skip(1) {
        let end = rule.find(|char: char| !char.is_ascii_lowercase() && char != '_').unwrap();
        let (_, labels) = &documented[&format!("carafe_{}", &rule[..end])];
        if let Some((label, rest)) = rule[end..].strip_prefix('{').and_then(|l| l.split_once('=')) {
            let value = marked(rest, '"').next().unwrap();
            // A quantile is the exporter's.
            assert!(label == "quantile" || labels[label].contains(&value), "{label}={value}");
        }
        uses += 1;
    }
    assert!(uses > 4, "{uses}");
}

/// Why a cookie is not accepted is known by trying.
#[cfg(all(feature = "axum", feature = "metrics"))]
#[tokio::test]
async fn every_reason_is_documented() {
    use axum::body::Body;
    use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
    use carafe::value::Value;
    use carafe::{Clock, SecretKey, Session, SessionLayer};
    use metrics_util::debugging::DebuggingRecorder;
    use tower::ServiceExt as _;

    const NOW: u64 = 1_700_000_000;
    let key = SecretKey::new("7d1e9b40c6f25a83e0b74d19c85f3a62").unwrap();
    let signed = |options, value, now| {
        UrlSafeTimedSerializer::new(&key.clone().into(), &options)
            .dumps(&Value::from(value), now)
            .unwrap()
    };
    let flask = SigningOptions::default;
    let bad = [
        "no signature".to_owned(),
        signed(SigningOptions::itsdangerous("another"), "text", NOW),
        signed(flask(), "text", 1),
        signed(flask(), "text", NOW + 99),
        signed(flask(), "no dictionary", NOW),
    ];
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let app = axum::Router::new()
        .route("/", axum::routing::get(async |_: Session| ()))
        .layer(SessionLayer::flask(key.clone()).with_clock(Clock::fixed(NOW)));
    for cookie in bad {
        let request = carafe::http::Request::get("/").header("cookie", format!("session={cookie}"));
        app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    }
    let counted = snapshotter.snapshot().into_vec().into_iter().flat_map(|(key, ..)| {
        let reasons = key.key().labels().filter(|label| label.key() == "reason");
        reasons.map(|label| label.value().to_owned()).collect::<Vec<_>>()
    });
    let counted: BTreeSet<_> = counted.collect();
    assert_eq!(documented()["carafe_cookies_refused_total"].1["reason"], counted);
}
