use std::net::TcpListener;
use std::time::Duration;

use actix_web::http::header::{CONTENT_TYPE, CacheControl, CacheDirective, HOST, ORIGIN};
use actix_web::rt;
use actix_web::web::{Bytes, Form, Html, Payload, Redirect, get, post};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use actix_ws::{CloseReason, Message, MessageStream};
use carafe::{Error, ErrorKind, Session, SessionLayer};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::time::timeout;

use crate::user::{Credentials, Seat, is_own_origin, log_in};
use crate::{LEAVE, PAGE, SERVER_ERROR, SESSION_ENDED};

/// The time for which a connection that has ended waits for the client to leave.
const LINGER: Duration = Duration::from_millis(100);

async fn login(session: Session, Form(form): Form<Credentials>) -> Result<Redirect, Error> {
    log_in(&session, form)?;
    Ok(Redirect::to("/").see_other())
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.logout()?;
    Ok(Redirect::to("/").see_other())
}

async fn ws(
    session: Session,
    request: HttpRequest,
    body: Payload,
) -> actix_web::Result<HttpResponse> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !is_own_origin(header(ORIGIN), header(HOST)) {
        return Ok(HttpResponse::Forbidden().finish());
    }
    let seat = Seat::take(&session)?;
    let (response, socket, messages) = actix_ws::handle(&request, body)?;
    rt::spawn(talk(socket, messages, seat));
    Ok(response)
}

/// Answers each `?` with who it is, until the session ends or the client leaves.
async fn talk(mut socket: actix_ws::Session, mut messages: MessageStream, mut seat: Seat) {
    if socket.text(seat.first()).await.is_err() {
        return;
    }
    loop {
        let message = tokio::select! {
            () = &mut seat.ended => return close(socket, messages, SESSION_ENDED).await,
            message = messages.next() => message,
        };
        let sent = match message {
            Some(Ok(Message::Text(text))) if &*text == "?" => match seat.now().await {
                Ok(user) => socket.text(user).await,
                Err(error) if error.kind() == ErrorKind::Ended => {
                    return close(socket, messages, SESSION_ENDED).await;
                }
                Err(_) => return close(socket, messages, SERVER_ERROR).await,
            },
            Some(Ok(Message::Ping(bytes))) => socket.pong(&bytes).await,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            Some(Ok(_)) => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn close(socket: actix_ws::Session, mut messages: MessageStream, code: u16) {
    let description = (code == SESSION_ENDED).then(|| "the session has ended".to_owned());
    if socket.close(Some(CloseReason { code: code.into(), description })).await.is_ok() {
        let answer = async { while let Some(Ok(_)) = messages.next().await {} };
        // A client that doesn't answer is left.
        let _ = timeout(LEAVE, answer).await;
    }
}

/// Sends the user's name, and in the end the message that the session has ended.
async fn events(session: Session) -> Result<HttpResponse, Error> {
    let seat = Seat::take(&session)?;
    let first = Bytes::from(format!("event: user\ndata: {}\n\n", seat.first()));
    let last = seat.ended.map(|()| Bytes::from_static(b"event: ended\ndata: ended\n\n"));
    let events = stream::iter([first]).chain(stream::once(last));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header(CacheControl(vec![CacheDirective::NoCache]))
        .streaming(events.map(Ok::<_, actix_web::Error>)))
}

pub(crate) async fn serve(
    listener: TcpListener,
    sessions: SessionLayer,
    announcement: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let app = move || {
        App::new()
            .route("/", get().to(async || Html::new(PAGE)))
            .route("/login", post().to(login))
            .route("/logout", post().to(logout))
            .route("/ws", get().to(ws))
            .route("/events", get().to(events))
            .wrap(sessions.clone())
    };
    // A page learns that its socket is closed when the server has closed the connection, too, which waits so
    // long for the client to leave first.
    let server = HttpServer::new(app).workers(2).client_disconnect_timeout(LINGER);
    let server = server.listen(listener)?;
    println!("{announcement}");
    Ok(server.run().await?)
}
