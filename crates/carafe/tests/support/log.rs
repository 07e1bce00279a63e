use std::io;
use std::sync::{Arc, Mutex, Once};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

const LAX_COOKIE: &str = "session.lax_cookie";

/// The log of the present thread, from the capture's beginning to its end.
pub(crate) struct Log {
    lines: Lines,
    _while_alive: Box<dyn std::any::Any>,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn capture() -> Self {
        // An event that a parallel test meets first, on a thread without a subscriber, would
        // otherwise be turned off for all threads.
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            let sink = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE);
            let _ = tracing::subscriber::set_global_default(sink.with_writer(io::sink).finish());
        });
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .without_time()
            .with_writer(lines.clone())
            .finish();
        let guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
        Self { lines, _while_alive: Box::new(guard) }
    }

    /// Returns the lines of this crate's events, without the events that every session causes and
    /// without those in [`lax_cookies`](Self::lax_cookies).
    pub(crate) fn lines(&self) -> Vec<String> {
        let others = ["session.created", "session.loaded", LAX_COOKIE];
        self.filtered(|line| !others.iter().any(|event| line.contains(event)))
    }

    /// Returns the warnings of cookies without protecting attributes, logged when layers were put
    /// around services.
    pub(crate) fn lax_cookies(&self) -> Vec<String> {
        self.filtered(|line| line.contains(LAX_COOKIE))
    }

    fn filtered(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let text = self.text();
        // Spans have no event.
        let is_event = |line: &str| line.contains(" carafe: ") && line.contains("event=");
        let events = text.lines().filter(|line| is_event(line) && wanted(line));
        events.map(str::to_owned).collect()
    }

    /// Returns the whole log.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }

    /// Returns the only line that was logged.
    pub(crate) fn line(&self) -> String {
        let lines = self.lines();
        let [line] = lines.as_slice() else {
            panic!("one line was expected: {lines:?}");
        };
        line.clone()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
