use carafe::{Clock, Error, SessionLayer};

const USAGE: &str =
    "usage: twin --listen ADDRESS [--server axum] [--store cookie] [--now UNIX-SECONDS]";

/// What the command line says.
pub(crate) struct Arguments {
    pub(crate) listen: String,
    now: Option<u64>,
}

impl Arguments {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self { listen: "127.0.0.1:5001".to_owned(), now: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} has no value; {USAGE}"))?;
            match (name.as_str(), value.as_str()) {
                ("--listen", _) => parsed.listen = value,
                ("--now", _) => {
                    let now = value.parse().map_err(|_| format!("--now {value:?}; {USAGE}"))?;
                    parsed.now = Some(now);
                }
                ("--server", "axum") | ("--store", "cookie") => {}
                _ => return Err(format!("{name} {value} is not known; {USAGE}")),
            }
        }
        Ok(parsed)
    }

    /// Flask's sessions, with the settings of the environment.
    pub(crate) fn layer(&self) -> Result<SessionLayer, Error> {
        let layer = SessionLayer::from_flask_env()?;
        Ok(match self.now {
            Some(now) => layer.clock(Clock::fixed(now)),
            None => layer,
        })
    }
}
