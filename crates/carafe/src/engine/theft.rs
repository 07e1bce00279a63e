//! Signs that a session was stolen, and the application's reaction.

use std::sync::Arc;

use super::stored::StoreBackend;
use super::{Engine, failed};
use crate::id::PublicId;
use crate::{Error, event};

/// The time, in seconds, for which requests with a dead id may have been under way.
pub(super) const UNDER_WAY: u64 = 60;

/// A sign that a session was stolen: a request that may come from a thief. See
/// [`SessionLayer::on_sign_of_theft`](crate::SessionLayer::on_sign_of_theft).
/// [`SessionLayer::on_sign_of_theft`](crate::SessionLayer::on_sign_of_theft).
#[derive(Clone, PartialEq, Eq)]
pub struct SignOfTheft {
    kind: TheftKind,
    user: Option<String>,
    public_id: Option<PublicId>,
}

/// The kind of a [`SignOfTheft`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TheftKind {
    /// A request carried an id that a login, a rotation or a renewal had replaced.
    ReplacedId,
    /// A request carried the cookie of an ended session.
    EndedSession,
    /// A request carried a remember token that had been used before. Its series and the sessions
    /// that it began have been ended.
    UsedToken,
}

/// The reaction to a [`SignOfTheft`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reaction {
    /// Only the log records the sign.
    Log,
    /// The session that continues under another id ends.
    EndSession,
    /// All sessions of the user end.
    EndAllSessions,
}

impl SignOfTheft {
    pub(super) fn new(kind: TheftKind, user: Option<String>, public_id: Option<PublicId>) -> Self {
        Self { kind, user, public_id }
    }

    /// Returns the kind of the sign.
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

    /// Returns the user of the session, if the user is known.
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

    /// Returns the public id of the session, if the session still exists.
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
    /// Leaves the user out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignOfTheft").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The application's function that decides about signs of theft.
pub(crate) type OnTheft = Arc<dyn Fn(&SignOfTheft) -> Reaction + Send + Sync>;

impl Engine {
    /// Logs a sign of theft and asks the application. Returns its decision.
    pub(super) fn report_theft(&self, sign: &SignOfTheft) -> Reaction {
        event::sign_of_theft(sign.kind);
        self.on_theft.as_ref().map_or(Reaction::Log, |decide| decide(sign))
    }

    /// Reports a sign of theft, and carries the application's decision out. Sessions that can't be
    /// ended, such as those without a user, are left alone.
    pub(super) async fn react_to_theft(
        &self,
        backend: &StoreBackend,
        sign: &SignOfTheft,
    ) -> Result<(), Error> {
        let reaction = self.report_theft(sign);
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
