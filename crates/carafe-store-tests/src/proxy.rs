use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A TCP proxy between a store and its server, which can keep answers back: for tests that no write
/// is sent again whose answer was lost.
///
/// ```
/// use carafe_store_tests::Proxy;
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
/// use tokio::net::{TcpListener, TcpStream};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let server = TcpListener::bind("127.0.0.1:0").await?;
/// let proxy = Proxy::start(server.local_addr()?.to_string()).await;
/// let mut client = TcpStream::connect(proxy.address()).await?;
/// proxy.cut_next_answer();
/// let (mut accepted, _) = server.accept().await?;
/// accepted.write_all(b"answer").await?;
/// assert_eq!(client.read(&mut [0; 8]).await?, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    cuts: AtomicBool,
    connections: AtomicUsize,
    /// Wakes all connections, to end them.
    ends: Notify,
}

impl Proxy {
    /// Begins to pass everything on to the server at this address, such as `127.0.0.1:6379`. It
    /// ends with the runtime.
    ///
    /// # Panics
    /// If no loopback port is to be had. A server that can't be reached costs the client its
    /// connection.
    pub async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for the proxy");
        let address = listener.local_addr().expect("the address of the proxy");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    tokio::select! {
                        () = state.ends.notified() => {}
                        () = copy(from_client, to_server, None) => {}
                        () = copy(from_server, to_client, Some(&state)) => {}
                    }
                });
            }
        });
        Self { address, state }
    }

    /// Where the store finds it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drops the next answer that comes, and the connection with it.
    pub fn cut_next_answer(&self) {
        self.state.cuts.store(true, Ordering::SeqCst);
    }

    /// Ends all connections, as a restart of the server would.
    pub fn cut_connections(&self) {
        self.state.ends.notify_waiters();
    }

    /// How many connections there were so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

/// Passes on what comes, until either side ends or an answer is cut.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: Option<&State>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        let cuts = cut.is_some_and(|state| state.cuts.swap(false, Ordering::SeqCst));
        if read == 0 || cuts || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
