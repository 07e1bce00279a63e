//! `tower-sessions-stores STORE` is a server with tower-sessions in a store: it prints its address, and
//! ends when its input does.
//!
//! The stores are set up as Carafe's are: as many connections, and an answer when a write is as safe as
//! theirs. Everything else is as it comes.

#[path = "../../app.rs"]
mod app;

use std::env;
use std::error::Error;
use std::str::FromStr as _;

use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};
use tower_sessions_sqlx_store::sqlx::postgres::PgPoolOptions;
use tower_sessions_sqlx_store::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use tower_sessions_sqlx_store::{PostgresStore, SqliteStore};

fn main() -> Result<(), Box<dyn Error>> {
    let store = env::args().nth(1).unwrap_or_default();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match store.as_str() {
            "sqlite" => app::serve(sqlite().await?).await,
            "redis" => app::serve(redis().await?).await,
            "postgres" => app::serve(postgres(true).await?).await,
            "postgres-untested" => app::serve(postgres(false).await?).await,
            _ => Err(format!("there is no store {store:?}").into()),
        }
    })
}

/// In a file in the working directory. Two readers and a writer are Carafe's connections here.
async fn sqlite() -> Result<SqliteStore, Box<dyn Error>> {
    let options = SqliteConnectOptions::from_str("sqlite:tower-sessions.db")?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(3).connect_with(options).await?;
    let store = SqliteStore::new(pool);
    store.migrate().await?;
    Ok(store)
}

async fn redis() -> Result<RedisStore<Pool>, Box<dyn Error>> {
    let config = Config::from_url(&env::var("CARAFE_REDIS_URL")?)?;
    let pool = Pool::new(config, None, None, None, 1)?;
    pool.init().await?;
    Ok(RedisStore::new(pool))
}

/// With or without a question whether a connection still works, each time before it is used.
async fn postgres(test: bool) -> Result<PostgresStore, Box<dyn Error>> {
    let options = PgPoolOptions::new().max_connections(8).test_before_acquire(test);
    let store = PostgresStore::new(options.connect(&env::var("CARAFE_POSTGRES_URL")?).await?);
    store.migrate().await?;
    Ok(store)
}
