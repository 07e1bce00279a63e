/// What caches may do with the responses of requests that ask for their session.
///
/// Responses of requests that never extract the session are left as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caching {
    /// Whatever the handler says, for each `Cookie` header: Flask's behaviour, which trusts every
    /// cache on the way to obey `Vary`.
    #[default]
    Vary,
    /// No cache but the browser's own may store them: `Cache-Control: private`, also where the
    /// handler said `public` or `s-maxage`. Those that set a cookie aren't stored at all.
    Private,
    /// No cache may store them: `Cache-Control: no-store`. A browser then shows nothing of a page
    /// after a logout, and loads it again when the user goes back.
    NoStore,
}
