//! Standard output and standard error.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};

use crate::args::Color;
use crate::failure::Failure;
use crate::text::printable;

/// The streams for results and messages. Results are buffered, so that many of them are fast.
#[derive(Debug)]
pub(crate) struct Output {
    results: BufWriter<io::StdoutLock<'static>>,
    messages: BufWriter<io::StderrLock<'static>>,
    styled: bool,
}

/// The style of a text on a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Heading,
    Warning,
    Good,
    Dim,
    Key,
}

impl Output {
    pub(crate) fn new(color: Color) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let styled = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                io::stdout().is_terminal()
                    && !is_set("NO_COLOR")
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        Self {
            results: BufWriter::with_capacity(1 << 16, io::stdout().lock()),
            messages: BufWriter::with_capacity(1 << 16, io::stderr().lock()),
            styled,
        }
    }

    /// Writes a result, which must be safe for a terminal, as a line.
    pub(crate) fn line(&mut self, line: impl AsRef<[u8]>) -> Result<(), Failure> {
        self.results.write_all(line.as_ref())?;
        self.results.write_all(b"\n")?;
        Ok(())
    }

    /// Colours a text, if the output is a terminal.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if !self.styled {
            return text.to_owned();
        }
        let code = match style {
            Style::Heading => "1",
            Style::Warning => "1;33",
            Style::Good => "32",
            Style::Dim => "2",
            Style::Key => "36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    pub(crate) fn error(&mut self, message: &str) {
        self.message("error", message);
    }

    pub(crate) fn warning(&mut self, message: &str) {
        self.message("warning", message);
    }

    pub(crate) fn note(&mut self, message: &str) {
        self.message("note", message);
    }

    /// Writes a message as one line, whatever characters it has.
    fn message(&mut self, kind: &str, message: &str) {
        // If no reader is left for the messages, the program goes on.
        let _ = writeln!(self.messages, "{kind}: {}", printable(message));
    }

    /// Writes a line that the next one replaces, on a terminal: a bar that grows.
    #[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
    pub(crate) fn transient(&mut self, line: &str) {
        // If no reader is left for the messages, the program goes on.
        let _ = write!(self.messages, "\r\x1b[K{}", printable(line));
        let _ = self.messages.flush();
    }

    /// Asks a question, whose answer is typed behind it.
    #[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
    pub(crate) fn question(&mut self, question: &str) -> Result<(), Failure> {
        self.results.flush()?;
        write!(self.messages, "{}", printable(question))?;
        self.messages.flush()?;
        Ok(())
    }

    /// Writes all buffered results.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.results.flush()?;
        // If no reader is left for the messages, the program goes on.
        let _ = self.messages.flush();
        Ok(())
    }
}
