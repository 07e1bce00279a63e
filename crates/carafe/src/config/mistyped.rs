use super::Config;
use crate::{Error, ErrorKind, event};

/// The policy for stored values of an unexpected type. They occur when a new version of an
/// application reads a session that an old version wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistyped {
    /// Reading fails with an error of the kind [`ErrorKind::Type`]: the default.
    #[default]
    Error,
    /// Reading gives `None`, as if the key were missing, with a warning in the log. The value stays
    /// until it is overwritten.
    Missing,
}

impl Mistyped {
    /// Applies this policy to the result of reading a value.
    pub(crate) fn allow<T>(self, read: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        match read {
            Err(error) if self == Self::Missing && error.kind() == ErrorKind::Type => {
                event::mistyped(&error);
                Ok(None)
            }
            read => read,
        }
    }
}

impl Config {
    /// Sets how [`Session::get`](crate::Session::get), [`take`](crate::Session::take) and
    /// [`update`](crate::Session::update) treat a stored value of another type than the requested
    /// one. By default it is an error.
    ///
    /// ```
    /// use carafe::config::Mistyped;
    /// use carafe::Config;
    ///
    /// // A deployment that reads the cart as a list, where sessions still have a number.
    /// let config = Config::hardened().mistyped_values(Mistyped::Missing);
    /// ```
    #[must_use]
    pub fn mistyped_values(mut self, policy: Mistyped) -> Self {
        self.mistyped = policy;
        self
    }
}
