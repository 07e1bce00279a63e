use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use carafe::Error;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

use super::settings::{LocalPath, Settings};
use super::{ResponseFuture, Texts, answer};

/// A page that shows users their sessions and ends them: see [the module](super).
#[derive(Clone)]
pub struct SessionsPage {
    settings: Arc<Settings>,
}

impl SessionsPage {
    /// Creates a page in English, whose home is `/`.
    ///
    /// ```
    /// use carafe_sessions_page::SessionsPage;
    ///
    /// let page = SessionsPage::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { settings: Arc::default() }
    }

    /// Sets the page of the application to which a link leads back, and to which users are sent
    /// after they have ended their own session: `/` by default.
    ///
    /// ```
    /// use carafe_sessions_page::SessionsPage;
    ///
    /// let page = SessionsPage::new().home("/account")?;
    /// assert!(SessionsPage::new().home("https://evil.example/").is_err());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](carafe::ErrorKind::Setting) if it isn't a path of this site: one that
    /// begins with one slash and is printable ASCII, percent-encoded.
    pub fn home(self, path: &str) -> Result<Self, Error> {
        let home = LocalPath::new("the home of the sessions page", path)?;
        Ok(self.map(|settings| settings.home = home))
    }

    /// Sets a stylesheet of this site that replaces the page's own style. The page is one `main`
    /// with a `ul.sessions` in a form.
    ///
    /// ```
    /// use carafe_sessions_page::SessionsPage;
    ///
    /// let page = SessionsPage::new().stylesheet("/static/sessions.css")?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`home`](Self::home).
    pub fn stylesheet(self, path: &str) -> Result<Self, Error> {
        let path = LocalPath::new("the stylesheet of the sessions page", path)?;
        Ok(self.map(|settings| settings.stylesheet = Some(path)))
    }

    /// Sets the time since the last authentication within which a user may end other sessions.
    /// Other users are sent to the [confirmation page](carafe::SessionLayer::with_confirm_page) and
    /// back, or get 401 if the layer has none. To end their own session they needn't be
    /// authenticated again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use carafe_sessions_page::SessionsPage;
    ///
    /// let page = SessionsPage::new().fresh_within(Duration::from_secs(300));
    /// ```
    #[must_use]
    pub fn fresh_within(self, max_age: Duration) -> Self {
        self.map(|settings| settings.max_age = Some(max_age))
    }

    /// Changes the texts of the page.
    ///
    /// ```
    /// use carafe_sessions_page::SessionsPage;
    ///
    /// let page = SessionsPage::new().texts(|texts| {
    ///     texts.language = "de".to_owned();
    ///     texts.title = "Ihre Sitzungen".to_owned();
    /// });
    /// ```
    #[must_use]
    pub fn texts(self, change: impl FnOnce(&mut Texts)) -> Self {
        self.map(|settings| change(&mut settings.texts))
    }

    /// Returns the page's answer, for the adapters of frameworks.
    pub(crate) fn answer<B: Body>(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Response<Bytes>> + use<B> {
        answer::request(Arc::clone(&self.settings), request)
    }

    fn map(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Arc::unwrap_or_clone(self.settings);
        change(&mut settings);
        Self { settings: Arc::new(settings) }
    }
}

impl Default for SessionsPage {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> Service<Request<B>> for SessionsPage
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let answer = self.answer(request);
        ResponseFuture::new(async { answer.await.map(Full::new) })
    }
}

impl fmt::Debug for SessionsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsPage").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use carafe::ErrorKind;

    use super::*;

    #[test]
    fn a_path_is_one_of_this_site() {
        let is_accepted = |path| match SessionsPage::new().home(path) {
            Ok(page) => page.stylesheet(path).is_ok(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Setting);
                assert!(SessionsPage::new().stylesheet(path).is_err());
                false
            }
        };
        for (path, accepted) in [
            ("/", true),
            ("/account?a=b&c", true),
            ("", false),
            ("account", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example/", false),
            ("/\r\nset-cookie:a=b", false),
        ] {
            assert_eq!(is_accepted(path), accepted, "{path:?}");
        }
    }
}
