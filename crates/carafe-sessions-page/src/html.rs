//! The page as HTML.

use std::fmt::Write as _;

use carafe::value::DateTime;
use carafe::{SessionInfo, UnixSeconds};

use super::form::{ALL, END, OTHERS};
use super::part::{self, Part};
use super::settings::Settings;

/// The page's own style.
const STYLE: &str = include_str!("style.css");
/// The policy that allows this style, by its SHA-256, and nothing else.
const OWN_STYLE_POLICY: &str = "default-src 'none'; \
     style-src 'sha256-uOmMqhH1Rk/MWRqKIZvAaCrYyDPSGs82M7SixZVRpcg='; img-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The page of a user who has these sessions. `field` is the hidden one with the token.
pub(super) fn sessions(settings: &Settings, part: &Part<'_>, field: &str) -> String {
    let texts = &settings.texts;
    let mut html = head(settings);
    // The field is the form's first, where the layer looks for it.
    html.push_str("<form method=\"post\">\n");
    html.push_str(field);
    html.push_str("\n<ul class=\"sessions\">\n");
    for session in part.sessions {
        item(&mut html, settings, session);
    }
    html.push_str("</ul>\n");
    links(&mut html, settings, part);
    html.push_str("<p class=\"all\">\n");
    if part.has_others {
        button(&mut html, OTHERS, &texts.end_others, None);
    }
    button(&mut html, ALL, &texts.sign_out_everywhere, None);
    html.push_str("</p>\n</form>\n");
    end(&mut html, settings);
    html
}

/// Returns the page's `Content-Security-Policy`.
pub(super) fn policy(settings: &Settings) -> &'static str {
    match settings.stylesheet {
        Some(_) => {
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'"
        }
        None => OWN_STYLE_POLICY,
    }
}

fn head(settings: &Settings) -> String {
    let texts = &settings.texts;
    let mut html = String::with_capacity(4096);
    html.push_str("<!doctype html>\n<html lang=\"");
    push_escaped(&mut html, &texts.language);
    html.push_str("\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    element(&mut html, "title", &texts.title);
    match &settings.stylesheet {
        Some(path) => {
            html.push_str("<link rel=\"stylesheet\" href=\"");
            push_escaped(&mut html, &path.text);
            html.push_str("\">\n");
        }
        None => {
            html.push_str("<style>");
            html.push_str(STYLE);
            html.push_str("</style>\n");
        }
    }
    html.push_str("</head>\n<body>\n<main>\n");
    element(&mut html, "h1", &texts.title);
    html
}

fn item(html: &mut String, settings: &Settings, session: &SessionInfo) {
    let texts = &settings.texts;
    html.push_str(if session.current { "<li class=\"current\">\n" } else { "<li>\n" });
    let agent = session.agent.as_deref().unwrap_or(&texts.unknown_agent);
    element(html, "h2", agent);
    if session.current {
        element(html, "strong", &texts.current);
    }
    html.push_str("<dl>\n");
    let signed_in = session.logged_in.unwrap_or(session.created);
    for (name, time) in [(&texts.signed_in, signed_in), (&texts.last_seen, session.last_seen)] {
        html.push_str("<div><dt>");
        push_escaped(html, name);
        html.push_str("</dt><dd>");
        push_time(html, time);
        html.push_str("</dd></div>\n");
    }
    if let Some(address) = &session.address {
        html.push_str("<div><dt>");
        push_escaped(html, &texts.address);
        html.push_str("</dt><dd>");
        push_escaped(html, address);
        html.push_str("</dd></div>\n");
    }
    html.push_str("</dl>\n");
    let label = if session.current { &texts.sign_out } else { &texts.end };
    button(html, &session.public_id.to_string(), label, Some(agent));
    html.push_str("</li>\n");
}

/// Writes a button that ends one session or several. `what` tells it from the other buttons where
/// it is read out alone.
fn button(html: &mut String, value: &str, label: &str, what: Option<&str>) {
    html.push_str("<button name=\"");
    html.push_str(END);
    html.push_str("\" value=\"");
    push_escaped(html, value);
    if let Some(what) = what {
        html.push_str("\" aria-label=\"");
        push_escaped(html, label);
        html.push_str(": ");
        push_escaped(html, what);
    }
    html.push_str("\">");
    push_escaped(html, label);
    html.push_str("</button>\n");
}

/// The links to the parts of the list before and after this one.
fn links(html: &mut String, settings: &Settings, part: &Part<'_>) {
    let texts = &settings.texts;
    let links = [(part.previous, &texts.previous, "prev"), (part.next, &texts.next, "next")];
    if links.iter().all(|(number, ..)| number.is_none()) {
        return;
    }
    html.push_str("<p class=\"all\">\n");
    for (number, text, rel) in links {
        let Some(number) = number else { continue };
        let query = part::query(number);
        let _ = write!(html, "<a rel=\"{rel}\" href=\"{query}\">");
        push_escaped(html, text);
        html.push_str("</a>\n");
    }
    html.push_str("</p>\n");
}

fn end(html: &mut String, settings: &Settings) {
    html.push_str("<p><a href=\"");
    push_escaped(html, &settings.home.text);
    html.push_str("\">");
    push_escaped(html, &settings.texts.back);
    html.push_str("</a></p>\n</main>\n</body>\n</html>\n");
}

fn element(html: &mut String, name: &str, text: &str) {
    html.push('<');
    html.push_str(name);
    html.push('>');
    push_escaped(html, text);
    html.push_str("</");
    html.push_str(name);
    html.push_str(">\n");
}

/// A time in Unix seconds, to the minute and in UTC: the page doesn't know the user's time zone.
fn push_time(html: &mut String, time: UnixSeconds) {
    let time = i64::try_from(time.0).ok().and_then(DateTime::from_unix);
    let Some(([year, month, day], [hour, minute, _])) = time.map(DateTime::civil) else { return };
    let date = format_args!("{year:04}-{month:02}-{day:02}").to_string();
    // Writing to a String can't fail.
    let _ = write!(
        html,
        "<time datetime=\"{date}T{hour:02}:{minute:02}Z\">{date} {hour:02}:{minute:02} UTC</time>"
    );
}

fn push_escaped(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&#34;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_the_style() {
        let digest = base64_simd::STANDARD.encode_to_string(Sha256::digest(STYLE));
        assert!(OWN_STYLE_POLICY.contains(&format!("'sha256-{digest}'")), "{digest}");
    }

    #[test]
    fn times_are_shown_to_the_minute() {
        let mut html = String::new();
        push_time(&mut html, UnixSeconds(1_700_000_000));
        assert_eq!(html, r#"<time datetime="2023-11-14T22:13Z">2023-11-14 22:13 UTC</time>"#);
        html.clear();
        push_time(&mut html, UnixSeconds(u64::MAX));
        assert_eq!(html, "");
    }
}
