//! The socket of a connection, which moves to the runtime that uses it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::runtime::{Handle, Id};

use crate::greeting::Greeting;

/// A socket that works in every tokio runtime.
///
/// Tokio ties a socket to the runtime that opened it: when that runtime ends, the socket fails in
/// all others. A pool is shared by the workers of actix-web, each of which has a runtime of its
/// own, and outlives the runtimes of tests. So a socket that another runtime polls is registered
/// there first, which takes two system calls.
pub(crate) struct Socket {
    stream: Stream,
    /// The runtime in which the socket is registered.
    runtime: Option<Id>,
    greeting: Greeting,
}

enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// The socket couldn't be registered in another runtime, and is closed.
    Closed,
}

impl Socket {
    pub(crate) fn tcp(stream: TcpStream, greeting: Greeting) -> Self {
        Self { stream: Stream::Tcp(stream), runtime: current_runtime(), greeting }
    }

    #[cfg(unix)]
    pub(crate) fn unix(stream: UnixStream) -> Self {
        let greeting = Greeting::any();
        Self { stream: Stream::Unix(stream), runtime: current_runtime(), greeting }
    }

    /// The stream, registered in the current runtime.
    fn here(&mut self) -> io::Result<&mut Stream> {
        let runtime = current_runtime();
        if runtime.is_some() && runtime != self.runtime {
            let stream = std::mem::replace(&mut self.stream, Stream::Closed);
            self.stream = stream.register()?;
            self.runtime = runtime;
        }
        Ok(&mut self.stream)
    }
}

impl Stream {
    fn register(self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(TcpStream::from_std(stream.into_std()?)?),
            #[cfg(unix)]
            Self::Unix(stream) => Self::Unix(UnixStream::from_std(stream.into_std()?)?),
            Self::Closed => Self::Closed,
        })
    }
}

/// The runtime that polls, if there is one.
pub(crate) fn current_runtime() -> Option<Id> {
    Handle::try_current().ok().map(|runtime| runtime.id())
}

/// Polls whichever stream it is.
macro_rules! poll {
    ($socket:expr, $stream:ident => $poll:expr) => {
        match $socket.here()? {
            Stream::Tcp($stream) => $poll,
            #[cfg(unix)]
            Stream::Unix($stream) => $poll,
            Stream::Closed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = poll!(self, stream => Pin::new(stream).poll_read(context, buffer));
        if matches!(polled, Poll::Ready(Ok(()))) {
            self.greeting.check(buffer.filled().get(before..).unwrap_or_default())?;
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        poll!(self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    /// Sockets have no buffer to flush.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll!(self, stream => Pin::new(stream).poll_shutdown(context))
    }
}
