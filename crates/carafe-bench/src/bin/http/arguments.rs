//! What is measured, as the command line says it.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

/// What is measured, and where the report goes.
#[derive(Debug, PartialEq)]
pub(crate) struct Settings {
    /// Where the report is written to, besides the standard output.
    pub(crate) file: Option<PathBuf>,
    /// How often everything is measured.
    pub(crate) rounds: u32,
    /// For how long each task is sent to each server in a round.
    pub(crate) slice: Duration,
    /// The Python that has Flask and gunicorn.
    pub(crate) python: Option<String>,
    /// The names of the servers, if not all are measured.
    pub(crate) only: Vec<String>,
}

impl Settings {
    /// Reads options, each followed by its value.
    pub(crate) fn parse(arguments: &[&str]) -> Result<Self, Box<dyn Error>> {
        let mut settings = Self {
            file: None,
            rounds: 40,
            slice: Duration::from_millis(200),
            python: None,
            only: Vec::new(),
        };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            let value = *rest.next().ok_or_else(|| format!("{option} needs a value"))?;
            match *option {
                "--file" => settings.file = Some(value.into()),
                "--rounds" => settings.rounds = value.parse()?,
                "--millis" => settings.slice = Duration::from_millis(value.parse()?),
                "--python" => settings.python = Some(value.to_owned()),
                "--only" => settings.only.extend(value.split(',').map(str::to_owned)),
                _ => return Err(format!("there is no option {option}").into()),
            }
        }
        if settings.rounds == 0 || settings.slice.is_zero() {
            return Err("there has to be a round, and time in it".into());
        }
        Ok(settings)
    }

    /// Whether the server of this name is to be measured for its own sake.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|other| other == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_values() {
        let line = "--rounds 7 --millis 100 --only a,b --only c --file f.md";
        let settings = Settings::parse(&line.split(' ').collect::<Vec<_>>()).unwrap();
        assert_eq!((settings.rounds, settings.slice.as_millis()), (7, 100));
        assert_eq!(settings.file, Some("f.md".into()));
        assert!(settings.takes("a") && settings.takes("c") && !settings.takes("d"));
        assert!(Settings::parse(&[]).unwrap().takes("d"));
        for bad in [&["--rounds"][..], &["--rounds", "0"], &["--rounds", "many"], &["--all", "1"]] {
            assert!(Settings::parse(bad).is_err(), "{bad:?}");
        }
    }
}
