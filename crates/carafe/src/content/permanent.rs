use super::view::View;

/// Flask's key for [`Session::permanent`](crate::Session::permanent).
pub(crate) const PERMANENT: &str = "_permanent";

/// The key of the lifetime that one session has for itself, in seconds.
pub(crate) const LIFETIME: &str = "_carafe_lifetime";

/// Whether Flask takes a session for a permanent one. `default` holds for a session that doesn't say.
pub(crate) fn is_permanent(view: &View, default: bool) -> bool {
    view.get(PERMANENT.as_bytes()).map_or(default, |value| value.is_truthy())
}

/// The lifetime that a session has for itself, in seconds.
pub(crate) fn own_lifetime(view: &View) -> Option<u64> {
    let seconds = view.get(LIFETIME.as_bytes())?.as_i64();
    seconds.and_then(|seconds| u64::try_from(seconds).ok())
}
