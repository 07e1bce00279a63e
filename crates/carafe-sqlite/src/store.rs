use std::path::Path;
use std::sync::Arc;

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Created, Deleted, Notice, NoticeBoard, Notices, Record, RevocationStore, Revocations,
    SessionStore, State, StoreError, StoreErrorKind, Stored, Updated, UserHash, UserRevocation,
    Version, Within,
};

use crate::error::unreadable;
use crate::options::SqliteOptions;
use crate::pool::Pool;
use crate::reader::Readers;
use crate::sql::Db;
use crate::statements::{self, NewRow};
use crate::writer::Writer;

/// A store for sessions in a SQLite file.
///
/// It has threads of its own, one that writes and some that read, which end when the store is
/// dropped. Several stores, in one process or in several, can have the same file open.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    /// The layers of this process that wait for the end of sessions. Endings in other processes are
    /// found by asking.
    board: NoticeBoard,
}

impl SqliteStore {
    /// Opens a file with the defaults of [`SqliteOptions`], and creates it if it is missing.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use carafe_sqlite::SqliteStore;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let store = SqliteStore::open(folder.path().join("sessions.db"))?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`SqliteOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options(path).open()
    }

    /// Returns the options of a store in this file.
    ///
    /// ```
    /// use carafe_sqlite::SqliteStore;
    ///
    /// let options = SqliteStore::options("sessions.db").prefix("shop");
    /// ```
    pub fn options(path: impl AsRef<Path>) -> SqliteOptions {
        SqliteOptions::new(path)
    }

    pub(crate) fn with_options(options: SqliteOptions) -> Result<Self, StoreError> {
        let readers = options.readers;
        // One connection more is for the thread that writes.
        let pool = Arc::new(Pool::new(options, readers + 1)?);
        let start = || {
            let writer = Writer::start(Arc::clone(&pool))?;
            let readers = Readers::start(&pool, readers)?;
            Ok(Self { writer, readers, board: NoticeBoard::default() })
        };
        start().map_err(|error: std::io::Error| {
            let message = format!("no thread for the SQLite file could be started: {error}");
            StoreError::new(StoreErrorKind::Unavailable, message)
        })
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }
}

impl SessionStore for SqliteStore {
    async fn create(
        &self,
        id: &SessionIdHash,
        record: &Record,
        _now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let (id, row) = (*id, NewRow::from(record));
        self.writer.write(move |on| statements::create(on, &id, &row)).await
    }

    async fn create_within(
        &self,
        id: &SessionIdHash,
        record: &Record,
        within: &Within,
        now: UnixSeconds,
    ) -> Result<Created, StoreError> {
        let (id, row, within) = (*id, NewRow::from(record), *within);
        let write = move |on: Db<'_>| statements::create_within(on, &id, &row, &within, now);
        let created = self.writer.write(write).await?.map_err(unreadable)?;
        if matches!(created, Created::Created { ended: 1.. }) {
            // The statement doesn't tell which sessions were ended.
            self.board.tell(Notice::Begun);
        }
        Ok(created)
    }

    async fn load(
        &self,
        id: &SessionIdHash,
        _now: UnixSeconds,
    ) -> Result<Option<Stored>, StoreError> {
        let id = *id;
        let row = self.readers.read(spread(&id), move |on| statements::load(on, &id)).await?;
        row.map(|row| row.read().map_err(unreadable)).transpose()
    }

    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        _now: UnixSeconds,
    ) -> Result<Updated, StoreError> {
        let (id, row) = (*id, NewRow::from(record));
        let write = move |on: Db<'_>| statements::update(on, &id, expected, &row);
        let updated = self.writer.write(write).await?;
        if record.state != State::Live && matches!(updated, Updated::Written(_)) {
            self.board.tell(Notice::Session(id));
        }
        Ok(updated)
    }

    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        let id = *id;
        let deleted = self.writer.write(move |on| statements::delete(on, &id, expected)).await?;
        if deleted == Deleted::Deleted {
            self.board.tell(Notice::Session(id));
        }
        Ok(deleted)
    }

    async fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        let user = user.to_owned();
        let read = move |on: Db<'_>| statements::list_for_user(on, &user, now);
        let rows = self.readers.read(0, read).await?;
        rows.into_iter()
            .map(|(id, row)| row.read().map(|stored| (id, stored)).map_err(unreadable))
            .collect()
    }

    async fn delete_for_user(&self, user: &str, keep: Option<PublicId>) -> Result<u64, StoreError> {
        let user = user.to_owned();
        let delete = move |on: Db<'_>| statements::delete_for_user(on, &user, keep);
        let deleted = self.writer.write(delete).await?;
        if deleted > 0 {
            // The statement doesn't tell which sessions were ended.
            self.board.tell(Notice::Begun);
        }
        Ok(deleted)
    }

    async fn delete_expired(&self, now: UnixSeconds, limit: u32) -> Result<u64, StoreError> {
        self.writer.write(move |on| statements::delete_expired(on, now, limit)).await
    }

    /// Reports the endings by this store. The periodic check finds endings by other processes, and
    /// by other stores on the same file.
    fn watch(&self) -> Option<Notices> {
        Some(self.board.watch())
    }
}

impl RevocationStore for SqliteStore {
    async fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let id = *id;
        self.writer.write(move |on| statements::revoke(on, &id, until, now)).await?;
        self.board.tell(Notice::Session(id));
        Ok(())
    }

    async fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let (hash, user) = (UserHash::of(user), user.to_owned());
        let revoke = move |on: Db<'_>| statements::revoke_user(on, &user, revocation, now);
        self.writer.write(revoke).await?;
        self.board.tell(Notice::User(hash));
        Ok(())
    }

    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> Result<Revocations, StoreError> {
        let (id, user) = (*id, user.map(str::to_owned));
        let read = move |on: Db<'_>| statements::revocations(on, &id, user.as_deref(), now);
        self.readers.read(spread(&id), read).await
    }

    async fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.writer.write(move |on| statements::delete_expired_revocations(on, now, limit)).await
    }

    fn watch_revocations(&self) -> Option<Notices> {
        Some(self.board.watch())
    }
}

/// Ids are hashes, so any byte tells them apart.
fn spread(id: &SessionIdHash) -> u8 {
    id.as_bytes()[0]
}
