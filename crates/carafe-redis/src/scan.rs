use std::ops::ControlFlow;

use carafe::id::SessionIdHash;
use carafe::store::{StoreError, Stored};
use futures_util::{StreamExt as _, stream};
use redis::{Cmd, cmd, from_redis_value};

use crate::RedisStore;
use crate::error::{Failure, corrupt};
use crate::link::Link;
use crate::store::Server;
use crate::value;

/// The number of keys that the server looks at in one step, few enough that other commands get
/// their turn.
const PAGE: u32 = 1000;

/// The number of records that are asked for at once.
const AT_ONCE: usize = 64;

impl RedisStore {
    /// Goes through all records that there are, in no particular order: for programs that look after
    /// the store. A record that can't be read comes as the error that says why.
    ///
    /// It goes page by page (`SCAN`), so that no other command waits for long. Records that are
    /// written meanwhile may be seen or not, and while the server's table of keys grows or shrinks,
    /// a record may be seen twice. The server looks at all of its keys for this, also at keys of
    /// other services.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use carafe::store::StoreError;
    /// use carafe_redis::RedisStore;
    ///
    /// /// Counts the records that can be read.
    /// async fn count(store: &RedisStore) -> Result<u64, StoreError> {
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
    /// [`StoreErrorKind::Unavailable`](carafe::store::StoreErrorKind::Unavailable) if the server, or
    /// one of a Cluster's, can't be reached or refuses.
    pub async fn scan(
        &self,
        mut visit: impl FnMut(SessionIdHash, Result<Stored, StoreError>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        match self.server() {
            Server::Single(links) => self.scan_node(&links[0], &mut visit).await.map(drop),
            Server::Cluster(cluster) => {
                for link in cluster.primaries().await.map_err(Failure::read)? {
                    if self.scan_node(&link, &mut visit).await?.is_break() {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    async fn scan_node(
        &self,
        link: &Link,
        visit: &mut impl FnMut(SessionIdHash, Result<Stored, StoreError>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let mut cursor = Vec::from(*b"0");
        loop {
            let answer = link.send(&scan(&cursor, &self.keys().all_records())).await;
            let answer = answer.map_err(Failure::read)?;
            let (next, keys): (Vec<u8>, Vec<Vec<u8>>) =
                from_redis_value(answer).map_err(|_| corrupt("the list of keys"))?;
            let ids = keys.iter().filter_map(|key| self.keys().record_id(key));
            let mut records = stream::iter(ids)
                .map(|id| async move { (id, self.value(&self.keys().record(&id)).await) })
                .buffer_unordered(AT_ONCE);
            while let Some((id, record)) = records.next().await {
                // A record that is gone by now is left out.
                let Some(value) = record? else { continue };
                if visit(id, value::decode(&value)).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if next == b"0" {
                return Ok(ControlFlow::Continue(()));
            }
            cursor = next;
        }
    }
}

fn scan(cursor: &[u8], pattern: &[u8]) -> Cmd {
    let mut scan = cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(PAGE);
    scan
}
