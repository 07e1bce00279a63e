//! The rights and passwords that the server asks for.

use std::sync::{Arc, Mutex};

use carafe::store::{
    Notice, RevocationStore as _, SessionStore as _, StoreErrorKind, Updated, UserRevocation,
    Version,
};
use carafe_redis::RedisStore;

use super::own::Server;
use super::{NOW, id, record};

/// As the guide on stores lists them.
const RIGHTS: &[&str] = &[
    "+hello",
    "+client|setinfo",
    "+info",
    "+ping",
    "+get",
    "+getrange",
    "+set",
    "+psetex",
    "+del",
    "+evalsha",
    "+eval",
    "+zadd",
    "+zrem",
    "+zrangebyscore",
    "+zremrangebyscore",
    "+pttl",
    "+pexpire",
    "+time",
];

async fn store_with(server: &Server, rights: &[&str]) -> RedisStore {
    let user = ["ACL", "SETUSER", "sessions", "reset", "on", ">pa55", "~shop:*"];
    // A command of later versions, which earlier ones don't know.
    let rights = rights.iter().copied().filter(|right| *right != "+client|setinfo");
    let command: Vec<_> = user.into_iter().chain(rights).collect();
    server.command(&command).await;
    let url = format!("redis://sessions:pa55@127.0.0.1:{}", server.port());
    RedisStore::options(url).prefix("shop").open().unwrap()
}

/// Everything that requests do.
async fn use_all(store: &RedisStore) -> Result<(), carafe::store::StoreError> {
    store.ping().await?;
    let (one, two) = (id(), id());
    store.create(&one, &record(Some("ann")), NOW).await?;
    store.create(&two, &record(None), NOW).await?;
    let updated = store.update(&two, Version(1), &record(Some("bob")), NOW).await?;
    assert_eq!(updated, Updated::Written(Version(2)));
    assert!(store.load(&one, NOW).await?.is_some());
    assert_eq!(store.list_for_user("ann", NOW).await?.len(), 1);
    store.delete(&two, None).await?;
    store.revoke(&one, NOW + 9, NOW).await?;
    store.revoke_user("ann", UserRevocation { logins_up_to: NOW, until: NOW + 9 }, NOW).await?;
    assert!(store.revocations(&one, Some("ann"), NOW).await?.session);
    assert_eq!(store.delete_for_user("ann", None).await?, 1);
    Ok(())
}

#[tokio::test]
async fn the_rights_in_the_guide_are_enough_and_each_is_needed() {
    let server = Server::start(&[]).await;
    use_all(&store_with(&server, RIGHTS).await).await.unwrap();
    for (number, missing) in RIGHTS.iter().enumerate() {
        // The policy is then unknown; an entry stays in an index until it expires; HELLO needs none.
        if ["+info", "+zrem", "+hello", "+client|setinfo"].contains(missing) {
            continue;
        }
        let mut rights = RIGHTS.to_vec();
        rights.remove(number);
        let store = store_with(&server, &rights).await;
        server.command(&["SCRIPT", "FLUSH"]).await;
        // The records of the round before.
        server.command(&["FLUSHALL"]).await;
        let error = use_all(&store).await.expect_err(missing);
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{missing}: {error}");
        assert!(error.to_string().contains("NOPERM"), "{missing}: {error}");
    }
    let store = store_with(&server, RIGHTS).await;
    server.command(&["ACL", "SETUSER", "sessions", "resetkeys", "~other:*"]).await;
    let error = use_all(&store).await.unwrap_err().to_string();
    assert!(error.contains("NOPERM") && !error.contains("shop"), "{error}");
}

/// The listener is told of the missing right, and sessions still end.
#[tokio::test]
async fn a_user_who_may_not_publish_or_subscribe_ends_sessions_unheard() {
    let server = Server::start(&[]).await;
    let rights = [RIGHTS, &["resetchannels", "+publish", "+subscribe", "&shop:ended"]].concat();
    let heard = store_with(&server, &rights).await;
    let mut notices = heard.watch().unwrap();
    assert_eq!(notices.next().await, Some(Notice::Begun));
    let (one, two) = (id(), id());
    heard.create(&one, &record(Some("ann")), NOW).await.unwrap();
    heard.delete(&one, None).await.unwrap();
    assert_eq!(notices.next().await, Some(Notice::Session(one)));
    drop(notices);
    let unheard = store_with(&server, &[RIGHTS, &["resetchannels"]].concat()).await;
    let mut notices = unheard.watch().unwrap();
    assert_eq!(notices.next().await, Some(Notice::Interrupted));
    unheard.create(&two, &record(Some("ann")), NOW).await.unwrap();
    unheard.delete(&two, None).await.unwrap();
    assert_eq!(unheard.load(&two, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_command_that_is_not_allowed_is_named() {
    let server = Server::start(&[]).await;
    let rights: Vec<_> = RIGHTS.iter().copied().filter(|right| *right != "+get").collect();
    let store = store_with(&server, &rights).await;
    let error = store.load(&id(), NOW).await.unwrap_err().to_string();
    assert!(error.contains("NOPERM") && error.contains("The command is get."), "{error}");
}

/// The command before it was done.
#[tokio::test]
async fn a_server_that_refuses_to_wait_for_replicas_leaves_an_ending_uncertain() {
    let server = Server::start(&[]).await;
    store_with(&server, RIGHTS).await;
    let url = format!("redis://sessions:pa55@127.0.0.1:{}", server.port());
    let options = RedisStore::options(url).prefix("shop");
    let store = options.replicas_know_of_endings(1).open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    let error = store.delete(&id, None).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Uncertain, "{error}");
    assert!(error.to_string().contains("NOPERM"), "{error}");
    assert_eq!(store.load(&id, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_password_may_change_while_the_service_runs() {
    let server = Server::start(&["--requirepass", "old"]).await;
    let password = Arc::new(Mutex::new("old".to_owned()));
    let known = Arc::clone(&password);
    let options = server.options().password(move || known.lock().unwrap().clone());
    let store = options.open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    server.try_command("old", &["CONFIG", "SET", "requirepass", "new"]).await.unwrap();
    server.try_command("new", &["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let error = store.load(&id, NOW).await.unwrap_err().to_string();
    assert!(error.contains("another password") && !error.contains("old"), "{error}");
    *password.lock().unwrap() = "new".to_owned();
    assert!(store.load(&id, NOW).await.unwrap().is_some());
}
