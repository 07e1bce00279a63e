/// The directives that caches are given in responses to requests that open their session.
///
/// Responses to requests that never extract the session stay unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caching {
    /// Caching as the handler allows it, separately for each `Cookie` header. This is Flask's
    /// behaviour, and it trusts every cache on the way to obey `Vary`.
    #[default]
    Vary,
    /// Only the browser's own cache may store the response: `Cache-Control: private`, even if the
    /// handler said `public` or `s-maxage`. A response that sets a cookie isn't stored at all.
    Private,
    /// No cache may store the response: `Cache-Control: no-store`. After a logout a browser then
    /// shows no earlier page, and loads it again when the user goes back.
    NoStore,
}
