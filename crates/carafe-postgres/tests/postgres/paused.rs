//! Requests under tokio's clock when a test has paused it.

use std::time::Duration;

use carafe_postgres::PostgresStore;
use carafe_store_tests::{Fixture, sessions};
use tokio::runtime::Builder;

use super::database::{Database, options};

/// A database, and stores with time limits below the layer's own, as by default: with longer ones it
/// would be the layer that gives up first.
struct Usual(Database);

impl Fixture for Usual {
    type Store = PostgresStore;

    async fn open(&self) -> PostgresStore {
        let limit = Duration::from_millis(1500);
        options(self.0.url()).connect_timeout(limit).answer_timeout(limit).open().unwrap()
    }
}

macro_rules! paused {
    ($($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                let mut runtime = Builder::new_current_thread();
                let runtime = runtime.enable_all().start_paused(true).build().unwrap();
                runtime.block_on(async { sessions::$case(Usual(Database::create().await)).await });
            }
        )*
    };
}

paused! {
    a_login_keeps_what_is_named
    a_token_is_taken_once
    an_administrator_ends_sessions
    a_users_sessions_are_listed
    flashed_messages_are_all_kept
    what_follows_a_logout_begins_anew
    what_was_saved_is_there_at_once
}
