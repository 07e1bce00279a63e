//! WebSockets on axum, on a connection that hyper hands over.
//!
//! An application turns on axum's feature `ws` and uses its extractor `WebSocketUpgrade`. Cargo would build that
//! feature for all examples, also for the smallest one.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

pub(crate) type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// The largest message that a client may send, in bytes.
const LARGEST: usize = 4096;

/// A request that asks for a WebSocket (RFC 6455, section 4.2).
pub(crate) struct Upgrade {
    key: HeaderValue,
    connection: OnUpgrade,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let headers = &parts.headers;
        let is_asked_for = has_word(headers, CONNECTION, "upgrade")
            && has_word(headers, UPGRADE, "websocket")
            && has_word(headers, SEC_WEBSOCKET_VERSION, "13");
        if !is_asked_for {
            return Err(StatusCode::UPGRADE_REQUIRED);
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).cloned().ok_or(StatusCode::BAD_REQUEST)?;
        let connection = parts.extensions.remove::<OnUpgrade>();
        Ok(Self { key, connection: connection.ok_or(StatusCode::UPGRADE_REQUIRED)? })
    }
}

fn has_word(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
}

impl Upgrade {
    /// Accepts the WebSocket, and runs `talk` on it in a task of its own.
    pub(crate) fn accept<F: Future<Output = ()> + Send + 'static>(
        self,
        talk: impl FnOnce(WebSocket) -> F + Send + 'static,
    ) -> Response {
        let accepted = HeaderValue::try_from(derive_accept_key(self.key.as_bytes()));
        tokio::spawn(async move {
            // The client may have left before the connection was handed over.
            let Ok(connection) = self.connection.await else { return };
            let limits = WebSocketConfig::default().max_message_size(Some(LARGEST));
            let socket = TokioIo::new(connection);
            talk(WebSocket::from_raw_socket(socket, Role::Server, Some(limits)).await).await;
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.extend(accepted.ok().map(|accepted| (SEC_WEBSOCKET_ACCEPT, accepted)));
        response
    }
}
