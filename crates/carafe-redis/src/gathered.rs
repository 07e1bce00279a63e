//! A stream that sends the commands of several requests in one write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose every write waits until the other ready tasks have had their turn.
///
/// A client writes as soon as one request has a command. With a single thread the next request has
/// its command right after that, and both the client and the server pay for a second write. Where
/// several threads share the work the wait doesn't pay, since it wakes another thread.
pub(crate) struct Gathered<S> {
    stream: S,
    /// Whether the next write has waited.
    waited: bool,
}

impl<S> Gathered<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, waited: false }
    }

    /// Whether a write has to wait for its turn: then the stream is polled again.
    fn waits(&mut self, context: &Context<'_>) -> bool {
        self.waited = !self.waited;
        if self.waited {
            context.waker().wake_by_ref();
        }
        self.waited
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.waits(context) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.waits(context) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn a_write_waits_for_one_turn_and_all_of_it_arrives() {
        let (near, mut far) = duplex(4);
        let mut near = Gathered::new(near);
        for _ in 0..2 {
            let first = poll_fn(|context| {
                Poll::Ready(Pin::new(&mut near).poll_write(context, b"ab").is_pending())
            });
            assert!(first.await);
            // The text is longer than the buffer.
            let (written, read) = tokio::join!(near.write_all(b"abcdefghij"), async {
                let mut read = [0; 10];
                far.read_exact(&mut read).await.map(|_| read)
            });
            written.unwrap();
            assert_eq!(&read.unwrap(), b"abcdefghij");
        }
        far.write_all(b"yes").await.unwrap();
        let mut answer = [0; 3];
        near.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"yes");
    }
}
