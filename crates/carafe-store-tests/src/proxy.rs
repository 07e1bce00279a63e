use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A TCP proxy between a store and its server, which can keep answers back and note what is sent: for
/// tests that no write is sent again whose answer was lost, and of how often a store asks.
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
    /// Connections before the one of this number are silent.
    first_that_speaks: AtomicUsize,
    /// The bytes that clients have sent, if they are recorded.
    sent: Mutex<Option<Vec<u8>>>,
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
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    tokio::select! {
                        () = state.ends.notified() => {}
                        () = copy(from_client, to_server, |asked| state.note(asked, number)) => {}
                        () = copy(from_server, to_client, |_| state.answer(number)) => {}
                    }
                });
            }
        });
        Self { address, state }
    }

    /// Returns the address under which the store connects.
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

    /// Keeps all connections that there are open, and passes nothing on in them any more, as a firewall
    /// does that has forgotten them. Those that are opened later are not concerned.
    pub fn silence_connections(&self) {
        let number = self.state.connections.load(Ordering::SeqCst);
        self.state.first_that_speaks.store(number, Ordering::SeqCst);
    }

    /// Notes what clients send from now on; returns what they have sent since the last time. It is
    /// noted before it is passed on.
    pub fn sent(&self) -> Vec<u8> {
        let mut sent = self.state.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.replace(Vec::new()).unwrap_or_default()
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

/// The fate of some bytes.
enum Fate {
    PassedOn,
    Swallowed,
    /// The connection ends with them.
    Cut,
}

impl State {
    fn note(&self, asked: &[u8], connection: usize) -> Fate {
        if let Some(sent) = &mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner) {
            sent.extend(asked);
        }
        self.unless_silent(connection)
    }

    fn answer(&self, connection: usize) -> Fate {
        match self.cuts.swap(false, Ordering::SeqCst) {
            true => Fate::Cut,
            false => self.unless_silent(connection),
        }
    }

    fn unless_silent(&self, connection: usize) -> Fate {
        match connection < self.first_that_speaks.load(Ordering::SeqCst) {
            true => Fate::Swallowed,
            false => Fate::PassedOn,
        }
    }
}

/// Passes on what comes, until either side ends or the connection is cut.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, fate: impl Fn(&[u8]) -> Fate) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        let came = &buffer[..read];
        match fate(came) {
            Fate::Cut => return,
            Fate::Swallowed if read > 0 => {}
            _ if read == 0 || to.write_all(came).await.is_err() => return,
            _ => {}
        }
    }
}
