//! Writes that come too late to be saved.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request};
use axum::response::Response;
use axum::routing::get;
use carafe::{Error, ErrorKind, LazySession, LoginOptions, Session};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::{mpsc, oneshot};
use tower::{Layer as _, ServiceExt as _};

use crate::support::{Client, flask, in_session};

fn assert_closed<T>(result: Result<T, Error>) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.to_string().contains("before the handler returns"), "{error}");
}

/// The output of a future that never waits.
fn now<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

#[tokio::test]
async fn every_way_to_write_is_an_error_and_reading_goes_on() {
    let (session, answer) = in_session(flask(), |session| {
        session.insert("a", 1).unwrap();
        session.insert("list", [1, 2]).unwrap();
        session.flash("hi").unwrap();
        session.clone()
    })
    .await;
    assert!(answer.set_cookie().is_some());
    assert_closed(session.insert("b", 2));
    assert_closed(session.insert("b", carafe::value::Value::Null));
    assert_closed(session.insert_at(["list", "x"], 3));
    assert_closed(session.remove("a"));
    assert_closed(session.remove("missing"));
    assert_closed(session.take::<i64>("a"));
    assert_closed(session.extend([("b", 2)]));
    assert_closed(session.entry("b").or_insert(2));
    assert_closed(session.entry("b").or_insert_with(|| 2));
    assert_closed(session.update("a", |a: Option<i64>| a.unwrap_or(0) + 1));
    assert_closed(session.clear());
    assert_closed(session.set_permanent(true));
    assert_closed(session.mark_modified());
    assert_closed(session.flash("late"));
    assert_closed(session.flash_with("error", "late"));
    assert_closed(session.get_flashed_messages());
    assert_closed(session.login("admin"));
    assert_closed(session.login_with("admin", LoginOptions::default()));
    assert_closed(session.logout());
    assert_closed(session.rotate());
    assert_closed(session.make_id());
    assert_closed(session.save().await);
    assert_closed(session.update_now("a", |a: Option<i64>| a.unwrap_or(0) + 1).await);
    assert_closed(session.take_now::<i64>("a").await);

    assert_eq!(session.get::<i64>("a").unwrap(), Some(1));
    assert_eq!(session.entry("a").or_insert(2).unwrap().as_i64(), Some(1));
    assert_eq!(session.len(), 3);
    assert!(!session.contains("b") && !session.is_permanent());
}

#[tokio::test]
async fn a_body_that_streams_cant_write() {
    let late = Arc::new(Mutex::new(None));
    let result = Arc::clone(&late);
    let handler = async move |session: Session| -> Result<Body, Error> {
        session.insert("early", true)?;
        Ok(Body::new(Full::from("streamed").map_frame(move |frame| {
            *result.lock().unwrap() = Some(session.insert("late", true));
            frame
        })))
    };
    let answer = Client::new(Router::new().route("/", get(handler)).layer(flask())).get("/").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "streamed"));
    assert!(answer.set_cookie().is_some());
    assert_closed(late.lock().unwrap().take().unwrap());
}

/// The page would depend on a session that the response's `Vary` doesn't name.
#[tokio::test]
async fn a_body_that_streams_cant_open_the_session() {
    for opened_before in [false, true] {
        let late = Arc::new(Mutex::new(None));
        let result = Arc::clone(&late);
        let handler = async move |session: LazySession| -> Result<Body, Error> {
            if opened_before {
                session.open().await?;
            }
            Ok(Body::new(Full::from("streamed").map_frame(move |frame| {
                *result.lock().unwrap() = Some(now(session.open()));
                frame
            })))
        };
        let app = Router::new().route("/", get(handler)).layer(flask());
        let answer = Client::new(app).get("/").await;
        assert_eq!(answer.vary().is_some(), opened_before);
        assert_eq!(answer.text, "streamed");
        match late.lock().unwrap().take().unwrap() {
            Ok(session) => assert!(opened_before && session.is_empty()),
            Err(error) => assert!(!opened_before && error.kind() == ErrorKind::Closed, "{error}"),
        }
    }
}

#[tokio::test]
async fn a_task_that_outlives_the_response_cant_write() {
    let (tell, result) = oneshot::channel();
    let (respond, responded) = oneshot::channel::<()>();
    let task = Arc::new(Mutex::new(Some((tell, responded))));
    let handler = async move |session: Session| {
        let (tell, responded) = task.lock().unwrap().take().unwrap();
        tokio::spawn(async move {
            responded.await.unwrap();
            tell.send(session.insert("late", true)).unwrap();
        });
    };
    let answer = Client::new(Router::new().route("/", get(handler)).layer(flask())).get("/").await;
    assert_eq!((answer.status.as_u16(), answer.set_cookie()), (200, None));
    respond.send(()).unwrap();
    assert_closed(result.await.unwrap());
}

#[tokio::test]
async fn a_request_that_was_dropped_cant_be_written_to() {
    let (tell, mut sessions) = mpsc::unbounded_channel();
    let handler = async move |session: Session| {
        session.insert("a", 1).unwrap();
        tell.send(session).unwrap();
        std::future::pending::<()>().await;
    };
    let app = Router::new().route("/", get(handler)).layer(flask());
    let request = Request::get("/").body(Body::empty()).unwrap();
    let mut response = Box::pin(app.oneshot(request));
    let session: Session = tokio::select! {
        _ = &mut response => panic!("the handler never answers"),
        session = sessions.recv() => session.unwrap(),
    };
    session.insert("b", 2).unwrap();
    drop(response);
    assert_closed(session.insert("c", 3));
}

#[tokio::test]
async fn a_service_that_failed_cant_be_written_to() {
    let (tell, mut sessions) = mpsc::unbounded_channel();
    let service = tower::service_fn(move |request: Request| {
        let tell = tell.clone();
        async move {
            let mut parts = request.into_parts().0;
            tell.send(Session::from_request_parts(&mut parts, &()).await.unwrap()).unwrap();
            Err::<Response, _>("it failed")
        }
    });
    let result = flask().layer(service).oneshot(Request::new(Body::empty())).await;
    assert_eq!(result.unwrap_err(), "it failed");
    assert_closed(sessions.recv().await.unwrap().insert("a", 1));
}
