//! Statements that the server remembers, and others. No pooler is in between: this is the server of
//! the tests with TLS, without it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use carafe::store::{Deleted, SessionStore as _, Updated, Version};
use carafe_postgres::{PostgresOptions, PostgresStore};

use super::database::connect;
use super::{NOW, id, record};

/// Options for a store on that server, and the URL, with a name for its connections.
fn directly(name: &str) -> (PostgresOptions, String) {
    let url = std::env::var("CARAFE_POSTGRES_TLS_URL").unwrap().replace("require", "disable");
    let url = format!("{url}&application_name={name}");
    let options = PostgresStore::options(url.clone()).pool_size(1);
    (options.answer_timeout(Duration::from_secs(20)), url)
}

/// The life of a record, to its end.
async fn lives(store: &PostgresStore) {
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

#[tokio::test]
async fn prepared_statements_are_made_again_for_a_new_connection() {
    for prepared in [true, false] {
        let (options, url) = directly(&format!("carafe_{prepared}"));
        let store = options.prepared_statements(prepared).open().unwrap();
        for _ in 0..2 {
            // From the second on all statements are known already, if they are to be.
            for _ in 0..3 {
                lives(&store).await;
            }
            let sql = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE application_name = 'carafe_{prepared}' AND pid <> pg_backend_pid()"
            );
            assert_eq!(connect(&url).await.query_typed(&sql, &[]).await.unwrap().len(), 1);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// All that the client writes to its log.
static LOG: Log = Log(Mutex::new(String::new()));

struct Log(Mutex<String>);

impl log::Log for Log {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Debug
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{}\n", record.args());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line);
    }

    fn flush(&self) {}
}

/// Statements that aren't prepared are never written down.
#[tokio::test]
async fn the_log_of_the_client_shows_no_id_and_no_record() {
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    let (options, _) = directly("carafe_log");
    let store = options.prepared_statements(true).open().unwrap();
    let (id, mut record) = (id(), record(Some("prepared")));
    record.data = br#"{"card":"4711"}"#.to_vec();
    assert!(store.create(&id, &record, NOW).await.unwrap());
    store.update(&id, Version(1), &record, NOW).await.unwrap();
    store.load(&id, NOW).await.unwrap();
    log::set_max_level(log::LevelFilter::Off);
    let log = LOG.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(log.contains("with parameters: [_, _, _, _, _, _]"), "{log}");
    // As it is written where bytes are.
    let shown = |bytes: &[u8]| log.contains(format!("{bytes:?}").trim_matches(['[', ']']));
    assert!(!shown(id.as_bytes()) && !shown(&record.data) && !log.contains("card"), "{log}");
}
