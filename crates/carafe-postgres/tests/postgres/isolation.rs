//! Databases whose transactions are isolated more than usual.

use carafe_postgres::PostgresStore;
use carafe_store_tests::{Fixture, records, run, sessions};

use super::database::Database;

/// A database whose role has a level of isolation by default.
struct Isolated(Database);

impl Fixture for Isolated {
    type Store = PostgresStore;

    async fn open(&self) -> PostgresStore {
        self.0.store()
    }
}

async fn isolated(level: &str) -> Isolated {
    let database = Database::create_directly().await;
    let sql = format!("ALTER ROLE USER SET default_transaction_isolation = '{level}'");
    database.administer(&sql).await;
    Isolated(database)
}

macro_rules! isolated {
    ($($level:ident: $text:literal)*) => {
        $(
            mod $level {
                use super::*;

                isolated!($text,
                    records: racing_creations_of_one_id_have_one_winner
                    records: racing_updates_of_one_version_have_one_winner
                    records: every_version_is_written_once
                    records: an_update_and_a_deletion_of_one_version_exclude_each_other
                    records: a_deletion_wins_against_updates
                    records: racing_deletions_have_one_winner
                    records: deleting_a_users_records_catches_those_that_move
                    records: racing_sweeps_count_each_record_once
                    records: racing_revocations_keep_the_latest
                    sessions: increments_in_two_processes_lose_nothing
                    sessions: keys_set_at_once_are_all_there
                );
            }
        )*
    };
    ($text:literal, $($group:ident: $case:ident)*) => {
        $(
            #[test]
            fn $case() {
                run(async { $group::$case(isolated($text).await).await });
            }
        )*
    };
}

isolated! {
    repeatable_read: "repeatable read"
    serializable: "serializable"
}

#[tokio::test]
async fn many_processes_make_the_tables_at_once() {
    for level in ["repeatable read", "serializable"] {
        let isolated = isolated(level).await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let store = isolated.0.store();
                tokio::spawn(async move { store.migrate().await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    }
}
