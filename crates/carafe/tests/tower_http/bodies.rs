//! Bodies that can't be made of bytes, or are made of something else.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt as _, Empty, Full, Limited};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use crate::app::{App, csrf, get, send, sessions, visit};

type BoxError = Box<dyn StdError + Send + Sync>;

macro_rules! bodies {
    ($($name:ident: $make:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            for sessions in sessions() {
                let layers = ServiceBuilder::new().layer(sessions).layer(csrf());
                visit(layers.service(App::new($make))).await;
            }
        }
    )*};
}
bodies! {
    bytes: Full::new;
    text: |page: Bytes| String::from_utf8(page.to_vec()).unwrap();
    axums: Body::from;
    boxed: |page| -> BoxBody<Bytes, Infallible> { Full::new(page).boxed() };
    boxed_with_errors: |page| -> BoxBody<Bytes, BoxError> {
        Full::new(page).map_err(BoxError::from).boxed()
    };
    boxed_for_one_thread: |page| -> UnsyncBoxBody<Bytes, BoxError> {
        Full::new(page).map_err(BoxError::from).boxed_unsync()
    };
    limited: |page| Limited::new(Full::new(page), 1000);
    of_other_data: |page: Bytes| Full::new(VecDeque::from(page.to_vec()));
}

/// The handler has no content, and its body's type can't carry any.
#[tokio::test]
async fn an_empty_body_is_replaced_by_a_page() {
    let fails = service_fn(async |request: Request<Full<Bytes>>| {
        let session = carafe::Session::from_extensions(request.extensions()).await;
        let error = session.unwrap().insert("_carafe_user", 1).unwrap_err();
        Ok::<_, Infallible>(Response::<Bytes>::from(error).map(|_| Empty::<Bytes>::new()))
    });
    for sessions in sessions() {
        let service = ServiceBuilder::new().layer(sessions).service(fails);
        let answer = send(&service, get("/").body(Full::default()).unwrap()).await;
        assert_eq!((answer.status, answer.text()), (500, "<h1>ReservedKey</h1>"));
    }
}

/// Data, trailers and errors come through, and so does what is known of the size.
#[tokio::test]
async fn a_stream_passes_as_it_is() {
    /// A body of these frames.
    struct Frames(VecDeque<Result<Frame<Bytes>, &'static str>>);

    impl http_body::Body for Frames {
        type Data = Bytes;
        type Error = &'static str;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            Poll::Ready(self.0.pop_front())
        }

        fn is_end_stream(&self) -> bool {
            self.0.is_empty()
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(9)
        }
    }

    for sessions in sessions() {
        let handler = service_fn(async |_: Request<carafe::csrf::Body<Full<Bytes>>>| {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", HeaderValue::from_static("1"));
            let data = ["some ", "text"].map(|piece| Ok(Frame::data(Bytes::from(piece))));
            let end = [Ok(Frame::trailers(trailers)), Err("the disk is gone")];
            Ok::<_, Infallible>(Response::new(Frames(data.into_iter().chain(end).collect())))
        });
        let service = ServiceBuilder::new().layer(sessions).layer(csrf()).service(handler);
        let request = get("/").body(Full::<Bytes>::default()).unwrap();
        let mut body = service.oneshot(request).await.unwrap().into_body();
        assert_eq!(body.size_hint().exact(), Some(9));
        for piece in ["some ", "text"] {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
        }
        let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers["x-sum"], "1");
        assert!(!body.is_end_stream());
        assert_eq!(body.frame().await.unwrap().unwrap_err(), "the disk is gone");
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }
}
