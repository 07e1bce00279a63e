//! What is on the server.

use carafe::SessionStore as _;
use carafe::store::Version;
use redis::Value;

use super::{NOW, id, is_cluster, record, store, url};

/// Sends a command to the server itself, or to every node that the URL names.
pub(crate) async fn admin(words: &[&str]) -> Vec<Value> {
    let url = url().replace("redis-cluster://", "redis://");
    let (first, query) = url.split_once('?').unwrap_or((&url, ""));
    let others = query.split('&').filter_map(|pair| pair.strip_prefix("node="));
    let mut answers = Vec::new();
    for url in std::iter::once(first.to_owned()).chain(others.map(|n| format!("redis://{n}"))) {
        let client = redis::Client::open(url).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        answers.push(command.arg(&words[1..]).query_async(&mut connection).await.unwrap());
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
    if is_cluster() {
        return;
    }
    let (store, prefix) = store();
    // The caller's clock stands in 2023: a time of its own would have passed long ago.
    assert!(store.create(&id(), &record(Some("ann")), NOW).await.unwrap());
    store.revoke(&id(), NOW + 500, NOW).await.unwrap();
    store.revoke_user("ann", NOW, u64::MAX, NOW).await.unwrap();
    let keys = keys(&prefix).await;
    assert_eq!(keys.len(), 4, "{keys:?}");
    for key in keys {
        let left: i64 = redis::from_redis_value(admin(&["PTTL", &key]).await.remove(0)).unwrap();
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
    // Its record is lost without a word, as by eviction.
    assert!(store.create(&first, &record(Some("ann")), NOW).await.unwrap());
    let key = keys(&prefix).await.into_iter().find(|key| key.contains(":s:")).unwrap();
    if is_cluster() {
        return;
    }
    admin(&["DEL", &key]).await;
    assert!(store.list_for_user("ann", NOW).await.unwrap().is_empty());
    let later = NOW + 86_401;
    let mut record = record(Some("ann"));
    record.expires = later + 86_400;
    assert!(store.create(&second, &record, later).await.unwrap());
    let index = keys(&prefix).await.into_iter().find(|key| key.contains(":u:")).unwrap();
    let count: u64 = redis::from_redis_value(admin(&["ZCARD", &index]).await.remove(0)).unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn what_something_else_wrote_is_an_error_and_stays() {
    if is_cluster() {
        return;
    }
    let (store, prefix) = store();
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    let key = keys(&prefix).await.remove(0);
    admin(&["SET", &key, "something else"]).await;
    assert!(store.load(&id, NOW).await.is_err());
    admin(&["DEL", &key]).await;
    admin(&["RPUSH", &key, "a list"]).await;
    let error = store.update(&id, Version(1), &record(None), NOW).await.unwrap_err();
    assert_eq!(error.kind(), carafe::store::StoreErrorKind::Corrupt);
    assert!(!error.to_string().contains(&key), "{error}");
}
