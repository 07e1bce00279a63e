use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Deleted, Notices, Record, RevocationStore, Revocations, SessionStore, State, StoreError,
    StoreErrorKind, Stored, Updated, UserRevocation, Version,
};
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, future, stream};
use redis::{Cmd, Value, cmd};

use crate::RedisOptions;
use crate::cluster::Cluster;
use crate::error::{Failure, corrupt};
use crate::link::Link;
use crate::listen;
use crate::script::{Script, Scripts};
use crate::touch::Touched;
use crate::value::{self, Keys, Owner};

/// The number of a user's records that are asked for at once.
const AT_ONCE: usize = 64;

/// A store for sessions in Redis or Valkey: see the [crate's documentation](crate).
pub struct RedisStore {
    server: Arc<Server>,
    keys: Keys,
    /// The channel on which endings are published.
    channel: Vec<u8>,
    scripts: Scripts,
    /// The number of replicas that have to know of an ending.
    replicas: u32,
    /// Whether the server may drop keys.
    evicts: Arc<AtomicBool>,
    touched: Touched,
}

pub(crate) enum Server {
    /// The second connection serves commands that wait for replicas.
    Single(Box<[Link; 2]>),
    Cluster(Box<Cluster>),
}

impl RedisStore {
    /// Creates a store with the default options. It connects when it is first used.
    ///
    /// ```
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::new("redis://127.0.0.1:6379")?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if the URL can't be read.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        Self::options(url).open()
    }

    /// Returns the options of a store at this URL.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_redis::RedisStore;
    ///
    /// let options = RedisStore::options("redis://127.0.0.1:6379").connect_timeout(Duration::from_millis(300));
    /// # let _ = options;
    /// ```
    pub fn options(url: impl Into<String>) -> RedisOptions {
        RedisOptions::new(url.into())
    }

    pub(crate) fn new_with(
        server: Server,
        prefix: String,
        replicas: u32,
        evicts: Arc<AtomicBool>,
    ) -> Self {
        let (keys, scripts, touched) = (Keys::new(prefix), Scripts::new(), Touched::new());
        let (server, channel) = (Arc::new(server), keys.channel());
        Self { server, keys, channel, scripts, replicas, evicts, touched }
    }

    /// Asks the server for an answer. Call it in a service that should not start without its store,
    /// and in readiness probes.
    ///
    /// ```
    /// use carafe_redis::RedisStore;
    ///
    /// async fn is_ready(store: &RedisStore) -> bool {
    ///     store.ping().await.is_ok()
    /// }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if it can't be reached or refuses.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.send(b"", &cmd("PING")).await.map(drop).map_err(Failure::read)
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) async fn send(&self, key: &[u8], command: &Cmd) -> Result<Value, Failure> {
        self.send_to(0, key, command).await
    }

    /// The slow paths are in boxes of their own, so that the futures of the usual case, which are
    /// made for each call, have no room for them.
    async fn send_to(&self, replicas: u32, key: &[u8], command: &Cmd) -> Result<Value, Failure> {
        match &*self.server {
            Server::Single(links) if replicas == 0 => links[0].send(command).await,
            Server::Single(links) => Box::pin(links[1].send_to_replicas(command, replicas)).await,
            Server::Cluster(cluster) => Box::pin(cluster.send(key, command, replicas)).await,
        }
    }

    /// Runs a script.
    async fn run(&self, script: &Script, key: &[u8], args: &[&[u8]]) -> Result<Value, Failure> {
        self.run_on(0, script, key, args).await
    }

    /// Runs a script that ends something, and waits for replicas: the ending could be lost if a
    /// replica takes over that doesn't know of it.
    async fn end(&self, script: &Script, key: &[u8], args: &[&[u8]]) -> Result<Value, Failure> {
        self.run_on(self.replicas, script, key, args).await
    }

    /// A server that doesn't know the script has not run it, and gets the text instead.
    async fn run_on(
        &self,
        replicas: u32,
        script: &Script,
        key: &[u8],
        args: &[&[u8]],
    ) -> Result<Value, Failure> {
        match self.send_to(replicas, key, &script.by_hash(key, args)).await {
            Err(failure @ Failure::Refused(_)) if failure.code() == Some("NOSCRIPT") => {
                Box::pin(self.send_to(replicas, key, &script.by_text(key, args))).await
            }
            result => result,
        }
    }

    pub(crate) async fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut get = Cmd::with_capacity(2, 3 + key.len());
        get.arg("GET").arg(key);
        match self.send(key, &get).await.map_err(Failure::read)? {
            Value::BulkString(value) => Ok(Some(value)),
            Value::Nil => Ok(None),
            _ => Err(corrupt("a value")),
        }
    }

    /// Adds a record to its user's index. This comes before the record itself, since a record that
    /// isn't in the index could not be ended.
    async fn index(
        &self,
        id: &SessionIdHash,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let Some(user) = &record.user else { return Ok(()) };
        let score = value::score(record.expires).to_string();
        let now_score = value::score(now).to_string();
        let life = value::time_to_live(record.expires, now).to_string();
        let args: [&[u8]; 4] =
            [id.as_bytes(), score.as_bytes(), now_score.as_bytes(), life.as_bytes()];
        let key = self.keys.index(user);
        // A superfluous entry does no harm: the record itself has not changed so far.
        self.run(&self.scripts.index, &key, &args).await.map(drop).map_err(Failure::read)
    }

    /// Removes a record from its user's index. If that fails the entry stays until it expires, and
    /// leads nowhere.
    async fn unindex(&self, id: &SessionIdHash, user: &str) {
        let key = self.keys.index(user);
        drop(self.send(&key, cmd("ZREM").arg(&key).arg(id.as_bytes())).await);
    }

    /// Tells a server that drops keys that a user's index is in use: no request reads it.
    fn touch(&self, user: &str, now: UnixSeconds) {
        let is_due = || self.touched.is_due(&Owner::of(user), now);
        if self.evicts.load(Ordering::Relaxed) && is_due() {
            let key = self.keys.index(user);
            let mut touch = cmd("TOUCH");
            touch.arg(&key).set_no_response(true);
            // The first poll sends the command, unless there is no connection: a read doesn't wait
            // for that.
            drop(self.send(&key, &touch).now_or_never());
        }
    }

    /// The ids in a user's index.
    async fn ids_of(&self, user: &str, after: &str) -> Result<Vec<SessionIdHash>, StoreError> {
        let key = self.keys.index(user);
        let mut range = cmd("ZRANGEBYSCORE");
        range.arg(&key).arg(after).arg("+inf");
        let answer = self.send(&key, &range).await.map_err(Failure::read)?;
        let ids: Vec<Vec<u8>> =
            redis::from_redis_value(answer).map_err(|_| corrupt("a user's index"))?;
        ids.into_iter()
            .map(|id| {
                let bytes = id.try_into().map_err(|_| corrupt("a user's index"))?;
                Ok(SessionIdHash::from_bytes(bytes))
            })
            .collect()
    }

    /// The records of a user, and whether the index names a record that is a pointer by now.
    async fn list(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<(Vec<(SessionIdHash, Stored)>, bool), StoreError> {
        let ids = self.ids_of(user, &value::score(now).to_string()).await?;
        let found: Vec<_> = stream::iter(ids)
            .map(|id| async move { self.load(&id, now).await.map(|stored| (id, stored)) })
            .buffer_unordered(AT_ONCE)
            // The index may know records that are gone, or not there yet.
            .try_filter_map(|(id, stored)| future::ok(stored.map(|stored| (id, stored))))
            .try_collect()
            .await?;
        let is_pointer = |state| matches!(state, State::Moved { .. } | State::Rotated { .. });
        let has_moved = found.iter().any(|(_, stored)| is_pointer(stored.record.state));
        let is_own = |(_, Stored { record, .. }): &(_, Stored)| {
            record.user.as_deref() == Some(user) && !record.is_expired(now)
        };
        Ok((found.into_iter().filter(is_own).collect(), has_moved))
    }

    async fn delete_if(
        &self,
        id: &SessionIdHash,
        version: &[u8],
        owner: &[u8],
        keep: &[u8],
    ) -> Result<Deleted, StoreError> {
        let key = self.keys.record(id);
        let answer =
            self.end(&self.scripts.delete, &key, &[version, owner, keep, &self.channel]).await;
        match answer.map_err(Failure::write)? {
            Value::Int(0) => Ok(Deleted::Gone),
            Value::Int(_) => Ok(Deleted::Conflict),
            Value::BulkString(old) => {
                // The kind of the deleted record makes no difference.
                if let Ok(Stored { record: Record { user: Some(user), .. }, .. }) =
                    value::decode(&old)
                {
                    self.unindex(id, &user).await;
                }
                Ok(Deleted::Deleted)
            }
            _ => Err(corrupt("a record")),
        }
    }
}

impl SessionStore for RedisStore {
    async fn create(
        &self,
        id: &SessionIdHash,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.index(id, record, now).await?;
        let key = self.keys.record(id);
        let value = value::encode(record, Version(1));
        // There is room for the words and the number as well.
        let mut set = Cmd::with_capacity(6, key.len() + value.len() + 32);
        set.arg("SET").arg(&key).arg(value).arg("NX");
        set.arg("PX").arg(value::time_to_live(record.ends(), now));
        match self.send(&key, &set).await.map_err(Failure::write)? {
            Value::Okay => Ok(true),
            _ => Ok(false),
        }
    }

    async fn load(
        &self,
        id: &SessionIdHash,
        now: UnixSeconds,
    ) -> Result<Option<Stored>, StoreError> {
        let Some(value) = self.value(&self.keys.record(id)).await? else { return Ok(None) };
        let stored = value::decode(&value)?;
        if let Some(user) = &stored.record.user {
            self.touch(user, now);
        }
        Ok(Some(stored))
    }

    async fn load_many(
        &self,
        ids: &[SessionIdHash],
        now: UnixSeconds,
    ) -> Result<Vec<Option<Stored>>, StoreError> {
        // The commands are sent together, and each to the node that has its key.
        stream::iter(ids.to_vec())
            .map(|id| async move { self.load(&id, now).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<Updated, StoreError> {
        let key = self.keys.record(id);
        let version = Version(expected.0.saturating_add(1));
        let new = value::encode(record, version);
        let life = value::time_to_live(record.ends(), now).to_string();
        let expected = value::header_of(&new, expected);
        let mut indexed = record.user.is_none();
        loop {
            let index: &[u8] = if indexed { b"" } else { b"new" };
            let all: [&[u8]; 5] = [&expected, &new, life.as_bytes(), index, &self.channel];
            let answer = match record.state {
                State::Live if indexed => self.run(&self.scripts.update, &key, &all[..3]).await,
                State::Live => self.run(&self.scripts.update, &key, &all[..4]).await,
                // A login, among other cases, ends the old id.
                _ => Box::pin(self.end(&self.scripts.update, &key, &all)).await,
            };
            match answer.map_err(Failure::write)? {
                Value::Int(0) => return Ok(Updated::Gone),
                Value::Int(-1) => return Ok(Updated::Conflict),
                Value::Int(-2) if !indexed => {
                    Box::pin(self.index(id, record, now)).await?;
                    indexed = true;
                }
                Value::Int(1) => return Ok(Updated::Written(version)),
                Value::BulkString(old) => {
                    if let Ok(Stored { record: Record { user: Some(user), .. }, .. }) =
                        value::decode(&old)
                        && record.user.as_ref() != Some(&user)
                    {
                        Box::pin(self.unindex(id, &user)).await;
                    }
                    return Ok(Updated::Written(version));
                }
                _ => return Err(corrupt("a record")),
            }
        }
    }

    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        let version = expected.map(|version| version.0.to_be_bytes());
        self.delete_if(id, version.as_ref().map_or(&[], <[u8; 8]>::as_slice), &[], &[]).await
    }

    async fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        let (list, has_moved) = self.list(user, now).await?;
        if !has_moved {
            return Ok(list);
        }
        // A renewed session is in the index under its new id before its old record is a pointer:
        // the second look finds it there.
        Ok(self.list(user, now).await?.0)
    }

    async fn delete_for_user(&self, user: &str, keep: Option<PublicId>) -> Result<u64, StoreError> {
        let owner = Owner::of(user);
        let mut settled: HashSet<SessionIdHash> = HashSet::new();
        let keep = keep.as_ref().map_or(&[][..], |keep| keep.as_bytes());
        let mut deleted = 0;
        // A renewed session is in the index under its new id before its record under the old id
        // loses the user, and even before its new record exists: an id without a record settles
        // nothing. As long as a session is left, its record is found here, as the user's or already
        // as a pointer; a pass that finds neither is the last.
        loop {
            let ids = match self.ids_of(user, "-inf").await {
                Ok(ids) => ids,
                Err(error) if deleted == 0 => return Err(error),
                Err(error) => return Err(partly(&error)),
            };
            let left: Vec<_> = ids.into_iter().filter(|id| !settled.contains(id)).collect();
            let results: Vec<_> =
                stream::iter(left)
                    .map(|id| async move {
                        (id, self.delete_if(&id, &[], owner.as_bytes(), keep).await)
                    })
                    .buffer_unordered(AT_ONCE)
                    .collect()
                    .await;
            let done = |(_, result): &&(_, _)| matches!(result, Ok(Deleted::Deleted));
            deleted += results.iter().filter(done).count() as u64;
            let before = settled.len();
            for (id, result) in results {
                match result {
                    Ok(Deleted::Gone) => {}
                    Ok(Deleted::Deleted | Deleted::Conflict) => drop(settled.insert(id)),
                    Err(error) if deleted == 0 => return Err(error),
                    Err(error) => return Err(partly(&error)),
                }
            }
            if settled.len() == before {
                return Ok(deleted);
            }
        }
    }

    /// Does nothing: the server removes expired records by itself.
    async fn delete_expired(&self, _now: UnixSeconds, _limit: u32) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Subscribes on a connection of its own.
    fn watch(&self) -> Option<Notices> {
        Some(listen::begin(&self.server, &self.keys))
    }
}

impl RevocationStore for RedisStore {
    async fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let life = value::time_to_live(until, now).to_string();
        let until = value::digits(until);
        let key = self.keys.revoked(id);
        let args = [until.as_bytes(), life.as_bytes(), &self.channel];
        self.end(&self.scripts.revoke, &key, &args).await.map(drop).map_err(Failure::write)
    }

    async fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let UserRevocation { logins_up_to: time, until } = revocation;
        let life = value::time_to_live(until, now).to_string();
        let times = [value::digits(time), value::digits(until)].concat();
        let key = self.keys.not_before(user);
        let args = [times.as_bytes(), life.as_bytes(), &self.channel];
        self.end(&self.scripts.revoke, &key, &args).await.map(drop).map_err(Failure::write)
    }

    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> Result<Revocations, StoreError> {
        let session_key = self.keys.revoked(id);
        let session = self.value(&session_key);
        let (session, not_before) = match user {
            None => (session.await?, None),
            Some(user) => {
                let user_key = self.keys.not_before(user);
                future::try_join(session, self.value(&user_key)).await?
            }
        };
        let session = match session {
            None => false,
            Some(value) => value::parse_digits::<1>(&value)? > [now],
        };
        let not_before = match not_before {
            None => None,
            Some(value) => {
                let [time, until] = value::parse_digits(&value)?;
                (until > now).then_some(time)
            }
        };
        Ok(Revocations { session, not_before })
    }

    /// Does nothing: the server removes expired revocations by itself.
    async fn delete_expired_revocations(
        &self,
        _now: UnixSeconds,
        _limit: u32,
    ) -> Result<u64, StoreError> {
        Ok(0)
    }

    fn watch_revocations(&self) -> Option<Notices> {
        self.watch()
    }
}

/// The error of a deletion that came to some of a user's records.
fn partly(error: &StoreError) -> StoreError {
    StoreError::new(
        StoreErrorKind::Uncertain,
        format!("some of a user's sessions were ended, others may not be: {error}"),
    )
}

impl fmt::Debug for RedisStore {
    /// Shows nothing of the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match *self.server {
            Server::Single(_) => "one server",
            Server::Cluster(_) => "a cluster",
        };
        f.debug_struct("RedisStore").field("server", &kind).finish_non_exhaustive()
    }
}
