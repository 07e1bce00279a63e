//! The visit's traces in the log and in the metrics, which hold nothing private.

use std::collections::BTreeSet;
use std::sync::Mutex;

use carafe::http::{HeaderMap, Request, Response};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshot};

use crate::browser::Server;
use crate::log::Log;
use crate::{layers, on_actix, on_axum, on_tower, visit};

/// The metrics and events of every visit, on any server.
const METRICS: [&str; 9] = [
    "carafe_sessions_opened_total outcome=none",
    "carafe_sessions_opened_total outcome=loaded",
    "carafe_sessions_opened_total outcome=refused",
    "carafe_cookies_refused_total reason=not_signed",
    "carafe_sessions_created_total",
    "carafe_logins_total",
    "carafe_logouts_total",
    "carafe_errors_total kind=type",
    "carafe_csrf_refused_total",
];
const EVENTS: [&str; 8] = [
    "session.loaded",
    "session.refused",
    "session.created",
    "session.logged_in",
    "session.logged_out",
    "session.login_required",
    "session.failed",
    "csrf.refused",
];
/// The metrics that a visit has only with a store.
const STORED_METRICS: [&str; 5] = [
    "carafe_sessions_rotated_total cause=request",
    "carafe_store_duration_seconds operation=create",
    "carafe_store_duration_seconds operation=update",
    "carafe_commit_duration_seconds",
    "carafe_session_size_bytes",
];

/// The spans of every visit, and of visits with a store.
const SPANS: [&str; 2] = ["session.open", "session.commit"];
const STORED_SPANS: [&str; 3] = [
    r#"session.open:store{operation="load"}"#,
    r#"session.commit:store{operation="create"}"#,
    r#"session.commit:store{operation="update"}"#,
];

/// A server, and all secrets that passed through it.
struct Watched<S> {
    server: S,
    secrets: Mutex<BTreeSet<String>>,
}

impl<S> Watched<S> {
    fn new(server: S) -> Self {
        // The values that the visitor puts into the session, and the key.
        let values = ["pear", "fig", "ann", "seven", "welcome", "7d1e9b40c6f25a83e0b74d19c85f3a62"];
        Self { server, secrets: Mutex::new(values.map(str::to_owned).into()) }
    }

    /// Records cookies and tokens, and their parts, as secrets.
    fn note(&self, text: &str) {
        let parts = text.split([';', '=', ',', ' ', '&', '.']).filter(|part| part.len() >= 16);
        self.secrets.lock().unwrap().extend(parts.map(str::to_owned));
    }

    fn note_headers(&self, headers: &HeaderMap) {
        for name in ["cookie", "set-cookie", "x-csrf-token"] {
            headers.get_all(name).iter().for_each(|line| self.note(line.to_str().unwrap()));
        }
    }

    #[track_caller]
    fn check(&self, what: &str, output: &str) {
        let secrets = self.secrets.lock().unwrap();
        assert!(secrets.len() > 20, "nothing was seen: {secrets:?}");
        for secret in secrets.iter() {
            let is_part = |(at, _): (usize, &str)| {
                let letter = |char: char| char.is_ascii_alphanumeric();
                let (before, after) = (&output[..at], &output[at + secret.len()..]);
                before.ends_with(letter) || after.starts_with(letter)
            };
            let shown = output.match_indices(secret).find(|found| !is_part(*found));
            assert!(shown.is_none(), "{what} shows {secret}: {output}");
        }
    }
}

impl<S: Server> Server for Watched<S> {
    async fn answer(&self, request: Request<String>) -> Response<String> {
        self.note_headers(request.headers());
        self.note(request.body());
        let response = self.server.answer(request).await;
        self.note_headers(response.headers());
        response
    }
}

/// Returns one line for each metric, with its labels and its value.
fn lines(snapshot: Snapshot) -> String {
    let metrics = snapshot.into_vec().into_iter().map(|(key, _, text, value)| {
        let key = key.key();
        assert!(text.is_some(), "{} is not described", key.name());
        let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
        let value = match value {
            DebugValue::Counter(count) => count.to_string(),
            other => format!("{other:?}"),
        };
        format!("{}{} {value}\n", key.name(), labels.collect::<String>())
    });
    metrics.collect()
}

/// Runs a visit and captures its whole output.
async fn watch<S: Server>(server: S, stored: bool) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let log = Log::capture();
    let metrics = {
        let _recording = metrics::set_default_local_recorder(&recorder);
        carafe::metrics::describe();
        let server = Watched::new(server);
        visit::run(&server).await;
        let metrics = lines(snapshotter.snapshot());
        server.check("a metric", &metrics);
        server.check("the log", &log.text());
        metrics
    };
    let only_stored = if stored { &STORED_METRICS[..] } else { &["carafe_cookie_size_bytes"] };
    for metric in METRICS.iter().chain(only_stored) {
        assert!(metrics.lines().any(|line| line.starts_with(metric)), "no {metric}: {metrics}");
    }
    for event in EVENTS {
        assert!(log.text().contains(&format!("event=\"{event}\"")), "no {event}: {}", log.text());
    }
    let stored_spans = if stored { &STORED_SPANS[..] } else { &[] };
    for span in SPANS.iter().chain(stored_spans) {
        let text = log.text();
        let is_end = |line: &str| line.contains(&format!("DEBUG {span}: carafe: close"));
        assert!(text.lines().any(is_end), "no span {span}: {text}");
    }
}

#[tokio::test]
async fn telemetry_of_a_visit_shows_nothing_of_the_visitor() {
    for index in 0..layers().len() {
        let layer = || layers().into_iter().nth(index).unwrap();
        let stored = index > 0;
        watch(on_axum::shop(layer()), stored).await;
        watch(on_actix::shop(layer()).await, stored).await;
        watch(on_tower::shop(layer()), stored).await;
    }
}
