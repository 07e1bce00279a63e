use carafe::UnixSeconds;
use carafe::store::{RevocationStore, Revocations, UserRevocation};

use crate::Fixture;
use crate::support::{NOW, create, is_there, new_id, record_of};

/// No session and no user is revoked without a call of a revocation.
pub async fn nothing_is_revoked_by_itself(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = create(&store, &record_of("ada")).await;
    store.revoke(&new_id(), NOW + 100, NOW).await.unwrap();
    store
        .revoke_user("bob", UserRevocation { logins_up_to: NOW, until: NOW + 100 }, NOW)
        .await
        .unwrap();
    for user in [None, Some("ada")] {
        let revoked = store.revocations(&id, user, NOW).await.unwrap();
        assert_eq!(revoked, Revocations::default());
    }
}

/// A revoked session stays revoked as long as it was told.
pub async fn a_session_is_revoked_until_its_time(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = new_id();
    store.revoke(&id, NOW + 100, NOW).await.unwrap();
    for user in [None, Some("ada")] {
        let revoked = store.revocations(&id, user, NOW).await.unwrap();
        assert_eq!(revoked, Revocations { session: true, not_before: None });
    }
    assert!(store.revocations(&id, None, NOW + 99).await.unwrap().session);
    assert!(!store.revocations(&id, None, NOW + 100).await.unwrap().session);
}

/// A session that is revoked again stays so for the longer of both times.
pub async fn a_revocation_is_never_shortened(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = new_id();
    for until in [NOW + 100, NOW + 50, NOW + 200, NOW + 10] {
        store.revoke(&id, until, NOW).await.unwrap();
    }
    assert!(store.revocations(&id, None, NOW + 199).await.unwrap().session);
    assert!(!store.revocations(&id, None, NOW + 200).await.unwrap().session);
}

/// The limit of a user's logins only ever moves forward.
pub async fn a_users_limit_never_moves_back(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = new_id();
    let limit =
        async |now: UnixSeconds| store.revocations(&id, Some("ada"), now).await.unwrap().not_before;
    assert_eq!(limit(NOW).await, None);
    for (time, expected) in [(10, 10), (20, 20), (15, 20), (20, 20), (0, 20), (30, 30)] {
        store
            .revoke_user(
                "ada",
                UserRevocation { logins_up_to: NOW + time, until: NOW + 100 + time },
                NOW,
            )
            .await
            .unwrap();
        assert_eq!(limit(NOW).await, Some(NOW + expected));
    }
    assert_eq!(limit(NOW + 129).await, Some(NOW + 30));
    assert_eq!(limit(NOW + 130).await, None);
}

/// A user's limit stays known for the longest of the times that were asked for.
pub async fn a_users_limit_is_never_forgotten_sooner(fixture: impl Fixture) {
    let store = fixture.open().await;
    store
        .revoke_user("ada", UserRevocation { logins_up_to: NOW, until: NOW + 100 }, NOW)
        .await
        .unwrap();
    store
        .revoke_user("ada", UserRevocation { logins_up_to: NOW + 1, until: NOW + 50 }, NOW)
        .await
        .unwrap();
    let revoked = store.revocations(&new_id(), Some("ada"), NOW + 99).await.unwrap();
    assert_eq!(revoked.not_before, Some(NOW + 1));
}

/// Sweeping removes only revocations that have ended, and no records.
pub async fn revocations_outlive_sweeps(fixture: impl Fixture) {
    let store = fixture.open().await;
    let (short, long) = (new_id(), new_id());
    store.revoke(&short, NOW + 10, NOW).await.unwrap();
    store.revoke(&long, NOW + 100, NOW).await.unwrap();
    store
        .revoke_user("ada", UserRevocation { logins_up_to: NOW, until: NOW + 10 }, NOW)
        .await
        .unwrap();
    store
        .revoke_user("bob", UserRevocation { logins_up_to: NOW, until: NOW + 100 }, NOW)
        .await
        .unwrap();
    let id = create(&store, &record_of("ada")).await;
    while store.delete_expired_revocations(NOW + 10, 10).await.unwrap() >= 10 {}
    let of = async |id, user| store.revocations(id, Some(user), NOW + 10).await.unwrap();
    assert_eq!(of(&short, "ada").await, Revocations::default());
    assert_eq!(of(&long, "bob").await, Revocations { session: true, not_before: Some(NOW) });
    assert!(is_there(&store, &id).await);
}

/// Revocations of distant times overflow nothing.
pub async fn revocations_may_last_for_ever(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = new_id();
    store.revoke(&id, UnixSeconds::MAX, NOW).await.unwrap();
    store
        .revoke_user(
            "ada",
            UserRevocation { logins_up_to: UnixSeconds::MAX, until: UnixSeconds::MAX },
            NOW,
        )
        .await
        .unwrap();
    store.delete_expired_revocations(UnixSeconds(1 << 40), 10).await.unwrap();
    let revoked = store.revocations(&id, Some("ada"), UnixSeconds(1 << 40)).await.unwrap();
    assert!(revoked.session);
    // Stores may take a time beyond 2^53 for that.
    assert!(revoked.not_before.is_some_and(|limit| limit >= UnixSeconds(1 << 53)));
}

/// Revocations that race end with the latest limit.
pub async fn racing_revocations_keep_the_latest(fixture: impl Fixture) {
    let stores = [fixture.open().await, fixture.open().await];
    let stores = std::sync::Arc::new(stores);
    let id = new_id();
    let mut tasks = Vec::new();
    for time in 0..32 {
        let stores = std::sync::Arc::clone(&stores);
        tasks.push(tokio::spawn(async move {
            let store = &stores[time % 2];
            let time = time as u64;
            store
                .revoke_user(
                    "ada",
                    UserRevocation { logins_up_to: NOW + time, until: NOW + 100 + time },
                    NOW,
                )
                .await
                .unwrap();
            store.revoke(&id, NOW + 100 + time, NOW).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let revoked = stores[0].revocations(&id, Some("ada"), NOW + 130).await.unwrap();
    assert_eq!(revoked, Revocations { session: true, not_before: Some(NOW + 31) });
}
