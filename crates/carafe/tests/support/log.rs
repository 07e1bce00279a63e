use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

const LAX_COOKIE: &str = "session.lax_cookie";

/// What is logged on this thread from here to its end.
pub(crate) struct Log {
    lines: Lines,
    _while_alive: Box<dyn std::any::Any>,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn capture() -> Self {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(lines.clone())
            .finish();
        let guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
        Self { lines, _while_alive: Box::new(guard) }
    }

    /// The lines of this crate's events, but for those of [`lax_cookies`](Self::lax_cookies).
    pub(crate) fn lines(&self) -> Vec<String> {
        self.filtered(|line| !line.contains(LAX_COOKIE))
    }

    /// What was logged of cookies without attributes that protect them, when layers were put around
    /// services.
    pub(crate) fn lax_cookies(&self) -> Vec<String> {
        self.filtered(|line| line.contains(LAX_COOKIE))
    }

    fn filtered(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let bytes = self.lines.0.lock().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let lines = text.lines().filter(|line| line.contains(" carafe: ") && wanted(line));
        lines.map(str::to_owned).collect()
    }

    /// The one line that was logged.
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
