use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::Error;
use crate::engine::{Headers, Reply};

pin_project! {
    /// The body of a response behind a [`SessionLayer`](crate::SessionLayer) or a
    /// [`CsrfLayer`](crate::csrf::CsrfLayer): the inner service's body, or an error page in its place.
    ///
    /// It is a [`Body`] whenever the inner body is one, and passes the inner body's data, trailers,
    /// errors and size on unchanged.
    pub struct ResponseBody<B> {
        #[pin]
        content: Content<B>,
    }
}

pin_project! {
    #[project = ContentProjection]
    enum Content<B> {
        Inner { #[pin] body: B },
        Page { page: Bytes },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { content: Content::Inner { body } }
    }

    pub(crate) fn page(page: Bytes) -> Self {
        Self { content: Content::Page { page } }
    }
}

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::new(B::default())
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().content.project() {
            ContentProjection::Inner { body } => {
                // Data that is `Bytes` already is not copied.
                let to_bytes = |mut data: B::Data| data.copy_to_bytes(data.remaining());
                body.poll_frame(cx).map_ok(|frame| frame.map_data(to_bytes))
            }
            ContentProjection::Page { page } if page.is_empty() => Poll::Ready(None),
            ContentProjection::Page { page } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(page)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Inner { body } => body.is_end_stream(),
            Content::Page { page } => page.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Inner { body } => body.size_hint(),
            Content::Page { page } => SizeHint::with_exact(page.len() as u64),
        }
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

impl<B> Reply for Response<ResponseBody<B>> {
    fn error(&self) -> Option<Error> {
        self.extensions().get().cloned()
    }

    fn headers(&mut self) -> &mut impl Headers {
        self.headers_mut()
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        Response::headers(self).iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    fn from_page(page: Response<Bytes>) -> Self {
        page.map(ResponseBody::page)
    }
}
