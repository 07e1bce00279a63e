//! Checks of settings, one by one and in combination.

use std::time::Duration;

use carafe_format::cookie::SetCookie;

use super::Config;
use crate::{Error, ErrorKind};

/// The longest lifetime that can be set: a hundred years, in seconds.
const MAX_LIFETIME: u64 = 100 * 366 * 86_400;

/// The default of [`Config::idle_timeout`]. A shorter absolute timeout cuts the default short, and
/// does not contradict it.
pub(super) const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(7 * 86_400);

/// The shortest interval between two checks of a watched session.
const SHORTEST_WATCH: Duration = Duration::from_millis(10);

/// The smallest limit on a session's size: a session with a logged-in user needs more.
const MIN_SESSION_LIMIT: usize = 64;

impl Config {
    /// Checks the settings, and formats the part of `Set-Cookie` that all cookies share.
    pub(crate) fn check(&self) -> Result<SetCookie, Error> {
        self.check_times()?;
        self.check_sizes()?;
        self.check_renewal()?;
        self.check_logins()?;
        Ok(SetCookie::new(&self.attributes())?)
    }

    fn check_times(&self) -> Result<(), Error> {
        let lifetime = self.lifetime.as_secs();
        if !(1..=MAX_LIFETIME).contains(&lifetime) {
            let lifetime = match lifetime {
                0 => seconds(self.lifetime),
                whole => whole.to_string(),
            };
            let allowed = "from a second to a hundred years, in seconds";
            return Err(Error::setting("PERMANENT_SESSION_LIFETIME", &lifetime, allowed));
        }
        for (name, timeout) in
            [("idle_timeout", self.idle_timeout), ("absolute_timeout", self.absolute_timeout)]
        {
            if timeout.as_secs() == 0 {
                let allowed =
                    "at least a second, or every session would have ended before it is used";
                return Err(Error::setting(name, &seconds(timeout), allowed));
            }
        }
        if self.idle_timeout > self.absolute_timeout && self.idle_timeout != DEFAULT_IDLE_TIMEOUT {
            let allowed = format!(
                "at least the idle_timeout of {}, which could never pass otherwise, and so must the \
                 lifetime be (PERMANENT_SESSION_LIFETIME)",
                seconds(self.idle_timeout)
            );
            return Err(Error::setting(
                "absolute_timeout",
                &seconds(self.absolute_timeout),
                &allowed,
            ));
        }
        // Times are rounded down to whole seconds: less than one second would become zero.
        for (name, interval) in
            [("renew_after", self.renew_after), ("renewal_grace", self.renewal_grace)]
        {
            if interval.as_secs() == 0 && !interval.is_zero() {
                let allowed = "at least a second, or zero, which turns it off";
                return Err(Error::setting(name, &seconds(interval), allowed));
            }
        }
        if self.watch_interval < SHORTEST_WATCH {
            let allowed = "at least 10 ms, or the store would be asked all the time";
            return Err(Error::setting("watch_interval", &seconds(self.watch_interval), allowed));
        }
        if self.store_timeout.is_zero() {
            let allowed = "longer, or every call of the store would be too late";
            return Err(Error::setting("store_timeout", &seconds(self.store_timeout), allowed));
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), Error> {
        if self.session_limit < MIN_SESSION_LIMIT {
            return Err(Error::setting(
                "session_limit",
                &self.session_limit.to_string(),
                &format!(
                    "at least {MIN_SESSION_LIMIT} bytes, such as 65536: no session fits into less"
                ),
            ));
        }
        if self.inflate_limit == 0 {
            return Err(Error::new(
                ErrorKind::Setting,
                "the inflate limit is 0, which refuses every compressed session: \
                 it must be a number of bytes such as 1048576",
            ));
        }
        Ok(())
    }
}

pub(super) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
