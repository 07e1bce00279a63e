//! The URL of a server, with the parameters that `libpq` knows and the driver doesn't.

use std::path::PathBuf;

use carafe::store::{StoreError, StoreErrorKind};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::tls::TlsSettings;

/// The settings in a URL.
pub(crate) struct Parsed {
    pub(crate) config: Config,
    /// Whether the URL sets the use of TLS. Otherwise TLS is required beyond this machine.
    pub(crate) says_tls: bool,
    pub(crate) tls: TlsSettings,
}

/// The parameters about TLS.
#[derive(Default)]
struct TlsParameters {
    mode: Option<String>,
    root: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// Parameters of `libpq` that change nothing here, or that the store sets itself.
const IGNORED: [&str; 6] = [
    "client_encoding",
    "fallback_application_name",
    "gssencmode",
    "sslcompression",
    "sslsni",
    "passfile",
];

/// Parameters of `libpq` that would make a difference, and that the store doesn't support.
const UNSUPPORTED: [&str; 10] = [
    "gssdelegation",
    "krbsrvname",
    "replication",
    "require_auth",
    "requirepeer",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcrl",
    "sslpassword",
];

/// Reads a URL, or `libpq`'s `key=value` pairs, which have no parameters beyond the driver's.
pub(crate) fn parse(url: &str) -> Result<Parsed, StoreError> {
    let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    let query_at = is_url.then(|| query_at(url)).flatten();
    let Some((base, query)) = query_at.and_then(|at| url.split_at_checked(at)) else {
        let config: Config = url.parse().map_err(|_| unreadable())?;
        let says_tls = !is_url && url.contains("sslmode");
        return Ok(Parsed { config, says_tls, tls: TlsSettings::default() });
    };
    let (mut parameters, mut rest) = (TlsParameters::default(), Vec::new());
    for pair in query.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()) {
        if !parameters.take(pair)? {
            rest.push(renamed(pair));
        }
    }
    let mut config: Config =
        format!("{base}?{}", rest.join("&")).parse().map_err(|_| unreadable())?;
    let mut tls = parameters.read_files()?;
    let mode = parameters.mode.as_deref();
    config.ssl_mode(match mode {
        Some("disable") => SslMode::Disable,
        None | Some("allow" | "prefer") => SslMode::Prefer,
        Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
        Some(_) => return Err(refused("the parameter `sslmode` has a value that isn't known")),
    });
    tls.any_name = mode == Some("verify-ca");
    Ok(Parsed { config, says_tls: mode.is_some(), tls })
}

/// Returns the place of the URL's parameters: after the first `?` behind the credentials.
fn query_at(url: &str) -> Option<usize> {
    let host = url.find('@').map_or(0, |at| at + 1);
    Some(host + url.get(host..)?.find('?')?)
}

impl TlsParameters {
    /// Reads a parameter; returns `false` for the driver's own.
    fn take(&mut self, pair: &str) -> Result<bool, StoreError> {
        let (name, value) = pair.split_once('=').ok_or_else(unreadable)?;
        let value = || decoded(value);
        match name {
            "sslmode" => self.mode = Some(value()?),
            // JDBC's name of the parameter, which `libpq` takes as well.
            "ssl" if value()? == "true" => self.mode = Some("require".to_owned()),
            "sslrootcert" => self.root = Some(value()?.into()),
            "sslcert" => self.certificate = Some(value()?.into()),
            "sslkey" => self.key = Some(value()?.into()),
            ignored if IGNORED.contains(&ignored) => {}
            name if UNSUPPORTED.contains(&name) => {
                return Err(refused(&format!("the parameter `{name}` is not supported")));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_files(&self) -> Result<TlsSettings, StoreError> {
        let read = |name: &str, file: &PathBuf| {
            std::fs::read(file).map_err(|error| {
                refused(&format!("the file of the parameter `{name}` can't be read: {error}"))
            })
        };
        let roots = match &self.root {
            Some(file) if file.as_os_str() != "system" => Some(read("sslrootcert", file)?),
            _ => None,
        };
        let client = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                Some((read("sslcert", certificate)?, read("sslkey", key)?))
            }
            (None, None) => None,
            _ => return Err(refused("the parameters `sslcert` and `sslkey` belong together")),
        };
        Ok(TlsSettings { roots, client, any_name: false })
    }
}

/// Returns a parameter under the driver's name for it.
fn renamed(pair: &str) -> String {
    match pair.split_once('=') {
        Some(("keepalives_count", value)) => format!("keepalives_retries={value}"),
        Some(("target_session_attrs", "primary")) => "target_session_attrs=read-write".to_owned(),
        _ => pair.to_owned(),
    }
}

fn decoded(value: &str) -> Result<String, StoreError> {
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8();
    decoded.map(Into::into).map_err(|_| unreadable())
}

fn refused(reason: &str) -> StoreError {
    let message = format!("the URL of the PostgreSQL server is refused: {reason}");
    StoreError::new(StoreErrorKind::Unavailable, message)
}

/// Returns the error of an unreadable URL. It names no part of the URL: where a password isn't
/// encoded, its parts may be anywhere.
fn unreadable() -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        "the URL of the PostgreSQL server can't be read: it must be like \
         postgres://user:password@host:5432/database, with ?sslmode=require to insist on TLS; \
         special characters in the password have to be percent-encoded, and the parameters must be \
         some that libpq has",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> String {
        parse(url).err().unwrap_or_else(|| panic!("{url} is accepted")).to_string()
    }

    #[test]
    fn what_tls_is_to_be_like_is_read() {
        for (parameters, mode, says_tls, any_name) in [
            ("", SslMode::Prefer, false, false),
            ("?application_name=a", SslMode::Prefer, false, false),
            ("?sslmode=disable", SslMode::Disable, true, false),
            ("?sslmode=allow", SslMode::Prefer, true, false),
            ("?sslmode=prefer&application_name=a", SslMode::Prefer, true, false),
            ("?application_name=a&sslmode=require", SslMode::Require, true, false),
            ("?ssl=true", SslMode::Require, true, false),
            ("?sslmode=verify-ca", SslMode::Require, true, true),
            ("?sslmode=verify-full&sslrootcert=system", SslMode::Require, true, false),
            ("?sslmode=verify%2Dfull", SslMode::Require, true, false),
        ] {
            let parsed = parse(&format!("postgres://u:p@h:1/d{parameters}")).unwrap();
            let tls = (parsed.config.get_ssl_mode(), parsed.says_tls, parsed.tls.any_name);
            assert_eq!(tls, (mode, says_tls, any_name), "{parameters}");
        }
    }

    #[test]
    fn other_parameters_are_the_drivers() {
        let url = "postgresql://u%40v:p%3F@h1:1,h2:2/d?target_session_attrs=primary&sslmode=disable\
                   &options=-c%20lock_timeout%3D1s&keepalives_count=3&gssencmode=disable\
                   &client_encoding=UTF8&channel_binding=require";
        let config = parse(url).unwrap().config;
        assert_eq!(config.get_user(), Some("u@v"));
        assert_eq!(config.get_password(), Some(b"p?".as_slice()));
        assert_eq!((config.get_hosts().len(), config.get_ports()), (2, [1, 2].as_slice()));
        assert_eq!(config.get_options(), Some("-c lock_timeout=1s"));
        assert_eq!(config.get_keepalives_retries(), Some(3));
        let pairs = parse("host=h sslmode=require user=u").unwrap();
        assert!(pairs.says_tls && pairs.config.get_ssl_mode() == SslMode::Require);
        assert!(!parse("host=h user=u").unwrap().says_tls);
    }

    #[test]
    fn errors_name_the_parameter_and_no_secret() {
        for (url, part) in [
            ("postgres://u:pa55@h/d?sslmode=sometimes", "`sslmode`"),
            ("postgres://u:pa55@h/d?sslcrl=a", "`sslcrl` is not supported"),
            ("postgres://u:pa55@h/d?sslcert=a", "`sslkey`"),
            ("postgres://u:pa55@h/d?sslrootcert=/does/not/exist.pem", "`sslrootcert`"),
            ("postgres://u:p@h/d?pa55=1", "libpq"),
            ("postgres://u:p@h/d?pa55", "libpq"),
            ("postgres://u:p?a@h?pa55=@h/d", "libpq"),
            ("postgres://u:pa55@h:port/d", "percent-encoded"),
        ] {
            let error = error(url);
            assert!(error.contains(part) && !error.contains("pa55"), "{url}: {error}");
        }
    }
}
