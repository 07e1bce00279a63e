use super::Config;
use crate::{Error, ErrorKind, event};

/// What reading a value of another type than the one that is asked for comes to: what a session has
/// when a new version of the application reads what an old one has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistyped {
    /// An error of the kind [`ErrorKind::Type`]: the default.
    #[default]
    Error,
    /// `None`, as if the key were missing, with a warning in the log. The value stays until it is
    /// written over.
    Missing,
}

impl Mistyped {
    /// What has been read, by this policy.
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
    /// What [`Session::get`](crate::Session::get), [`take`](crate::Session::take) and [`update`](crate::Session::update) make of a value of
    /// another type than the one that is asked for. By default it is an error.
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
