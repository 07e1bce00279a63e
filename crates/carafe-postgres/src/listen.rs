//! Listening for the end of sessions: `LISTEN` on a connection of its own.
//!
//! A notification is a letter and the hash of an id or of a user, in hexadecimal. Notifications are
//! lost while there is no connection, so the reader is told when listening begins and when it is
//! interrupted. PgBouncer that pools by transaction lets a client listen, and passes no
//! notification on. So listening has begun only when a notification of another connection has come.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use carafe::id::SessionIdHash;
use carafe::store::{Notice, NoticeSender, Notices, TimeLimit, UserHash};
use tokio::sync::mpsc;
use tokio_postgres::types::Type;

use crate::PostgresStore;
use crate::connect::Connector;
use crate::connection::Connection;
use crate::rows::column;
use crate::tables::{Parameter, Statement, channel};

/// The schema of the options, or else the first existing one of the search path.
const SCHEMA: &str = "SELECT coalesce($1, current_schema()::text)";

/// The notification when listening begins.
const BEGIN: &str = "b";

/// The interval at which the server has to show that it is there: a connection that a firewall has
/// forgotten would be silent for ever.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// The time limit for an answer, and for the first notification.
const PATIENCE: Duration = Duration::from_secs(2);

/// The first and the longest pause between two attempts to listen.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// The settings of one listening connection after the other.
struct Ears {
    connector: Connector,
    /// The schema that the options name.
    schema: Option<String>,
    heard: mpsc::UnboundedReceiver<String>,
    sender: NoticeSender,
}

/// Begins to listen, until the notices are dropped.
pub(crate) fn begin(store: &PostgresStore) -> Notices {
    let (sender, notices) = Notices::channel();
    let (tell, heard) = mpsc::unbounded_channel();
    let connector = store.pool.connector().listening(tell);
    let mut ears = Ears { connector, schema: store.schema.clone(), heard, sender: sender.clone() };
    tokio::spawn(async move {
        let (mut listening, mut closed) = (pin!(ears.listen()), pin!(sender.closed()));
        poll_fn(|context| match closed.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => listening.as_mut().poll(context),
        })
        .await;
    });
    notices
}

impl Ears {
    async fn listen(&mut self) {
        let (mut pause, mut is_told) = (PAUSES.0, false);
        loop {
            if let Some(mut connection) = self.connect().await {
                self.sender.send(Notice::Begun);
                (pause, is_told) = (PAUSES.0, false);
                self.pass_on(&mut connection).await;
            }
            if !is_told {
                self.sender.send(Notice::Interrupted);
                is_told = true;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Opens a connection that hears the notifications of others; `None` if that fails.
    async fn connect(&mut self) -> Option<Connection> {
        let mut connection = self.connector.connect(Instant::now()).await.ok()?;
        let limit = TimeLimit::new(PATIENCE);
        let channel = limit.run(self.subscribe(&mut connection)).await??;
        let mut other = self.connector.connect(Instant::now()).await.ok()?;
        let tell = format!("SELECT pg_catalog.pg_notify('{channel}', '{BEGIN}')");
        limit.run(other.batch(&tell)).await?.ok()?;
        drop(other);
        limit.run(self.hear_beginning(&mut connection)).await??;
        Some(connection)
    }

    /// Listens to the channel of the schema, and returns the channel.
    async fn subscribe(&self, connection: &mut Connection) -> Option<String> {
        let parameters: [Parameter<'_>; 1] = [(&self.schema, Type::TEXT)];
        let rows = connection.query(Statement::once(SCHEMA), &parameters).await.ok()?;
        let schema: Option<&str> = column(rows.first(), 0).ok()?;
        let channel = channel(schema?);
        connection.batch(&format!("LISTEN {channel}")).await.ok()?;
        Some(channel)
    }

    /// Waits for the first notification, and passes it on.
    async fn hear_beginning(&mut self, connection: &mut Connection) -> Option<()> {
        loop {
            let heard = self.hear(connection).await?;
            if heard == BEGIN {
                return Some(());
            }
            self.tell(&heard);
        }
    }

    /// Passes notifications on, until the connection ends.
    async fn pass_on(&mut self, connection: &mut Connection) {
        loop {
            match TimeLimit::new(SIGN_OF_LIFE).run(self.hear(connection)).await {
                Some(Some(heard)) => self.tell(&heard),
                Some(None) => return,
                None => match TimeLimit::new(PATIENCE).run(connection.check()).await {
                    Some(Ok(())) => {}
                    Some(Err(_)) | None => return,
                },
            }
        }
    }

    /// Waits for the next notification; `None` if the connection ends.
    async fn hear(&mut self, connection: &mut Connection) -> Option<String> {
        let mut ended = pin!(connection.ended());
        poll_fn(|context| {
            // New notifications are put into the queue.
            let ended = ended.as_mut().poll(context);
            match self.heard.poll_recv(context) {
                Poll::Ready(heard) => Poll::Ready(heard),
                Poll::Pending => ended.map(|()| None),
            }
        })
        .await
    }

    fn tell(&self, heard: &str) {
        if let Some(notice) = notice(heard) {
            self.sender.send(notice);
        }
    }
}

/// Returns the notice in a notification; `None` if it is not about sessions.
fn notice(heard: &str) -> Option<Notice> {
    let (kind, hash) = heard.split_at_checked(1)?;
    let hash = bytes_of(hash)?;
    match kind {
        "s" => Some(Notice::Session(SessionIdHash::from_bytes(hash))),
        "u" => Some(Notice::User(UserHash::from_bytes(hash))),
        _ => None,
    }
}

fn bytes_of(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 2 * bytes.len() || !hex.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_are_read() {
        let hex = "07".repeat(32);
        let id = SessionIdHash::from_bytes([7; 32]);
        assert_eq!(notice(&format!("s{hex}")), Some(Notice::Session(id)));
        let user = UserHash::from_bytes([7; 32]);
        assert_eq!(notice(&format!("u{hex}")), Some(Notice::User(user)));
        for other in
            ["", BEGIN, "s", &hex, &format!("s{hex}0"), &format!("s{}", "\u{e9}".repeat(32))]
        {
            assert_eq!(notice(other), None, "{other}");
        }
    }
}
