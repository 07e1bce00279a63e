//! PostgreSQL.

use std::fs;
use std::io;
use std::path::Path;

use super::certificates::Certificates;
use super::{Server, Start, Stopped, User, first_byte, free_port, program};
use crate::background::Folder;
use crate::job::Job;
use crate::runner;

/// Settings with which nothing waits for the disk, and a crash of the machine may lose everything.
pub(crate) const FAST: &[&str] = &["fsync=off", "full_page_writes=off"];

/// A PostgreSQL server that trusts every client.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Server,
    _folder: Folder,
}

impl Postgres {
    /// Makes a cluster of databases and starts a server on it, with these settings besides its own.
    /// Without any, what it acknowledges is on the disk, as with every newly installed server.
    pub(crate) fn start(
        job: &mut Job<'_>,
        name: &str,
        more: &[&str],
        certificates: Option<&Certificates>,
    ) -> Result<Self, String> {
        let (start, folder) = prepare(job, name, more, certificates)?;
        Ok(Self { server: Server::start(job, start)?, _folder: folder })
    }

    /// Sets up a server that the caller starts and kills.
    pub(crate) fn stopped(job: &mut Job<'_>, name: &str) -> Result<Stopped, String> {
        let (start, folder) = prepare(job, name, &[], None)?;
        Ok(Stopped { url: url(start.port), start, _folder: folder })
    }

    pub(crate) fn url(&self) -> String {
        url(self.port())
    }

    /// Returns the URL for clients that insist on TLS.
    pub(crate) fn tls_url(&self) -> String {
        format!("postgres://postgres@localhost:{}/postgres?sslmode=require", self.port())
    }

    /// Returns the number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.server.process.id()
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.start.port
    }
}

fn url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

fn prepare(
    job: &mut Job<'_>,
    name: &str,
    more: &[&str],
    certificates: Option<&Certificates>,
) -> Result<(Start, Folder), String> {
    let program = program(job, "postgres")?;
    let (port, folder) = (free_port()?, job.runner.folder()?);
    let user = User::unprivileged()?;
    if let Some(user) = user {
        user.own(&[folder.path()])?;
    }
    let data = folder.path().join("data");
    let mut initdb = runner::command(program.with_file_name("initdb"));
    initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]);
    initdb.args(["--no-instructions", "--no-sync", "--pgdata"]).arg(&data).current_dir("/");
    if let Some(user) = user {
        user.run(&mut initdb);
    }
    job.runner.run(initdb)?;
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "max_connections=400".to_owned(),
        // The memory that it shares with its processes goes with the folder.
        "dynamic_shared_memory_type=mmap".to_owned(),
    ];
    settings.extend(more.iter().map(|&setting| setting.to_owned()));
    if let Some(certificates) = certificates {
        let [authority, certificate, key] = certificates.paths();
        for (name, from) in
            [("authority.pem", authority), ("server.pem", certificate), ("server.key", key)]
        {
            copy_private(&from, &data.join(name), user)?;
        }
        ask_for_certificate(&data.join("pg_hba.conf"))?;
        settings.extend(
            [
                "ssl=on",
                "ssl_ca_file=authority.pem",
                "ssl_cert_file=server.pem",
                "ssl_key_file=server.key",
            ]
            .map(str::to_owned),
        );
    }
    let mut arguments = vec!["-D".to_owned(), data.to_string_lossy().into_owned()];
    arguments.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
    let name = name.to_owned();
    // The server writes nothing any more. After a kill it would leave a piece of shared memory
    // behind.
    let signal = "QUIT";
    Ok((Start { name, program, arguments, user, signal, answers, port }, folder))
}

/// Has the server let the role `localhost` in only with a certificate of that name.
fn ask_for_certificate(file: &Path) -> Result<(), String> {
    let write = || {
        let rules = fs::read_to_string(file)?;
        fs::write(file, format!("hostssl all localhost 127.0.0.1/32 cert\n{rules}"))
    };
    write().map_err(|error: io::Error| format!("can't write {}: {error}", file.display()))
}

/// Copies a key into a file that only the server's user can read: the server takes it from no
/// other.
fn copy_private(from: &str, to: &Path, user: Option<User>) -> Result<(), String> {
    let copy = || {
        fs::copy(from, to)?;
        #[cfg(unix)]
        fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok::<_, io::Error>(())
    };
    copy().map_err(|error| format!("can't write {}: {error}", to.display()))?;
    user.map_or(Ok(()), |user| user.own(&[to]))
}

/// Whether the server accepts connections: while it starts, it answers with an error.
fn answers(port: u16) -> io::Result<bool> {
    let body = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
    let message = [&length.to_be_bytes()[..], body].concat();
    Ok(first_byte(port, &message)? == b'R')
}
