//! Nodes of a Cluster that disagree. They are made up: real ones can't be told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use carafe::store::{SessionStore as _, StoreErrorKind, Updated, Version};
use carafe_redis::{RedisOptions, RedisStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{NOW, id, record, resp};

/// The node's answer to a command about a key, by its name.
type Answers = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

#[derive(Clone)]
enum Answer {
    Says(String),
    /// The node runs the command, and is gone.
    Dies,
}

const NOTHING: &str = "_\r\n";

fn says(text: &str) -> Answer {
    Answer::Says(text.to_owned())
}

/// The questions about keys that a node got.
struct Node(Arc<Mutex<Vec<String>>>);

impl Node {
    /// A node that takes itself for the owner of all slots.
    fn start(listener: TcpListener, answers: Answers) -> Self {
        let owner = port(&listener);
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, owner, Arc::clone(&answers), Arc::clone(&seen)));
            }
        });
        Self(asked)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Answers one connection.
async fn serve(
    mut stream: TcpStream,
    owner: u16,
    answers: Answers,
    seen: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let mut asked = Vec::new();
    loop {
        if stream.read_buf(&mut asked).await? == 0 {
            return Ok(());
        }
        while let Some((words, length)) = resp::command(&asked) {
            asked.drain(..length);
            let name = String::from_utf8_lossy(&words[0]).into_owned();
            let answer = match name.as_str() {
                "HELLO" => "%1\r\n+proto\r\n:3\r\n".to_owned(),
                "CLUSTER" => format!(
                    "*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:{owner}\r\n+id\r\n"
                ),
                "CLIENT" => "+OK\r\n".to_owned(),
                "INFO" => "$11\r\nmaxmemory:0\r\n".to_owned(),
                _ => {
                    seen.lock().unwrap().push(name.clone());
                    match answers(&name) {
                        Answer::Says(answer) => answer,
                        Answer::Dies => return Ok(()),
                    }
                }
            };
            stream.write_all(answer.as_bytes()).await?;
        }
    }
}

/// Two nodes that answer so, and of which each takes itself for the owner of everything. The first is
/// told the other's port.
async fn two_nodes(
    first: impl Fn(&str, u16) -> Answer + Send + Sync + 'static,
    second: impl Fn(&str) -> Answer + Send + Sync + 'static,
) -> ([Node; 2], RedisOptions) {
    let (one, other) = (listen().await, listen().await);
    let ports = [port(&one), port(&other)];
    let first: Answers = Arc::new(move |name: &str| first(name, ports[1]));
    let nodes = [Node::start(one, first), Node::start(other, Arc::new(second))];
    let [one, other] = ports;
    let url = format!("redis-cluster://127.0.0.1:{one}?node=127.0.0.1:{other}");
    (nodes, RedisStore::options(url))
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

/// Long enough for the nodes to be asked for the slots again.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[tokio::test]
async fn a_node_that_is_cut_off_from_the_others_is_left() {
    let down = |_: &str, _| says("-CLUSTERDOWN The cluster is down\r\n");
    let (_nodes, options) = two_nodes(down, |_| says(NOTHING)).await;
    let store = options.open().unwrap();
    // The nodes have just been asked, and are left alone for a moment.
    let error = store.load(&id(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("CLUSTERDOWN"), "{error}");
    a_moment().await;
    assert_eq!(store.load(&id(), NOW).await.unwrap(), None);
}

/// The other node may say that it has the key now, and may have heard of the write.
#[tokio::test]
async fn a_write_whose_answer_is_lost_is_sent_to_no_other_node() {
    let dies = |name: &str, _| if name == "GET" { says(NOTHING) } else { Answer::Dies };
    let ([first, second], options) = two_nodes(dies, |_| says(NOTHING)).await;
    let store = options.open().unwrap();
    let id = id();
    assert_eq!(store.load(&id, NOW).await.unwrap(), None);
    assert_eq!(first.asked(), ["GET"]);
    a_moment().await;
    let error = store.update(&id, Version(1), &record(None), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Uncertain, "{error}");
    a_moment().await;
    assert_eq!((first.asked(), second.asked()), (vec!["EVALSHA".to_owned()], vec![]));
    // From now on it is the other one that is asked.
    assert_eq!(store.load(&id, NOW).await.unwrap(), None);
    assert_eq!((first.asked(), second.asked()), (vec![], vec!["GET".to_owned()]));
}

#[tokio::test]
async fn a_write_that_was_sent_on_and_whose_answer_is_lost_is_not_sent_again() {
    for (refusal, asked) in [
        ("MOVED 0 127.0.0.1:", &["EVALSHA"][..]),
        ("ASK 0 127.0.0.1:", &["ASKING", "EVALSHA"]),
        ("READONLY I am a replica", &["EVALSHA"]),
        ("CLUSTERDOWN I am alone", &["EVALSHA"]),
    ] {
        let refuses = move |name: &str, other: u16| match name {
            "GET" => says(NOTHING),
            _ if refusal.ends_with(':') => says(&format!("-{refusal}{other}\r\n")),
            _ => says(&format!("-{refusal}\r\n")),
        };
        let dies = |name: &str| if name == "ASKING" { says("+OK\r\n") } else { Answer::Dies };
        let ([first, second], options) = two_nodes(refuses, dies).await;
        let store = options.open().unwrap();
        let id = id();
        assert_eq!(store.load(&id, NOW).await.unwrap(), None);
        assert_eq!(first.asked(), ["GET"]);
        a_moment().await;
        let error = store.update(&id, Version(1), &record(None), NOW).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Uncertain, "{refusal}: {error}");
        a_moment().await;
        assert_eq!(first.asked(), ["EVALSHA"], "{refusal}");
        assert_eq!(second.asked(), asked, "{refusal}");
    }
}

/// A node that was asked to wait for a replica, and is gone before it can say what that has.
#[tokio::test]
async fn an_ending_of_which_nobody_knows_whether_a_replica_has_it_is_not_sent_again() {
    let first = |name: &str, _| match name {
        "EVALSHA" => says(":0\r\n"),
        _ => Answer::Dies,
    };
    let ([first, second], options) = two_nodes(first, |_| says(":0\r\n")).await;
    let store = options.replicas_know_of_endings(1).open().unwrap();
    let error = store.delete(&id(), None).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Uncertain, "{error}");
    a_moment().await;
    assert_eq!(first.asked(), ["EVALSHA", "WAIT"]);
    assert_eq!(second.asked(), Vec::<String>::new());
}

/// Nodes that don't know under which name their clients find them name a port alone.
#[tokio::test]
async fn a_node_without_a_name_is_another_port_of_the_same_host() {
    for code in ["MOVED", "ASK"] {
        let moved = move |_: &str, other| says(&format!("-{code} 0 :{other}\r\n"));
        let answers = |name: &str| says(if name == "ASKING" { "+OK\r\n" } else { NOTHING });
        let ([first, second], options) = two_nodes(moved, answers).await;
        let store = options.open().unwrap();
        assert_eq!(store.load(&id(), NOW).await.unwrap(), None, "{code}");
        assert_eq!(first.asked(), ["GET"]);
        let asked = second.asked();
        assert_eq!(asked.last().map(String::as_str), Some("GET"), "{asked:?}");
    }
}

/// A refusal is no answer: what a node says that it has not done is done by the next.
#[tokio::test]
async fn a_write_follows_its_key() {
    let moved = |name: &str, other| match name {
        "GET" => says(NOTHING),
        _ => says(&format!("-MOVED 0 127.0.0.1:{other}\r\n")),
    };
    let ([first, second], options) = two_nodes(moved, |_| says(":1\r\n")).await;
    let store = options.open().unwrap();
    let id = id();
    let updated = store.update(&id, Version(1), &record(None), NOW).await.unwrap();
    assert_eq!(updated, Updated::Written(Version(2)));
    assert_eq!((first.asked().len(), second.asked().len()), (1, 1));
}
