//! Statements that the server remembers. No pooler is in between: this is the server of the tests with
//! TLS, without it.

use std::time::Duration;

use carafe::SessionStore as _;
use carafe::store::{Deleted, Updated, Version};
use carafe_postgres::PostgresStore;

use super::database::connect;
use super::{NOW, id, record};

#[tokio::test]
async fn prepared_statements_are_made_again_for_a_new_connection() {
    let url = std::env::var("CARAFE_POSTGRES_TLS_URL").unwrap().replace("require", "disable");
    let url = format!("{url}&application_name=carafe_prepared");
    let options = PostgresStore::options(url.clone()).prepared_statements(true).pool_size(1);
    let store = options.answer_timeout(Duration::from_secs(20)).open().unwrap();
    for _ in 0..2 {
        // From the second on all statements are known already.
        for _ in 0..3 {
            let (id, record) = (id(), record(Some("prepared")));
            assert!(store.create(&id, &record, NOW).await.unwrap());
            assert!(!store.create(&id, &record, NOW).await.unwrap());
            let updated = store.update(&id, Version(1), &record, NOW).await.unwrap();
            assert_eq!(updated, Updated::Written(Version(2)));
            let late = store.update(&id, Version(1), &record, NOW).await.unwrap();
            assert_eq!(late, Updated::Conflict);
            let stored = store.load(&id, NOW).await.unwrap().unwrap();
            assert_eq!((stored.version, stored.record), (Version(2), record.clone()));
            assert_eq!(store.delete(&id, None).await.unwrap(), Deleted::Deleted);
            let gone = store.update(&id, Version(2), &record, NOW).await.unwrap();
            assert_eq!(gone, Updated::Gone);
        }
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE application_name = 'carafe_prepared' AND pid <> pg_backend_pid()";
        assert_eq!(connect(&url).await.query_typed(sql, &[]).await.unwrap().len(), 1);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
