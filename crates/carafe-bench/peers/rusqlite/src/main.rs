//! `tower-sessions-rusqlite` is a server with tower-sessions in a SQLite file in the working directory:
//! it prints its address, and ends when its input does.

#[path = "../../app.rs"]
mod app;

use std::error::Error;

use tower_sessions_rusqlite_store::RusqliteStore;
use tower_sessions_rusqlite_store::tokio_rusqlite::Connection;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let connection = Connection::open("tower-sessions.db").await?;
        // As safe as Carafe's. The store has one connection, and a thread for it.
        let settings = "pragma journal_mode = wal; pragma synchronous = full;";
        connection.call(move |connection| connection.execute_batch(settings)).await?;
        let store = RusqliteStore::new(connection);
        store.migrate().await?;
        app::serve(store).await
    })
}
