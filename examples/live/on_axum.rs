use std::convert::Infallible;
use std::net::TcpListener;

use axum::Form;
use axum::Router;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use carafe::{Error, ErrorKind, Session, SessionLayer};
use futures_util::{FutureExt as _, SinkExt as _, Stream, StreamExt as _, stream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::user::{Credentials, Seat, is_own_origin, log_in};
use crate::websocket::{Upgrade, WebSocket};
use crate::{LEAVE, PAGE, SERVER_ERROR, SESSION_ENDED};

async fn login(session: Session, Form(form): Form<Credentials>) -> Result<Redirect, Error> {
    log_in(&session, form)?;
    Ok(Redirect::to("/"))
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.logout()?;
    Ok(Redirect::to("/"))
}

async fn ws(session: Session, headers: HeaderMap, upgrade: Upgrade) -> Result<Response, Error> {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if !is_own_origin(header(ORIGIN), header(HOST)) {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    let seat = Seat::take(&session)?;
    Ok(upgrade.accept(|socket| talk(socket, seat)))
}

/// Answers each `?` with who it is, until the session ends or the client leaves.
async fn talk(mut socket: WebSocket, mut seat: Seat) {
    if socket.send(Message::text(seat.first())).await.is_err() {
        return;
    }
    loop {
        let message = tokio::select! {
            () = &mut seat.ended => return close(socket, SESSION_ENDED).await,
            message = socket.next() => message,
        };
        let asked = match message {
            Some(Ok(Message::Text(text))) => text.as_str() == "?",
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            Some(Ok(_)) => false,
        };
        if asked {
            let sent = match seat.now().await {
                Ok(user) => socket.send(Message::text(user)).await,
                Err(error) if error.kind() == ErrorKind::Ended => {
                    return close(socket, SESSION_ENDED).await;
                }
                Err(_) => return close(socket, SERVER_ERROR).await,
            };
            if sent.is_err() {
                return;
            }
        }
    }
}

async fn close(mut socket: WebSocket, code: u16) {
    let reason = if code == SESSION_ENDED { "the session has ended" } else { "" };
    let frame = CloseFrame { code: code.into(), reason: reason.into() };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        let answer = async { while let Some(Ok(_)) = socket.next().await {} };
        // A client that doesn't answer is left.
        let _ = timeout(LEAVE, answer).await;
    }
}

/// Sends the user's name, and in the end the message that the session has ended.
async fn events(
    session: Session,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Error> {
    let seat = Seat::take(&session)?;
    let first = Event::default().event("user").data(seat.first());
    let last = seat.ended.map(|()| Event::default().event("ended").data("ended"));
    let events = stream::iter([first]).chain(stream::once(last)).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

pub(crate) async fn serve(
    listener: TcpListener,
    sessions: SessionLayer,
    announcement: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/ws", get(ws))
        .route("/events", get(events))
        .layer(sessions);
    let listener = tokio::net::TcpListener::from_std(listener)?;
    println!("{announcement}");
    Ok(axum::serve(listener, app).await?)
}
