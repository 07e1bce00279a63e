//! Search for the token's field in the body of a form, while the body arrives.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::parameters;

/// The name of the form field that holds the token, as written by
/// [`Csrf::field`](super::Csrf::field).
pub const FIELD: &str = "csrf_token";

/// The name of the form field that holds the token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    name: Cow<'static, str>,
    /// Whether a field whose name ends with this name counts, too.
    prefixed: bool,
}

impl Default for Field {
    fn default() -> Self {
        Self { name: Cow::Borrowed(FIELD), prefixed: false }
    }
}

impl Field {
    /// Returns the field with this name, or with a form's prefix before the name.
    pub(super) fn prefixed(name: &str) -> Self {
        Self { name: Cow::Owned(name.to_owned()), prefixed: true }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn is(&self, name: &[u8]) -> bool {
        let own = self.name.as_bytes();
        name == own || (self.prefixed && name.ends_with(own))
    }
}

/// The longest accepted `Content-Type` of a form, in bytes. A boundary has at most 70.
const CONTENT_TYPE_LIMIT: usize = 1024;

/// A search that continues where it stopped when more of the body has arrived. Each byte is looked
/// at once, for pieces of any size.
#[derive(Debug)]
pub(super) struct Search {
    form: Form,
    field: Field,
    /// The beginning of the present field.
    start: usize,
    /// The position up to which the present field has been searched for its end.
    searched: usize,
}

#[derive(Debug)]
enum Form {
    /// `application/x-www-form-urlencoded`
    UrlEncoded,
    /// `multipart/form-data`
    Multipart {
        /// A line break, two hyphens and the boundary.
        delimiter: Vec<u8>,
        position: Position,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Position {
    /// The first boundary, which has no line break before it.
    First,
    /// After a boundary.
    Boundary,
    /// In the headers of a part.
    Headers,
    /// In the content of a part, which may be the token's field.
    Content { wanted: bool },
}

/// The result of a search in the bytes that have arrived.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'a> {
    /// The field's value.
    Value(&'a [u8]),
    /// The form has ended, or is malformed, without the field.
    Missing,
    /// More of the body is needed.
    NotYet,
}

impl Search {
    /// Returns a search for a field in a body with this content type; `None` if it isn't a form's
    /// type.
    pub(super) fn new(content_type: &[u8], field: &Field) -> Option<Self> {
        if content_type.len() > CONTENT_TYPE_LIMIT {
            return None;
        }
        let essence = parameters::essence(content_type);
        let form = if essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            Form::UrlEncoded
        } else if essence.eq_ignore_ascii_case(b"multipart/form-data") {
            let boundary = parameters::find(content_type, b"boundary")?;
            let boundary = Some(boundary).filter(|text| (1..=70).contains(&text.len()))?;
            Form::Multipart {
                delimiter: [b"\r\n--", boundary.as_slice()].concat(),
                position: Position::First,
            }
        } else {
            return None;
        };
        Some(Self { form, field: field.clone(), start: 0, searched: 0 })
    }

    /// Searches the bytes that have arrived, which grow from call to call. `complete` marks the end
    /// of the body.
    pub(super) fn search<'a>(&mut self, body: &'a [u8], complete: bool) -> Found<'a> {
        let field = &self.field;
        let found = match &mut self.form {
            Form::UrlEncoded => {
                url_encoded(body, complete, field, &mut self.start, &mut self.searched)
            }
            Form::Multipart { delimiter, position } => {
                multipart(body, field, delimiter, position, &mut self.start, &mut self.searched)
            }
        };
        if complete && found == Found::NotYet { Found::Missing } else { found }
    }
}

/// Searches a URL-encoded form, whose fields `&` separates. Neither the field's name nor a token
/// has a character that is ever percent-encoded, so nothing is decoded.
fn url_encoded<'a>(
    body: &'a [u8],
    complete: bool,
    field: &Field,
    start: &mut usize,
    searched: &mut usize,
) -> Found<'a> {
    loop {
        let end = match memchr(b'&', &body[*searched..]) {
            Some(at) => *searched + at,
            None if complete => body.len(),
            None => {
                *searched = body.len();
                return Found::NotYet;
            }
        };
        let pair = &body[*start..end];
        if let Some(at) = memchr(b'=', pair)
            && field.is(&pair[..at])
        {
            return Found::Value(&pair[at + 1..]);
        }
        if end == body.len() {
            return Found::Missing;
        }
        *start = end + 1;
        *searched = *start;
    }
}

/// Searches a multipart form as browsers write it (RFC 7578): nothing before the first boundary,
/// and no space after a boundary.
fn multipart<'a>(
    body: &'a [u8],
    field: &Field,
    delimiter: &[u8],
    position: &mut Position,
    start: &mut usize,
    searched: &mut usize,
) -> Found<'a> {
    loop {
        match *position {
            Position::First => {
                let first = &delimiter[2..];
                let Some(begin) = body.get(..first.len()) else {
                    return Found::NotYet;
                };
                if begin != first {
                    return Found::Missing;
                }
                (*position, *start) = (Position::Boundary, first.len());
            }
            Position::Boundary => {
                let Some(end) = body.get(*start..*start + 2) else {
                    return Found::NotYet;
                };
                if end != b"\r\n" {
                    return Found::Missing;
                }
                // This line break may be the first of the two that end the headers.
                (*position, *searched) = (Position::Headers, *start);
                *start += 2;
            }
            Position::Headers => {
                let Some(end) = find(body, b"\r\n\r\n", searched) else {
                    return Found::NotYet;
                };
                let headers = body.get(*start..end).unwrap_or_default();
                // The line break that ends the headers may also begin the delimiter.
                *searched = end + 2;
                *start = end + 4;
                *position = Position::Content { wanted: is_wanted(headers, field) };
            }
            Position::Content { wanted } => {
                let Some(end) = find(body, delimiter, searched) else {
                    return Found::NotYet;
                };
                if wanted {
                    return Found::Value(body.get(*start..end).unwrap_or_default());
                }
                (*position, *start) = (Position::Boundary, end + delimiter.len());
            }
        }
    }
}

/// Finds `needle` from `searched` on, and advances `searched`.
fn find(body: &[u8], needle: &[u8], searched: &mut usize) -> Option<usize> {
    match memmem::find(&body[*searched..], needle) {
        Some(at) => Some(*searched + at),
        None => {
            // The beginning of the needle may have arrived already.
            *searched = (*searched).max((body.len() + 1).saturating_sub(needle.len()));
            None
        }
    }
}

/// Returns whether a part's headers name the token's field.
fn is_wanted(headers: &[u8], field: &Field) -> bool {
    headers.split(|&byte| byte == b'\n').any(|line| {
        let Some(colon) = memchr(b':', line) else {
            return false;
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        name.eq_ignore_ascii_case(b"content-disposition")
            && parameters::essence(value).eq_ignore_ascii_case(b"form-data")
            && parameters::find(value, b"name").is_some_and(|name| field.is(&name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "application/x-www-form-urlencoded";

    /// Searches a body that arrives at once, and asserts the same result for pieces of every size.
    fn search(content_type: &str, body: &[u8], field: &Field) -> Option<Vec<u8>> {
        let new = || Search::new(content_type.as_bytes(), field).expect("a form's content type");
        let at_once = match new().search(body, true) {
            Found::Value(value) => Some(value.to_vec()),
            Found::Missing => None,
            Found::NotYet => panic!("there is no more"),
        };
        for piece in 1..=body.len() {
            let mut search = new();
            let mut in_pieces = None;
            for end in (0..body.len()).step_by(piece).chain([body.len()]) {
                match search.search(&body[..end], end == body.len()) {
                    Found::Value(value) => {
                        in_pieces = Some(value.to_vec());
                        break;
                    }
                    Found::Missing => break,
                    Found::NotYet => assert!(end < body.len()),
                }
            }
            assert_eq!(in_pieces, at_once, "in pieces of {piece}");
        }
        at_once
    }

    #[test]
    fn fields_of_a_form() {
        let field = Field::default();
        let find = |body: &str| {
            search(URL, body.as_bytes(), &field).map(|v| String::from_utf8(v).unwrap())
        };
        for body in [
            "csrf_token=abc",
            "csrf_token=abc&",
            "a=b&csrf_token=abc",
            "a=b&csrf_token=abc&c=d",
            "&&csrf_token=abc&csrf_token=other",
            "csrf_tokens=1&xcsrf_token=2&csrf_token=abc",
        ] {
            assert_eq!(find(body).as_deref(), Some("abc"), "{body}");
        }
        assert_eq!(find("csrf_token=").as_deref(), Some(""));
        for body in ["", "a=b", "csrf_token", "csrf_token;=abc", "a=csrf_token=abc", "CSRF_TOKEN=a"]
        {
            assert_eq!(find(body), None, "{body}");
        }
    }

    #[test]
    fn forms_with_a_prefix_have_it_before_the_name() {
        let (own, other) = (Field::default(), Field::prefixed("_token"));
        let find = |body: &str, field: &Field| search(URL, body.as_bytes(), field).is_some();
        assert!(find("a=b&_token=abc", &other) && find("signup-_token=abc", &other));
        assert!(
            !find("_tokens=abc", &other) && !find("csrf_token=abc", &Field::prefixed("-token"))
        );
        assert!(
            !find("signup-csrf_token=abc", &own) && find("a-csrf_token=x", &Field::prefixed(FIELD))
        );
        let body = part("form-data; name=\"signup-_token\"", "abc") + "--x-y--";
        assert_eq!(search(MULTIPART, body.as_bytes(), &other).unwrap(), b"abc");
        assert_eq!(search(MULTIPART, body.as_bytes(), &own), None);
    }

    #[test]
    fn the_end_of_a_field_is_waited_for() {
        let mut search = Search::new(URL.as_bytes(), &Field::default()).unwrap();
        assert_eq!(search.search(b"csrf_token=ab", false), Found::NotYet);
        assert_eq!(search.search(b"csrf_token=abc&", false), Found::Value(b"abc"));
    }

    #[test]
    fn content_types() {
        let is_form = |text: &str| Search::new(text.as_bytes(), &Field::default()).is_some();
        for text in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-UrlEncoded; charset=utf-8",
            "multipart/form-data; boundary=x",
            "multipart/form-data; charset=utf-8; Boundary=\"a b\"",
        ] {
            assert!(is_form(text), "{text}");
        }
        for text in [
            "",
            "text/plain",
            "application/json",
            "application/x-www-form-urlencoded2",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; xboundary=x",
            &format!("multipart/form-data; boundary={}", "x".repeat(71)),
            &format!("multipart/form-data; {}boundary=x", "a=b; ".repeat(200)),
        ] {
            assert!(!is_form(text), "{text}");
        }
    }

    const MULTIPART: &str = "multipart/form-data; boundary=\"x-y\"";

    fn part(disposition: &str, content: &str) -> String {
        format!("--x-y\r\nContent-Disposition: {disposition}\r\n\r\n{content}\r\n")
    }

    fn find_part(body: &str) -> Option<String> {
        search(MULTIPART, body.as_bytes(), &Field::default())
            .map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn parts_of_a_form() {
        let token = part("form-data; name=\"csrf_token\"", "abc");
        let file =
            part("form-data; name=\"f\"; filename=\"; name=\\\"csrf_token\\\"\"", "--x-\r\n--");
        let end = "--x-y--\r\n";
        for body in [
            format!("{token}{end}"),
            format!("{file}{token}{end}"),
            format!("{token}{file}{end}"),
            format!("{}{end}", part("FORM-DATA ; x=y ; Name=csrf_token", "abc")),
            format!("{}{token}{end}", part("form-data; name=\"csrf_token2\"", "no")),
            format!("{}{token}{end}", part("attachment; name=\"csrf_token\"", "no")),
            format!("{}{token}{end}", part("form-data", "")),
            format!("--x-y\r\n\r\nno headers\r\n{token}{end}"),
            "--x-y\r\nX: y\r\ncontent-disposition:form-data;name=csrf_token\r\n\r\nabc\r\n--x-y"
                .to_owned(),
        ] {
            assert_eq!(find_part(&body).as_deref(), Some("abc"), "{body}");
        }
        for name in [
            "\"csrf_tok\"en",
            "csrf_\"token\"",
            "\"csrf\\_token\"",
            "\"\"csrf_token",
            "\"csrf_token",
        ] {
            let other = part(&format!("form-data; name={name}"), "no");
            assert_eq!(
                find_part(&format!("{other}{token}{end}")).as_deref(),
                Some("abc"),
                "{name}"
            );
        }
        assert_eq!(find_part(&part("form-data; name=csrf_token", "")), None, "it doesn't end");
        let empty = format!("{}{end}", part("form-data; name=csrf_token", ""));
        assert_eq!(find_part(&empty).as_deref(), Some(""));
        let nothing = "--x-y\r\nContent-Disposition: form-data; name=csrf_token\r\n\r\n--x-y--";
        assert_eq!(find_part(nothing).as_deref(), Some(""), "not even a line break");
    }

    #[test]
    fn broken_parts_have_no_token() {
        let token = part("form-data; name=\"csrf_token\"", "abc");
        for body in [
            "",
            "--x-y",
            "--x-y--",
            "--x-y\r\n",
            "--x-z\r\n",
            &format!("preamble\r\n{token}--x-y--"),
            &token.replace("--x-y\r\n", "--x-y \r\n"),
            &token.replace("\r\n", "\n"),
            &format!("--x-y--\r\n{token}--x-y--"),
            &token,
        ] {
            assert_eq!(find_part(body), None, "{body}");
        }
    }
}
