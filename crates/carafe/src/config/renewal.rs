use std::time::Duration;

use super::Config;
use crate::{Error, ErrorKind, UnixSeconds};

/// The longest chain of pointer records that the settings may allow.
const LONGEST: u64 = 32;

/// The periodic renewal of the ids of sessions in a store, in whole seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewal {
    /// The age at which an id is renewed; never 0.
    after: u64,
    /// The grace period, in which the old id leads to the session.
    pub(crate) grace: u64,
}

impl Config {
    /// Returns the renewal that these settings ask for; `None` if renewals are off.
    pub(crate) fn renewal(&self) -> Option<Renewal> {
        let after = whole_seconds(self.renew_after);
        let grace = whole_seconds(self.renewal_grace);
        (after != 0).then_some(Renewal { after, grace })
    }

    pub(super) fn check_renewal(&self) -> Result<(), Error> {
        match self.renewal().map(Renewal::longest_chain) {
            Some(chain) if chain > LONGEST => Err(Error::new(
                ErrorKind::Setting,
                "the renewal grace is so much longer than the time after which a session's id is renewed \
                 that an old id would lead through more than 32 newer ones: lengthen \
                 `Config::renew_after`, or shorten `Config::renewal_grace`",
            )),
            _ => Ok(()),
        }
    }
}

impl Renewal {
    /// Returns whether an id of this age is due for renewal.
    pub(crate) fn is_due(self, made: UnixSeconds, now: UnixSeconds) -> bool {
        now.since(made) >= self.after
    }

    /// Returns the greatest number of pointer records between an id in its grace period and the
    /// session: the renewals within one grace period, and one more for clocks that differ a little.
    pub(crate) fn longest_chain(self) -> u64 {
        self.grace.div_ceil(self.after).saturating_add(1)
    }
}

/// Returns a time in whole seconds, rounded up, so that half a second does not become zero.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}
