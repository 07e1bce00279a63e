//! Records: the form in which a store keeps a session.

mod details;

use self::details::put_text;
pub use self::details::{LoginDetails, PendingLogin};
use crate::id::{PublicId, SessionIdHash};
use crate::{Error, ErrorKind, UnixSeconds};

/// The version of the binary form, its first byte.
const FORMAT: u8 = 1;

/// The bit of the state's tag that announces login details.
const DETAILS: u8 = 0x80;

/// The number of numbers in a record.
const NUMBERS: usize = 6;

/// The kind of a record: a session, a pointer record under a former id, or a series of remember
/// tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// The record is a session.
    #[default]
    Live,
    /// The session was renewed: it continues under another id. This id leads to it for the grace
    /// period.
    Moved {
        /// The hash of the new id.
        to: SessionIdHash,
        /// The end of the grace period.
        until: UnixSeconds,
    },
    /// The session got a new id because a request asked for one. This id is dead; only a logout
    /// that was under way still finds the session by it.
    Rotated {
        /// The hash of the new id.
        to: SessionIdHash,
    },
    /// A login ended the session and began another. This id is dead, even for a logout.
    Ended {
        /// The hash of the id that the login made, by which the login's request recognises its own
        /// write.
        by: SessionIdHash,
    },
    /// The record is not a session but a series of remember tokens.
    Series {
        /// The hash of the present token.
        token: SessionIdHash,
        /// The hash of the previous token.
        before: SessionIdHash,
        /// The time at which the present token was made.
        since: UnixSeconds,
    },
}

/// A session as a store keeps it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The session's content: Flask's tagged JSON.
    pub data: Vec<u8>,
    /// The name of the logged-in user; `None` if no user is logged in.
    pub user: Option<String>,
    /// The public id of the session, which may be shown.
    pub public_id: PublicId,
    /// The time at which the session began.
    pub created: UnixSeconds,
    /// The time at which the user logged in.
    pub logged_in: Option<UnixSeconds>,
    /// The time at which the session got its present id.
    pub renewed: UnixSeconds,
    /// The time of the session's last use, to within a tenth of the idle timeout.
    pub last_seen: UnixSeconds,
    /// The time at which the session ends unless it is used.
    pub idle_expires: UnixSeconds,
    /// The time at which the session ends in any case.
    pub expires: UnixSeconds,
    /// The address that the user logged in from, if the application gave it.
    pub address: Option<String>,
    /// The user agent that the user logged in with, if the application gave it.
    pub agent: Option<String>,
    /// The kind of this record.
    pub state: State,
    /// The details of the login besides the user and the time, if there are any.
    pub details: Option<Box<LoginDetails>>,
}

impl Record {
    /// Returns the record of an empty session that begins now.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    /// use carafe::id::PublicId;
    /// use carafe::store::Record;
    ///
    /// let now = UnixSeconds(1_700_000_000);
    /// let record = Record::new(PublicId::from_bytes([7; 16]), now, 3_600, 86_400);
    /// assert_eq!(record.ends(), now + 3_600);
    /// ```
    #[must_use]
    pub fn new(
        public_id: PublicId,
        now: UnixSeconds,
        idle_timeout: u64,
        absolute_timeout: u64,
    ) -> Self {
        Self {
            data: b"{}".to_vec(),
            user: None,
            public_id,
            created: now,
            logged_in: None,
            renewed: now,
            last_seen: now,
            idle_expires: now + idle_timeout,
            expires: now + absolute_timeout,
            address: None,
            agent: None,
            state: State::Live,
            details: None,
        }
    }

    /// Returns a copy of the record without its content.
    pub(crate) fn without_data(&self) -> Self {
        Self {
            data: Vec::new(),
            user: self.user.clone(),
            address: self.address.clone(),
            agent: self.agent.clone(),
            details: self.details.clone(),
            ..*self
        }
    }

    /// Returns whether the session has expired, or this id no longer leads to it.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    /// use carafe::id::PublicId;
    /// use carafe::store::Record;
    ///
    /// let now = UnixSeconds(1_700_000_000);
    /// let record = Record::new(PublicId::from_bytes([7; 16]), now, 3_600, 86_400);
    /// assert!(!record.is_expired(now));
    /// assert!(record.is_expired(now + 3_600));
    /// ```
    #[must_use]
    pub fn is_expired(&self, now: UnixSeconds) -> bool {
        let is_dead = match self.state {
            State::Live | State::Series { .. } => false,
            State::Moved { until, .. } => now >= until,
            State::Rotated { .. } | State::Ended { .. } => true,
        };
        is_dead || now >= self.ends()
    }

    /// Returns the time at which a store may delete the record: when the session ends unless it is
    /// used. A pointer record is kept beyond its grace period, since requests under way read from
    /// it that the session has moved or ended.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    /// use carafe::id::PublicId;
    /// use carafe::store::Record;
    ///
    /// let now = UnixSeconds(1_700_000_000);
    /// let record = Record::new(PublicId::from_bytes([7; 16]), now, 3_600, 86_400);
    /// assert_eq!(record.ends(), now + 3_600);
    /// ```
    #[must_use]
    pub fn ends(&self) -> UnixSeconds {
        self.idle_expires.min(self.expires)
    }

    /// Returns the record in a versioned binary form, for stores that keep it as one value.
    ///
    /// In every version of the form, the bytes from 1 to 16 are the [public id](Self::public_id),
    /// so that a database can compare it without reading the rest:
    ///
    /// ```
    /// use carafe::id::PublicId;
    /// use carafe::UnixSeconds;
    /// use carafe::store::Record;
    ///
    /// let record = Record::new(PublicId::from_bytes([7; 16]), UnixSeconds(1_700_000_000), 3_600, 86_400);
    /// assert_eq!(record.to_bytes()[1..17], [7; 16]);
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode(&mut out);
        out
    }

    /// Appends the bytes that [`to_bytes`](Self::to_bytes) returns, for stores that put something
    /// before them.
    ///
    /// ```
    /// use carafe::id::PublicId;
    /// use carafe::UnixSeconds;
    /// use carafe::store::Record;
    ///
    /// let record = Record::new(PublicId::from_bytes([7; 16]), UnixSeconds(1_700_000_000), 3_600, 86_400);
    /// let mut value = b"version 1 ".to_vec();
    /// record.encode(&mut value);
    /// assert_eq!(value.strip_prefix(b"version 1 "), Some(record.to_bytes().as_slice()));
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        out.extend_from_slice(self.public_id.as_bytes());
        for number in self.numbers() {
            put_number(out, number);
        }
        for text in [&self.user, &self.address, &self.agent] {
            put_text(out, text.as_deref());
        }
        let details = if self.details.is_some() { DETAILS } else { 0 };
        match &self.state {
            State::Live => out.push(details),
            State::Moved { to, until } => {
                out.push(1 | details);
                out.extend_from_slice(to.as_bytes());
                put_number(out, until.0);
            }
            State::Rotated { to } => {
                out.push(2 | details);
                out.extend_from_slice(to.as_bytes());
            }
            State::Ended { by } => {
                out.push(3 | details);
                out.extend_from_slice(by.as_bytes());
            }
            State::Series { token, before, since } => {
                out.push(4 | details);
                out.extend_from_slice(token.as_bytes());
                out.extend_from_slice(before.as_bytes());
                put_number(out, since.0);
            }
        }
        if let Some(details) = &self.details {
            details.encode(out);
        }
        out.extend_from_slice(&self.data);
    }

    /// Returns the number of bytes that [`to_bytes`](Self::to_bytes) returns.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    /// use carafe::id::PublicId;
    /// use carafe::store::Record;
    ///
    /// let now = UnixSeconds(1_700_000_000);
    /// let record = Record::new(PublicId::from_bytes([7; 16]), now, 3_600, 86_400);
    /// assert_eq!(record.encoded_len(), record.to_bytes().len());
    /// ```
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let numbers: usize = self.numbers().into_iter().map(number_len).sum();
        let texts = [&self.user, &self.address, &self.agent].into_iter().map(|text| match text {
            None => 1,
            Some(text) => number_len(text.len() as u64 + 1) + text.len(),
        });
        let state = match &self.state {
            State::Live => 1,
            State::Moved { until, .. } => 33 + number_len(until.0),
            State::Rotated { .. } | State::Ended { .. } => 33,
            State::Series { since, .. } => 65 + number_len(since.0),
        };
        let details = self.details.as_ref().map_or(0, |details| {
            let len = details.to_bytes().len();
            number_len(len as u64) + len
        });
        1 + 16 + numbers + texts.sum::<usize>() + state + details + self.data.len()
    }

    /// Returns the record's numbers in the order in which they are written.
    fn numbers(&self) -> [u64; NUMBERS] {
        let logged_in = self.logged_in.map_or(0, |time| (time + 1).0);
        let Self { created, renewed, last_seen, idle_expires, expires, .. } = self;
        [created.0, renewed.0, last_seen.0, idle_expires.0, expires.0, logged_in]
    }

    /// Returns whether a record in its binary form belongs to the session with this public id.
    pub(crate) fn is_of(bytes: &[u8], public_id: PublicId) -> bool {
        bytes.get(1..17) == Some(public_id.as_bytes())
    }

    /// Returns the user of a record in its binary form; `None` if it has none or can't be read.
    pub(crate) fn user_in(bytes: &[u8]) -> Option<&str> {
        let mut reader = Reader { rest: bytes.get(1 + 16..)? };
        for _ in 0..NUMBERS {
            reader.number()?;
        }
        reader.text()?
    }

    /// Parses the bytes that [`to_bytes`](Self::to_bytes) returns.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    /// use carafe::id::PublicId;
    /// use carafe::store::Record;
    ///
    /// let now = UnixSeconds(1_700_000_000);
    /// let record = Record::new(PublicId::from_bytes([7; 16]), now, 3_600, 86_400);
    /// assert_eq!(Record::from_bytes(&record.to_bytes())?, record);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Store`] if the bytes are not a record, or a record of a later version of this
    /// library.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Reader { rest: bytes }.record().ok_or_else(|| {
            Error::new(
                ErrorKind::Store,
                "the store holds data that is not a session record of this version: \
                 was it written by a later version, or by another program?",
            )
        })
    }
}

impl std::fmt::Debug for Record {
    /// Shows times and sizes, and neither the content nor the user.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("public_id", &self.public_id)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("logged_in", &self.logged_in)
            .field("created", &self.created)
            .field("last_seen", &self.last_seen)
            .field("ends", &self.ends())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Returns the number of bytes that a number takes in LEB128.
pub(crate) fn number_len(number: u64) -> usize {
    let bits = 64 - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Splits a number in LEB128 from the bytes after it.
pub(crate) fn split_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut reader = Reader { rest: bytes };
    let number = reader.number()?;
    Some((number, reader.rest))
}

/// Appends a number in LEB128.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn record(mut self) -> Option<Record> {
        if self.array::<1>()? != [FORMAT] {
            return None;
        }
        let public_id = PublicId::from_bytes(self.array()?);
        let [created, renewed, last_seen, idle_expires, expires] =
            [self.time()?, self.time()?, self.time()?, self.time()?, self.time()?];
        let logged_in = self.number()?.checked_sub(1).map(UnixSeconds);
        let [user, address, agent] =
            [self.text()?, self.text()?, self.text()?].map(|text| text.map(str::to_owned));
        let (state, has_details) = self.state()?;
        let details = if has_details { Some(Box::new(self.details()?)) } else { None };
        Some(Record {
            data: self.rest.to_vec(),
            user,
            public_id,
            created,
            logged_in,
            renewed,
            last_seen,
            idle_expires,
            expires,
            address,
            agent,
            state,
            details,
        })
    }

    /// Reads the state, and whether login details follow.
    fn state(&mut self) -> Option<(State, bool)> {
        let [tag] = self.array()?;
        let (tag, has_details) = (tag & !DETAILS, tag & DETAILS != 0);
        if tag == 0 {
            return Some((State::Live, has_details));
        }
        let id = SessionIdHash::from_bytes(self.array()?);
        let state = match tag {
            1 => match self.number()? {
                // Older versions wrote the end by a login this way, without a tag of its own.
                0 => State::Ended { by: id },
                until => State::Moved { to: id, until: UnixSeconds(until) },
            },
            2 => State::Rotated { to: id },
            3 => State::Ended { by: id },
            4 => State::Series {
                token: id,
                before: SessionIdHash::from_bytes(self.array()?),
                since: UnixSeconds(self.number()?),
            },
            _ => return None,
        };
        Some((state, has_details))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn time(&mut self) -> Option<UnixSeconds> {
        self.number().map(UnixSeconds)
    }

    fn text(&mut self) -> Option<Option<&'a str>> {
        let Some(len) = self.number()?.checked_sub(1) else { return Some(None) };
        let (text, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.rest = rest;
        std::str::from_utf8(text).ok().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: UnixSeconds = UnixSeconds(100);

    fn record() -> Record {
        Record {
            data: br#"{"a":1}"#.to_vec(),
            user: Some("ad\u{e9}le".to_owned()),
            logged_in: Some(UnixSeconds(0)),
            agent: Some(String::new()),
            state: State::Moved { to: SessionIdHash::from_bytes([7; 32]), until: UnixSeconds::MAX },
            ..Record::new(PublicId::from_bytes([9; 16]), UnixSeconds(1_700_000_000), 60, u64::MAX)
        }
    }

    /// Returns one state of each kind.
    fn states() -> [State; 5] {
        let to = SessionIdHash::from_bytes([7; 32]);
        let series = State::Series { token: to, before: to, since: UnixSeconds(300) };
        [State::Live, record().state, State::Rotated { to }, State::Ended { by: to }, series]
    }

    #[test]
    fn bytes_round_trip() {
        for state in states() {
            let record = Record { state, ..record() };
            assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
        }
    }

    /// Returns details of each kind.
    fn all_details() -> [LoginDetails; 4] {
        let whole = LoginDetails {
            authenticated: Some(UnixSeconds(0)),
            credential: Some("mark".to_owned()),
            pending: Some(PendingLogin::new("ad\u{e9}le".to_owned(), UnixSeconds::MAX)),
            series: Some(PublicId::from_bytes([3; 16])),
        };
        [
            LoginDetails::default(),
            LoginDetails { pending: None, ..whole.clone() },
            LoginDetails { series: None, credential: None, ..whole.clone() },
            whole,
        ]
    }

    #[test]
    fn details_round_trip_and_harm_no_broken_record() {
        for details in all_details() {
            for state in states() {
                let record = Record { state, details: Some(Box::new(details.clone())), ..record() };
                let bytes = record.to_bytes();
                assert_eq!(bytes.len(), record.encoded_len());
                assert_eq!(Record::from_bytes(&bytes).unwrap(), record);
                for cut in 0..bytes.len() - record.data.len() {
                    assert!(Record::from_bytes(&bytes[..cut]).is_err(), "{cut}");
                }
            }
        }
    }

    #[test]
    fn what_a_later_version_appends_to_the_details_is_passed_over() {
        let details = all_details()[3].clone();
        let mut record = Record { state: State::Live, ..record() };
        let plain = record.to_bytes();
        let at = plain.len() - record.data.len();
        let mut bytes = details.to_bytes();
        bytes.extend_from_slice(b"later");
        let mut longer = plain[..at - 1].to_vec();
        longer.push(DETAILS);
        put_number(&mut longer, bytes.len() as u64);
        longer.extend_from_slice(&bytes);
        longer.extend_from_slice(&record.data);
        record.details = Some(Box::new(details));
        assert_eq!(Record::from_bytes(&longer).unwrap(), record);
    }

    #[test]
    fn an_end_by_a_login_is_read_in_the_form_that_it_had_before() {
        let by = SessionIdHash::from_bytes([7; 32]);
        let before = Record { state: State::Moved { to: by, until: UnixSeconds(0) }, ..record() };
        let read = Record::from_bytes(&before.to_bytes()).unwrap();
        assert_eq!(read, Record { state: State::Ended { by }, ..record() });
    }

    #[test]
    fn the_length_and_the_user_are_those_of_the_bytes() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::MAX >> 1, u64::MAX] {
            let time = UnixSeconds(number);
            for state in states() {
                let record = Record { created: time, expires: time, state, ..record() };
                let bytes = record.to_bytes();
                assert_eq!(bytes.len(), record.encoded_len(), "{number}");
                assert_eq!(Record::user_in(&bytes), record.user.as_deref());
            }
        }
        let anonymous = Record { user: None, ..record() };
        assert_eq!(Record::user_in(&anonymous.to_bytes()), None);
        assert_eq!(Record::user_in(&record().to_bytes()[..20]), None);
    }

    #[test]
    fn no_cut_or_flipped_byte_panics() {
        let bytes = record().to_bytes();
        for cut in 0..bytes.len() - record().data.len() {
            assert!(Record::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut broken = bytes.clone();
                broken[at] ^= 1 << bit;
                let _ = Record::from_bytes(&broken);
            }
        }
    }

    #[test]
    fn the_first_of_its_times_ends_it() {
        let record = Record::new(PublicId::from_bytes([0; 16]), BEGAN, 10, 1000);
        for state in [states()[2], states()[3]] {
            // The time is irrelevant for these states.
            assert!(Record { state, ..record.clone() }.is_expired(UnixSeconds(0)));
        }
        assert!(!record.is_expired(BEGAN + 9));
        assert!(record.is_expired(BEGAN + 10));
        let moved = Record {
            state: State::Moved { to: SessionIdHash::from_bytes([0; 32]), until: BEGAN + 5 },
            ..record
        };
        assert!(!moved.is_expired(BEGAN + 4));
        assert!(moved.is_expired(BEGAN + 5));
        assert_eq!(moved.ends(), BEGAN + 10);
    }
}
