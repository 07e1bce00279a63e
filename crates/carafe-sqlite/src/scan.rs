use std::ops::ControlFlow;

use carafe::id::SessionIdHash;
use carafe::store::{StoreError, Stored};

use crate::error::unreadable;
use crate::sql::Db;
use crate::{SqliteStore, statements};

/// The number of records that are read in one step, few enough that other calls get their turn.
const PAGE: u32 = 1000;

impl SqliteStore {
    /// Goes through all records, expired ones included, in the order of their ids: for programs that
    /// look after the store. A record that can't be read comes as the error that says why.
    ///
    /// It goes page by page, so that no other call waits for long: records that are written
    /// meanwhile may be seen or not.
    ///
    /// ```no_run
    /// use std::ops::ControlFlow;
    ///
    /// # async fn example(store: carafe_sqlite::SqliteStore) -> Result<(), carafe::store::StoreError> {
    /// let mut anonymous = 0;
    /// store.scan(|_, stored| {
    ///     anonymous += u64::from(stored.is_ok_and(|stored| stored.record.user.is_none()));
    ///     ControlFlow::Continue(())
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`](carafe::store::StoreErrorKind::Unavailable) if the file can't
    /// be read.
    pub async fn scan(
        &self,
        mut visit: impl FnMut(SessionIdHash, Result<Stored, StoreError>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let last: Option<SessionIdHash> = after;
            let read = move |on: Db<'_>| statements::page(on, last.as_ref(), PAGE);
            let rows = self.readers().read(0, read).await?;
            let is_last = rows.len() < PAGE as usize;
            for (id, row) in rows {
                after = Some(id);
                if visit(id, row.read().map_err(unreadable)).is_break() {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }
}
