//! A Redis Cluster: which node has which key.
//!
//! Every command of the store is about one key, so that finding its node is all there is to do. A
//! command is sent again only where a node said that it did not run it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::{
    Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, Value, from_redis_value_ref,
};

use crate::connect::Listening;
use crate::error::Failure;
use crate::link::{Link, Settings};
use crate::open::Server;

/// The number of times that a command follows its key to another node.
const HOPS: usize = 5;

/// The shortest pause between two questions to the nodes for their slots.
const REFRESH: Duration = Duration::from_millis(200);

const SLOTS: u16 = 16384;

pub(crate) struct Cluster {
    seeds: Vec<ConnectionInfo>,
    settings: Settings,
    map: Mutex<Map>,
    /// Held while the nodes are asked for the slots.
    refreshing: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Map {
    /// The first and last slot, and the primary that has them; sorted.
    ranges: Vec<(u16, u16, Address)>,
    /// The connections, by address and by whether they wait for replicas.
    nodes: HashMap<(Address, bool), Arc<Link>>,
}

impl Map {
    /// The nodes that have slots, each once. There may be thousands of ranges.
    fn owners(&self) -> Vec<Address> {
        let mut owners: Vec<_> = self.ranges.iter().map(|(.., owner)| owner).collect();
        owners.sort();
        owners.dedup();
        owners.into_iter().cloned().collect()
    }
}

type Address = (String, u16);

impl Cluster {
    pub(crate) fn new(seeds: Vec<ConnectionInfo>, settings: Settings) -> Self {
        Self { seeds, settings, map: Mutex::default(), refreshing: tokio::sync::Mutex::default() }
    }

    /// Sends a command to the node that has the key, and waits for the answer. With `replicas`
    /// above zero it also waits until that number of replicas has done the command.
    pub(crate) async fn send(
        &self,
        key: &[u8],
        command: &Cmd,
        replicas: u32,
    ) -> Result<Value, Failure> {
        let slot = slot(key);
        let mut result = Err(Failure::NotSent(unknown_slot()));
        let mut redirect = None;
        for _ in 0..HOPS {
            let owner = || self.owner(slot).map(|owner| (owner, false));
            let Some((address, asking)) = redirect.take().or_else(owner) else {
                self.refresh(None).await?;
                continue;
            };
            let link = self.link(&address, replicas)?;
            if !asking && link.is_doubtful() {
                // Another node may have taken over, and the others know that at once.
                drop(self.refresh(Some(&address)).await);
                if self.owner(slot).is_some_and(|owner| owner != address) {
                    continue;
                }
            }
            let answer = match (asking, replicas) {
                (true, _) => link.send_asking(command, replicas).await,
                (false, 0) => link.send(command).await,
                (false, _) => link.send_to_replicas(command, replicas).await,
            };
            let Err(failure) = answer else { return answer };
            match failure.code() {
                Some("ASK") => {
                    redirect = target(&failure, &address).map(|target| (target, true));
                }
                Some("MOVED") => {
                    redirect = target(&failure, &address).map(|target| (target, false));
                    // An answer about one slot may hold for others.
                    drop(self.refresh(None).await);
                }
                // After a failover another node has the slot. One that is cut off from the others
                // says so, and knows nothing of who took over.
                code if matches!(code, Some("READONLY" | "MASTERDOWN" | "CLUSTERDOWN"))
                    || matches!(failure, Failure::NotSent(_)) =>
                {
                    let before = self.owner(slot);
                    drop(self.refresh(Some(&address)).await);
                    if self.owner(slot) == before {
                        return Err(failure);
                    }
                }
                _ => return Err(failure),
            }
            result = Err(failure);
        }
        result
    }

    /// Opens a connection to any node that listens to a channel. A message to one node reaches all.
    pub(crate) async fn listen(&self, channel: &[u8]) -> Result<Listening, Failure> {
        let seeds = self.seeds.iter().filter_map(|seed| host_and_port(seed.addr()));
        let addresses = in_turn(self.map().owners(), seeds, None);
        let mut failed = Failure::NotSent(unknown_slot());
        for address in addresses {
            failed = match self.link(&address, 0)?.listen(channel).await {
                Ok(listening) => return Ok(listening),
                Err(failure) => failure,
            };
        }
        Err(failed)
    }

    /// Returns the nodes that have the keys, each once.
    pub(crate) async fn primaries(&self) -> Result<Vec<Arc<Link>>, Failure> {
        self.refresh(None).await?;
        let owners = self.map().owners();
        owners.iter().map(|address| self.link(address, 0)).collect()
    }

    fn owner(&self, slot: u16) -> Option<Address> {
        let map = self.map();
        let after = map.ranges.partition_point(|(first, ..)| *first <= slot);
        let (_, last, address) = map.ranges.get(after.checked_sub(1)?)?;
        (slot <= *last).then(|| address.clone())
    }

    /// Returns the connection to a node. Commands that wait for replicas have a connection of their
    /// own.
    fn link(&self, address: &Address, replicas: u32) -> Result<Arc<Link>, Failure> {
        let name = (address.clone(), replicas > 0);
        if let Some(link) = self.map().nodes.get(&name) {
            return Ok(Arc::clone(link));
        }
        let info = self.seeds.first().ok_or_else(|| Failure::NotSent(unknown_slot()))?;
        let info = info.clone().set_addr(at(info.addr(), address));
        let mut map = self.map();
        let other = map.nodes.get(&(address.clone(), replicas == 0));
        let server = other.map_or_else(Server::new, |other| Arc::clone(other.server()));
        let link = Arc::new(Link::new(info, self.settings.clone(), server));
        Ok(Arc::clone(map.nodes.entry(name).or_insert(link)))
    }

    /// Asks one node after the other for the slots, until one answers. The node in doubt is asked
    /// last.
    async fn refresh(&self, doubtful: Option<&Address>) -> Result<(), Failure> {
        let began = Instant::now();
        let mut last = self.refreshing.lock().await;
        // Another request has just asked for the slots.
        if last.is_some_and(|last| last > began || last.elapsed() < REFRESH)
            && !self.map().ranges.is_empty()
        {
            return Ok(());
        }
        let seeds = self.seeds.iter().filter_map(|seed| host_and_port(seed.addr()));
        let addresses = in_turn(self.map().owners(), seeds, doubtful);
        let mut failure = Failure::NotSent(unknown_slot());
        for address in addresses {
            let link = self.link(&address, 0)?;
            let answer = link.send(redis::cmd("CLUSTER").arg("SLOTS")).await;
            match answer.and_then(|value| parse(&value, &address.0).map_err(Failure::Lost)) {
                Ok(ranges) if !ranges.is_empty() => {
                    let mut map = self.map();
                    map.nodes.retain(|(node, _), _| ranges.iter().any(|(.., owner)| owner == node));
                    map.ranges = ranges;
                    *last = Some(Instant::now());
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) => failure = error,
            }
        }
        // The command that needed the slots was never sent.
        Err(match failure {
            Failure::Lost(error) => Failure::NotSent(error),
            other => other,
        })
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the nodes to ask for the slots, one after the other: first the nodes that have slots,
/// since connecting to a silent node takes its whole timeout.
fn in_turn(
    owners: Vec<Address>,
    seeds: impl Iterator<Item = Address>,
    doubtful: Option<&Address>,
) -> Vec<Address> {
    let mut addresses = owners;
    for seed in seeds {
        if !addresses.contains(&seed) {
            addresses.push(seed);
        }
    }
    // The sort is stable.
    addresses.sort_by_key(|address| Some(address) == doubtful);
    addresses
}

fn unknown_slot() -> RedisError {
    (ErrorKind::ClusterConnectionNotFound, "no node is known that has the key").into()
}

/// Reads the answer to `CLUSTER SLOTS`: ranges, each with its primary and replicas.
fn parse(value: &Value, asked: &str) -> Result<Vec<(u16, u16, Address)>, RedisError> {
    let Value::Array(rows) = value else {
        return Err((ErrorKind::UnexpectedReturnType, "the slots are no list").into());
    };
    let mut ranges = Vec::with_capacity(rows.len());
    for row in rows {
        let Value::Array(row) = row else { continue };
        let [first, last, Value::Array(primary), ..] = row.as_slice() else { continue };
        let (first, last) = (from_redis_value_ref(first)?, from_redis_value_ref(last)?);
        let [host, port, ..] = primary.as_slice() else { continue };
        // Without a name, the node has the name that it was asked under.
        let host: Option<String> = from_redis_value_ref(host)?;
        let host = host.filter(|host| !host.is_empty()).unwrap_or_else(|| asked.to_owned());
        if host != "?" {
            ranges.push((first, last, (host, from_redis_value_ref(port)?)));
        }
    }
    ranges.sort();
    Ok(ranges)
}

/// Returns the node that an answer redirects a command to. Without a host it is another port of the
/// same host: a node answers so if it doesn't know the name that its clients use.
fn target(failure: &Failure, asked: &Address) -> Option<Address> {
    let (Failure::Refused(error) | Failure::NotSent(error)) = failure else { return None };
    let (node, _) = error.redirect_node()?;
    let (host, port) = node.rsplit_once(':')?;
    let host = if matches!(host, "" | "?") { &asked.0 } else { host };
    Some((host.to_owned(), port.parse().ok()?))
}

fn host_and_port(address: &ConnectionAddr) -> Option<Address> {
    match address {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Some((host.clone(), *port))
        }
        _ => None,
    }
}

/// The same kind of address at another host and port.
fn at(template: &ConnectionAddr, (host, port): &Address) -> ConnectionAddr {
    let (host, port) = (host.clone(), *port);
    match template {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    }
}

/// The slot of a key: CRC-16/XMODEM of the part in braces, if there is one.
fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}').filter(|close| *close > 0)?;
        Some(&rest[..close])
    });
    let crc = tag.unwrap_or(key).iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    });
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        // CRC-16/XMODEM of "123456789" is 0x31C3.
        assert_eq!(slot(b"123456789"), 0x31C3);
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"{foo}.bar"), slot(b"foo"));
        assert_eq!(slot(b"a{foo}{bar}"), slot(b"foo"));
        assert_ne!(slot(b"{}foo"), slot(b"foo"));
        assert_ne!(slot(b"{foo"), slot(b"foo"));
    }

    #[test]
    fn the_node_in_doubt_is_asked_last_and_no_node_twice() {
        let node = |port| ("a".to_owned(), port);
        let turn = |doubtful: Option<u16>| {
            let doubtful = doubtful.map(node);
            let seeds = [node(9), node(1), node(2)].into_iter();
            let order = in_turn(vec![node(2), node(3)], seeds, doubtful.as_ref());
            order.into_iter().map(|(_, port)| port).collect::<Vec<_>>()
        };
        assert_eq!(turn(None), [2, 3, 9, 1]);
        assert_eq!(turn(Some(2)), [3, 9, 1, 2]);
        assert_eq!(turn(Some(7)), [2, 3, 9, 1]);
    }

    #[test]
    fn a_redirection_without_a_name_stays_with_the_host() {
        let to = |text: &str| {
            let value = redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).unwrap();
            let failure = Failure::Refused(value.extract_error().unwrap_err());
            target(&failure, &("here".to_owned(), 7000))
                .map(|(host, port)| format!("{host} {port}"))
        };
        assert_eq!(to("MOVED 3999 :7001").unwrap(), "here 7001");
        assert_eq!(to("ASK 3999 :7001").unwrap(), "here 7001");
        assert_eq!(to("MOVED 3999 ?:7001").unwrap(), "here 7001");
        assert_eq!(to("MOVED 3999 10.0.0.7:7001").unwrap(), "10.0.0.7 7001");
        assert_eq!(to("MOVED 3999 ::1:7001").unwrap(), "::1 7001");
        assert_eq!(to("ERR 3999 :7001"), None);
    }

    #[test]
    fn a_node_without_a_name_is_the_one_that_was_asked() {
        let answer = b"*2\r\n*3\r\n:8192\r\n:16383\r\n*2\r\n$0\r\n\r\n:7002\r\n\
                       *3\r\n:0\r\n:8191\r\n*2\r\n$9\r\n127.0.0.2\r\n:7001\r\n";
        let value = redis::parse_redis_value(answer).unwrap();
        let ranges = parse(&value, "here").unwrap();
        let expected =
            [(0, 8191, ("127.0.0.2".to_owned(), 7001)), (8192, 16383, ("here".to_owned(), 7002))];
        assert_eq!(ranges, expected);
    }
}
