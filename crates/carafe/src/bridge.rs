//! Conversions from and to http 1, for frameworks that don't use it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::request::Parts;
use http::{Method, Request};
use http_body::{Body, Frame};

use crate::engine::append_lines;

/// Converts a request's head. Parts that http 1 refuses are left out; a part that passed another
/// version of the crate is not refused.
pub(crate) fn head<'a>(
    method: &str,
    uri: &str,
    lines: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Parts {
    let (mut parts, ()) = Request::new(()).into_parts();
    if let Ok(method) = Method::from_bytes(method.as_bytes()) {
        parts.method = method;
    }
    if let Ok(uri) = uri.parse() {
        parts.uri = uri;
    }
    append_lines(&mut parts.headers, lines);
    parts
}

/// A body that reads from a stream.
pub(crate) struct Streamed<S>(pub(crate) S);

impl<S, E> Body for Streamed<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        Pin::new(&mut self.0).poll_next(cx).map_ok(Frame::data)
    }
}

/// A stream that reads from a body.
pub(crate) struct Streaming<B>(pub(crate) B);

impl<B: Body<Data = Bytes> + Unpin> Stream for Streaming<B> {
    type Item = Result<Bytes, B::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The body was a stream, so it has no trailers.
        let data = |frame: Frame<Bytes>| frame.into_data().unwrap_or_default();
        Pin::new(&mut self.0).poll_frame(cx).map_ok(data)
    }
}
