use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::field::{Found, Search};

pin_project! {
    /// A request's body as it arrived, even if the layer has read part of it in search of the
    /// token.
    pub struct Body<B> {
        // The bytes that the layer has read, which the handler reads again.
        read: Bytes,
        // The bytes that arrived with the last piece and were not searched.
        unread: Bytes,
        trailers: Option<HeaderMap>,
        #[pin]
        rest: Rest<B>,
    }
}

pin_project! {
    /// The rest of the body.
    #[project = RestProjection]
    enum Rest<B> {
        /// The whole body: nothing has been read.
        Whole { #[pin] body: B },
        /// The rest after the part that was read. It is pinned, since it has been polled.
        Begun { body: Pin<Box<B>> },
        /// The body has ended.
        Ended,
    }
}

impl<B> Body<B> {
    /// Wraps a body before anything is read from it.
    pub(crate) fn new(rest: B) -> Self {
        let rest = Rest::Whole { body: rest };
        Self { read: Bytes::new(), unread: Bytes::new(), trailers: None, rest }
    }

    fn replayed_len(&self) -> u64 {
        self.read.len() as u64 + self.unread.len() as u64
    }
}

/// The result of the search for the token in a body.
#[derive(Debug)]
pub(super) enum Read {
    Token(Vec<u8>),
    Missing,
    /// The token isn't in the part of the body that is searched.
    TooFar,
    /// The body could not be read to where the token might be.
    Broken,
}

impl<B: HttpBody> Body<B> {
    /// Reads from the body until the token is found, and at most `limit` bytes. The handler reads
    /// the same bytes again.
    pub(super) async fn find_token(&mut self, mut search: Search, limit: usize) -> Read {
        let mut body = match std::mem::replace(&mut self.rest, Rest::Ended) {
            Rest::Whole { body } => Some(Box::pin(body)),
            Rest::Begun { body } => Some(body),
            Rest::Ended => None,
        };
        let mut read = Vec::new();
        let result = loop {
            let frame = match &mut body {
                Some(body) => poll_fn(|cx| body.as_mut().poll_frame(cx)).await,
                None => None,
            };
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(mut data))) => {
                    let taken = data.remaining().min(limit - read.len());
                    read.extend_from_slice(&data.copy_to_bytes(taken));
                    self.unread = data.copy_to_bytes(data.remaining());
                }
                Some(Ok(Err(frame))) => {
                    self.trailers = frame.into_trailers().ok();
                    body = None;
                }
                Some(Err(_)) => {
                    body = None;
                    break Read::Broken;
                }
                None => body = None,
            }
            match search.search(&read, body.is_none()) {
                Found::Value(token) => break Read::Token(token.to_vec()),
                Found::Missing => break Read::Missing,
                Found::NotYet if read.len() >= limit => break Read::TooFar,
                Found::NotYet => {}
            }
        };
        self.read = Bytes::from(read);
        if let Some(body) = body {
            self.rest = Rest::Begun { body };
        }
        result
    }
}

impl<B: HttpBody> Body<B> {
    /// Reads the rest of the body and drops it, at most about `limit` bytes.
    ///
    /// A server that answers before it has read the request closes the connection, and a client
    /// that is still sending then gets an error in place of the answer.
    pub(super) async fn discard(self, limit: u64) {
        let mut body = match self.rest {
            Rest::Whole { body } => Box::pin(body),
            Rest::Begun { body } => body,
            Rest::Ended => return,
        };
        let mut left = limit;
        while body.size_hint().lower() <= left {
            let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await else { return };
            let read = frame.data_ref().map_or(0, |data| data.remaining() as u64);
            let Some(rest) = left.checked_sub(read) else { return };
            left = rest;
        }
    }

    /// Returns whether none of the body has been read.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.rest, Rest::Whole { .. })
    }
}

impl<B: HttpBody> HttpBody for Body<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        for replayed in [this.read, this.unread] {
            if !replayed.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(replayed)))));
            }
        }
        if let Some(trailers) = this.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let frame = match this.rest.project() {
            RestProjection::Whole { body } => body.poll_frame(cx),
            RestProjection::Begun { body } => body.as_mut().poll_frame(cx),
            RestProjection::Ended => return Poll::Ready(None),
        };
        let to_bytes = |mut data: B::Data| data.copy_to_bytes(data.remaining());
        frame.map_ok(|frame| frame.map_data(to_bytes))
    }

    fn is_end_stream(&self) -> bool {
        let rest_ended = match &self.rest {
            Rest::Whole { body } => body.is_end_stream(),
            Rest::Begun { body } => body.is_end_stream(),
            Rest::Ended => true,
        };
        self.replayed_len() == 0 && self.trailers.is_none() && rest_ended
    }

    fn size_hint(&self) -> SizeHint {
        let rest = match &self.rest {
            Rest::Whole { body } => body.size_hint(),
            Rest::Begun { body } => body.size_hint(),
            Rest::Ended => SizeHint::with_exact(0),
        };
        let mut hint = SizeHint::new();
        hint.set_lower(self.replayed_len().saturating_add(rest.lower()));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(self.replayed_len())) {
            hint.set_upper(upper);
        }
        hint
    }
}

impl<B> fmt::Debug for Body<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use http_body_util::BodyExt as _;

    use super::super::field::Field;
    use super::*;

    /// A body of these frames, which fails the test if it is polled after its end.
    struct Frames(VecDeque<Result<Frame<Bytes>, &'static str>>, bool);

    impl HttpBody for Frames {
        type Data = Bytes;
        type Error = &'static str;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            assert!(!self.1, "read beyond the end");
            let next = self.0.pop_front();
            self.1 = next.is_none();
            Poll::Ready(next)
        }

        fn size_hint(&self) -> SizeHint {
            let frames = self.0.iter().flatten().filter_map(Frame::data_ref);
            SizeHint::with_exact(frames.map(|data| data.len() as u64).sum())
        }
    }

    fn body(pieces: &[&'static str]) -> Body<Frames> {
        let frames = pieces.iter().map(|piece| Ok(Frame::data(Bytes::from(*piece))));
        Body::new(Frames(frames.collect(), false))
    }

    /// The frames that haven't been read.
    fn rest(body: &mut Body<Frames>) -> &mut Frames {
        match &mut body.rest {
            Rest::Whole { body } => body,
            Rest::Begun { body } => body,
            Rest::Ended => panic!("all of it was read"),
        }
    }

    async fn find(body: &mut Body<Frames>, limit: usize) -> Read {
        let search = Search::new(b"application/x-www-form-urlencoded", &Field::default()).unwrap();
        body.find_token(search, limit).await
    }

    async fn text(body: Body<Frames>) -> String {
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_was_read_is_read_again() {
        let pieces = ["a=b&csrf", "_token=abc&", "c=d", "&e=f"];
        let whole = pieces.concat();
        let mut body = body(&pieces);
        assert_eq!(body.size_hint().exact(), Some(whole.len() as u64));
        assert!(matches!(find(&mut body, 100).await, Read::Token(token) if token == b"abc"));
        assert_eq!(rest(&mut body).0.len(), 2, "no more is read than needed");
        assert_eq!(body.size_hint().exact(), Some(whole.len() as u64));
        assert!(!body.is_end_stream());
        assert_eq!(text(body).await, whole);
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        let form = "a=b&csrf_token=abc&c=d";
        for (limit, found) in [(19, true), (18, false), (1, false)] {
            for pieces in [vec![form], vec!["a=b&csrf_", "token=abc&", "c=d"]] {
                let mut body = body(&pieces);
                let read = find(&mut body, limit).await;
                assert_eq!(matches!(read, Read::Token(_)), found, "{limit} {read:?}");
                assert_eq!(matches!(read, Read::TooFar), !found, "{limit} {read:?}");
                assert_eq!(body.read.len(), limit.min(body.read.len()));
                assert_eq!(text(body).await, form);
            }
        }
        let mut exact = body(&["csrf_token=abc"]);
        assert!(matches!(find(&mut exact, 14).await, Read::TooFar));
        let mut longer = body(&["csrf_token=abc"]);
        assert!(matches!(find(&mut longer, 15).await, Read::Token(_)));
        assert!(matches!(longer.rest, Rest::Ended));
        assert_eq!(text(longer).await, "csrf_token=abc");
    }

    #[tokio::test]
    async fn trailers_and_errors_are_kept() {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "1".parse().unwrap());
        let mut with_trailers = body(&["csrf_token=abc"]);
        rest(&mut with_trailers).0.push_back(Ok(Frame::trailers(trailers.clone())));
        assert!(matches!(find(&mut with_trailers, 100).await, Read::Token(_)));
        assert!(!with_trailers.is_end_stream());
        let collected = with_trailers.collect().await.unwrap();
        assert_eq!(collected.trailers(), Some(&trailers));
        assert_eq!(collected.to_bytes(), "csrf_token=abc");

        let mut broken = body(&["a=b&"]);
        rest(&mut broken).0.push_back(Err("gone"));
        assert!(matches!(find(&mut broken, 100).await, Read::Broken));

        let mut later = body(&["csrf_token=abc&", "d"]);
        rest(&mut later).0.push_back(Err("gone"));
        assert!(matches!(find(&mut later, 100).await, Read::Token(_)));
        assert_eq!(later.collect().await.unwrap_err(), "gone");

        let mut empty = body(&[]);
        assert!(matches!(find(&mut empty, 100).await, Read::Missing));
        assert!(empty.is_end_stream() && empty.size_hint().exact() == Some(0));
    }
}
