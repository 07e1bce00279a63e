//! The check of a request before its handler runs.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, EXPECT, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body::Body as HttpBody;

use super::Body;
use super::body::Read;
use super::field::Search;
use super::layer::Settings;
use super::origin::Origins;
use super::protection::Protection;
use crate::{Error, ErrorKind, event};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The greatest number of bytes of a refused request that are read and dropped: 32 MiB.
const DISCARDED: u64 = 32 * 1024 * 1024;
/// The headers that may carry a token.
pub(super) const TOKEN_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-csrf-token"), HeaderName::from_static("x-csrftoken")];

/// Returns whether a method is safe (changes nothing).
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Lets a request of an unsafe method through, or returns the reason for the refusal.
pub(crate) async fn request<B>(
    protection: Arc<Protection>,
    parts: Parts,
    mut body: Body<B>,
) -> Result<Request<Body<B>>, Error>
where
    B: HttpBody,
{
    // The cheap check comes first: an attacker's request costs neither the body nor the store.
    let checked = match check_site(&protection.settings().origins, &parts) {
        Ok(()) => check_token(&protection, &parts, &mut body).await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => Ok(Request::from_parts(parts, body)),
        Err(error) => {
            if error.kind() == ErrorKind::Csrf {
                event::csrf_refused(&error, parts.headers.get(ORIGIN));
            }
            // A client that waits for `100 Continue` before it sends its body won't send one.
            if !(body.is_whole() && parts.headers.contains_key(EXPECT)) {
                body.discard(DISCARDED).await;
            }
            Err(error)
        }
    }
}

/// Checks that the browser names one of the service's own pages as the source of the request.
fn check_site(origins: &Origins, request: &Parts) -> Result<(), Error> {
    let origin = single(&request.headers, &ORIGIN)?;
    let site = single(&request.headers, &SEC_FETCH_SITE)?;
    if origin.is_none() && site.is_none() {
        return Err(refused(
            "the request says neither by Origin nor by Sec-Fetch-Site where it comes from",
        ));
    }
    let is_listed = origin.is_some_and(|origin| origins.lists(origin));
    // With `Referrer-Policy: no-referrer` a browser hides the page's origin, and still sends
    // `Sec-Fetch-Site: same-origin`. For a sandboxed frame, whose origin is also `null`, it says
    // `cross-site`.
    let is_vouched_for = origin == Some(b"null") && site == Some(b"same-origin");
    if let Some(origin) = origin
        && !is_listed
        && !is_vouched_for
        && !origins.is_same_host(origin, request)
    {
        return Err(refused(
            "the request's Origin is not one of this site's: it was sent by a page of another site, \
             or the service doesn't know its own origins",
        ));
    }
    match site {
        None | Some(b"same-origin" | b"none") => Ok(()),
        // A page of another of the service's own origins.
        Some(_) if is_listed => Ok(()),
        Some(_) => Err(refused("the request was sent by a page of another site")),
    }
}

/// Returns the value of a header that may occur at most once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Error> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(refused("the request says twice where it comes from")),
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
    }
}

/// Checks that the request carries the visitor's token.
async fn check_token<B>(
    protection: &Arc<Protection>,
    request: &Parts,
    body: &mut Body<B>,
) -> Result<(), Error>
where
    B: HttpBody,
{
    let settings = protection.settings();
    let in_header = settings.token_headers().iter().find_map(|name| request.headers.get(name));
    match in_header {
        Some(token) => protection.verify(token.as_bytes()).await,
        None => protection.verify(&token_in_form(&request.headers, body, settings).await?).await,
    }
}

async fn token_in_form<B>(
    headers: &HeaderMap,
    body: &mut Body<B>,
    settings: &Settings,
) -> Result<Vec<u8>, Error>
where
    B: HttpBody,
{
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let Some(search) = content_type.and_then(|text| Search::new(text, settings.field())) else {
        return Err(refused(
            "the CSRF token is missing: a request that isn't a form has it in the header \
             X-CSRF-Token",
        ));
    };
    match body.find_token(search, settings.form_limit).await {
        Read::Token(token) => Ok(token),
        Read::Missing => {
            let name = settings.field().name();
            Err(refused(format!("the CSRF token is missing: the form has no field {name}")))
        }
        Read::TooFar => Err(refused(format!(
            "the CSRF token is missing from the beginning of the form: the field {} has to be its \
             first",
            settings.field().name()
        ))),
        Read::Broken => Err(refused("the CSRF token is missing: the form can't be read")),
    }
}

pub(super) fn refused(reason: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Csrf, reason)
}
