use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use carafe::Config;
use carafe::store::MemoryStore;

use super::backend::{Backend, Kind};
use super::check;
use super::row::{ROW, Row};
use super::table::{ROWS, WITHOUT_ROW};

fn signed() -> Backend {
    Backend::in_cookies(Kind::Signed, Config::hardened)
}

fn sealed() -> Backend {
    Backend::in_cookies(Kind::Sealed, Config::sealed)
}

#[tokio::test]
async fn every_setting_has_its_effect_on_signed_cookies() {
    check(&signed()).await;
}

#[tokio::test]
async fn every_setting_has_its_effect_on_sealed_cookies() {
    check(&sealed()).await;
}

#[tokio::test]
async fn every_setting_has_its_effect_in_memory() {
    check(&Backend::stored(MemoryStore::new())).await;
}

/// The methods of a source file that change what they are called on.
fn setters(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let signatures =
        shipped.split("    pub fn ").skip(1).filter_map(|rest| rest.split(" {\n").next());
    let changes = |signature: &&str| {
        let takes_self = signature.split_once('(').is_some_and(|(_, arguments)| {
            let first = arguments.trim_start();
            first.starts_with("self") || first.starts_with("mut self")
        });
        takes_self && (signature.contains("-> Self") || signature.contains("-> Result<Self"))
    };
    let name = |signature: &str| signature.split(['(', '<']).next().unwrap().to_owned();
    signatures.filter(changes).map(name).collect()
}

/// A new setting needs a row, or a reason why there is none.
#[test]
fn every_setting_has_a_row() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../carafe/src");
    let configs = source.join("config").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let files = configs.chain([source.join("tower/layer.rs")]);
    let there: BTreeSet<String> = files.flat_map(|path| setters(&path)).collect();
    assert!(there.len() > 35, "{there:?}");
    let rows = ROWS.iter().map(|row| row.setting).chain(WITHOUT_ROW.iter().map(|(name, _)| *name));
    let rows: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(there, rows);
}

/// The text that is written to the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_large_cookie_of_a_session_is_said_and_one_of_an_id_is_none() {
    let row = Row { change: |c| c.max_cookie_size(60), ..ROW };
    for backend in [signed(), sealed(), Backend::stored(MemoryStore::new())] {
        for set in [false, true] {
            let log = Log::default();
            let writer = log.clone();
            let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
            let guard = tracing::subscriber::set_default(subscriber);
            row.seen(&backend, set).await;
            drop(guard);
            let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
            let holds_session = backend.kind != Kind::Stored;
            assert_eq!(said.contains("cookie"), set && holds_session, "{:?}: {said}", backend.kind);
        }
    }
}
