use std::net::TcpListener;

use actix_web::http::header::{CacheControl, CONTENT_TYPE, CacheDirective, HOST, ORIGIN};
use actix_web::rt;
use actix_web::web::{Bytes, Form, Html, Payload, Redirect, get, post};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use actix_ws::{CloseReason, Message, MessageStream};
use carafe::{Error, ErrorKind, Session, SessionLayer};
use futures_util::{FutureExt as _, StreamExt as _, stream};

use crate::user::{Credentials, Seat, is_own_origin, log_in};
use crate::{PAGE, SERVER_ERROR, SESSION_ENDED};

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
            () = &mut seat.ended => return close(socket, SESSION_ENDED).await,
            message = messages.next() => message,
        };
        let sent = match message {
            Some(Ok(Message::Text(text))) if &*text == "?" => match seat.now().await {
                Ok(user) => socket.text(user).await,
                Err(error) if error.kind() == ErrorKind::Ended => {
                    return close(socket, SESSION_ENDED).await;
                }
                Err(_) => return close(socket, SERVER_ERROR).await,
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

async fn close(socket: actix_ws::Session, code: u16) {
    let description = (code == SESSION_ENDED).then(|| "the session has ended".to_owned());
    // The client may be gone.
    let _ = socket.close(Some(CloseReason { code: code.into(), description })).await;
}

/// Who it is, and in the end that the session has ended.
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
    let server = HttpServer::new(app).workers(2).listen(listener)?;
    println!("{announcement}");
    Ok(server.run().await?)
}
