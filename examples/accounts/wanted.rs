//! The page that a visitor wanted before they had to sign in.

use axum::http::Method;
use axum::http::request::Parts;

/// Travels in the query of the sign-in page, so that visitors need no session for it.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Wanted {
    next: Option<String>,
}

impl Wanted {
    /// Where to go after signing in. Anybody can write a link to the sign-in page: only paths of
    /// this site are followed.
    pub(crate) fn path(&self) -> &str {
        self.next.as_deref().filter(|path| is_local(path)).unwrap_or("/account")
    }

    /// The query that keeps it: of a link between the pages for registering and signing in.
    pub(crate) fn query(&self) -> String {
        self.next.as_deref().filter(|path| is_local(path)).map(query).unwrap_or_default()
    }
}

/// The sign-in page that leads back to what was requested, if that was a page.
pub(crate) fn sign_in(request: &Parts) -> String {
    match request.uri.path_and_query() {
        Some(path) if request.method == Method::GET => format!("/login{}", query(path.as_str())),
        _ => "/login".to_owned(),
    }
}

fn query(path: &str) -> String {
    let path: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    format!("?next={path}")
}

/// Whether this is a path of this site and nothing else. Browsers take `//` for the beginning of a
/// host, `\` for `/`, and leave out tabs and line breaks.
fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path[1..].starts_with('/')
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(next: &str) -> Wanted {
        Wanted { next: Some(next.to_owned()) }
    }

    #[test]
    fn paths_of_this_site_are_followed() {
        for path in ["/", "/account", "/account/password?a=b&c=//d#e", "/a//b", "/@evil.example"] {
            assert_eq!(wanted(path).path(), path);
        }
        assert_eq!(wanted("/a?b=c d".replace(' ', "+").as_str()).query(), "?next=%2Fa%3Fb%3Dc%2Bd");
    }

    #[test]
    fn nothing_else_is_followed() {
        for path in [
            "",
            "account",
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            "/\n/evil.example",
            "/\r\nset-cookie: a=b",
            " //evil.example",
            "javascript:alert(1)",
            "/é",
        ] {
            assert_eq!(wanted(path).path(), "/account", "{path:?}");
            assert_eq!(wanted(path).query(), "", "{path:?}");
        }
        assert_eq!(Wanted::default().path(), "/account");
    }

    #[test]
    fn only_pages_are_wanted() {
        let request = |method| {
            let request = axum::http::Request::builder().method(method).uri("/account?a=b&c");
            request.body(()).unwrap().into_parts().0
        };
        assert_eq!(sign_in(&request("GET")), "/login?next=%2Faccount%3Fa%3Db%26c");
        assert_eq!(sign_in(&request("POST")), "/login");
    }
}
