//! A TCP proxy that can keep the server's answers back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Passes everything on, until it is told to cut: then the next answer is dropped, and with it the
/// connection.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cut_answers: AtomicBool,
    connections: AtomicUsize,
}

impl Proxy {
    pub(crate) async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let server = TcpStream::connect(&target).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(copy(from_client, to_server, None));
                tokio::spawn(copy(from_server, to_client, Some(Arc::clone(&shared))));
            }
        });
        Self { address, state }
    }

    /// Cuts the connection when the next answer comes.
    pub(crate) fn cut_next_answer(&self) {
        self.state.cut_answers.store(true, Ordering::SeqCst);
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: Option<Arc<State>>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        let cuts =
            cut.as_ref().is_some_and(|state| state.cut_answers.swap(false, Ordering::SeqCst));
        if read == 0 || cuts || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
