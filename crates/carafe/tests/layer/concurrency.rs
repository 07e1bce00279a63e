//! Several holders of one request's session.

use axum::Router;
use axum::routing::get;
use carafe::value::Value;
use carafe::{Error, Session};

use crate::support::{Client, flask, in_session};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_update_is_lost() {
    let handler = async |session: Session| -> Result<String, Error> {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let session = session.clone();
                tokio::spawn(async move {
                    for _ in 0..250 {
                        session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).unwrap();
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        Ok(session.get::<u32>("n")?.unwrap_or(0).to_string())
    };
    let read = async |session: Session| session.get::<u32>("n").map(|n| format!("{n:?}"));
    let app = Router::new().route("/", get(handler)).route("/read", get(read)).layer(flask());
    let mut client = Client::new(app);
    assert_eq!(client.get("/").await.text, "2000");
    assert_eq!(client.get("/read").await.text, "Some(2000)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn or_insert_inserts_once() {
    let handler = async |session: Session| {
        let tasks = (0..8).map(|task| {
            let session = session.clone();
            tokio::spawn(async move { session.entry("first").or_insert(task).unwrap() })
        });
        let mut values = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            values.push(task.await.unwrap());
        }
        assert!(values.iter().all(|value| *value == values[0]));
        assert_eq!(session.value("first").as_ref(), Some(&values[0]));
    };
    let app = Router::new().route("/", get(handler)).layer(flask());
    assert_eq!(Client::new(app).get("/").await.status, 200);
}

/// The function runs outside the lock.
#[tokio::test]
async fn update_may_use_the_session_itself() {
    let (dict, _) = in_session(flask(), |session| {
        let inner = session.clone();
        let count = session
            .update("keys", move |_: Option<u32>| {
                inner.entry("other").or_insert(1).unwrap();
                inner.len() as u32
            })
            .unwrap();
        assert_eq!(count, 1);
        session.to_dict()
    })
    .await;
    assert_eq!(Value::from(dict).to_tagged_json().unwrap(), r#"{"keys":1,"other":1}"#);
}
