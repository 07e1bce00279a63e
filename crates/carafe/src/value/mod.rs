//! What a session holds: Flask's types.

/// A value of a session.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Python's `None`.
    Null,
}
