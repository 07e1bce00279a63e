//! The settings of the page.

use std::time::Duration;

use carafe::{Error, ErrorKind, WantedPage};
use http::HeaderValue;

use super::Texts;

/// The settings that an application chooses.
#[derive(Clone, Default)]
pub(super) struct Settings {
    /// The page for visitors who have ended their own session.
    pub(super) home: LocalPath,
    pub(super) stylesheet: Option<LocalPath>,
    /// The longest time since the last authentication of a user who ends other sessions.
    pub(super) max_age: Option<Duration>,
    pub(super) texts: Texts,
}

/// A path of this site, which may have a query.
#[derive(Clone)]
pub(super) struct LocalPath {
    pub(super) text: String,
    pub(super) header: HeaderValue,
}

impl Default for LocalPath {
    /// The root of the site.
    fn default() -> Self {
        Self { text: "/".to_owned(), header: HeaderValue::from_static("/") }
    }
}

impl LocalPath {
    pub(super) fn new(name: &str, path: &str) -> Result<Self, Error> {
        let is_local = WantedPage::new(path).path().is_some();
        match HeaderValue::from_str(path).ok().filter(|_| is_local) {
            Some(header) => Ok(Self { text: path.to_owned(), header }),
            None => Err(Error::new(
                ErrorKind::Setting,
                format!(
                    "{name} is {path:?}, which is not allowed: it must be a path of this site, such \
                     as /account: printable ASCII that begins with one slash, without backslashes"
                ),
            )),
        }
    }
}
