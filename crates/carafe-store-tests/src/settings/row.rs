use carafe::{Config, SessionLayer};
use http::header::SET_COOKIE;

use super::backend::{Backend, Kind};
use super::steps::{Answer, Visit};

/// One setting: a visit to a site without it and to a site with it, and what the visitor sees.
pub(crate) struct Row {
    /// The name of the method that sets it.
    pub(super) setting: &'static str,
    /// The settings that both sites have.
    pub(super) given: fn(Config) -> Config,
    /// The setting, of [`Config`].
    pub(super) change: fn(Config) -> Config,
    /// The setting, of [`SessionLayer`].
    pub(super) around: fn(SessionLayer) -> SessionLayer,
    /// The settings of another site with the same key and the same store, to share the visitor with.
    pub(super) other: fn(Config) -> Config,
    /// Whether that site's cookies are signed where this one's are sealed.
    pub(super) other_is_signed: bool,
    /// The steps of the visit: see [`Visit::go`].
    pub(super) visit: &'static [&'static str],
    /// Returns the part of the last answer that shows the effect.
    pub(super) sees: fn(&Answer) -> String,
    /// The effect without the setting.
    pub(super) unset: &'static str,
    /// The effect with the setting.
    pub(super) set: &'static str,
    /// The backends on which it has no effect, and why.
    pub(super) none: &'static [(Kind, &'static str)],
}

/// A row that sets nothing, to be filled in.
pub(super) const ROW: Row = Row {
    setting: "",
    given: |config| config,
    change: |config| config,
    around: |layer| layer,
    other: |config| config,
    other_is_signed: false,
    visit: &["/login"],
    sees: attributes,
    unset: "",
    set: "",
    none: &[],
};

impl Row {
    /// Returns the effect that the visitor of one of the two sites sees in the end.
    pub(super) async fn seen(&self, backend: &Backend, set: bool) -> String {
        let mut visit = Visit::new(backend.sites(self, set));
        for step in self.visit {
            visit.go(step).await;
        }
        (self.sees)(&visit.last)
    }
}

/// The attributes of the cookie that was set.
pub(super) fn attributes(answer: &Answer) -> String {
    let line = set_cookie(answer);
    line.split_once("; ").map_or(String::new(), |(_, attributes)| attributes.to_owned())
}

/// The name of the cookie that was set.
pub(super) fn name(answer: &Answer) -> String {
    set_cookie(answer).split('=').next().unwrap_or_default().to_owned()
}

/// Whether a cookie was set.
pub(super) fn sets_cookie(answer: &Answer) -> String {
    let is_set = !set_cookie(answer).is_empty();
    if is_set { "set" } else { "" }.to_owned()
}

/// Whether the cookie that was set is long.
pub(super) fn length(answer: &Answer) -> String {
    let is_long = set_cookie(answer).len() > 500;
    if is_long { "long" } else { "short" }.to_owned()
}

/// The status.
pub(super) fn status(answer: &Answer) -> String {
    answer.status.as_u16().to_string()
}

/// The body.
pub(super) fn text(answer: &Answer) -> String {
    answer.text.clone()
}

/// The header `Cache-Control`.
pub(super) fn cache_control(answer: &Answer) -> String {
    header(answer, "cache-control")
}

/// The header `Clear-Site-Data`.
pub(super) fn clear_site_data(answer: &Answer) -> String {
    header(answer, "clear-site-data")
}

pub(super) fn set_cookie(answer: &Answer) -> String {
    header(answer, SET_COOKIE.as_str())
}

fn header(answer: &Answer, name: &str) -> String {
    let value = answer.headers.get(name);
    value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
}
