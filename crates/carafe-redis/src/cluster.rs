//! A Redis Cluster: which node has which key.
//!
//! Every command of the store is about one key, so that finding its node is all there is to do. A
//! command is sent again only where a node said that it did not run it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::{
    Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, ServerErrorKind, Value,
    from_redis_value_ref,
};

use crate::error::Failure;
use crate::link::{Link, Timeouts};

/// How often a command follows its key to another node.
const HOPS: usize = 5;

/// How soon after the nodes were asked for the slots they are asked again.
const REFRESH: Duration = Duration::from_millis(200);

const SLOTS: u16 = 16384;

pub(crate) struct Cluster {
    seeds: Vec<ConnectionInfo>,
    timeouts: Timeouts,
    map: Mutex<Map>,
    /// Held while the nodes are asked for the slots.
    refreshing: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Map {
    /// The first and last slot, and the primary that has them; sorted.
    ranges: Vec<(u16, u16, Address)>,
    /// By address, and whether it is the one that waits for replicas.
    nodes: HashMap<(Address, bool), Arc<Link>>,
}

type Address = (String, u16);

impl Cluster {
    pub(crate) fn new(seeds: Vec<ConnectionInfo>, timeouts: Timeouts) -> Self {
        Self { seeds, timeouts, map: Mutex::default(), refreshing: tokio::sync::Mutex::default() }
    }

    /// Sends a command to the node that has the key, and waits for the answer; if `replicas` is more
    /// than none, until that many have done it as well.
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
            let answer = match redirect.take() {
                Some((address, true)) => self.link(&address, 0)?.send_asking(command).await,
                Some((address, false)) => self.send_to(&address, command, replicas).await,
                None => match self.owner(slot) {
                    Some(address) => self.send_to(&address, command, replicas).await,
                    None => {
                        self.refresh().await?;
                        continue;
                    }
                },
            };
            let Err(failure) = answer else { return answer };
            let kind = failure.error().kind();
            let target = failure.error().redirect_node().and_then(|(node, _)| address(node));
            result = Err(failure);
            match (kind, &result) {
                (ErrorKind::Server(ServerErrorKind::Ask), _) => {
                    redirect = target.map(|target| (target, true));
                }
                (ErrorKind::Server(ServerErrorKind::Moved), _) => {
                    // What it says of one slot may be so of others.
                    drop(self.refresh().await);
                    redirect = target.map(|target| (target, false));
                }
                // After a failover another node has the slot.
                (ErrorKind::Server(ServerErrorKind::ReadOnly), _)
                | (_, Err(Failure::NotSent(_))) => {
                    let before = self.owner(slot);
                    drop(self.refresh().await);
                    if self.owner(slot) == before {
                        return result;
                    }
                }
                _ => return result,
            }
        }
        result
    }

    /// The nodes that have the keys, each once.
    pub(crate) async fn primaries(&self) -> Result<Vec<Arc<Link>>, Failure> {
        self.refresh().await?;
        let mut addresses: Vec<Address> =
            self.map().ranges.iter().map(|(.., address)| address.clone()).collect();
        addresses.sort();
        addresses.dedup();
        addresses.iter().map(|address| self.link(address, 0)).collect()
    }

    fn owner(&self, slot: u16) -> Option<Address> {
        let map = self.map();
        let after = map.ranges.partition_point(|(first, ..)| *first <= slot);
        let (_, last, address) = map.ranges.get(after.checked_sub(1)?)?;
        (slot <= *last).then(|| address.clone())
    }

    async fn send_to(
        &self,
        address: &Address,
        command: &Cmd,
        replicas: u32,
    ) -> Result<Value, Failure> {
        let link = self.link(address, replicas)?;
        match replicas {
            0 => link.send(command).await,
            _ => link.send_to_replicas(command, replicas).await,
        }
    }

    /// The connection to a node; what waits for replicas has one of its own.
    fn link(&self, address: &Address, replicas: u32) -> Result<Arc<Link>, Failure> {
        let name = (address.clone(), replicas > 0);
        if let Some(link) = self.map().nodes.get(&name) {
            return Ok(Arc::clone(link));
        }
        let info = self.seeds.first().ok_or_else(|| Failure::NotSent(unknown_slot()))?;
        let info = info.clone().set_addr(at(info.addr(), address));
        let link = Arc::new(Link::new(info, self.timeouts).map_err(Failure::NotSent)?);
        Ok(Arc::clone(self.map().nodes.entry(name).or_insert(link)))
    }

    /// Asks one node after the other which has which slots, until one answers.
    async fn refresh(&self) -> Result<(), Failure> {
        let began = Instant::now();
        let mut last = self.refreshing.lock().await;
        // Somebody else has just done so.
        if last.is_some_and(|last| last > began || last.elapsed() < REFRESH)
            && !self.map().ranges.is_empty()
        {
            return Ok(());
        }
        let mut addresses: Vec<Address> =
            self.map().ranges.iter().map(|(.., address)| address.clone()).collect();
        addresses.extend(self.seeds.iter().filter_map(|seed| host_and_port(seed.addr())));
        addresses.sort();
        addresses.dedup();
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
        // The command that all this was for never left.
        Err(match failure {
            Failure::Lost(error) => Failure::NotSent(error),
            other => other,
        })
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown_slot() -> RedisError {
    (ErrorKind::ClusterConnectionNotFound, "no node is known that has the key").into()
}

/// Reads the answer to `CLUSTER SLOTS`: ranges, each with its primary and replicas.
fn parse(value: &Value, asked: &str) -> Result<Vec<(u16, u16, Address)>, RedisError> {
    let rows: Vec<Vec<Value>> = from_redis_value_ref(value)?;
    let mut ranges = Vec::with_capacity(rows.len());
    for row in rows {
        let [first, last, primary, ..] = row.as_slice() else { continue };
        let (first, last) = (from_redis_value_ref(first)?, from_redis_value_ref(last)?);
        let primary: Vec<Value> = from_redis_value_ref(primary)?;
        let [host, port, ..] = primary.as_slice() else { continue };
        // No name means that it is the one that the node was asked under.
        let host: Option<String> = from_redis_value_ref(host)?;
        let host = host.filter(|host| !host.is_empty()).unwrap_or_else(|| asked.to_owned());
        if host != "?" {
            ranges.push((first, last, (host, from_redis_value_ref(port)?)));
        }
    }
    ranges.sort();
    Ok(ranges)
}

fn address(node: &str) -> Option<Address> {
    let (host, port) = node.rsplit_once(':')?;
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
