//! A bounded number of connections, and the treatment of failed statements.
//!
//! The rare waits are in boxes: they would make the future of every request several times as large.

use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use carafe::store::TimeLimit;
use tokio_postgres::Row;

use crate::connect::Connector;
use crate::connection::Connection;
use crate::error::Failure;
use crate::idle::{Idle, Taken};
use crate::places::{Place, Places};
use crate::sqlstate;
use crate::tables::{Parameter, Statement};

/// The share of an answer's time limit that a sign of life may take.
const SIGN_OF_LIFE: u32 = 4;

/// The settings of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) size: usize,
    /// The time limit for connecting.
    pub(crate) connect: Duration,
    /// The time limit for an answer.
    pub(crate) answer: Duration,
    /// The time for which a connection may be idle.
    pub(crate) idle: Duration,
    /// Whether the server remembers parsed statements.
    pub(crate) prepares: bool,
}

/// A bounded number of connections. Broken ones are replaced when they are needed. No statement
/// that may have been done is sent twice.
pub(crate) struct Pool {
    connector: Connector,
    /// The time limit of each answer.
    limit: TimeLimit,
    prepares: bool,
    places: Places,
    idle: Idle,
}

/// A connection that one statement uses.
struct Lent<'a> {
    /// A connection that is not put back is closed.
    connection: Connection,
    _place: Place<'a>,
}

/// The wanted part of a statement's answer.
#[derive(Clone, Copy)]
enum Wanted {
    Rows,
    Changed,
}

enum Answer {
    Rows(Vec<Row>),
    /// The number of changed rows.
    Changed(u64),
}

impl Pool {
    pub(crate) fn new(connector: Connector, settings: Settings) -> Self {
        Self {
            connector,
            limit: TimeLimit::new(settings.answer),
            prepares: settings.prepares,
            places: Places::new(settings.size),
            idle: Idle::new(settings.idle),
        }
    }

    /// Returns the connector that opens the connections.
    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn query(
        &self,
        statement: Statement<'_>,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        match self.run(statement, parameters, Wanted::Rows).await? {
            Answer::Rows(rows) => Ok(rows),
            Answer::Changed(_) => Ok(Vec::new()),
        }
    }

    /// Runs a statement and returns the number of rows that it changed.
    pub(crate) async fn execute(
        &self,
        statement: Statement<'_>,
        parameters: &[Parameter<'_>],
    ) -> Result<u64, Failure> {
        match self.run(statement, parameters, Wanted::Changed).await? {
            Answer::Changed(rows) => Ok(rows),
            Answer::Rows(_) => Ok(0),
        }
    }

    /// Runs statements without parameters, as one transaction.
    pub(crate) async fn batch(&self, statements: &str) -> Result<(), Failure> {
        let began = Instant::now();
        let mut lent = self.lend(began).await?;
        let sent = Instant::now();
        let done = self.in_time(pin!(lent.connection.batch(statements))).await;
        self.put_back(lent, done.as_ref().err(), sent);
        done
    }

    /// Runs a statement. A statement without effect is sent again if that may help: after a
    /// conflict, and once over a new connection where an older one was unfit.
    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[Parameter<'_>],
        wanted: Wanted,
    ) -> Result<Answer, Failure> {
        let began = Instant::now();
        loop {
            let mut lent = self.lend(began).await?;
            let (sent, opened) = (Instant::now(), lent.connection.opened());
            let answer = self.once(&mut lent.connection, statement, parameters, wanted).await;
            self.put_back(lent, answer.as_ref().err(), sent);
            match answer {
                Err(Failure::Sent { verdict, .. })
                    if verdict.may_be_sent_again(opened < began)
                        && began.elapsed() < self.limit.duration() => {}
                answer => return answer,
            }
        }
    }

    async fn once(
        &self,
        connection: &mut Connection,
        statement: Statement<'_>,
        parameters: &[Parameter<'_>],
        wanted: Wanted,
    ) -> Result<Answer, Failure> {
        if self.prepares && !connection.remembers(statement) {
            let mut preparing = Box::pin(connection.prepare(statement, parameters));
            self.in_time(preparing.as_mut()).await.map_err(Failure::not_run)?;
        }
        Ok(match wanted {
            Wanted::Rows => {
                let rows = pin!(connection.query(statement, parameters));
                Answer::Rows(self.in_time(rows).await?)
            }
            Wanted::Changed => {
                let changed = pin!(connection.execute(statement, parameters));
                Answer::Changed(self.in_time(changed).await?)
            }
        })
    }

    async fn in_time<T>(
        &self,
        answer: Pin<&mut impl Future<Output = Result<T, tokio_postgres::Error>>>,
    ) -> Result<T, Failure> {
        match self.limit.run(answer).await {
            Some(answer) => answer.map_err(|error| Failure::of(&error)),
            None => Err(Failure::lost(format!("it took over {:?}", self.limit.duration()))),
        }
    }

    /// Puts a connection back if it is good. Other findings about it hold for its siblings, too.
    fn put_back(&self, lent: Lent<'_>, failure: Option<&Failure>, sent: Instant) {
        let verdict = match failure {
            Some(Failure::Sent { verdict, .. }) => verdict.connection,
            Some(Failure::NotSent(_)) | None => sqlstate::Connection::Good,
        };
        match verdict {
            sqlstate::Connection::Good => self.idle.put_back(lent.connection),
            sqlstate::Connection::Dead => self.idle.distrust_silent(sent),
            sqlstate::Connection::Suspect => self.idle.distrust_all(),
        }
    }

    /// Returns a connection for a statement whose time began at `began`.
    async fn lend(&self, began: Instant) -> Result<Lent<'_>, Failure> {
        loop {
            let place = self.places.take(self.limit, began).await.map_err(Failure::NotSent)?;
            if let Some(connection) = self.take_idle().await {
                return Ok(Lent { connection, _place: place });
            }
            match Box::pin(self.connector.connect(began)).await {
                Ok(connection) => return Ok(Lent { connection, _place: place }),
                Err(refused) if refused.is_full => {
                    let others = place.others();
                    // A connection is put back before its place, so it is seen here.
                    if let Some(connection) = self.take_idle().await {
                        return Ok(Lent { connection, _place: place });
                    }
                    if !others {
                        return Err(Failure::NotSent(refused.error));
                    }
                    // There are good connections: wait for one of them.
                    place.close();
                }
                Err(refused) => return Err(Failure::NotSent(refused.error)),
            }
        }
    }

    async fn take_idle(&self) -> Option<Connection> {
        loop {
            let mut connection = match self.idle.take().await? {
                Taken::Trusted(connection) => return Some(connection),
                Taken::Unchecked(connection) => connection,
            };
            let asked = Instant::now();
            let limit = self.limit.duration() / SIGN_OF_LIFE;
            match Box::pin(TimeLimit::new(limit).run(connection.check())).await {
                Some(Ok(())) => return Some(connection),
                _ => self.idle.distrust_silent(asked),
            }
        }
    }
}
