use super::view::View;

/// Flask's key for [`Session::permanent`](crate::Session::permanent).
pub(crate) const PERMANENT: &str = "_permanent";

/// Whether Flask takes a session for a permanent one.
pub(crate) fn is_permanent(view: &View) -> bool {
    view.get(PERMANENT.as_bytes()).is_some_and(|value| value.is_truthy())
}
