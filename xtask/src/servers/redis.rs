//! Redis: one server, or a Cluster.

use std::io::{self, BufRead as _, BufReader};
use std::thread;
use std::time::{Duration, Instant};

use super::certificates::Certificates;
use super::{PATIENCE, Server, Start, Stopped, connect, first_byte, free_port, program};
use crate::background::Folder;
use crate::job::Job;

/// Settings under which an acknowledged write is on the disk.
pub(crate) const ALWAYS: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

/// Settings under which it is there about a second later.
pub(crate) const EVERYSEC: &[&str] = &["--appendonly", "yes", "--appendfsync", "everysec"];

/// How many hash slots a Cluster has.
const SLOTS: u16 = 16_384;

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
    pub(crate) fn start(job: &mut Job<'_>, name: &str, settings: &[&str]) -> Result<Self, String> {
        Self::launch(job, name, settings, None)
    }

    /// Starts a server that also has a port with TLS.
    pub(crate) fn start_with_tls(
        job: &mut Job<'_>,
        name: &str,
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
        Self::launch(job, name, &[&tls[..], files.as_flattened()].concat(), Some(port))
    }

    /// A server that somebody else starts, and kills.
    pub(crate) fn stopped(
        job: &mut Job<'_>,
        name: &str,
        settings: &[&str],
    ) -> Result<Stopped, String> {
        let (start, folder) = prepare(job, name, settings)?;
        let url = format!("redis://127.0.0.1:{}", start.port);
        Ok(Stopped { start, url, _folder: folder })
    }

    fn launch(
        job: &mut Job<'_>,
        name: &str,
        settings: &[&str],
        tls_port: Option<u16>,
    ) -> Result<Self, String> {
        let (start, folder) = prepare(job, name, settings)?;
        Ok(Self { server: Server::start(job, start)?, tls_port, _folder: folder })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Where it wants TLS, if it has such a port.
    pub(crate) fn tls_url(&self) -> Option<String> {
        self.tls_port.map(|port| format!("rediss://localhost:{port}"))
    }

    /// Its process.
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

fn prepare(job: &mut Job<'_>, name: &str, settings: &[&str]) -> Result<(Start, Folder), String> {
    let (port, folder) = (free_port()?, job.runner.folder()?);
    let own = ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""];
    let dir = ["--dir", &folder.path().to_string_lossy()];
    let arguments = own.iter().chain(&dir).chain(settings);
    let start = Start {
        name: name.to_owned(),
        program: program(job, "redis-server")?,
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

/// Three nodes that share the keys, none of which has a replica.
#[derive(Debug)]
pub(crate) struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    pub(crate) fn start(job: &mut Job<'_>, name: &str) -> Result<Self, String> {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for number in 1..=3 {
            let bus = free_port()?;
            let settings = ["--cluster-enabled", "yes", "--cluster-port", &bus.to_string()];
            nodes.push(Redis::start(job, &format!("{name}-{number}"), &settings)?);
            buses.push(bus);
        }
        let cluster = Self { nodes };
        let share = SLOTS / 3;
        let [first, second, third] = [(0, share), (share, 2 * share), (2 * share, SLOTS)];
        for (node, (start, end)) in cluster.nodes.iter().zip([first, second, third]) {
            node.command(&format!("CLUSTER ADDSLOTSRANGE {start} {}", end - 1))?;
        }
        let [first, others @ ..] = cluster.nodes.as_slice() else { return Ok(cluster) };
        // Each needs an epoch of its own before it meets the others.
        for (epoch, node) in (1..).zip(&cluster.nodes) {
            node.command(&format!("CLUSTER SET-CONFIG-EPOCH {epoch}"))?;
        }
        for (node, bus) in others.iter().zip(&buses[1..]) {
            first.command(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port()))?;
        }
        cluster.wait()?;
        Ok(cluster)
    }

    /// Waits until each node knows of all slots.
    fn wait(&self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        for node in &self.nodes {
            while !node.command("CLUSTER INFO")?.starts_with("cluster_state:ok") {
                if Instant::now() >= deadline {
                    return Err("the Cluster does not come together".to_owned());
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }

    /// The URL of all its nodes.
    pub(crate) fn url(&self) -> String {
        let nodes = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port()));
        let nodes: Vec<_> = nodes.collect();
        let others: Vec<_> = nodes.iter().skip(1).map(|node| format!("node={node}")).collect();
        let first = nodes.first().map_or("", String::as_str);
        format!("redis-cluster://{first}?{}", others.join("&"))
    }
}
