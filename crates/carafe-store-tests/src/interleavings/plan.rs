//! What is run, and what it came to.

use std::collections::BTreeMap;

use crate::app::SetCookie;
use crate::intercept::Fate;

/// How long a session lives that is not used. Whatever exists now is over when it has passed.
pub(super) const IDLE: u64 = 100_000;

/// After how long the id of a session is renewed: less than a tenth of [`IDLE`], so that none of
/// these runs depends on when a use is written.
pub(super) const RENEW_AFTER: u64 = 1_000;

/// How long an old id leads to a renewed session.
pub(super) const GRACE: u64 = 10;

/// What a request does, or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Only looks. So does every other act first.
    Read,
    /// Inserts a key of its own.
    Write,
    /// Inserts a number under a key that others write, too, without having read it.
    Set,
    /// Reads that number and inserts one more.
    ReadAndSet,
    /// Increments that number with `update_now`.
    Update,
    Rotate,
    Login,
    Logout,
    LogoutEverywhere,
    /// Not a request: so much time passes that renewals are due and former ids end, and what has
    /// expired is deleted.
    Age,
    /// Not a request: so much time passes that all sessions end, and what has expired is deleted.
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
    /// How much time passes, if it isn't a request.
    pub(super) fn seconds(self) -> Option<u64> {
        match self {
            Self::Age => Some(RENEW_AFTER),
            Self::Expire => Some(IDLE),
            _ => None,
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    Nothing,
    /// The second process is killed after so many calls of the store.
    Crash {
        after: usize,
    },
    /// At most so many calls of the store fail, with or without having had their effect.
    Failures {
        most: usize,
    },
}

/// Whether ids are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    Never,
    /// When they are old enough.
    Later,
    /// The session's is old enough at first.
    Due,
}

/// The requests of one run, and the mishap that happens in it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// What each client does, one after the other. All of them begin with the same cookie.
    pub(super) clients: Vec<Vec<Act>>,
    /// How many processes serve them in turn, on one store: one or two.
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

/// What a session holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Content {
    pub(super) user: Option<&'static str>,
    pub(super) numbers: BTreeMap<String, u64>,
}

/// The number that several requests write.
pub(super) const NUMBER: &str = "n";

/// What a request was answered.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) cookie: SetCookie,
    /// What it saw when it began; nothing if it could not.
    pub(super) seen: Option<Content>,
    /// What an update returned.
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

/// What became of a run.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) requests: Vec<Observed>,
    /// What each cookie leads to in the end.
    pub(super) found: BTreeMap<Token, Content>,
    /// How many records of each user there are in the end.
    pub(super) records: BTreeMap<&'static str, usize>,
    /// The calls of the store that failed.
    pub(super) failures: Vec<(usize, Fate)>,
}
