use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use carafe::store::{StoreError, StoreErrorKind};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Row};

use crate::error::{Failure, cannot_connect, reason};
use crate::tls::Tls;

/// A parameter of a statement, and its type: with it the server need not be asked for it, which
/// would be a round trip of its own.
pub(crate) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) answer: Duration,
}

/// A bounded number of connections. Those that broke are replaced when they are needed. No
/// statement is sent twice.
pub(crate) struct Pool {
    config: Config,
    tls: Tls,
    timeouts: Timeouts,
    permits: Semaphore,
    /// The one that was used last is at the end, and is used next: the others may be closed.
    idle: Mutex<Vec<Client>>,
    /// When connecting last failed, and how.
    failed: Mutex<Option<(Instant, StoreError)>>,
}

/// A connection that nobody else uses.
pub(crate) struct Connection<'a> {
    pool: &'a Pool,
    /// What is not put back is closed.
    client: Client,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(crate) fn new(config: Config, tls: Tls, timeouts: Timeouts, size: usize) -> Self {
        Self {
            config,
            tls,
            timeouts,
            permits: Semaphore::new(size),
            idle: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn query(
        &self,
        statement: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let connection = self.connection().await?;
        // Unnamed and in one round trip, so that a pooler between may send it anywhere.
        let answer = connection.client.query_typed(statement, parameters);
        let rows = self.in_time(answer).await;
        connection.put_back(&rows);
        rows
    }

    /// Runs statements without parameters, as one transaction.
    pub(crate) async fn batch(&self, statements: &str) -> Result<(), Failure> {
        let connection = self.connection().await?;
        let done = self.in_time(connection.client.batch_execute(statements)).await;
        connection.put_back(&done);
        done
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        match timeout(self.timeouts.answer, answer).await {
            Ok(answer) => answer.map_err(|error| Failure::of(&error)),
            Err(_) => Err(Failure::Lost(format!("it took over {:?}", self.timeouts.answer))),
        }
    }

    async fn connection(&self) -> Result<Connection<'_>, Failure> {
        let began = Instant::now();
        let Ok(Ok(permit)) = timeout(self.timeouts.answer, self.permits.acquire()).await else {
            return Err(Failure::NotSent(StoreError::new(
                StoreErrorKind::Unavailable,
                "all connections to PostgreSQL are in use: it is slow, or the pool is too small",
            )));
        };
        let client = match self.take_idle() {
            Some(client) => client,
            None => self.connect(began).await.map_err(Failure::NotSent)?,
        };
        Ok(Connection { pool: self, client, _permit: permit })
    }

    fn take_idle(&self) -> Option<Client> {
        let mut idle = lock(&self.idle);
        while let Some(client) = idle.pop() {
            if !client.is_closed() {
                return Some(client);
            }
        }
        None
    }

    async fn connect(&self, began: Instant) -> Result<Client, StoreError> {
        // Whoever waited while others failed shares their outcome.
        if let Some((at, error)) = lock(&self.failed).as_ref()
            && *at > began
        {
            return Err(error.clone());
        }
        let connecting = self.tls.connect(&self.config);
        let error = match timeout(self.timeouts.connect, connecting).await {
            Ok(Ok(client)) => return Ok(client),
            Ok(Err(error)) => cannot_connect(&reason(&error)),
            Err(_) => cannot_connect(&format!("it took over {:?}", self.timeouts.connect)),
        };
        *lock(&self.failed) = Some((Instant::now(), error.clone()));
        Err(error)
    }
}

impl Connection<'_> {
    /// Gives the connection back if it is known to be idle: not after a lost answer, which may yet
    /// come.
    fn put_back<T>(self, outcome: &Result<T, Failure>) {
        if matches!(outcome, Ok(_) | Err(Failure::Refused(_))) {
            lock(&self.pool.idle).push(self.client);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
