//! Servers of a test's own, and a way to them that can be turned, or fall silent.

use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use carafe_redis::{RedisOptions, RedisStore};
use redis::{RedisResult, Value};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A server that ends with this.
pub(crate) struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    pub(crate) async fn start(settings: &[&str]) -> Self {
        let program = std::env::var_os("CARAFE_REDIS_SERVER").unwrap_or("redis-server".into());
        let folder = tempfile::tempdir().unwrap();
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let child = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--repl-diskless-sync-delay", "0"])
            .args(settings)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server");
        let server = Self { child, port, _folder: folder };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "redis-server does not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn options(&self) -> RedisOptions {
        RedisStore::options(format!("redis://127.0.0.1:{}", self.port))
    }

    /// Sends a command as the user that this password belongs to.
    pub(crate) async fn try_command(&self, password: &str, words: &[&str]) -> RedisResult<Value> {
        let at = if password.is_empty() { String::new() } else { format!(":{password}@") };
        let client = redis::Client::open(format!("redis://{at}127.0.0.1:{}", self.port))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await
    }

    pub(crate) async fn command(&self, words: &[&str]) -> Value {
        self.try_command("", words).await.unwrap()
    }

    /// Makes it a replica of another, and waits until it has what that has.
    pub(crate) async fn follow(&self, primary: &Self) {
        self.command(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]).await;
        let began = Instant::now();
        loop {
            let info = self.command(&["INFO", "replication"]).await;
            let info: String = redis::from_redis_value(info).unwrap();
            if info.contains("master_link_status:up") {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "the replica does not come up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A way to a server.
pub(crate) struct Path {
    address: String,
    port: Arc<AtomicU16>,
    silent: watch::Sender<u32>,
}

impl Path {
    pub(crate) async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let port = Arc::new(AtomicU16::new(server.port));
        let (silent, falls_silent) = watch::channel(0);
        let target = Arc::clone(&port);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let port = target.load(Ordering::SeqCst);
                let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
                    continue;
                };
                let mut silence = falls_silent.clone();
                silence.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        // From then on both ends are open, and hear nothing of each other.
                        _ = silence.changed() => std::future::pending::<()>().await,
                    }
                });
            }
        });
        Self { address, port, silent }
    }

    pub(crate) fn options(&self) -> RedisOptions {
        RedisStore::options(format!("redis://{}", self.address))
    }

    /// New connections lead to another server.
    pub(crate) fn turn_to(&self, server: &Server) {
        self.port.store(server.port(), Ordering::SeqCst);
    }

    /// The connections that are there pass nothing on any more.
    pub(crate) fn silence(&self) {
        self.silent.send_modify(|count| *count += 1);
    }
}
