use carafe::UnixSeconds;
use carafe::id::SessionIdHash;
use carafe::store::{RevocationStore, SessionStore as _, State, Version};

use crate::Fixture;
use crate::support::{NOW, create, load, new_id, pointer, record, record_with, written};

/// Every field of a record comes back as it was.
pub async fn every_field_survives(fixture: impl Fixture) {
    let store = fixture.open().await;
    let mut record = record();
    record.user = Some("42".to_owned());
    record.logged_in = Some(NOW + 1);
    record.renewed = NOW + 2;
    record.last_seen = NOW + 3;
    record.address = Some("2001:db8::1".to_owned());
    record.agent = Some("Firefox \u{1f98a}\0".to_owned());
    record.state = State::Moved { to: new_id(), until: NOW + 10 };
    let id = create(&store, &record).await;
    assert_eq!(load(&store, &id).await.record, record);

    record.logged_in = Some(UnixSeconds(0));
    record.address = Some(String::new());
    record.agent = None;
    record.state = State::Live;
    written(store.update(&id, Version(1), &record, NOW).await.unwrap());
    assert_eq!(load(&store, &id).await.record, record);
}

/// The content is bytes: what they mean is nothing to the store.
pub async fn the_content_may_be_any_bytes(fixture: impl Fixture) {
    let store = fixture.open().await;
    let all: Vec<u8> = (0..=255).collect();
    for data in [&b""[..], b"\0", b"\0\0a", b"\xff\xfe", b"'\"\\", b"\r\n", &all] {
        let id = create(&store, &record_with(data)).await;
        assert_eq!(load(&store, &id).await.record.data, data);
    }
}

/// A record may be large.
pub async fn the_content_may_be_large(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = create(&store, &record_with("small")).await;
    let mut version = Version(1);
    for size in [64 * 1024, 1024 * 1024, 10] {
        let data: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let record = record_with(data);
        version = written(store.update(&id, version, &record, NOW).await.unwrap());
        assert_eq!(load(&store, &id).await.record, record);
    }
}

/// Any 32 bytes are an id.
pub async fn an_id_may_be_any_bytes(fixture: impl Fixture) {
    let store = fixture.open().await;
    let mut ids = vec![[0; 32], [255; 32], [b'\''; 32], [b'%'; 32], [b'}'; 32]];
    let (mut first, mut last) = ([0; 32], [0; 32]);
    (first[0], last[31]) = (1, 1);
    ids.extend([first, last]);
    for (number, id) in ids.iter().enumerate() {
        let record = record_with(format!("{number}"));
        let id = SessionIdHash::from_bytes(*id);
        assert!(store.create(&id, &record, NOW).await.unwrap());
        store.revoke(&id, NOW + 1 + number as u64, NOW).await.unwrap();
    }
    for (number, id) in ids.iter().enumerate() {
        let id = SessionIdHash::from_bytes(*id);
        assert_eq!(load(&store, &id).await.record.data, number.to_string().into_bytes());
        assert!(store.revocations(&id, None, NOW + number as u64).await.unwrap().session);
        assert!(!store.revocations(&id, None, NOW + 1 + number as u64).await.unwrap().session);
    }
    let to = SessionIdHash::from_bytes(last);
    let moved = create(&store, &pointer(to, NOW + 1)).await;
    assert_eq!(load(&store, &moved).await.record.state, State::Moved { to, until: NOW + 1 });
    for state in [State::Rotated { to }, State::Ended { by: to }] {
        let mut record = pointer(to, NOW + 1);
        record.state = state;
        let id = create(&store, &record).await;
        assert_eq!(load(&store, &id).await.record.state, state);
    }
}
