use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use carafe::store::{StoreError, StoreErrorKind, TimeLimit};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Row};

use crate::connection::Connection;
use crate::error::{Failure, cannot_connect, no_answer, reason};
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
    /// For each answer.
    limit: TimeLimit,
    /// Whether the server is to remember parsed statements.
    prepares: bool,
    permits: Semaphore,
    /// The one that was used last is at the end, and is used next: the others may be closed.
    idle: Mutex<Vec<Connection>>,
    /// When connecting last failed, and how.
    failed: Mutex<Option<(Instant, StoreError)>>,
}

/// A connection that nobody else uses.
struct Lent<'a> {
    pool: &'a Pool,
    /// What is not put back is closed.
    connection: Connection,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(crate) fn new(
        config: Config,
        tls: Tls,
        timeouts: Timeouts,
        size: usize,
        prepares: bool,
    ) -> Self {
        Self {
            config,
            tls,
            timeouts,
            limit: TimeLimit::new(timeouts.answer),
            prepares,
            permits: Semaphore::new(size),
            idle: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn query(
        &self,
        statement: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let mut lent = self.lend_for(statement, parameters).await?;
        let rows = self.in_time(lent.connection.query(statement, parameters)).await;
        lent.put_back(rows.as_ref());
        rows
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) async fn execute(
        &self,
        statement: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<u64, Failure> {
        let mut lent = self.lend_for(statement, parameters).await?;
        let changed = self.in_time(lent.connection.execute(statement, parameters)).await;
        lent.put_back(changed.as_ref());
        changed
    }

    /// Runs statements without parameters, as one transaction.
    pub(crate) async fn batch(&self, statements: &str) -> Result<(), Failure> {
        let mut lent = self.lend().await?;
        let done = self.in_time(lent.connection.batch(statements)).await;
        lent.put_back(done.as_ref());
        done
    }

    /// A connection that is ready for a statement.
    async fn lend_for(
        &self,
        statement: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<Lent<'_>, Failure> {
        let mut lent = self.lend().await?;
        if !self.prepares {
            return Ok(lent);
        }
        let prepared = self.in_time(lent.connection.prepare(statement, parameters)).await;
        match prepared {
            Ok(()) => Ok(lent),
            // The statement itself was not sent yet.
            Err(Failure::Lost(reason)) => Err(Failure::NotSent(no_answer(&reason))),
            Err(failure) => {
                lent.put_back(Err::<&(), _>(&failure));
                Err(failure)
            }
        }
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        match self.limit.run(answer).await {
            Some(answer) => answer.map_err(|error| Failure::of(&error)),
            None => Err(Failure::Lost(format!("it took over {:?}", self.timeouts.answer))),
        }
    }

    async fn lend(&self) -> Result<Lent<'_>, Failure> {
        let began = Instant::now();
        let Ok(Ok(permit)) = timeout(self.timeouts.answer, self.permits.acquire()).await else {
            return Err(Failure::NotSent(StoreError::new(
                StoreErrorKind::Unavailable,
                "all connections to PostgreSQL are in use: it is slow, or the pool is too small",
            )));
        };
        let connection = match self.take_idle().await {
            Some(connection) => connection,
            None => self.connect(began).await.map_err(Failure::NotSent)?,
        };
        Ok(Lent { pool: self, connection, _permit: permit })
    }

    async fn take_idle(&self) -> Option<Connection> {
        loop {
            // Not held while the connection is looked at.
            let idle = lock(&self.idle).pop();
            let mut connection = idle?;
            if connection.is_open().await {
                return Some(connection);
            }
        }
    }

    async fn connect(&self, began: Instant) -> Result<Connection, StoreError> {
        // Whoever waited while others failed shares their outcome.
        if let Some((at, error)) = lock(&self.failed).as_ref()
            && *at > began
        {
            return Err(error.clone());
        }
        let connecting = self.tls.connect(&self.config);
        let error = match timeout(self.timeouts.connect, connecting).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => cannot_connect(&reason(&error)),
            Err(_) => cannot_connect(&format!("it took over {:?}", self.timeouts.connect)),
        };
        *lock(&self.failed) = Some((Instant::now(), error.clone()));
        Err(error)
    }
}

impl Lent<'_> {
    /// Gives the connection back if it is known to be idle: not after a lost answer, which may yet
    /// come.
    fn put_back<T>(self, outcome: Result<&T, &Failure>) {
        if matches!(outcome, Ok(_) | Err(Failure::Refused(_))) {
            lock(&self.pool.idle).push(self.connection);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
