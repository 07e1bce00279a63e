//! The plan of a run, and its outcome.

use std::collections::BTreeMap;

use crate::app::SetCookie;
use crate::intercept::Fate;

/// The idle timeout. All present sessions are over when it has passed.
pub(super) const IDLE: u64 = 100_000;

/// After how long the id of a session is renewed: less than a tenth of [`IDLE`], so that none of
/// these runs depends on when a use is written.
pub(super) const RENEW_AFTER: u64 = 1_000;

/// The grace period of a renewal.
pub(super) const GRACE: u64 = 10;

/// The act of a request, or of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Reads the session and does nothing else. Every other act reads it first.
    Read,
    /// Inserts a key of its own.
    Write,
    /// Inserts a number under a key that other requests write, too, without having read it.
    Set,
    /// Reads that number and inserts one more.
    ReadAndSet,
    /// Increments that number with `update_now`.
    Update,
    Rotate,
    Login,
    Logout,
    LogoutEverywhere,
    /// No request: enough time passes for renewals to be due and former ids to end, and expired
    /// records are deleted.
    Age,
    /// No request: enough time passes for all sessions to end, and expired records are deleted.
    Expire,
}

/// Every act.
pub(super) const ACTS: [Act; 11] = [
    Act::Read,
    Act::Write,
    Act::Set,
    Act::ReadAndSet,
    Act::Update,
    Act::Rotate,
    Act::Login,
    Act::Logout,
    Act::LogoutEverywhere,
    Act::Age,
    Act::Expire,
];

impl Act {
    /// The time that passes, unless this is a request.
    pub(super) fn seconds(self) -> Option<u64> {
        match self {
            Self::Age => Some(RENEW_AFTER),
            Self::Expire => Some(IDLE),
            _ => None,
        }
    }
}

/// The mishap of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    Nothing,
    /// The second process is killed after this number of calls of the store.
    Crash {
        after: usize,
    },
    /// At most this number of calls of the store fail, with or without their effect.
    Failures {
        most: usize,
    },
}

/// Whether ids are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    Never,
    /// Sessions are renewed when they are old enough.
    Later,
    /// The session's is old enough at first.
    Due,
}

/// The requests of one run, and the mishap that happens in it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The acts of each client, one after the other. All clients begin with the same cookie.
    pub(super) clients: Vec<Vec<Act>>,
    /// The number of processes that serve them in turn, on one store: one or two.
    pub(super) processes: usize,
    /// Whether a user is logged in at first.
    pub(super) logged_in: bool,
    pub(super) renewal: Renewal,
    pub(super) mishap: Mishap,
}

impl Plan {
    pub(super) fn process_of(&self, client: usize) -> usize {
        client % self.processes
    }

    pub(super) fn time_passes(&self) -> bool {
        self.clients.iter().flatten().any(|act| act.seconds().is_some())
    }

    /// Whether a client's process is killed. Nothing stops the time.
    pub(super) fn is_killed(&self, client: usize) -> bool {
        matches!(self.mishap, Mishap::Crash { .. }) && self.process_of(client) == 1
    }
}

/// A cookie that leads, or led, to a session: the one that all clients begin with, or the one that
/// the response of a request sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Token {
    Initial,
    Of(usize),
}

/// The content of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Content {
    pub(super) user: Option<&'static str>,
    pub(super) numbers: BTreeMap<String, u64>,
}

/// The number that several requests write.
pub(super) const NUMBER: &str = "n";

/// The answer to a request.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) cookie: SetCookie,
    /// The content that the request saw at its beginning; `None` if it failed.
    pub(super) seen: Option<Content>,
    /// The result of an update.
    pub(super) updated: Option<u64>,
}

/// A request, or time, as it was observed. Steps of a run are numbered; several things can have
/// happened within one.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) act: Act,
    pub(super) client: usize,
    /// The cookie that it carried.
    pub(super) token: Option<Token>,
    /// The step in which it began, and the time then.
    pub(super) began: usize,
    pub(super) clock: u64,
    /// The step in which it was answered, and the answer; nothing if its process was killed.
    pub(super) answered: Option<(usize, Reply)>,
}

/// The outcome of a run.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) requests: Vec<Observed>,
    /// The content that each cookie leads to in the end.
    pub(super) found: BTreeMap<Token, Content>,
    /// The number of each user's records in the end.
    pub(super) records: BTreeMap<&'static str, usize>,
    /// The calls of the store that failed.
    pub(super) failures: Vec<(usize, Fate)>,
}
