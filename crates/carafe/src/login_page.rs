//! Redirects to the login page, and back to the page that the visitor wanted.

use std::fmt;
use std::sync::Arc;

use crate::{Error, percent};

/// The field of the login page's query that names the wanted page.
const PARAMETER: &str = "next";

/// The path of a login page or a confirmation page: see
/// [`SessionLayer::with_login_page`](crate::SessionLayer::with_login_page).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LoginPage(Arc<str>);

impl LoginPage {
    /// Checks a path; `name` is the setting's name, for the error.
    pub(crate) fn new(name: &str, path: &str) -> Result<Self, Error> {
        if is_local(path) && !path.contains('#') {
            return Ok(Self(Arc::from(path)));
        }
        Err(Error::setting(name, path, "a path of this site, such as /login"))
    }

    pub(crate) fn path(&self) -> &str {
        &self.0
    }

    /// Returns the login page's URL, with the wanted page in its query.
    pub(crate) fn leading_to(&self, wanted: &str) -> String {
        let mut url = self.0.to_string();
        if is_local(wanted) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(PARAMETER);
            url.push('=');
            percent::encode_form(&mut url, wanted.as_bytes(), "/");
        }
        url
    }
}

/// The page that a visitor wanted before a redirect to the [login
/// page](crate::SessionLayer::with_login_page) or the [confirmation
/// page](crate::SessionLayer::with_confirm_page), from the field `next` of the query.
///
/// Only a path of this site counts. Any other text is ignored, so that the login page can't be
/// abused to redirect visitors to another site.
///
/// ```
/// use carafe::{Error, Session, WantedPage};
///
/// /// A form whose `action` is empty is sent to the URL that it came from, with its query.
/// async fn login(session: Session, wanted: WantedPage) -> Result<String, Error> {
///     session.login("42")?;
///     Ok(wanted.or("/").to_owned()) // for `Redirect::to`
/// }
///
/// assert_eq!(WantedPage::new("/cart?page=2").or("/"), "/cart?page=2");
/// assert_eq!(WantedPage::new("//evil.example/").or("/"), "/");
/// assert_eq!(WantedPage::from_query("lang=en&next=/cart%3Fpage%3D2").or("/"), "/cart?page=2");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedPage(Option<String>);

impl WantedPage {
    /// Returns the wanted page with this path, if the path is a path of this site.
    ///
    /// ```
    /// use carafe::WantedPage;
    ///
    /// assert_eq!(WantedPage::new("/cart").path(), Some("/cart"));
    /// assert_eq!(WantedPage::new("https://evil.example/").path(), None);
    /// ```
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self(is_local(path).then(|| path.to_owned()))
    }

    /// Returns the wanted page that a query names, given without its question mark. If it names
    /// several, the first counts.
    ///
    /// ```
    /// use carafe::WantedPage;
    ///
    /// assert_eq!(WantedPage::from_query("lang=en&next=%2Fcart").path(), Some("/cart"));
    /// ```
    #[must_use]
    pub fn from_query(query: &str) -> Self {
        let mut fields = query.split('&').filter_map(|field| field.split_once('='));
        match fields.find(|(name, _)| *name == PARAMETER) {
            Some((_, value)) => {
                percent::decode_form(value).map_or_else(Self::default, |path| Self::new(&path))
            }
            None => Self::default(),
        }
    }

    /// Returns the path of the page, if the visitor wanted one.
    ///
    /// ```
    /// use carafe::WantedPage;
    ///
    /// assert_eq!(WantedPage::new("/cart").path(), Some("/cart"));
    /// assert_eq!(WantedPage::default().path(), None);
    /// ```
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Returns the path of the page, or `default` if the visitor wanted none.
    ///
    /// ```
    /// use carafe::WantedPage;
    ///
    /// assert_eq!(WantedPage::new("/cart").or("/"), "/cart");
    /// assert_eq!(WantedPage::default().or("/"), "/");
    /// ```
    #[must_use]
    pub fn or<'a>(&'a self, default: &'a str) -> &'a str {
        self.path().unwrap_or(default)
    }
}

impl fmt::Display for WantedPage {
    /// Writes the path, or nothing: for a form field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.or(""))
    }
}

/// Returns whether a browser treats a text as a path on the same site, after its own clean-up.
///
/// Browsers drop tabs and line ends, take `\` for `/`, and two of them for the beginning of a host.
pub(crate) fn is_local(text: &str) -> bool {
    let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    text.starts_with('/') && !text.starts_with("//") && text.bytes().all(visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_pages() {
        for path in ["/", "/a", "/a?b=c&d=//e", "/a#b", "/%2F/evil", "/%5Cevil", "/a//b", "/:@x"] {
            assert_eq!(WantedPage::new(path).path(), Some(path));
        }
        for other in [
            "",
            "a",
            "//evil",
            "///evil",
            "/\\evil",
            "\\/evil",
            "/a\\b",
            "/\t/evil",
            "\t//evil",
            "/\n/evil",
            "/a b",
            "/ä",
            "/\u{7f}",
            " /a",
            "https://evil",
            "https:/evil",
            "javascript:alert(1)",
            "?a",
        ] {
            assert_eq!(WantedPage::new(other).path(), None, "{other:?}");
        }
    }

    #[test]
    fn queries_are_decoded_once() {
        for (query, path) in [
            ("next=%2Fa%3Fb%3D%2526", Some("/a?b=%26")),
            ("a=b&next=/a&next=/b", Some("/a")),
            ("next=", None),
            ("next", None),
            ("nextt=/a", None),
            ("next=%2F%2Fevil", None),
            ("next=/%09/evil", None),
            ("next=/+a", None),
            ("next=/%E4", None),
            ("next=/%", None),
            ("next=/%4", None),
            ("next=/%zz", None),
            ("next=/%+1", None),
            ("", None),
        ] {
            assert_eq!(WantedPage::from_query(query).path(), path, "{query}");
        }
    }

    #[test]
    fn the_way_there_leads_back() {
        for (page, wanted) in [("/login", "/a?b=c&d=%20+"), ("/login?lang=en", "/")] {
            let url = LoginPage::new("login_page", page).unwrap().leading_to(wanted);
            let (path, query) = url.split_once('?').unwrap();
            assert!(path == "/login" && url.starts_with(page), "{url}");
            assert_eq!(WantedPage::from_query(query).path(), Some(wanted));
        }
        assert_eq!(LoginPage::new("login_page", "/login").unwrap().leading_to("//evil/"), "/login");
        for bad in ["login", "//evil", "https://id.example/", "/login#top"] {
            assert!(LoginPage::new("login_page", bad).is_err(), "{bad}");
        }
    }
}
