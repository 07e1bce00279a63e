//! The measured subjects, in groups.

use carafe::config::Compression;

use crate::limits::{self, SavedMac};
use crate::ours::{self, Reader};
use crate::payload::Payload;
#[cfg(feature = "peers")]
use crate::peers;
use crate::request;
use crate::subject::Subject;
use crate::whole;

/// A table of the report: rows of one task, columns of payloads. `T` is what a column has: subjects,
/// and later their times.
#[derive(Debug)]
pub struct Table<T> {
    /// Above the table.
    pub title: &'static str,
    /// Below the title.
    pub note: &'static str,
    /// The columns, under the names that stand above them.
    pub columns: Vec<(String, T)>,
    /// The row that all others are compared with, if it is in the column.
    pub baseline: &'static str,
}

impl<T> Table<T> {
    /// Returns the table with other contents.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Table<U> {
        let columns = self.columns.into_iter().map(|(name, column)| (name, change(column)));
        let Self { title, note, baseline, .. } = self;
        Table { title, note, columns: columns.collect(), baseline }
    }
}

/// A plot of the report: the cost against a number.
#[derive(Debug)]
pub struct Sweep<T> {
    /// The file's name, without its ending.
    pub file: &'static str,
    /// Above the plot.
    pub title: &'static str,
    /// Below the horizontal axis.
    pub axis: &'static str,
    /// The numbers on the horizontal axis, and what is measured at each.
    pub points: Vec<(f64, T)>,
}

impl<T> Sweep<T> {
    /// Returns the sweep with other contents.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Sweep<U> {
        let points = self.points.into_iter().map(|(at, point)| (at, change(point)));
        let Self { file, title, axis, .. } = self;
        Sweep { file, title, axis, points: points.collect() }
    }
}

/// The rows' names.
pub mod row {
    /// A whole session as values.
    pub const MAP: &str = "limit: HMAC + base64 + `serde_json` into a map";
    /// The name of Carafe's `loads` in the tables.
    pub const WHOLE: &str = "**Carafe**, `loads`";
    /// A whole session as a struct.
    pub const STRUCT: &str = "limit: HMAC + base64 + `serde_json` into the struct";
    /// The name of Carafe's `loads_as` in the tables.
    pub const TYPED: &str = "**Carafe**, `loads_as`";
    /// Bare HMAC.
    pub const HMAC: &str = "limit: HMAC-SHA-1 from a saved key state";
    /// With the payload decoded.
    pub const DECODE: &str = "limit: HMAC + base64";
    /// With a shallow index.
    pub const INDEX: &str = "limit + base64 + an index of the top-level keys";
    /// From the cookie's value to one key.
    pub const READ_VALUE: &str = "**Carafe**, from the cookie to one key";
    /// From the header to one key.
    pub const READ: &str = "**Carafe**, from the header to one key";
    /// The limit of the index, with the payload inflated first.
    pub const INDEX_COMPRESSED: &str = "limit + base64 + inflate + index";
    /// From the value to the signed text.
    pub const WRITE: &str = "**Carafe**, from a value to the signed text";
    /// Serialise, base64, HMAC.
    pub const SIGN: &str = "limit: serialise + base64 + HMAC";
    /// zlib alone.
    pub const DEFLATE: &str = "limit: one call of zlib-rs";
    /// The crate `itsdangerous`.
    pub const ITSDANGEROUS: &str = "`itsdangerous` 0.4.1, a map";
    /// The crate `cookie`.
    pub const SIGNED_JAR: &str = "`cookie` 0.18 `SignedJar`, a map";
}

/// The three sessions that all tables have.
#[must_use]
pub fn payloads() -> [Payload; 3] {
    [Payload::p1(), Payload::p2(), Payload::p3()]
}

/// All tables.
#[must_use]
pub fn tables() -> Vec<Table<Vec<Subject>>> {
    let table = |title, note, baseline, subjects: fn(&Payload) -> Vec<Subject>| {
        let column = |p: &Payload| (format!("{} ({} B)", p.name, p.json.len()), subjects(p));
        Table { title, note, columns: payloads().iter().map(column).collect(), baseline }
    };
    vec![
        table(
            "Verify and read one key",
            "Cookies that are not compressed. The limits, `itsdangerous` and Carafe's first row begin \
             with the cookie's value; Carafe's second row and `cookie` begin with the `Cookie` header, \
             in which three other cookies stand. Carafe validates all of the session, tags included, \
             and looks at the clock.",
            row::INDEX,
            read,
        ),
        table(
            "Verify and read one key, compressed as Flask does",
            "Flask compresses what gets smaller: P1 doesn't.",
            row::INDEX_COMPRESSED,
            read_compressed,
        ),
        table(
            "Verify and read the whole session, as values",
            "Not compressed. The limit and `itsdangerous` make a `serde_json` map, which has no tags; \
             Carafe's values have Flask's types.",
            row::MAP,
            whole::values,
        ),
        table(
            "Verify and read the whole session, as a struct",
            "The same struct with `serde_json` and with Carafe.",
            row::STRUCT,
            whole::typed,
        ),
        table(
            "Encode and sign, uncompressed",
            "From a value that is built: a map for the others.",
            row::SIGN,
            write,
        ),
        table(
            "Encode and sign, compressed as Flask does",
            "The limit compresses and does nothing else.",
            row::DEFLATE,
            write_compressed,
        ),
        Table {
            title: "A whole request, in process",
            note: "An axum router with its response built and dropped, without socket and server.",
            columns: vec![("axum".to_owned(), request::subjects())],
            baseline: "no session layer",
        },
    ]
}

fn read(payload: &Payload) -> Vec<Subject> {
    let key = payload.key;
    let cookie = ours::cookie(payload, Compression::Never);
    let headers = ours::headers(&cookie);
    let reader = Reader::new(0, Compression::Never);
    let mac = SavedMac::default();
    let (a, b) = (mac.clone(), cookie.clone());
    let (c, d) = (mac.clone(), cookie.clone());
    let (same_reader, e) = (reader.clone(), cookie.clone());
    let mut subjects = vec![
        Subject::new(row::HMAC, move || a.verify(&b).is_some()),
        Subject::new(row::DECODE, move || c.verify_and_decode(&d)),
        Subject::new(row::INDEX, move || mac.verify_and_index(&cookie)),
        Subject::new(row::READ_VALUE, move || same_reader.read_value(&e, key)),
        Subject::new(row::READ, move || reader.read(&headers, key)),
    ];
    #[cfg(feature = "peers")]
    {
        use itsdangerous::TimedSerializer as _;
        let serializer = peers::itsdangerous();
        let text = serializer.sign(&payload.map()).expect("a map can be written");
        subjects.push(Subject::new(row::ITSDANGEROUS, move || {
            peers::itsdangerous_read(&serializer, &text, key)
        }));
        let jar_key = peers::cookie_key();
        let header = peers::signed_jar_write(&jar_key, &payload.map()).expect("it is small");
        let pair = header.split(';').next().and_then(|pair| pair.strip_prefix("session="));
        let headers = ours::headers(pair.expect("it begins with its name"));
        subjects.push(Subject::new(row::SIGNED_JAR, move || {
            peers::signed_jar_read(&jar_key, &headers, key)
        }));
    }
    subjects
}

fn read_compressed(payload: &Payload) -> Vec<Subject> {
    let key = payload.key;
    let cookie = ours::cookie(payload, Compression::Flask);
    let headers = ours::headers(&cookie);
    let reader = Reader::new(0, Compression::Flask);
    let mac = SavedMac::default();
    let mut subjects = Vec::new();
    if cookie.starts_with('.') {
        let limit = move || mac.verify_inflate_and_index(&cookie);
        subjects.push(Subject::new(row::INDEX_COMPRESSED, limit));
    }
    subjects.push(Subject::new(row::READ, move || reader.read(&headers, key)));
    subjects
}

fn write(payload: &Payload) -> Vec<Subject> {
    let map = payload.map();
    let mac = SavedMac::default();
    let mut subjects = vec![
        Subject::new(row::SIGN, move || mac.sign(&map)),
        carafe_write(payload, Compression::Never),
    ];
    #[cfg(feature = "peers")]
    {
        use itsdangerous::TimedSerializer as _;
        let serializer = peers::itsdangerous();
        let map = payload.map();
        subjects.push(Subject::new(row::ITSDANGEROUS, move || serializer.sign(&map)));
        let (key, map) = (peers::cookie_key(), payload.map());
        let write = move || peers::signed_jar_write(&key, &map);
        subjects.push(Subject::new(row::SIGNED_JAR, write));
    }
    subjects
}

fn write_compressed(payload: &Payload) -> Vec<Subject> {
    let json = payload.json.clone();
    vec![
        Subject::new(row::DEFLATE, move || limits::deflate(json.as_bytes())),
        carafe_write(payload, Compression::Flask),
    ]
}

fn carafe_write(payload: &Payload, compression: Compression) -> Subject {
    let (serializer, value) = (ours::serializer(compression), ours::value(payload));
    Subject::new(row::WRITE, move || serializer.dumps(&value, ours::now()))
}

/// All plots.
#[must_use]
pub fn sweeps() -> Vec<Sweep<Vec<Subject>>> {
    let sizes = [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 4096];
    let keys = [1, 2, 5, 10, 20, 50, 100];
    vec![
        Sweep {
            file: "read-by-size",
            title: "Verify and read one key",
            axis: "bytes of JSON",
            points: sizes.map(|size| (size as f64, read(&Payload::sized(size)))).into(),
        },
        Sweep {
            file: "write-by-size",
            title: "Encode and sign, uncompressed",
            axis: "bytes of JSON",
            points: sizes.map(|size| (size as f64, write(&Payload::sized(size)))).into(),
        },
        Sweep {
            file: "read-by-keys",
            title: "Verify and read one key that the oldest key signed (P1)",
            axis: "fallback keys",
            points: keys.map(|keys| (keys as f64, vec![read_with_fallbacks(keys)])).into(),
        },
    ]
}

fn read_with_fallbacks(fallbacks: usize) -> Subject {
    let payload = Payload::p1();
    let headers = ours::headers(&ours::cookie(&payload, Compression::Never));
    let reader = Reader::new(fallbacks, Compression::Never);
    Subject::new(row::READ, move || reader.read(&headers, payload.key))
}
