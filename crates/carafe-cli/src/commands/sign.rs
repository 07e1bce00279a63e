//! `carafe sign`

use std::io::Read as _;

use carafe::config::Compression;
use carafe::inspect::respell;
use carafe::sealed::SealedCodec;
use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};

use super::inspect::MAX_COOKIE;
use crate::args::{FormatArg, SignArgs};
use crate::failure::{Code, Failure};
use crate::keys::Keys;
use crate::output::Output;
use crate::time;

/// The largest session that is signed: a larger payload is refused when it is read.
const MAX_JSON: u64 = 1 << 20;

pub(crate) fn run(args: &SignArgs, output: &mut Output) -> Result<Code, Failure> {
    let json = if args.json == "-" { read()? } else { args.json.as_encoded_bytes().to_vec() };
    let json = respell(&json).map_err(|error| {
        let spelled = if error.kind() == carafe::ErrorKind::BadPayload {
            "; a session is a JSON object such as '{\"user_id\":42}'"
        } else {
            ""
        };
        Failure::Usage(format!("that is no session: {error}{spelled}"))
    })?;
    let keys = Keys::load(&args.keys, output)?;
    let writer =
        Writer { keys: &keys, compression: compression(args.no_compress), lifetime: args.lifetime };
    let signed = args.timestamp.unwrap_or_else(time::now);
    let cookie = match &args.format {
        FormatArg::Flask(settings) => {
            writer.flask(json.as_bytes(), &settings.over(args.signing.options()), signed)
        }
        FormatArg::Sealed { cookie_name } => {
            let name = cookie_name.as_deref().unwrap_or(SEALED_NAME);
            writer.seal(json.as_bytes(), name, signed, None)?
        }
    };
    warn_of_size(&cookie, output);
    output.line(cookie)?;
    Ok(Code::Success)
}

/// The name that `SessionLayer::sealed` gives its cookie.
pub(super) const SEALED_NAME: &str = "__Host-session";

fn read() -> Result<Vec<u8>, Failure> {
    let mut json = Vec::new();
    let read = std::io::stdin().lock().take(MAX_JSON + 1).read_to_end(&mut json);
    read.map_err(|error| Failure::Usage(format!("standard input can't be read: {error}")))?;
    if json.len() as u64 > MAX_JSON {
        let message = format!("that is no session: it has more than {MAX_JSON} bytes");
        return Err(Failure::Usage(message));
    }
    Ok(json)
}

pub(super) fn compression(never: bool) -> Compression {
    if never { Compression::Never } else { Compression::Flask }
}

/// Browsers silently drop a cookie that is too large.
pub(super) fn warn_of_size(cookie: &str, output: &mut Output) {
    let size = cookie.len() + "session".len();
    if size > MAX_COOKIE {
        output.warning(&format!(
            "with the name `session` the cookie has {size} bytes, and browsers drop more than \
             {MAX_COOKIE}: store less in the session"
        ));
    }
}

/// Writes cookies under the first of the keys.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) keys: &'a Keys,
    pub(super) compression: Compression,
    /// The number of seconds for which a sealed session is accepted.
    pub(super) lifetime: u64,
}

impl Writer<'_> {
    pub(super) fn flask(&self, json: &[u8], options: &SigningOptions, signed: u64) -> String {
        UrlSafeTimedSerializer::new(&self.keys.ring, options)
            .compression(self.compression)
            .dumps_json(json, signed)
    }

    pub(super) fn seal(
        &self,
        json: &[u8],
        cookie_name: &str,
        issued: u64,
        expires: Option<u64>,
    ) -> Result<String, Failure> {
        let expires = expires.unwrap_or_else(|| issued.saturating_add(self.lifetime));
        SealedCodec::new(&self.keys.ring, cookie_name)
            .and_then(|codec| codec.seal(json, issued, expires))
            .map_err(Failure::usage)
    }
}
