//! A Redis Cluster.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::certificates::Certificates;
use super::redis::Make;
use super::{PATIENCE, Redis, Stopped, free_port};
use crate::job::Job;

/// The number of hash slots of a Cluster.
const SLOTS: u16 = 16_384;

/// Three nodes that share the keys, none of which has a replica. They speak with TLS to each other,
/// and to their clients with or without.
#[derive(Debug)]
pub(crate) struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// The program that runs its nodes.
    pub(crate) fn program(&self) -> Result<&Path, String> {
        self.nodes.first().map(Redis::program).ok_or_else(|| "there is no node".to_owned())
    }

    pub(crate) fn start(
        job: &mut Job<'_>,
        name: &str,
        certificates: &Certificates,
    ) -> Result<Self, String> {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for number in 1..=3 {
            let bus = free_port()?;
            let settings = ["--cluster-enabled", "yes", "--cluster-port", &bus.to_string()];
            // The last one doesn't know under which name its clients find it.
            let endpoint = if number == 3 { "unknown-endpoint" } else { "ip" };
            let endpoint = ["--cluster-preferred-endpoint-type", endpoint];
            let settings = [&settings[..], &["--tls-cluster", "yes"], &endpoint].concat();
            let name = format!("{name}-{number}");
            nodes.push(Redis::start_with_tls(job, &name, &settings, certificates)?);
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

    /// Six nodes that do not run, for a program that makes a Cluster of them and lets each of them
    /// be found at another port than its own.
    pub(crate) fn stopped(
        job: &mut Job<'_>,
        name: &str,
        make: Make,
    ) -> Result<Vec<Stopped>, String> {
        let mut nodes = Vec::new();
        for number in 1..=6 {
            let (bus, announced) = (free_port()?.to_string(), free_port()?.to_string());
            let settings = [
                ["--cluster-enabled", "yes"],
                ["--cluster-port", &bus],
                ["--cluster-announce-port", &announced],
                // After so many milliseconds a node that says nothing counts as dead.
                ["--cluster-node-timeout", "2000"],
                ["--cluster-require-full-coverage", "no"],
                ["--repl-diskless-sync-delay", "0"],
            ];
            let name = format!("{name}-{number}");
            nodes.push(Redis::stopped(job, &name, make, settings.as_flattened())?);
        }
        Ok(nodes)
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
        url("redis-cluster", &nodes.collect::<Vec<_>>())
    }

    /// The URL of those ports of theirs that want TLS.
    pub(crate) fn tls_url(&self) -> String {
        let ports = self.nodes.iter().filter_map(Redis::tls_port);
        let nodes = ports.map(|port| format!("localhost:{port}"));
        url("rediss-cluster", &nodes.collect::<Vec<_>>())
    }
}

fn url(scheme: &str, nodes: &[String]) -> String {
    let others: Vec<_> = nodes.iter().skip(1).map(|node| format!("node={node}")).collect();
    let first = nodes.first().map_or("", String::as_str);
    format!("{scheme}://{first}?{}", others.join("&"))
}
