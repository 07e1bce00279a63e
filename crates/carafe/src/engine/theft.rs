//! Signs that a session was stolen, and what the application does about them.

use std::sync::Arc;

use super::stored::StoreBackend;
use super::{Engine, failed};
use crate::id::PublicId;
use crate::{Error, event};

/// For how many seconds after an id died a request that carries it may have been under way.
pub(super) const UNDER_WAY: u64 = 60;

/// A request that may come from a thief of a session: see
/// [`SessionLayer::on_sign_of_theft`](crate::SessionLayer::on_sign_of_theft).
#[derive(Clone, PartialEq, Eq)]
pub struct SignOfTheft {
    kind: TheftKind,
    user: Option<String>,
    public_id: Option<PublicId>,
}

/// What a [`SignOfTheft`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TheftKind {
    /// An id came back that was replaced by a new one: at a login, a rotation or a renewal.
    ReplacedId,
    /// The cookie of a session came back that had been ended.
    EndedSession,
    /// A remember token came back that had been used. Its series and the sessions that it began were
    /// ended already.
    UsedToken,
}

/// What is done about a [`SignOfTheft`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reaction {
    /// Nothing: the log has it.
    Log,
    /// The session that goes on under another id is ended.
    EndSession,
    /// All sessions of the user are ended.
    EndAllSessions,
}

impl SignOfTheft {
    pub(super) fn new(kind: TheftKind, user: Option<String>, public_id: Option<PublicId>) -> Self {
        Self { kind, user, public_id }
    }

    /// What kind of sign it is.
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    /// use carafe::{Reaction, SecretKey, SessionLayer, TheftKind};
    ///
    /// let layer = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?
    ///     .on_sign_of_theft(|sign| match sign.kind() {
    ///         TheftKind::ReplacedId => Reaction::EndSession,
    ///         _ => Reaction::Log,
    ///     });
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn kind(&self) -> TheftKind {
        self.kind
    }

    /// The user whose session it is about, if that is known.
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    /// use carafe::{Reaction, SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?
    ///     .on_sign_of_theft(|sign| match sign.user() {
    ///         Some(_) => Reaction::EndAllSessions,
    ///         None => Reaction::Log,
    ///     });
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The name of the session that it is about, if that goes on.
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    /// use carafe::{Reaction, SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?
    ///     .on_sign_of_theft(|sign| {
    ///         if let Some(public_id) = sign.public_id() {
    ///             tracing::warn!(%public_id, "a session may have been stolen");
    ///         }
    ///         Reaction::EndSession
    ///     });
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn public_id(&self) -> Option<PublicId> {
        self.public_id
    }
}

impl std::fmt::Debug for SignOfTheft {
    /// Doesn't show the user.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignOfTheft").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Decides about signs of theft.
pub(crate) type OnTheft = Arc<dyn Fn(&SignOfTheft) -> Reaction + Send + Sync>;

impl Engine {
    /// Tells the log and the application of a sign of theft; what the application decides.
    pub(super) fn tell_of_theft(&self, sign: &SignOfTheft) -> Reaction {
        event::sign_of_theft(sign.kind);
        self.on_theft.as_ref().map_or(Reaction::Log, |decide| decide(sign))
    }

    /// Tells of a sign of theft, and does what the application decides. Sessions that can't be ended, as
    /// sessions of no known user, are left alone.
    pub(super) async fn react_to_theft(
        &self,
        backend: &StoreBackend,
        sign: &SignOfTheft,
    ) -> Result<(), Error> {
        let reaction = self.tell_of_theft(sign);
        let Some(user) = sign.user() else { return Ok(()) };
        match (reaction, sign.public_id()) {
            (Reaction::Log, _) | (Reaction::EndSession, None) => {}
            (Reaction::EndSession, Some(public_id)) => {
                backend.end_by_name(user, public_id).await?;
            }
            (Reaction::EndAllSessions, _) => {
                let ended = backend.store().delete_for_user(user, None).await.map_err(failed)?;
                event::logged_out(ended);
            }
        }
        Ok(())
    }
}
