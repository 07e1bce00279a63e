//! The details of a login that a record keeps, besides the user and the time.

use super::{Reader, put_number};
use crate::UnixSeconds;
use crate::id::PublicId;

/// The details of a session's login, besides the user and the time.
///
/// Records without details are written as in versions that had none.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginDetails {
    /// The time at which the user was last authenticated, if it was after the login.
    pub authenticated: Option<UnixSeconds>,
    /// A keyed hash of the credential that the user logged in with.
    pub credential: Option<String>,
    /// The pending user of a login in two steps.
    pub pending: Option<PendingLogin>,
    /// The series of remember tokens that logged the user in.
    pub series: Option<PublicId>,
}

/// A pending user of a login in two steps.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingLogin {
    /// The user, who is not logged in yet.
    pub user: String,
    /// The time at which the second step is too late.
    pub until: UnixSeconds,
}

impl PendingLogin {
    pub(crate) fn new(user: String, until: UnixSeconds) -> Self {
        Self { user, until }
    }
}

impl LoginDetails {
    /// Returns the details for a record; `None` if all fields are empty.
    pub(crate) fn into_record(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }

    /// Appends the length of the binary form, and the form. Later versions may add fields at its
    /// end.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let bytes = self.to_bytes();
        put_number(out, bytes.len() as u64);
        out.extend_from_slice(&bytes);
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(&mut out, self.authenticated.map_or(0, |time| (time + 1).0));
        put_text(&mut out, self.credential.as_deref());
        put_text(&mut out, self.pending.as_ref().map(|pending| pending.user.as_str()));
        put_number(&mut out, self.pending.as_ref().map_or(0, |pending| pending.until.0));
        match &self.series {
            None => out.push(0),
            Some(series) => {
                out.push(1);
                out.extend_from_slice(series.as_bytes());
            }
        }
        out
    }
}

impl std::fmt::Debug for LoginDetails {
    /// Shows neither the credential nor a user.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginDetails").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PendingLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingLogin").field("until", &self.until).finish_non_exhaustive()
    }
}

impl<'a> Reader<'a> {
    pub(super) fn details(&mut self) -> Option<LoginDetails> {
        let len = usize::try_from(self.number()?).ok()?;
        let (details, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        let mut reader = Reader { rest: details };
        let authenticated = reader.number()?.checked_sub(1).map(UnixSeconds);
        let credential = reader.text()?.map(str::to_owned);
        let (user, until) = (reader.text()?, UnixSeconds(reader.number()?));
        let pending = user.map(|user| PendingLogin::new(user.to_owned(), until));
        let series = match reader.array::<1>()? {
            [0] => None,
            [1] => Some(PublicId::from_bytes(reader.array()?)),
            _ => return None,
        };
        Some(LoginDetails { authenticated, credential, pending, series })
    }
}

/// Appends an optional text.
pub(super) fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => put_number(out, 0),
        Some(text) => {
            put_number(out, text.len() as u64 + 1);
            out.extend_from_slice(text.as_bytes());
        }
    }
}
