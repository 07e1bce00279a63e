//! The first answers of a server, before it gets a password.

use std::{fmt, io};

/// Watches a server's first answers, and refuses servers that ask for the password in clear text.
/// text.
///
/// A server answers the question for TLS with one byte: `S`, or another one if it has none. Without TLS
/// it then names the kind of authentication in a message of its own: the letter `R`, a length, and the
/// number of the kind.
pub(crate) struct Greeting {
    asks_for_tls: bool,
    accepts: Accepts,
    /// The first bytes from the server, until they are judged.
    seen: Option<Vec<u8>>,
}

/// The servers without TLS that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// None, although the URL doesn't ask for TLS.
    NoServer,
    /// Servers that don't ask for the password itself.
    HashedPassword,
    /// All servers.
    Anything,
}

/// The reason why a server was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    WithoutTls,
    ClearText,
}

/// The number of the kind of authentication that asks for the password in clear text.
const CLEAR_TEXT: u8 = 3;

impl Greeting {
    /// For a server on whose connection no other process can listen.
    pub(crate) fn any() -> Self {
        Self { asks_for_tls: false, accepts: Accepts::Anything, seen: None }
    }

    pub(crate) fn new(asks_for_tls: bool, accepts: Accepts) -> Self {
        let seen = (accepts != Accepts::Anything).then(Vec::new);
        Self { asks_for_tls, accepts, seen }
    }

    /// Checks the next bytes from the server.
    pub(crate) fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(seen) = &mut self.seen else { return Ok(()) };
        seen.extend(bytes.iter().take(16));
        let message = match (self.asks_for_tls, seen.as_slice()) {
            (_, []) => return Ok(()),
            (true, [b'S', ..]) => {
                self.seen = None;
                return Ok(());
            }
            _ if self.accepts == Accepts::NoServer => {
                return Err(io::Error::other(Refusal::WithoutTls));
            }
            // The driver goes on without TLS after every other answer.
            (true, [_, message @ ..]) | (false, message) => message,
        };
        match *message {
            [b'R', _, _, _, _, 0, 0, 0, CLEAR_TEXT, ..] => {
                return Err(io::Error::other(Refusal::ClearText));
            }
            [b'R', ..] if message.len() < 9 => {}
            [] => {}
            _ => self.seen = None,
        }
        Ok(())
    }
}

impl Refusal {
    /// The refusal in an error of a socket.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithoutTls => {
                "the server has no TLS, which is required beyond this machine; give the server a \
                 certificate, or add `sslmode=prefer` or `sslmode=disable` to the URL if nothing in \
                 between can listen"
            }
            Self::ClearText => {
                "the server has no TLS and asks for the password in clear text; have it use \
                 `scram-sha-256`, or add `sslmode=disable` to the URL if nothing in between can listen"
            }
        })
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKS_FOR_CLEAR_TEXT: &[u8] = b"R\0\0\0\x08\0\0\0\x03";
    const ASKS_FOR_SCRAM: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";

    fn refusal(mut greeting: Greeting, pieces: &[&[u8]]) -> Option<Refusal> {
        pieces.iter().find_map(|piece| Refusal::of(&greeting.check(piece).err()?))
    }

    #[test]
    fn clear_text_is_refused_however_it_arrives() {
        let whole = [b"N".as_slice(), ASKS_FOR_CLEAR_TEXT].concat();
        for size in 1..=whole.len() {
            let pieces: Vec<_> = whole.chunks(size).collect();
            let greeting = Greeting::new(true, Accepts::HashedPassword);
            assert_eq!(refusal(greeting, &pieces), Some(Refusal::ClearText), "{size}");
        }
        // The driver takes every answer but `S` for a no.
        let odd = [b"X".as_slice(), ASKS_FOR_CLEAR_TEXT];
        let greeting = Greeting::new(true, Accepts::HashedPassword);
        assert_eq!(refusal(greeting, &odd), Some(Refusal::ClearText));
        let greeting = Greeting::new(false, Accepts::HashedPassword);
        assert_eq!(refusal(greeting, &[ASKS_FOR_CLEAR_TEXT]), Some(Refusal::ClearText));
    }

    #[test]
    fn a_server_without_tls_is_refused_where_the_url_says_nothing() {
        let greeting = || Greeting::new(true, Accepts::NoServer);
        for answer in [b"N", b"E", b"X", b"R"] {
            assert_eq!(refusal(greeting(), &[answer]), Some(Refusal::WithoutTls));
        }
        let greeting_without_question = Greeting::new(false, Accepts::NoServer);
        let refused = refusal(greeting_without_question, &[ASKS_FOR_SCRAM]);
        assert_eq!(refused, Some(Refusal::WithoutTls));
        assert_eq!(refusal(greeting(), &[b"S", ASKS_FOR_CLEAR_TEXT]), None);
    }

    #[test]
    fn other_servers_are_left_alone() {
        let greeting = || Greeting::new(true, Accepts::HashedPassword);
        assert_eq!(refusal(greeting(), &[b"N", ASKS_FOR_SCRAM]), None);
        assert_eq!(refusal(greeting(), &[b"S", ASKS_FOR_CLEAR_TEXT]), None);
        // Later bytes are data.
        assert_eq!(refusal(greeting(), &[b"N", ASKS_FOR_SCRAM, ASKS_FOR_CLEAR_TEXT]), None);
        assert_eq!(refusal(Greeting::any(), &[ASKS_FOR_CLEAR_TEXT]), None);
    }
}
