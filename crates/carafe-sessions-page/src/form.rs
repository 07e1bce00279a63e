//! The form that the page's buttons send.

use std::future::poll_fn;
use std::pin::pin;

use bytes::Buf as _;
use carafe::id::PublicId;
use http_body::Body;

/// The field that names the session to end.
pub(super) const END: &str = "end";
/// The field's value for all sessions but the one that sends it.
pub(super) const OTHERS: &str = "others";
/// The field's value for all sessions.
pub(super) const ALL: &str = "all";

/// The longest form that is read, in bytes: the page's own have about 150.
const LIMIT: usize = 4096;

/// The sessions to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    One(PublicId),
    Others,
    All,
}

/// The fields of a form; `None` for a field that is missing or that no button has.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) token: Option<Vec<u8>>,
    pub(super) target: Option<Target>,
}

impl Form {
    /// Reads a form from a request's body; `None` if the body breaks off, or is longer than the
    /// page's own forms.
    pub(super) async fn read(body: impl Body, token_field: &str) -> Option<Self> {
        let mut body = pin!(body);
        let mut text = Vec::new();
        while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            // Trailers are no part of a form.
            let Ok(mut data) = frame.ok()?.into_data() else { continue };
            if data.remaining() > LIMIT - text.len() {
                return None;
            }
            while data.has_remaining() {
                let chunk = data.chunk();
                text.extend_from_slice(chunk);
                let taken = chunk.len();
                data.advance(taken);
            }
        }
        Some(Self::parse(&text, token_field))
    }

    /// Reads the fields. The page's buttons send nothing that needs percent-encoding. The first
    /// field of a name counts.
    fn parse(text: &[u8], token_field: &str) -> Self {
        let mut form = Self::default();
        for pair in text.split(|&byte| byte == b'&') {
            let Some(at) = pair.iter().position(|&byte| byte == b'=') else { continue };
            let (name, value) = (&pair[..at], &pair[at + 1..]);
            if name == token_field.as_bytes() && form.token.is_none() {
                form.token = Some(value.to_vec());
            } else if name == END.as_bytes() && form.target.is_none() {
                form.target = Target::parse(value);
            }
        }
        form
    }
}

impl Target {
    fn parse(value: &[u8]) -> Option<Self> {
        match std::str::from_utf8(value).ok()? {
            OTHERS => Some(Self::Others),
            ALL => Some(Self::All),
            id => id.parse().ok().map(Self::One),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use carafe::csrf::FIELD;
    use http_body_util::Full;

    use super::*;

    #[test]
    fn a_form_says_what_to_end() {
        let id = PublicId::from_bytes([7; 16]);
        for (text, target) in [
            (format!("csrf_token=t&end={id}"), Some(Target::One(id))),
            ("end=others&csrf_token=t".to_owned(), Some(Target::Others)),
            ("csrf_token=t&end=all&end=others&csrf_token=u".to_owned(), Some(Target::All)),
            ("csrf_token=t".to_owned(), None),
            ("csrf_token=t&end=".to_owned(), None),
            ("csrf_token=t&end=ALL".to_owned(), None),
            (format!("csrf_token=t&end={id}A"), None),
            ("csrf_token=t&end=%ff\u{e9}&ende=all&end".to_owned(), None),
        ] {
            let form = Form::parse(text.as_bytes(), FIELD);
            assert_eq!(form.token.as_deref(), Some(&b"t"[..]), "{text}");
            assert_eq!(form.target, target, "{text}");
        }
        for text in ["", "&", "=", "csrf_token", "CSRF_TOKEN=t", "%63srf_token=t"] {
            assert_eq!(Form::parse(text.as_bytes(), FIELD).token, None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_long_form_is_not_read() {
        let form = |len: usize| Full::new(Bytes::from(format!("end=all&{}", "a".repeat(len - 8))));
        assert_eq!(Form::read(form(LIMIT), FIELD).await.unwrap().target, Some(Target::All));
        assert!(Form::read(form(LIMIT + 1), FIELD).await.is_none());
    }
}
