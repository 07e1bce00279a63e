//! A Redis server, or a Valkey server.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use super::certificates::Certificates;
use super::{Server, Start, Stopped, connect, first_byte, free_port, program};
use crate::background::Folder;
use crate::job::Job;
use crate::packaged;

/// The make of a server, by the name of its program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Make(&'static str);

pub(crate) const REDIS: Make = Make("redis-server");
pub(crate) static VALKEY: Make = Make(packaged::VALKEY.name);
pub(crate) static REDIS_6: Make = Make(packaged::REDIS_6.name);

/// Settings under which an acknowledged write is on the disk.
pub(crate) const ALWAYS: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

/// Settings under which it is there about a second later.
pub(crate) const EVERYSEC: &[&str] = &["--appendonly", "yes", "--appendfsync", "everysec"];

/// A Redis server.
#[derive(Debug)]
pub(crate) struct Redis {
    server: Server,
    tls_port: Option<u16>,
    _folder: Folder,
}

impl Redis {
    /// Starts a server with these settings besides its own. It keeps nothing on the disk unless
    /// they say so.
    pub(crate) fn start(
        job: &mut Job<'_>,
        name: &str,
        make: Make,
        settings: &[&str],
    ) -> Result<Self, String> {
        Self::launch(job, name, make, settings, None)
    }

    /// Starts a server that also has a port with TLS.
    pub(crate) fn start_with_tls(
        job: &mut Job<'_>,
        name: &str,
        settings: &[&str],
        certificates: &Certificates,
    ) -> Result<Self, String> {
        let port = free_port()?;
        let [authority, certificate, key] = certificates.paths();
        let tls = ["--tls-port", &port.to_string(), "--tls-auth-clients", "no"];
        let files = [
            ["--tls-ca-cert-file", &authority],
            ["--tls-cert-file", &certificate],
            ["--tls-key-file", &key],
        ];
        let settings = [settings, &tls[..], files.as_flattened()].concat();
        Self::launch(job, name, REDIS, &settings, Some(port))
    }

    /// Sets up a server that the caller starts and kills.
    pub(crate) fn stopped(
        job: &mut Job<'_>,
        name: &str,
        make: Make,
        settings: &[&str],
    ) -> Result<Stopped, String> {
        let (start, folder) = prepare(job, name, make, settings)?;
        let url = format!("redis://127.0.0.1:{}", start.port);
        Ok(Stopped { start, url, _folder: folder })
    }

    fn launch(
        job: &mut Job<'_>,
        name: &str,
        make: Make,
        settings: &[&str],
        tls_port: Option<u16>,
    ) -> Result<Self, String> {
        let (start, folder) = prepare(job, name, make, settings)?;
        Ok(Self { server: Server::start(job, start)?, tls_port, _folder: folder })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Returns the URL for TLS, if the server has such a port.
    pub(crate) fn tls_url(&self) -> Option<String> {
        self.tls_port.map(|port| format!("rediss://localhost:{port}"))
    }

    pub(crate) fn tls_port(&self) -> Option<u16> {
        self.tls_port
    }

    /// The program that runs it.
    pub(crate) fn program(&self) -> &Path {
        &self.server.start.program
    }

    /// Returns the number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.server.process.id()
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.start.port
    }

    /// Sends a command; returns what its answer says, all of a text and the first line of others.
    pub(crate) fn command(&self, command: &str) -> Result<String, String> {
        answer(self.port(), command).map_err(|error| format!("{command}: {error}"))
    }
}

fn prepare(
    job: &mut Job<'_>,
    name: &str,
    make: Make,
    settings: &[&str],
) -> Result<(Start, Folder), String> {
    let (port, folder) = (free_port()?, job.runner.folder()?);
    let own = ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""];
    let dir = ["--dir", &folder.path().to_string_lossy()];
    let arguments = own.iter().chain(&dir).chain(settings);
    let start = Start {
        name: name.to_owned(),
        program: program(job, make.0)?,
        arguments: arguments.map(|&word| word.to_owned()).collect(),
        user: None,
        signal: "TERM",
        // While it reads its file it says `-LOADING`.
        answers: |port| Ok(first_byte(port, b"PING\r\n")? == b'+'),
        port,
    };
    Ok((start, folder))
}

fn answer(port: u16, command: &str) -> io::Result<String> {
    let mut reader = BufReader::new(connect(port, format!("{command}\r\n").as_bytes())?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if let Some(length) = line.strip_prefix('$').and_then(|length| length.trim().parse().ok()) {
        let mut text = vec![0; length];
        io::Read::read_exact(&mut reader, &mut text)?;
        return Ok(String::from_utf8_lossy(&text).into_owned());
    }
    match line.strip_prefix('-') {
        Some(error) => Err(io::Error::other(error.trim().to_owned())),
        None => Ok(line.trim().to_owned()),
    }
}
