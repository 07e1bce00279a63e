//! Nodes of a Cluster that disagree. They are made up: real ones can't be told to.

use std::time::Duration;

use carafe::SessionStore as _;
use carafe::store::StoreErrorKind;
use carafe_redis::RedisStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{NOW, id};

/// Answers one connection: to whoever asks for the slots that `owner` has all of them, and `other`
/// to whatever is about a key.
async fn serve(mut stream: TcpStream, owner: u16, other: &str) -> std::io::Result<()> {
    let mut asked = Vec::new();
    loop {
        if stream.read_buf(&mut asked).await? == 0 {
            return Ok(());
        }
        while let Some((words, length)) = command(&asked) {
            asked.drain(..length);
            let answer = match words.first().map(String::as_str) {
                Some("HELLO") => "%1\r\n+proto\r\n:3\r\n".to_owned(),
                Some("CLUSTER") => format!(
                    "*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:{owner}\r\n+id\r\n"
                ),
                Some("GET" | "EVALSHA") => other.to_owned(),
                _ => "+OK\r\n".to_owned(),
            };
            stream.write_all(answer.as_bytes()).await?;
        }
    }
}

/// The first command that is there as a whole, and how many bytes it takes.
fn command(asked: &[u8]) -> Option<(Vec<String>, usize)> {
    let text = String::from_utf8_lossy(asked);
    let mut lines = text.split_inclusive("\r\n").filter(|line| line.ends_with("\r\n"));
    let head = lines.next()?;
    let count: usize = head.trim().strip_prefix('*')?.parse().ok()?;
    let (mut words, mut length) = (Vec::new(), head.len());
    for _ in 0..count {
        let (size, word) = (lines.next()?, lines.next()?);
        words.push(word.trim_end().to_owned());
        length += size.len() + word.len();
    }
    Some((words, length))
}

/// Two nodes; the first takes itself for the owner of everything, but is cut off from the others.
async fn two_nodes() -> String {
    let (cut_off, elected) = (listen().await, listen().await);
    let ports = [&cut_off, &elected].map(|listener| listener.local_addr().unwrap().port());
    let down = "-CLUSTERDOWN The cluster is down\r\n";
    for (listener, port, other) in [(cut_off, ports[0], down), (elected, ports[1], "_\r\n")] {
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, port, other));
            }
        });
    }
    format!("redis-cluster://127.0.0.1:{}?node=127.0.0.1:{}", ports[0], ports[1])
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn a_node_that_is_cut_off_from_the_others_is_left() {
    let store = RedisStore::new(&two_nodes().await).unwrap();
    // The nodes have just been asked, and are left alone for a moment.
    let error = store.load(&id(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("CLUSTERDOWN"), "{error}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(store.load(&id(), NOW).await.unwrap(), None);
}
