//! Connections to the server.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Handle, Id};
use tokio::sync::mpsc;
use tokio::task::unconstrained;
use tokio::time::timeout;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{AsyncMessage, Client, Error, Row, SimpleQueryMessage};

use crate::socket::current_runtime;
use crate::tables::{Parameter, Sql, Statement};

type BoxError = Box<dyn std::error::Error + Sync + Send>;

/// The future that reads from a socket and writes to it. It ends when the connection does.
pub(crate) type Io = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The channel for the payloads of notifications.
pub(crate) type Heard = mpsc::UnboundedSender<String>;

/// Returns the future that reads from a connection's socket and writes to it. It puts notifications
/// into `heard`.
pub(crate) fn io<S, T>(mut connection: tokio_postgres::Connection<S, T>, heard: Option<Heard>) -> Io
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(heard) = heard else { return Box::pin(connection) };
    Box::pin(poll_fn(move |context| {
        loop {
            match ready!(connection.poll_message(context)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(error)),
                Some(Ok(AsyncMessage::Notification(heard_now))) => {
                    // The listener may be gone, and the connection ends in a moment.
                    let _ = heard.send(heard_now.payload().to_owned());
                }
                Some(Ok(_)) => {}
            }
        }
    }))
}

/// The time for which a closed connection waits for the answers to commands that were sent already.
const LEAVE: Duration = Duration::from_secs(5);

/// A connection. The request that waits for an answer drives it. A task of its own would have to be
/// woken for each statement, and would have to wake the request, which costs time, and more so on a
/// busy machine.
pub(crate) struct Connection {
    client: Client,
    driver: Driver,
    opened: Instant,
    /// The runtime that used it last. There it is used at no extra cost.
    runtime: Option<Id>,
    /// The statements that the server has parsed already: about a dozen.
    prepared: Vec<(Sql, tokio_postgres::Statement)>,
}

/// The driver of a connection.
struct Driver {
    /// `None` once it has ended.
    io: Option<Io>,
    /// The error with which it ended.
    failed: Option<Error>,
}

impl Connection {
    pub(crate) fn new(client: Client, io: Io) -> Self {
        Self {
            client,
            driver: Driver { io: Some(io), failed: None },
            opened: Instant::now(),
            runtime: current_runtime(),
            prepared: Vec::new(),
        }
    }

    /// Returns the time when the connection was opened.
    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }

    /// Whether this runtime used the connection last.
    pub(crate) fn is_at_home(&self, runtime: Option<Id>) -> bool {
        self.runtime == runtime
    }

    /// Whether the connection was not ended while it was idle, as far as this machine knows.
    pub(crate) async fn is_open(&mut self) -> bool {
        self.runtime = current_runtime();
        let look = poll_fn(|_| {
            // No task waits for an idle connection.
            self.driver.poll(&mut Context::from_waker(Waker::noop()));
            Poll::Ready(())
        });
        // It must also run at the end of a task's turn, when tokio would not let it read.
        unconstrained(look).await;
        self.driver.io.is_some() && !self.client.is_closed()
    }

    /// Asks the server for a sign of life.
    pub(crate) async fn check(&mut self) -> Result<(), Error> {
        self.driver.run(pin!(self.client.check_connection())).await
    }

    /// Waits until the connection ends, without a statement under way.
    pub(crate) async fn ended(&mut self) {
        poll_fn(|context| {
            self.driver.poll(context);
            if self.driver.io.is_none() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Whether the session refuses writes.
    pub(crate) async fn is_read_only(&mut self) -> Result<bool, Error> {
        let show = self.client.simple_query("SHOW transaction_read_only");
        let answer = self.driver.run(pin!(show)).await?;
        let is_on = |message: &SimpleQueryMessage| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("on"));
        Ok(answer.iter().any(is_on))
    }

    /// Whether the server has parsed the statement already.
    pub(crate) fn remembers(&self, statement: Statement<'_>) -> bool {
        statement.name.is_none() || find(&self.prepared, statement).is_some()
    }

    /// Lets the server parse a statement.
    pub(crate) async fn prepare(
        &mut self,
        statement: Statement<'_>,
        parameters: &[Parameter<'_>],
    ) -> Result<(), Error> {
        let Some(name) = statement.name else { return Ok(()) };
        let types: Vec<Type> = parameters.iter().map(|(_, kind)| kind.clone()).collect();
        let prepared =
            self.driver.run(pin!(self.client.prepare_typed(statement.text, &types))).await?;
        self.prepared.push((name, prepared));
        Ok(())
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn query(
        &mut self,
        statement: Statement<'_>,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        let client = &self.client;
        match find(&self.prepared, statement) {
            Some(known) => {
                let unnamed = unnamed(parameters);
                self.driver.run(pin!(client.query(known, &values(&unnamed)))).await
            }
            // One round trip, and no statement stays on the server.
            None => self.driver.run(pin!(client.query_typed(statement.text, parameters))).await,
        }
    }

    /// Runs a statement and returns the number of rows that it changed.
    pub(crate) async fn execute(
        &mut self,
        statement: Statement<'_>,
        parameters: &[Parameter<'_>],
    ) -> Result<u64, Error> {
        let client = &self.client;
        match find(&self.prepared, statement) {
            Some(known) => {
                let unnamed = unnamed(parameters);
                self.driver.run(pin!(client.execute(known, &values(&unnamed)))).await
            }
            None => self.driver.run(pin!(client.execute_typed(statement.text, parameters))).await,
        }
    }

    /// Runs statements without parameters, as one transaction.
    pub(crate) async fn batch(&mut self, statements: &str) -> Result<(), Error> {
        self.driver.run(pin!(self.client.batch_execute(statements))).await
    }
}

fn find<'a>(
    prepared: &'a [(Sql, tokio_postgres::Statement)],
    statement: Statement<'_>,
) -> Option<&'a tokio_postgres::Statement> {
    prepared.iter().find(|(known, _)| Some(*known) == statement.name).map(|(_, prepared)| prepared)
}

/// A parameter without a readable `Debug`: the client logs the parameters of prepared statements at
/// the level `debug`.
struct Unnamed<'a>(&'a (dyn ToSql + Sync));

impl fmt::Debug for Unnamed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

impl ToSql for Unnamed<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.0.to_sql_checked(kind, out)
    }

    /// The value itself decides when it is written.
    fn accepts(_kind: &Type) -> bool {
        true
    }

    fn encode_format(&self, kind: &Type) -> Format {
        self.0.encode_format(kind)
    }

    to_sql_checked!();
}

fn unnamed<'a>(parameters: &[Parameter<'a>]) -> Vec<Unnamed<'a>> {
    parameters.iter().map(|(value, _)| Unnamed(*value)).collect()
}

fn values<'a>(unnamed: &'a [Unnamed<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    unnamed.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Driver {
    /// Waits for work with the connection, and does the connection's part of it.
    async fn run<T>(
        &mut self,
        work: Pin<&mut impl Future<Output = Result<T, Error>>>,
    ) -> Result<T, Error> {
        match self.drive(work).await {
            // The server may have sent the reason before the work reached it: then it never runs
            // the work.
            Err(error) if error.is_closed() => Err(self.failed.take().unwrap_or(error)),
            done => done,
        }
    }

    async fn drive<T>(&mut self, mut work: Pin<&mut impl Future<Output = T>>) -> T {
        // The work waits for nothing but the connection, which is driven right here. When one hands
        // something to the other, no task has to be woken.
        poll_fn(|context| {
            let mut idle = Context::from_waker(Waker::noop());
            if let Poll::Ready(output) = work.as_mut().poll(&mut idle) {
                return Poll::Ready(output);
            }
            self.poll(context);
            // More output, or room for an answer, wakes `context`.
            work.as_mut().poll(&mut idle)
        })
        .await
    }

    fn poll(&mut self, context: &mut Context<'_>) {
        let Some(io) = &mut self.io else { return };
        // The statement under way gets the error that it caused.
        if let Poll::Ready(ended) = io.as_mut().poll(context) {
            (self.io, self.failed) = (None, ended.err());
        }
    }
}

impl Drop for Driver {
    /// Closes the connection after the answers to commands that were sent already. A silent server
    /// is not waited for.
    fn drop(&mut self) {
        if let (Some(io), Ok(runtime)) = (self.io.take(), Handle::try_current()) {
            runtime.spawn(async move { drop(timeout(LEAVE, io).await) });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};
    use tokio_postgres::{Config, NoTls};

    use super::*;

    /// The server has let the client in.
    const READY: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

    /// The server ends the session, because it was idle.
    const ENDED: &[u8] = b"E\0\0\0\x1aSFATAL\0C57P05\0Mended\0\0";

    #[tokio::test]
    async fn a_statement_that_meets_the_end_of_its_session_is_told_the_reason() {
        let (ours, mut server) = duplex(1_000);
        server.write_all(READY).await.unwrap();
        let (client, io) = Config::new().user("ann").connect_raw(ours, NoTls).await.unwrap();
        let mut connection = Connection::new(client, Box::pin(io));
        assert!(connection.is_open().await);
        server.write_all(ENDED).await.unwrap();
        drop(server);
        let error = connection.execute(Statement::once("DELETE FROM t"), &[]).await.unwrap_err();
        assert_eq!(error.as_db_error().map(|error| error.code().code()), Some("57P05"));
        assert!(!connection.is_open().await);
    }
}
