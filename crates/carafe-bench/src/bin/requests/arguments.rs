//! The choice of measurements on the command line.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use crate::catalogue::{self, Entry, Program, Section};

/// The choice of measurements, and the place of the report.
#[derive(Debug, PartialEq)]
pub(crate) struct Settings {
    /// The file that the report is written to, besides the standard output.
    pub(crate) file: Option<PathBuf>,
    /// The number of repetitions.
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
        if let Some(name) = settings.only.iter().find(|name| catalogue::names().all(|n| n != *name))
        {
            let names: Vec<_> = catalogue::names().collect();
            return Err(format!("there is no server {name}, but {}", names.join(", ")).into());
        }
        if settings.rounds == 0 || settings.slice.is_zero() {
            return Err("there has to be a round, and time in it".into());
        }
        Ok(settings)
    }

    /// The servers of a section that are to be measured, and can be. If there are any, the handler
    /// without a session is among them, which is the first.
    pub(crate) fn of<'a>(&'a self, section: &'a Section) -> Vec<&'a Entry> {
        let takes = |name| self.only.is_empty() || self.only.iter().any(|other| other == name);
        let taken = |server: &Entry| takes(server.name) && self.can(server);
        if !section.servers.iter().any(taken) {
            return Vec::new();
        }
        let servers = section.servers.iter().enumerate();
        servers.filter(|(at, server)| *at == 0 || taken(server)).map(|(_, server)| server).collect()
    }

    /// Whether there is what the server needs.
    fn can(&self, server: &Entry) -> bool {
        match server.program {
            Program::Flask => self.python.is_some(),
            _ => server.needs.is_none_or(|variable| std::env::var_os(variable).is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::SECTIONS;

    #[test]
    fn options_have_values() {
        let only = "--only carafe-signed,flask --only actix-carafe-signed";
        let line = format!("--rounds 7 --millis 100 {only} --file f.md");
        let settings = Settings::parse(&line.split(' ').collect::<Vec<_>>()).unwrap();
        assert_eq!((settings.rounds, settings.slice.as_millis()), (7, 100));
        assert_eq!(settings.file, Some("f.md".into()));
        // There is no Python.
        let names = |section| settings.of(section).iter().map(|s| s.name).collect::<Vec<_>>();
        let taken: Vec<_> = SECTIONS.iter().map(names).collect();
        let axum = ["bare", "carafe-signed"];
        let actix = ["actix-bare", "actix-carafe-signed"];
        assert_eq!(taken, [&axum[..], &actix, &axum, &[], &[]]);
        for bad in [&["--rounds"][..], &["--rounds", "0"], &["--rounds", "many"], &["--only", "x"]]
        {
            assert!(Settings::parse(bad).is_err(), "{bad:?}");
        }
    }
}
