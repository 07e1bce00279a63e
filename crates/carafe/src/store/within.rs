//! The limit on the number of a user's sessions.

use std::collections::BTreeMap;

use crate::UnixSeconds;
use crate::id::PublicId;
use crate::record::{Record, State};

/// The treatment of a login that would exceed the limit on the user's sessions: see
/// [`Config::sessions_per_user`](crate::Config::sessions_per_user).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OverLimit {
    /// The login fails with [`ErrorKind::TooManySessions`](crate::ErrorKind::TooManySessions), and
    /// the visitor's session stays unchanged.
    Refuse,
    /// The user's sessions with the oldest logins are ended.
    EndOldest,
}

/// The limit for a new session of a user, passed to [`SessionStore::create_within`].
///
/// [`SessionStore::create_within`]: crate::store::SessionStore::create_within
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// The greatest number of the user's sessions, including the new one.
    pub most: u32,
    /// The treatment of a session that exceeds the limit.
    pub over: OverLimit,
    /// The session that the login replaces, which doesn't count.
    pub replaces: Option<PublicId>,
}

/// The result of creating a session of a user whose sessions are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The record was added, and some of the user's sessions may have been ended for it.
    Created {
        /// The number of sessions that were ended.
        ended: u32,
    },
    /// The id has a record already: nothing was written.
    Exists,
    /// The user has as many sessions as allowed: nothing was written.
    TooMany,
}

/// A limit's decision about a new session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The session may be added once these sessions of the user have ended, the oldest first.
    Admitted(Vec<PublicId>),
    /// The session may not be added.
    Refused,
}

impl Within {
    /// Decides about a new session of a user with the given records. Stores that decide and create
    /// in one transaction call it.
    ///
    /// Expired records and records that aren't sessions don't count. During a renewal a session has
    /// two records, which count once.
    ///
    /// ```
    /// use carafe::id::PublicId;
    /// use carafe::UnixSeconds;
    /// use carafe::store::{Admission, OverLimit, Record, Within};
    ///
    /// let now = UnixSeconds(1_700_000_000);
    /// let desk = Record::new(PublicId::from_bytes([7; 16]), now, 3_600, 86_400);
    /// let within = Within { most: 1, over: OverLimit::EndOldest, replaces: None };
    /// assert_eq!(within.decide([&desk], now + 1), Admission::Admitted(vec![desk.public_id]));
    /// ```
    pub fn decide<'a>(
        &self,
        records: impl IntoIterator<Item = &'a Record>,
        now: UnixSeconds,
    ) -> Admission {
        let counts = |record: &&Record| {
            record.state == State::Live
                && !record.is_expired(now)
                && self.replaces != Some(record.public_id)
        };
        let sessions: BTreeMap<PublicId, UnixSeconds> = records
            .into_iter()
            .filter(counts)
            .map(|record| (record.public_id, record.logged_in.unwrap_or(record.created)))
            .collect();
        let beyond = (sessions.len() + 1).saturating_sub(self.most as usize);
        match self.over {
            _ if beyond == 0 => Admission::Admitted(Vec::new()),
            OverLimit::Refuse => Admission::Refused,
            OverLimit::EndOldest => {
                let mut oldest: Vec<_> = sessions.into_iter().collect();
                oldest.sort_by_key(|(id, login)| (*login, *id));
                oldest.truncate(beyond);
                Admission::Admitted(oldest.into_iter().map(|(id, _)| id).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionIdHash;

    fn session(number: u8, login: u64) -> Record {
        let id = PublicId::from_bytes([number; 16]);
        let mut record = Record::new(id, UnixSeconds(1_000), 60, 3_600);
        record.logged_in = Some(UnixSeconds(login));
        record
    }

    fn within(most: u32, over: OverLimit) -> Within {
        Within { most, over, replaces: None }
    }

    #[test]
    fn the_oldest_end_first() {
        let records = [session(1, 1_002), session(2, 1_001), session(3, 1_003)];
        let id = |at: usize| records[at].public_id;
        for (most, ended) in
            [(4, vec![]), (3, vec![id(1)]), (2, vec![id(1), id(0)]), (1, vec![id(1), id(0), id(2)])]
        {
            let decided = within(most, OverLimit::EndOldest).decide(&records, UnixSeconds(1_010));
            assert_eq!(decided, Admission::Admitted(ended), "{most}");
        }
    }

    #[test]
    fn what_is_no_session_of_its_own_does_not_count() {
        let mut pointer = session(1, 1_000);
        pointer.state = State::Rotated { to: SessionIdHash::from_bytes([0; 32]) };
        let records = [session(2, 1_000), session(2, 1_000), pointer];
        let limit = within(2, OverLimit::Refuse);
        assert_eq!(limit.decide(&records, UnixSeconds(1_010)), Admission::Admitted(vec![]));
        assert_eq!(
            within(1, OverLimit::Refuse).decide(&records, UnixSeconds(1_010)),
            Admission::Refused
        );
        assert_eq!(
            within(1, OverLimit::Refuse).decide(&records, UnixSeconds(1_060)),
            Admission::Admitted(vec![])
        );
        let replacing = Within { replaces: Some(records[0].public_id), ..limit };
        assert_eq!(
            Within { most: 1, ..replacing }.decide(&records, UnixSeconds(1_010)),
            Admission::Admitted(vec![])
        );
    }
}
