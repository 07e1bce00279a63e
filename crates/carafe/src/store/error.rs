use std::fmt;
use std::sync::Arc;

/// What went wrong in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store can't be reached, or refuses; nothing was written.
    Unavailable,
    /// The answer to a write was lost: it may have been done or not.
    Uncertain,
    /// The store has no room, and nothing that it may remove; nothing was written.
    Full,
    /// What the store holds can't be read.
    Corrupt,
}

/// The error of a [`SessionStore`](super::SessionStore).
///
/// Its text goes to logs: it must not contain ids, users or values. What a database says about a
/// failed statement often does contain them, so that drivers' errors belong into the source only
/// where they don't.
#[derive(Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// An error with a text for whoever is on call: what failed, and what to do.
    ///
    /// ```
    /// use carafe::store::{StoreError, StoreErrorKind};
    ///
    /// let error = StoreError::new(StoreErrorKind::Unavailable, "the file can't be opened");
    /// assert_eq!(error.to_string(), "the file can't be opened");
    /// ```
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// With the error below it.
    ///
    /// ```
    /// use std::error::Error as _;
    ///
    /// use carafe::store::{StoreError, StoreErrorKind};
    ///
    /// let cause = std::io::Error::other("permission denied");
    /// let error = StoreError::new(StoreErrorKind::Unavailable, "the file can't be opened");
    /// assert!(error.with_source(cause).source().is_some());
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What went wrong.
    ///
    /// ```
    /// use carafe::store::{StoreError, StoreErrorKind};
    ///
    /// let error = StoreError::new(StoreErrorKind::Full, "the disk is full");
    /// assert_eq!(error.kind(), StoreErrorKind::Full);
    /// ```
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}
