use super::view::View;

/// The key of Flask's `session.permanent`: see [`Session::is_permanent`](crate::Session::is_permanent).
pub(crate) const PERMANENT: &str = "_permanent";

/// The key of a session's own lifetime, in seconds.
pub(crate) const LIFETIME: &str = "_carafe_lifetime";

/// Returns whether Flask treats a session as permanent. `default` applies if the session doesn't
/// say.
pub(crate) fn is_permanent(view: &View, default: bool) -> bool {
    view.get(PERMANENT.as_bytes()).map_or(default, |value| value.is_truthy())
}

/// Returns a session's own lifetime, in seconds.
pub(crate) fn own_lifetime(view: &View) -> Option<u64> {
    let seconds = view.get(LIFETIME.as_bytes())?.as_i64();
    seconds.and_then(|seconds| u64::try_from(seconds).ok())
}
