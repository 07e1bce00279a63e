use std::ops::ControlFlow;

use carafe::id::SessionIdHash;
use carafe::store::{StoreError, Stored};
use tokio_postgres::types::Type;

use crate::PostgresStore;
use crate::error::Failure;
use crate::rows::{id_and_record, number};
use crate::tables::{Parameter, Sql};

/// The number of records that are read in one step, few enough that other statements get their
/// turn.
const PAGE: usize = 1000;

impl PostgresStore {
    /// Goes through all records, expired ones included, in the order of their ids: for programs that
    /// look after the store. A record that can't be read comes as the error that says why.
    ///
    /// It goes page by page along the primary key, so that no other statement waits for it: records
    /// that are written meanwhile may be seen or not.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use carafe::store::StoreError;
    /// use carafe_postgres::PostgresStore;
    ///
    /// /// Counts the records that can be read.
    /// async fn count(store: &PostgresStore) -> Result<u64, StoreError> {
    ///     let mut records = 0;
    ///     let visit = |_, stored: Result<_, _>| {
    ///         records += u64::from(stored.is_ok());
    ///         ControlFlow::Continue(())
    ///     };
    ///     store.scan(visit).await?;
    ///     Ok(records)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`](carafe::store::StoreErrorKind::Unavailable) if the server
    /// can't be reached or refuses.
    pub async fn scan(
        &self,
        mut visit: impl FnMut(SessionIdHash, Result<Stored, StoreError>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        // The empty id comes before all others.
        let mut after = Vec::new();
        loop {
            let limit = number(PAGE as u64);
            let parameters: [Parameter<'_>; 2] = [(&after, Type::BYTEA), (&limit, Type::INT8)];
            let rows = self.query(Sql::Scan, &parameters).await.map_err(Failure::read)?;
            for row in &rows {
                let (id, stored) = id_and_record(row)?;
                if visit(id, stored).is_break() {
                    return Ok(());
                }
                after = id.as_bytes().to_vec();
            }
            if rows.len() < PAGE {
                return Ok(());
            }
        }
    }
}
