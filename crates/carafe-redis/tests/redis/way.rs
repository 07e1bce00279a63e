//! A way to the servers on which answers get lost: to each of a Cluster's nodes as well, which name
//! their own addresses.

use std::sync::{Arc, OnceLock};

use carafe_redis::RedisStore;
use carafe_store_tests::Proxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::server_side::admin;
use super::{is_cluster, prefix, url};

pub(crate) struct Way {
    pub(crate) store: RedisStore,
    /// A proxy for each server that the URL names, in the same order.
    pub(crate) proxies: Vec<Proxy>,
    prefix: String,
}

/// The end of an address in the nodes' answers, and its replacement.
type Names = Arc<OnceLock<Vec<(String, String)>>>;

impl Way {
    /// A store that finds the servers behind proxies, and whose keys no other test uses.
    pub(crate) async fn open() -> Self {
        let url = url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (credentials, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (first, query) = rest.split_once('?').unwrap_or((rest, ""));
        let others = query.split('&').filter_map(|pair| pair.strip_prefix("node="));
        let names = Names::default();
        let (mut proxies, mut ports) = (Vec::new(), Vec::new());
        for server in std::iter::once(first.split('/').next().unwrap()).chain(others) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let proxy = Proxy::start(listener.local_addr().unwrap().to_string()).await;
            let (_, port) = server.rsplit_once(':').unwrap();
            ports.push((format!(":{port}\r\n"), format!(":{}\r\n", proxy.address().port())));
            tokio::spawn(rename(listener, server.to_owned(), Arc::clone(&names)));
            proxies.push(proxy);
        }
        names.set(ports).unwrap();
        let at = if credentials.is_empty() { "" } else { "@" };
        let mut addresses = proxies.iter().map(|proxy| proxy.address().to_string());
        let mut through = format!("{scheme}://{credentials}{at}{}", addresses.next().unwrap());
        for (number, address) in addresses.enumerate() {
            through += if number == 0 { "?node=" } else { "&node=" };
            through += &address;
        }
        let prefix = prefix();
        let store = RedisStore::options(through).prefix(&prefix).open().unwrap();
        Self { store, proxies, prefix }
    }

    /// Returns the proxy in front of the server that has the store's only record.
    pub(crate) async fn proxy(&self) -> &Proxy {
        let found = admin(&["KEYS", &format!("{}:s:*", self.prefix)]).await;
        let has = |keys| redis::from_redis_value::<Vec<String>>(keys).unwrap().len();
        let counts: Vec<_> = found.into_iter().map(has).collect();
        assert_eq!(counts.iter().sum::<usize>(), 1);
        &self.proxies[counts.iter().position(|count| *count == 1).unwrap()]
    }
}

/// Passes on what is sent to a server, and what it answers with other ports than the nodes' own.
async fn rename(listener: TcpListener, server: String, names: Names) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, names) = (server.clone(), Arc::clone(&names));
        tokio::spawn(async move {
            let server = TcpStream::connect(server).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let asking = tokio::io::copy(&mut from_client, &mut to_server);
            let answering = async {
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    let read = from_server.read(&mut buffer).await?;
                    if read == 0 {
                        return Ok::<_, std::io::Error>(());
                    }
                    let answer = if is_cluster() {
                        with_names(&buffer[..read], names.get().unwrap())
                    } else {
                        buffer[..read].to_vec()
                    };
                    to_client.write_all(&answer).await?;
                }
            };
            tokio::select! {
                _ = asking => {}
                _ = answering => {}
            }
        });
    }
}

/// An answer with other ports. It comes in one piece, as short as it is.
fn with_names(answer: &[u8], names: &[(String, String)]) -> Vec<u8> {
    let mut renamed = Vec::with_capacity(answer.len());
    let mut rest = answer;
    while !rest.is_empty() {
        match names.iter().find(|(from, _)| rest.starts_with(from.as_bytes())) {
            Some((from, to)) => {
                renamed.extend_from_slice(to.as_bytes());
                rest = &rest[from.len()..];
            }
            None => {
                renamed.push(rest[0]);
                rest = &rest[1..];
            }
        }
    }
    renamed
}
