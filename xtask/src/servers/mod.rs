//! Servers that groups start for themselves: on free loopback ports, in folders that go with them,
//! and not as root where they demand that.

pub(crate) mod certificates;
mod pgbouncer;
pub(crate) mod postgres;
pub(crate) mod redis;
mod redis_cluster;

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) use self::pgbouncer::PgBouncer;
pub(crate) use self::postgres::Postgres;
pub(crate) use self::redis::Redis;
pub(crate) use self::redis_cluster::RedisCluster;

use crate::background::{Background, Folder};
use crate::job::Job;
use crate::shell::shell_word;
use crate::system::find_command;

/// The time in which a server has to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ports below those that the system gives to outgoing connections: while a server is down, nothing
/// else gets its port.
const PORTS: std::ops::Range<u16> = 12_000..30_000;

/// A loopback port that nothing listens on, and that this process has not given before: what is to
/// listen there may be started much later.
fn free_port() -> Result<u16, String> {
    static NEXT: OnceLock<AtomicUsize> = OnceLock::new();
    let next = NEXT.get_or_init(|| {
        // Another xtask begins at another port.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        AtomicUsize::new((now.subsec_micros() ^ std::process::id().rotate_left(8)) as usize)
    });
    for _ in PORTS {
        let at = next.fetch_add(1, Ordering::Relaxed) % PORTS.len();
        let port = PORTS.start + at as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err("there is no free port".to_owned())
}

/// A server, and how to start it again.
#[derive(Debug)]
struct Server {
    process: Background,
    start: Start,
}

/// A server that does not run yet. The caller can start it, more than once.
#[derive(Debug)]
pub(crate) struct Stopped {
    start: Start,
    url: String,
    _folder: Folder,
}

impl Stopped {
    /// Returns the URL under which the server will listen.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the command that starts it in the foreground: words of a shell.
    pub(crate) fn command(&self) -> Result<String, String> {
        let Start { program, arguments, user, .. } = &self.start;
        let setpriv = match user {
            None => String::new(),
            Some(User { id, group }) => {
                let setpriv = find_command("setpriv").ok_or("setpriv is not there")?;
                format!("{} --reuid={id} --regid={group} --clear-groups ", setpriv.display())
            }
        };
        let words =
            std::iter::once(program.to_string_lossy().into_owned()).chain(arguments.clone());
        let words: Vec<_> = words.map(|word| shell_word(&word)).collect();
        Ok(setpriv + &words.join(" "))
    }
}

/// The way to start a server.
#[derive(Debug)]
struct Start {
    /// The name in messages and of the log's file.
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    user: Option<User>,
    /// The signal that asks it to end.
    signal: &'static str,
    /// Whether it answers.
    answers: fn(u16) -> io::Result<bool>,
    port: u16,
}

impl Server {
    fn start(job: &mut Job<'_>, start: Start) -> Result<Self, String> {
        let process = start.run(job)?;
        let mut server = Self { process, start };
        server.wait(job)?;
        Ok(server)
    }

    fn wait(&mut self, job: &Job<'_>) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        let Start { name, answers, port, .. } = &self.start;
        loop {
            if answers(*port).unwrap_or(false) {
                return Ok(());
            }
            let runs = self.process.is_running().map_err(|error| error.to_string())?;
            if !runs || Instant::now() >= deadline {
                let log = fs::read_to_string(log(job, name)).unwrap_or_default();
                let tail: Vec<_> = log.lines().rev().take(5).collect();
                let tail: Vec<_> = tail.into_iter().rev().collect();
                let what = if runs { "does not answer" } else { "has ended" };
                return Err(format!("{name} {what}; it said: {}", tail.join(" / ")));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Start {
    fn run(&self, job: &mut Job<'_>) -> Result<Background, String> {
        let mut command = crate::runner::command(&self.program);
        command.args(&self.arguments).current_dir("/");
        if let Some(user) = &self.user {
            user.run(&mut command);
        }
        let log = log(job, &self.name);
        job.runner.start(command, self.signal, &log)
    }
}

/// The log of a server of this name.
fn log(job: &Job<'_>, name: &str) -> PathBuf {
    job.scratch_file(&format!("{name}.log"))
}

/// A program that the group has asked for.
fn program(job: &Job<'_>, name: &str) -> Result<PathBuf, String> {
    let mut programs = job.tools.programs();
    let found = programs.find(|(other, _)| *other == name).map(|(_, path)| path.to_owned());
    found.ok_or_else(|| format!("{name} is not there"))
}

/// A user of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct User {
    id: u32,
    group: u32,
}

impl User {
    /// Returns the user to run a server as that refuses root; `None` if xtask itself isn't root.
    fn unprivileged() -> Result<Option<Self>, String> {
        if !crate::system::is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
        let user = Self::find(&users, "postgres").or_else(|| Self::find(&users, "nobody"));
        user.map(Some).ok_or_else(|| "there is no user `postgres` or `nobody`".to_owned())
    }

    fn find(users: &str, name: &str) -> Option<Self> {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next() == Some(name);
            let (id, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            found.then_some(Self { id, group })
        })
    }

    fn run(self, command: &mut Command) {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::uid(
            std::os::unix::process::CommandExt::gid(command, self.group),
            self.id,
        );
        #[cfg(not(unix))]
        let _ = command;
    }

    /// Gives files to this user.
    fn own(self, paths: &[&Path]) -> Result<(), String> {
        for path in paths {
            #[cfg(unix)]
            std::os::unix::fs::chown(path, Some(self.id), Some(self.group))
                .map_err(|error| format!("can't give {} away: {error}", path.display()))?;
            #[cfg(not(unix))]
            let _ = path;
        }
        Ok(())
    }
}

/// Sends something to a port of this machine.
fn connect(port: u16, message: &[u8]) -> io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(message)?;
    Ok(stream)
}

/// The first byte of the answer to a message.
fn first_byte(port: u16, message: &[u8]) -> io::Result<u8> {
    let mut byte = [0];
    connect(port, message)?.read_exact(&mut byte)?;
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users = "postgresql:x:1:2::/:/bin/sh\npostgres:x:101:104:P,,,:/var:/bin/bash\n";
        assert_eq!(User::find(users, "postgres"), Some(User { id: 101, group: 104 }));
        assert_eq!(User::find(users, "daemon"), None);
    }

    #[test]
    fn a_free_port_is_one_that_nothing_else_gets() {
        let ports: Vec<_> = (0..500).map(|_| free_port().unwrap()).collect();
        let distinct: std::collections::HashSet<_> = ports.iter().collect();
        assert_eq!(distinct.len(), ports.len());
        for port in ports {
            assert!(PORTS.contains(&port));
            assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
        }
    }
}
