use std::fmt;
use std::sync::Arc;

/// The category of a store's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store can't be reached, or refuses; nothing was written.
    Unavailable,
    /// The answer to a write was lost: the write may or may not have happened.
    Uncertain,
    /// The store is full, and may remove nothing; nothing was written.
    Full,
    /// The store's content can't be read.
    Corrupt,
}

/// The error of a [`SessionStore`](super::SessionStore) or a
/// [`RevocationStore`](super::RevocationStore).
///
/// Its text goes to logs, and must not contain ids, users or values. A database's message about a
/// failed statement often contains them: pass a driver's error as the source only if it doesn't.
#[derive(Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// Creates an error, with a text for operators: what failed, and what to do.
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

    /// Sets the error's cause, its [`source`](std::error::Error::source).
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

    /// Returns the category of this error.
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
