//! Flask-Login's remember cookie, and its fingerprint of a client.
//!
//! Both are texts that an application shares with a Flask site: [`remember_token`] and
//! [`read_remember_token`] write and read the cookie's value, and [`Fingerprint`] is what the session
//! holds under `_id`.

use std::fmt::Write as _;
use std::net::IpAddr;

use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::signing::{Digest, KeyedMac};
use crate::{Error, ErrorKind, SecretKey};

/// The longest value of a remember cookie that is read: browsers keep no longer one.
const LONGEST_TOKEN: usize = 4096;

/// Returns the bytes of the key that signs Flask-Login's remember cookies: the text of the
/// `SECRET_KEY` in Latin-1. A key that is no UTF-8 is taken as it is.
///
/// # Errors
/// [`ErrorKind::Setting`] if the text has a character that Latin-1 lacks, with which Flask-Login fails.
pub fn remember_key(key: &SecretKey) -> Result<Zeroizing<Vec<u8>>, Error> {
    let Ok(text) = std::str::from_utf8(key.expose()) else {
        return Ok(Zeroizing::new(key.expose().to_vec()));
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for character in text.chars() {
        bytes.push(u8::try_from(character).map_err(|_| {
            Error::new(
                ErrorKind::Setting,
                "Flask-Login makes no remember cookie with this secret key, which has a character \
                 beyond Latin-1: use a key of ASCII characters",
            )
        })?);
    }
    Ok(bytes)
}

/// Returns the value of the remember cookie of a user, without quotes.
///
/// ```
/// use carafe_format::flask_login::{read_remember_token, remember_token};
///
/// let token = remember_token("42", b"a key, long and random");
/// assert_eq!(read_remember_token(&token, b"a key, long and random"), Some("42"));
/// assert_eq!(read_remember_token(&token, b"another key"), None);
/// ```
#[must_use]
pub fn remember_token(user: &str, key: &[u8]) -> String {
    format!("{user}|{}", mac(user, key))
}

/// Returns the user whose remember cookie has this value, or `None` if the key didn't sign it. The
/// signatures are compared in constant time.
#[must_use]
pub fn read_remember_token<'a>(token: &'a str, key: &[u8]) -> Option<&'a str> {
    let (user, signature) = token.rsplit_once('|').filter(|_| token.len() <= LONGEST_TOKEN)?;
    bool::from(mac(user, key).as_bytes().ct_eq(signature.as_bytes())).then_some(user)
}

fn mac(user: &str, key: &[u8]) -> String {
    hex(KeyedMac::new(Digest::Sha512, key).tag(user.as_bytes()).as_bytes())
}

/// A client's address and agent, of which Flask-Login keeps the hash in the session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fingerprint<'a> {
    /// The client's address; `None` if the server doesn't know it.
    pub address: Option<Address<'a>>,
    /// The `User-Agent` header; `None` if the request has none.
    pub agent: Option<&'a [u8]>,
}

/// A client's address in the form in which Flask-Login uses it.
#[derive(Clone, Copy, Debug)]
pub enum Address<'a> {
    /// The address of the connection's peer.
    Peer(IpAddr),
    /// The text of a header, such as the first address in `X-Forwarded-For`.
    Header(&'a [u8]),
}

impl Fingerprint<'_> {
    /// Returns the fingerprint that Flask-Login 0.6 keeps under `_id`: 128 hexadecimal digits.
    #[must_use]
    pub fn release_0_6(&self) -> String {
        let address = self.address.map(|address| python_bytes(&utf8_of_latin1(&address.bytes())));
        let agent = self.agent.map(|agent| python_bytes(&utf8_of_latin1(agent)));
        let part = |part: Option<String>| part.unwrap_or_else(|| "None".to_owned());
        hash(format!("{}|{}", part(address), part(agent)).as_bytes())
    }

    /// Returns the fingerprint that Flask-Login 0.7 keeps under `_id`.
    #[must_use]
    pub fn release_0_7(&self) -> String {
        let address = self.address.map(|address| utf8_of_latin1(&address.bytes()));
        let address = address.unwrap_or_else(|| b"None".to_vec());
        let agent = self.agent.map(utf8_of_latin1).unwrap_or_default();
        hash(&[&address, &b"|"[..], &agent].concat())
    }
}

impl Address<'_> {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Peer(address) => address.to_string().into_bytes(),
            Self::Header(text) => text.to_vec(),
        }
    }
}

fn hash(text: &[u8]) -> String {
    hex(&Sha512::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A header's bytes as Python's WSGI reads them, each a character, in UTF-8.
fn utf8_of_latin1(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes()
}

/// The bytes as Python's `repr` shows them.
fn python_bytes(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut text = format!("b{quote}");
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            0x20..=0x7e if char::from(byte) == quote => text.extend(['\\', quote]),
            0x20..=0x7e => text.push(char::from(byte)),
            _ => {
                // Writing to a string can't fail.
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text.push(quote);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of Flask-Login 0.6.3 with the key `dev`.
    const TOKENS: [(&str, &str); 2] = [
        (
            "42",
            "b004c6ce2101ea6a03239661c7258dafed7a368188b18664b48b9cb968c180b5df878809667601f668c61fb5\
             1110a7367ecfd8807420ba06e2388950183a841e",
        ),
        (
            "\u{e9}|x",
            "3b0ff50669dab8e44293ac06410b0ac3afeb1dd6387d52bf08253b80d1f2ec84560fbfc3beb291aababbd81a\
             971fb5b4907ef9654a10aafc32fa96ad71185b77",
        ),
    ];

    #[test]
    fn tokens_are_flask_logins() {
        for (user, mac) in TOKENS {
            let token = remember_token(user, b"dev");
            assert_eq!(token, format!("{user}|{mac}"));
            assert_eq!(read_remember_token(&token, b"dev"), Some(user));
        }
    }

    #[test]
    fn no_change_to_a_token_is_accepted() {
        let token = remember_token("42", b"dev");
        for at in 0..token.len() {
            for other in ["", "0", "|", "A", "\u{e9}"] {
                let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                assert!(changed == token || read_remember_token(&changed, b"dev").is_none());
            }
        }
        let upper = token.to_uppercase();
        for bad in ["", "|", "42", "42|", &upper, &format!("{token} "), &format!("|{token}")] {
            assert_eq!(read_remember_token(bad, b"dev"), None, "{bad}");
        }
        let long = remember_token(&"1".repeat(4000), b"dev");
        assert_eq!(read_remember_token(&long, b"dev"), None, "no browser keeps it");
    }

    #[test]
    fn keys_are_latin_1() {
        let key = |text: &str| remember_key(&SecretKey::new(text).unwrap());
        assert_eq!(key("d\u{e9}v").unwrap()[..], *b"d\xe9v");
        assert_eq!(key("\u{2603}").unwrap_err().kind(), ErrorKind::Setting);
        let bytes = SecretKey::new(&b"\xff\xe9"[..]).unwrap();
        assert_eq!(remember_key(&bytes).unwrap()[..], *b"\xff\xe9");
    }

    fn of<'a>(address: &'a [u8], agent: Option<&'a [u8]>) -> Fingerprint<'a> {
        Fingerprint { address: Some(Address::Header(address)), agent }
    }

    #[test]
    fn fingerprints_are_those_of_release_0_6() {
        let with_agent = "306d12e9746fc3e4b2ce7267709081a7ff9eb2f6a1094ebb3e453e28587be3e6a36dcca8985ab77c\
                          d1577186caa5e16bdc4e875c53ebf0f65b385928ffcbf102";
        let without = "c8b44b75943a33087c94087c27e331e5b1d50fd685faf01b9f8b4fd28857b09dc7867aa32797607a\
                       7319c56892b743775ec7957c4a18d7da5729ff285d1cd84e";
        assert_eq!(of(b"203.0.113.7", Some(b"Mozilla/5.0")).release_0_6(), with_agent);
        assert_eq!(of(b"203.0.113.7", None).release_0_6(), without);
        let peer = Some(Address::Peer(IpAddr::from([203, 0, 113, 7])));
        let peer = Fingerprint { address: peer, agent: Some(b"Mozilla/5.0") };
        assert_eq!(peer.release_0_6(), with_agent);
    }

    #[test]
    fn bytes_are_shown_as_by_python() {
        for (bytes, text) in [
            (&b"a'b"[..], r#"b"a'b""#),
            (b"a'\"b", r#"b'a\'"b'"#),
            (b"a\"b", r#"b'a"b'"#),
            (b"\\ \t\n\r\x00\x7f\xff", r"b'\\ \t\n\r\x00\x7f\xff'"),
            (b"", "b''"),
        ] {
            assert_eq!(python_bytes(bytes), text);
        }
        assert_eq!(utf8_of_latin1(b"\xe9"), "\u{e9}".as_bytes());
    }

    #[test]
    fn fingerprints_of_release_0_7_are_of_plain_text() {
        let sha512 = |text: &str| hash(text.as_bytes());
        assert_eq!(of(b"::1", Some(b"A'\xe9")).release_0_7(), sha512("::1|A'\u{e9}"));
        assert_eq!(of(b"::1", None).release_0_7(), sha512("::1|"));
        assert_eq!(Fingerprint::default().release_0_7(), sha512("None|"));
    }
}
