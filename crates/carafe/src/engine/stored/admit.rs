//! New records, subject to the limit on a user's sessions.

use super::Sessions;
use crate::id::{PublicId, SessionIdHash};
use crate::record::Record;
use crate::store::{Created, StoreError, Within};
use crate::{Error, ErrorKind, UnixSeconds, event};

/// The result of adding a record.
pub(super) enum NewRecord {
    Added,
    /// The id has a record already.
    Exists,
    /// The user has as many sessions as allowed.
    TooMany,
}

impl Sessions {
    /// Adds the record of a new session. The session of a user is subject to the limit on the
    /// user's sessions; the session that the login `replaces` does not count.
    pub(super) async fn add(
        &self,
        id: &SessionIdHash,
        record: &Record,
        replaces: Option<PublicId>,
        now: UnixSeconds,
    ) -> Result<NewRecord, StoreError> {
        let limit = self.rules.sessions_per_user.filter(|_| record.user.is_some());
        let created = match limit {
            None => match self.store.create(id, record, now).await? {
                true => Created::Created { ended: 0 },
                false => Created::Exists,
            },
            Some((most, over)) => {
                let within = Within { most, over, replaces };
                self.store.create_within(id, record, &within, now).await?
            }
        };
        Ok(match created {
            Created::Created { ended } => {
                if ended > 0 {
                    event::limit_ended(ended);
                }
                NewRecord::Added
            }
            Created::Exists => NewRecord::Exists,
            Created::TooMany => {
                event::limit_refused();
                NewRecord::TooMany
            }
        })
    }
}

/// Returns the error of a login that would exceed the limit on its user's sessions.
pub(super) fn too_many() -> Error {
    Error::new(
        ErrorKind::TooManySessions,
        "the user has as many sessions as `Config::sessions_per_user` allows: one of them has to end \
         before the next login; nothing was changed",
    )
}
