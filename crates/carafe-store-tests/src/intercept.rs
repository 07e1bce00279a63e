//! A store between the layer and the real one: it counts, fails and delays.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Created, Deleted, Notices, Record, RevocationStore, Revocations, SessionStore, StoreError,
    StoreErrorKind, Stored, Updated, UserRevocation, Version, Within,
};

/// A method of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// [`SessionStore::create`]
    Create,
    /// [`SessionStore::create_within`]
    CreateWithin,
    /// [`SessionStore::load`]
    Load,
    /// [`SessionStore::update`]
    Update,
    /// [`SessionStore::delete`]
    Delete,
    /// [`SessionStore::list_for_user`]
    ListForUser,
    /// [`SessionStore::delete_for_user`]
    DeleteForUser,
    /// [`SessionStore::delete_expired`]
    DeleteExpired,
    /// [`RevocationStore::revoke`]
    Revoke,
    /// [`RevocationStore::revoke_user`]
    RevokeUser,
    /// [`RevocationStore::revocations`]
    Revocations,
    /// [`RevocationStore::delete_expired_revocations`]
    DeleteExpiredRevocations,
}

impl Call {
    /// Whether the call changes something.
    #[must_use]
    pub fn writes(self) -> bool {
        !matches!(self, Self::Load | Self::ListForUser | Self::Revocations)
    }
}

/// The fate of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// The call is done and answered.
    Done,
    /// The call is not done and fails.
    Refused,
    /// The call is done, but its answer is lost.
    Lost,
}

/// A decision about a call, which may take its time.
pub type Deciding = Pin<Box<dyn Future<Output = Fate> + Send>>;

/// A store every call of which is put before a function first.
pub struct Intercepted<S> {
    store: S,
    decide: Box<dyn Fn(Call) -> Deciding + Send + Sync>,
    /// Whether nothing is told of sessions that end.
    is_silent: bool,
}

impl<S> Intercepted<S> {
    /// Puts a function before a store.
    pub fn new(store: S, decide: impl Fn(Call) -> Deciding + Send + Sync + 'static) -> Self {
        Self { store, decide: Box::new(decide), is_silent: false }
    }

    /// Returns the same store, without notices of sessions that end.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.is_silent = true;
        self
    }

    async fn pass<T>(
        &self,
        call: Call,
        answer: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match (self.decide)(call).await {
            Fate::Done => answer.await,
            Fate::Refused => Err(StoreError::new(StoreErrorKind::Unavailable, "refused as told")),
            Fate::Lost => {
                answer.await?;
                let kind = match call.writes() {
                    true => StoreErrorKind::Uncertain,
                    false => StoreErrorKind::Unavailable,
                };
                Err(StoreError::new(kind, "the answer was lost as told"))
            }
        }
    }
}

impl<S: std::fmt::Debug> std::fmt::Debug for Intercepted<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intercepted").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Implements the trait by asking, and then calling the same method of the store below.
macro_rules! intercept {
    ($trait:ident, $watch:ident: $($call:ident $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl<S: $trait> $trait for Intercepted<S> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer, StoreError> {
                self.pass(Call::$call, self.store.$name($($arg),*)).await
            })*

            fn $watch(&self) -> Option<Notices> {
                match self.is_silent {
                    true => None,
                    false => self.store.$watch(),
                }
            }
        }
    };
}

intercept! { SessionStore, watch:
    Create create(id: &SessionIdHash, record: &Record, now: UnixSeconds) -> bool;
    CreateWithin create_within(id: &SessionIdHash, record: &Record, within: &Within, now: UnixSeconds)
        -> Created;
    Load load(id: &SessionIdHash, now: UnixSeconds) -> Option<Stored>;
    Update update(id: &SessionIdHash, expected: Version, record: &Record, now: UnixSeconds) -> Updated;
    Delete delete(id: &SessionIdHash, expected: Option<Version>) -> Deleted;
    ListForUser list_for_user(user: &str, now: UnixSeconds) -> Vec<(SessionIdHash, Stored)>;
    DeleteForUser delete_for_user(user: &str, keep: Option<PublicId>) -> u64;
    DeleteExpired delete_expired(now: UnixSeconds, limit: u32) -> u64;
}

intercept! { RevocationStore, watch_revocations:
    Revoke revoke(id: &SessionIdHash, until: UnixSeconds, now: UnixSeconds) -> ();
    RevokeUser revoke_user(user: &str, revocation: UserRevocation, now: UnixSeconds) -> ();
    Revocations revocations(id: &SessionIdHash, user: Option<&str>, now: UnixSeconds) -> Revocations;
    DeleteExpiredRevocations delete_expired_revocations(now: UnixSeconds, limit: u32) -> u64;
}

/// The number of calls of each kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Arc<[AtomicU64; 2]>);

impl Counts {
    /// A store whose calls are counted.
    pub(crate) fn of<S>(&self, store: S) -> Intercepted<S> {
        let counts = self.clone();
        Intercepted::new(store, move |call| {
            counts.0[usize::from(call.writes())].fetch_add(1, Ordering::SeqCst);
            Box::pin(std::future::ready(Fate::Done))
        })
    }

    /// Returns the number of reads and writes since the last call of this function.
    pub(crate) fn take(&self) -> (u64, u64) {
        let take = |at: usize| self.0[at].swap(0, Ordering::SeqCst);
        (take(0), take(1))
    }
}

/// A switch that says what becomes of calls from now on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<FaultState>);

#[derive(Debug, Default)]
struct FaultState {
    /// Every how many calls fail; 0 is none.
    every: AtomicU64,
    /// Whether a call that fails has its effect.
    lost: std::sync::atomic::AtomicBool,
    /// The time that every call takes, in milliseconds.
    delay: AtomicU64,
    calls: AtomicU64,
}

impl Faults {
    /// A store whose calls this switch decides about.
    pub(crate) fn of<S>(&self, store: S) -> Intercepted<S> {
        let faults = self.clone();
        Intercepted::new(store, move |_| {
            let state = &faults.0;
            let number = state.calls.fetch_add(1, Ordering::SeqCst) + 1;
            let every = state.every.load(Ordering::SeqCst);
            let fate = match every != 0 && number.is_multiple_of(every) {
                true if state.lost.load(Ordering::SeqCst) => Fate::Lost,
                true => Fate::Refused,
                false => Fate::Done,
            };
            let delay = std::time::Duration::from_millis(state.delay.load(Ordering::SeqCst));
            Box::pin(async move {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                fate
            })
        })
    }

    /// Lets every `every`th call fail from now on, with or without its effect.
    pub(crate) fn fail_every(&self, every: u64, lost: bool) {
        self.0.calls.store(0, Ordering::SeqCst);
        self.0.lost.store(lost, Ordering::SeqCst);
        self.0.every.store(every, Ordering::SeqCst);
    }

    /// Every call takes so long from now on.
    pub(crate) fn delay(&self, milliseconds: u64) {
        self.0.delay.store(milliseconds, Ordering::SeqCst);
    }
}
