use carafe::store::{SessionStore as _, Version};

use crate::Fixture;
use crate::support::{NOW, create, load, new_id, record, record_with};

/// A record that was created is there, as it was, in version 1.
pub async fn a_created_record_is_there(fixture: impl Fixture) {
    let store = fixture.open().await;
    let record = record();
    let id = create(&store, &record).await;
    let stored = load(&store, &id).await;
    assert_eq!(stored.record, record);
    assert_eq!(stored.version, Version(1));
}

/// Nothing is kept under an id that was never created.
pub async fn a_missing_record_is_none(fixture: impl Fixture) {
    let store = fixture.open().await;
    create(&store, &record()).await;
    assert_eq!(store.load(&new_id(), NOW).await.unwrap(), None);
}

/// A second record under an id is refused, and the first one stays.
pub async fn an_id_is_created_once(fixture: impl Fixture) {
    let store = fixture.open().await;
    let first = record_with("first");
    let id = create(&store, &first).await;
    assert!(!store.create(&id, &record_with("second"), NOW).await.unwrap());
    let stored = load(&store, &id).await;
    assert_eq!((stored.record, stored.version), (first, Version(1)));
}

/// Many records don't get into each other's way.
pub async fn records_are_kept_apart(fixture: impl Fixture) {
    let store = fixture.open().await;
    let mut ids = Vec::new();
    for number in 0..200 {
        ids.push(create(&store, &record_with(format!("{number}"))).await);
    }
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(load(&store, id).await.record.data, number.to_string().into_bytes());
    }
}
