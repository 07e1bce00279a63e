//! The hot paths whose instructions are counted.

use carafe::config::Compression;

use crate::ours::{self, Reader};
use crate::request::{self, Requests};
use crate::stored;
use crate::subject::Subject;
use crate::suite::payloads;

/// A time that doesn't change what is signed from one run to the next.
const NOW: u64 = 1_700_000_000;

/// Every hot path.
#[must_use]
pub fn all() -> Vec<Subject> {
    let mut paths = Vec::new();
    for payload in payloads() {
        let name = payload.name.to_ascii_lowercase();
        for (kind, compression) in [("", Compression::Never), ("-compressed", Compression::Flask)] {
            let headers = ours::headers(&ours::cookie(&payload, compression));
            let (reader, key) = (Reader::new(0, compression), payload.key);
            let read = move || reader.read(&headers, key);
            paths.push(Subject::new(format!("read-{name}{kind}"), read));
            let (serializer, value) = (ours::serializer(compression), ours::value(&payload));
            let write = move || serializer.dumps(&value, NOW);
            paths.push(Subject::new(format!("write-{name}{kind}"), write));
        }
    }
    let names = ["bare", "anonymous", "not-asked-for", "anonymous-read", "read", "login"];
    for (name, mut request) in names.iter().zip(request::subjects()) {
        request.name = format!("request-{name}");
        paths.push(request);
    }
    let mut uncompressed = Requests::sessions(Compression::Never);
    let login = move || uncompressed.send("POST", "/login");
    paths.push(Subject::new("request-login-uncompressed", login));
    paths.extend(stored::subjects());
    #[cfg(feature = "actix")]
    paths.extend(crate::actix::subjects());
    paths
}
