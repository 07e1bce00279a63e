//! Going through all records.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use carafe::store::{SessionStore as _, StoreErrorKind};

use super::database::Database;
use super::{NOW, id, record};

#[tokio::test]
async fn a_scan_sees_every_record_in_order() {
    let database = Database::create().await;
    let store = database.store();
    let mut expected = BTreeMap::new();
    for n in 0..2500 {
        let (id, record) = (id(), record((n % 3 == 0).then_some("ann")));
        store.create(&id, &record, NOW).await.unwrap();
        expected.insert(id, record);
    }
    let mut seen = Vec::new();
    let visit = |id, stored: Result<carafe::store::Stored, _>| {
        seen.push((id, stored.unwrap().record));
        ControlFlow::Continue(())
    };
    store.scan(visit).await.unwrap();
    assert!(seen.iter().map(|(id, record)| (id, record)).eq(&expected), "{}", seen.len());
    let mut first = 0;
    let visit = |_, _| {
        first += 1;
        ControlFlow::Break(())
    };
    store.scan(visit).await.unwrap();
    assert_eq!(first, 1);
}

#[tokio::test]
async fn a_record_that_cant_be_read_does_not_end_a_scan() {
    let database = Database::create().await;
    let store = database.store();
    for _ in 0..3 {
        store.create(&id(), &record(None), NOW).await.unwrap();
    }
    let damage = "UPDATE carafe_sessions SET record = 'x' \
                  WHERE id = (SELECT id FROM carafe_sessions ORDER BY id LIMIT 1)";
    database.query(damage).await;
    let mut kinds = Vec::new();
    let visit = |_, stored: Result<_, carafe::store::StoreError>| {
        kinds.push(stored.err().map(|error| error.kind()));
        ControlFlow::Continue(())
    };
    store.scan(visit).await.unwrap();
    assert_eq!(kinds, [Some(StoreErrorKind::Corrupt), None, None]);
}
