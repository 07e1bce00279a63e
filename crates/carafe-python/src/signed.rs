//! Signed texts, as ItsDangerous' `URLSafeTimedSerializer` makes them.

use std::str::FromStr as _;

use carafe::format::base64;
use carafe::signing::{
    Digest, KeyDerivation, Signer, SigningOptions, TimestampSigner, UrlSafeTimedSerializer,
};
use carafe::{Error, ErrorKind, KeyRing, SecretKey};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::cookie;
use crate::error::raise;
use crate::json::{self, Snapshot};

/// Signs JSON and checks signatures, with the keys of one application.
///
/// It decides clear cases only. For all others it returns `None`, and the caller asks ItsDangerous
/// itself, so that every text is judged as ItsDangerous judges it.
#[pyclass(frozen, module = "carafe_sessions._core")]
#[derive(Debug)]
pub(crate) struct SignedCodec {
    plain: Signer,
    signer: TimestampSigner,
    serializer: UrlSafeTimedSerializer,
}

/// The largest inflated payload that is read here: longer ones are left to ItsDangerous, which has
/// no limit.
const INFLATE_LIMIT: usize = 16 << 20;

#[pymethods]
impl SignedCodec {
    /// `keys` are in ItsDangerous' order, in which the last one signs.
    #[new]
    fn new(
        py: Python<'_>,
        keys: Vec<Vec<u8>>,
        salt: Vec<u8>,
        key_derivation: &str,
        digest: &str,
    ) -> PyResult<Self> {
        let ring = ring(keys).map_err(|error| raise(py, &error))?;
        let derivation = KeyDerivation::from_str(key_derivation);
        let derivation = derivation.map_err(|error| raise(py, &error.into()))?;
        let digest = Digest::ALL.into_iter().find(|known| known.name() == digest);
        let digest = digest.ok_or_else(|| {
            raise(py, &Error::new(ErrorKind::Setting, "the digest is none of sha1 to sha512"))
        })?;
        let options = SigningOptions::default();
        let options = options.salt(salt).digest(digest).key_derivation(derivation);
        let serializer = UrlSafeTimedSerializer::new(&ring, &options).inflate_limit(INFLATE_LIMIT);
        let (plain, signer) = (Signer::new(&ring, &options), TimestampSigner::new(&ring, &options));
        Ok(Self { plain, signer, serializer })
    }

    /// The signed text of a payload's JSON, compressed where that makes it shorter.
    fn dumps(&self, py: Python<'_>, json: &[u8], now: u64) -> PyResult<String> {
        let mut text = String::with_capacity(json.len() * 4 / 3 + 48);
        match compressed(py, json)? {
            Some(stream) => {
                text.push('.');
                base64::encode_url(stream.as_bytes(), &mut text);
            }
            None => base64::encode_url(json, &mut text),
        }
        Ok(self.signer.sign(&text, now))
    }

    /// The signed text of a session; `None` where Flask's serializer has to write its JSON.
    fn dumps_session(&self, session: &Bound<'_, PyDict>, now: u64) -> PyResult<Option<String>> {
        let json = json::session_json(session);
        json.map(|json| self.dumps(session.py(), &json, now)).transpose()
    }

    /// Reads the session of a request's `Cookie` header into an empty dict, and returns what it held then.
    /// `None` where ItsDangerous, Werkzeug or Flask have to judge; the dict is of no use then.
    fn open(
        &self,
        session: &Bound<'_, PyDict>,
        header: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        max_age: u64,
        now: u64,
    ) -> Option<Snapshot> {
        let text = cookie::of_request(header, name)?;
        let signed = self.serializer.loads_json(text.as_bytes(), Some(max_age), now).ok()?;
        json::fill_session(session, signed.json)
    }

    /// The signed text of a payload as it is.
    fn sign(&self, payload: &str, now: u64) -> String {
        self.signer.sign(payload, now)
    }

    /// The signature of bytes.
    fn signature<'py>(&self, py: Python<'py>, value: &[u8]) -> Bound<'py, PyBytes> {
        let signed = self.plain.sign_bytes(value);
        PyBytes::new(py, signed.get(value.len() + 1..).unwrap_or_default())
    }

    /// Whether one of the keys makes this signature, spelled like this.
    fn verifies(&self, value: &[u8], signature: &[u8]) -> bool {
        !signature.contains(&b'.') && self.plain.unsign(&[value, b".", signature].concat()).is_ok()
    }

    /// The JSON of a signed text that is at most `max_age` seconds old.
    #[pyo3(signature = (text, max_age, now))]
    fn loads<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyAny>,
        max_age: Option<u64>,
        now: u64,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let text = match text.cast::<PyString>() {
            Ok(string) => string.to_cow().map(|text| text.into_owned().into_bytes()),
            Err(_) => Ok(text.cast::<PyBytes>()?.as_bytes().to_vec()),
        };
        let Ok(text) = text else { return Ok(None) };
        let signed = self.serializer.loads_json(&text, max_age, now);
        Ok(signed.ok().map(|signed| PyBytes::new(py, &signed.json)))
    }
}

/// The zlib stream of a payload if ItsDangerous would use it: the stream has to be shorter by two bytes.
///
/// Python's own zlib makes it, so that it is the same to the byte.
fn compressed<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let stream = zlib(py)?.call_method1(intern!(py, "compress"), (PyBytes::new(py, json),))?;
    let stream = stream.cast_into::<PyBytes>()?;
    let is_shorter = stream.as_bytes().len() + 1 < json.len();
    Ok(is_shorter.then_some(stream))
}

fn zlib<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyAny>> {
    static ZLIB: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let zlib = ZLIB.get_or_try_init(py, || py.import("zlib").map(|zlib| zlib.into_any().unbind()));
    zlib.map(|zlib| zlib.bind(py))
}

/// The ring of keys whose last one is the current one.
pub(crate) fn ring(mut keys: Vec<Vec<u8>>) -> Result<KeyRing, Error> {
    let current = keys.pop().unwrap_or_default();
    let older = keys.into_iter().map(SecretKey::new).collect::<Result<Vec<_>, _>>()?;
    Ok(KeyRing::from_flask(SecretKey::new(current)?, older))
}
