//! The keys and values on the server.

use carafe::UnixSeconds;
use carafe::store::{RevocationStore, SessionStore as _, UserRevocation, Version};
use redis::{ErrorKind, RedisResult, ServerErrorKind, Value};

use super::{NOW, id, record, store, url};

/// Sends a command to the server itself, or to every node that the URL names.
pub(crate) async fn admin(words: &[&str]) -> Vec<Value> {
    ask_all(words).await.into_iter().map(Result::unwrap).collect()
}

/// Sends a command about a key to the server, or to the node that has it.
async fn ask_about(words: &[&str]) -> Value {
    let elsewhere = ErrorKind::Server(ServerErrorKind::Moved);
    let mut answers = ask_all(words).await.into_iter();
    let answer = answers.find(|answer| !matches!(answer, Err(error) if error.kind() == elsewhere));
    answer.expect("a node that has the key").unwrap()
}

async fn ask_all(words: &[&str]) -> Vec<RedisResult<Value>> {
    let url = url().replace("redis-cluster://", "redis://");
    let (first, query) = url.split_once('?').unwrap_or((&url, ""));
    let others = query.split('&').filter_map(|pair| pair.strip_prefix("node="));
    let mut answers = Vec::new();
    for url in std::iter::once(first.to_owned()).chain(others.map(|n| format!("redis://{n}"))) {
        let client = redis::Client::open(url).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        answers.push(command.arg(&words[1..]).query_async(&mut connection).await);
    }
    answers
}

/// The keys with this prefix, on all nodes.
async fn keys(prefix: &str) -> Vec<String> {
    let answers = admin(&["KEYS", &format!("{prefix}:*")]).await;
    let mut keys: Vec<String> = answers
        .into_iter()
        .flat_map(|keys| redis::from_redis_value::<Vec<String>>(keys).unwrap())
        .collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn every_key_expires_by_the_caller_s_clock() {
    let (store, prefix) = store();
    // The caller's clock stands in 2023: a time of its own would have passed long ago.
    assert!(store.create(&id(), &record(Some("ann")), NOW).await.unwrap());
    store.revoke(&id(), NOW + 500, NOW).await.unwrap();
    store
        .revoke_user("ann", UserRevocation { logins_up_to: NOW, until: UnixSeconds::MAX }, NOW)
        .await
        .unwrap();
    let keys = keys(&prefix).await;
    assert_eq!(keys.len(), 4, "{keys:?}");
    for key in keys {
        let left: i64 = redis::from_redis_value(ask_about(&["PTTL", &key]).await).unwrap();
        let expected = match key.split(':').nth(1).unwrap() {
            "s" => 3_600_000,
            "u" => 86_400_000,
            "r" => 500_000,
            _ => 100 * 365 * 86_400_000,
        };
        assert!((expected - 5000..=expected).contains(&left), "{key}: {left}");
    }
}

#[tokio::test]
async fn the_index_forgets_what_was_deleted_or_has_expired() {
    let (store, prefix) = store();
    let (first, second) = (id(), id());
    assert!(store.create(&first, &record(Some("ann")), NOW).await.unwrap());
    store.delete(&first, Some(Version(1))).await.unwrap();
    assert_eq!(keys(&prefix).await, Vec::<String>::new());
    // The record is silently lost, as by eviction.
    assert!(store.create(&first, &record(Some("ann")), NOW).await.unwrap());
    let key = keys(&prefix).await.into_iter().find(|key| key.contains(":s:")).unwrap();
    ask_about(&["DEL", &key]).await;
    assert!(store.list_for_user("ann", NOW).await.unwrap().is_empty());
    let later = NOW + 86_401;
    let mut record = record(Some("ann"));
    record.expires = later + 86_400;
    assert!(store.create(&second, &record, later).await.unwrap());
    let index = keys(&prefix).await.into_iter().find(|key| key.contains(":u:")).unwrap();
    let count: u64 = redis::from_redis_value(ask_about(&["ZCARD", &index]).await).unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn what_something_else_wrote_is_an_error_and_stays() {
    let (store, prefix) = store();
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    let key = keys(&prefix).await.remove(0);
    ask_about(&["SET", &key, "something else"]).await;
    assert!(store.load(&id, NOW).await.is_err());
    ask_about(&["DEL", &key]).await;
    ask_about(&["RPUSH", &key, "a list"]).await;
    let error = store.update(&id, Version(1), &record(None), NOW).await.unwrap_err();
    assert_eq!(error.kind(), carafe::store::StoreErrorKind::Corrupt);
    assert!(!error.to_string().contains(&key), "{error}");
}
