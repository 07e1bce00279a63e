//! Listening for the end of sessions: a subscription on a connection of its own.
//!
//! Scripts publish the name of each key that they end, on the node that has it. Messages are lost
//! while there is no connection, so the reader is told when listening begins and when it is
//! interrupted.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use carafe::store::{Notice, NoticeSender, Notices, TimeLimit};
use futures_util::future::{Either, select};
use redis::{PushInfo, PushKind, Value, cmd};

use crate::connect::Listening;
use crate::error::Failure;
use crate::store::Server;
use crate::value::Keys;

/// The interval at which the server has to show that it is there: a connection that a firewall has
/// forgotten would be silent for ever.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// The time limit for that sign of life.
const PATIENCE: Duration = Duration::from_secs(2);

/// The first and the longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(15));

/// Begins to listen, until the notices are dropped.
pub(crate) fn begin(server: &Arc<Server>, keys: &Keys) -> Notices {
    let (sender, notices) = Notices::channel();
    let (server, keys) = (Arc::clone(server), keys.clone());
    tokio::spawn(async move {
        select(pin!(listen(&server, &keys, &sender)), pin!(sender.closed())).await;
    });
    notices
}

async fn listen(server: &Server, keys: &Keys, sender: &NoticeSender) {
    let channel = keys.channel();
    let mut pause = PAUSES.0;
    let mut is_told = false;
    loop {
        if let Ok(listening) = connect(server, &channel).await {
            sender.send(Notice::Begun);
            (pause, is_told) = (PAUSES.0, false);
            pass_on(listening, keys, sender).await;
        }
        if !is_told {
            sender.send(Notice::Interrupted);
            is_told = true;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

async fn connect(server: &Server, channel: &[u8]) -> Result<Listening, Failure> {
    match server {
        Server::Single(links) => links[0].listen(channel).await,
        Server::Cluster(cluster) => cluster.listen(channel).await,
    }
}

/// Passes messages on, until the connection ends.
async fn pass_on(mut listening: Listening, keys: &Keys, sender: &NoticeSender) {
    loop {
        let pause = pin!(tokio::time::sleep(SIGN_OF_LIFE));
        match select(pin!(listening.told.recv()), pause).await {
            Either::Left((Some(PushInfo { kind: PushKind::Message, data }), _)) => {
                if let [_, Value::BulkString(key)] = data.as_slice()
                    && let Some(notice) = keys.notice(key)
                {
                    sender.send(notice);
                }
            }
            Either::Left((None, _)) => return,
            Either::Left((Some(PushInfo { kind: PushKind::Disconnection, .. }), _)) => return,
            Either::Left((Some(_), _)) => {}
            Either::Right(_) => {
                let ping = cmd("PING");
                let answer = listening.connection.send_packed_command(&ping);
                match TimeLimit::new(PATIENCE).run(answer).await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                }
            }
        }
    }
}
