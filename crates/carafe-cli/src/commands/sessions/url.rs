//! The choice and the opening of the store.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use super::store::Store;
use crate::args::StoreArgs;
use crate::failure::Failure;
use crate::output::Output;

/// The variable with the store's URL.
const VARIABLE: &str = "CARAFE_STORE";

/// The time limit for a server's answer: people are more patient than requests.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the store that the arguments or the environment name.
pub(super) fn open_store(args: &StoreArgs, output: &mut Output) -> Result<Store, Failure> {
    open(&find(args, output)?, args)
}

/// The URL, from the arguments or the environment.
fn find(args: &StoreArgs, output: &mut Output) -> Result<OsString, Failure> {
    if let Some(file) = &args.store_file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let file = file.display();
            Failure::Usage(format!("the file {file} with the store's URL can't be read: {error}"))
        })?;
        let url = text.lines().next().unwrap_or_default().trim();
        if url.is_empty() {
            let file = file.display();
            return Err(Failure::Usage(format!("the file {file} has no URL in its first line")));
        }
        return Ok(url.into());
    }
    if let Some(url) = &args.store {
        if url.to_str().is_some_and(has_password) {
            output.warning(
                "other users of this machine, and your shell's history, can see the password in \
                 --store: use --store-file or the environment variable CARAFE_STORE",
            );
        }
        return Ok(url.clone());
    }
    std::env::var_os(VARIABLE).filter(|url| !url.is_empty()).ok_or_else(|| {
        Failure::Usage(
            "no store is given: use --store URL or --store-file FILE, or set CARAFE_STORE in the \
             environment, for example to sqlite:///var/lib/shop/sessions.db"
                .to_owned(),
        )
    })
}

fn has_password(url: &str) -> bool {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let user = after.rsplit_once('@').map_or("", |(user, _)| user);
    let password = user.split_once(':').map_or("", |(_, password)| password);
    !password.is_empty() || url.contains("password=")
}

/// Opens the store. No error repeats the URL, which may have a password.
fn open(url: &OsStr, args: &StoreArgs) -> Result<Store, Failure> {
    let bytes = url.as_encoded_bytes();
    if let Some(path) = sqlite_path(url) {
        return sqlite(Path::new(path), args);
    }
    let scheme_len = bytes.windows(3).position(|window| window == b"://");
    let scheme = scheme_len.map_or(&[][..], |len| &bytes[..len]);
    let text = url.to_str().ok_or_else(|| {
        Failure::Usage("the store's URL is not UTF-8: percent-encode its characters".to_owned())
    })?;
    match scheme {
        b"redis" | b"rediss" | b"valkey" | b"valkeys" | b"redis-cluster" | b"rediss-cluster"
        | b"valkey-cluster" | b"valkeys-cluster" => redis(text, args),
        b"postgres" | b"postgresql" => postgres(text, args),
        _ => Err(Failure::Usage(
            "the store's URL must begin with sqlite://, redis://, rediss:// or postgres://; for a \
             SQLite file it is sqlite:// and the file's path (see `carafe sessions --help`)"
                .to_owned(),
        )),
    }
}

#[cfg(unix)]
fn sqlite_path(url: &OsStr) -> Option<&OsStr> {
    use std::os::unix::ffi::OsStrExt as _;
    url.as_bytes().strip_prefix(b"sqlite://").map(OsStr::from_bytes)
}

#[cfg(not(unix))]
fn sqlite_path(url: &OsStr) -> Option<&OsStr> {
    url.to_str()?.strip_prefix("sqlite://").map(OsStr::new)
}

#[cfg(feature = "sqlite")]
fn sqlite(path: &Path, args: &StoreArgs) -> Result<Store, Failure> {
    let shown = path.display();
    // SQLite would create the file.
    match path.metadata() {
        Ok(file) if file.is_file() => {}
        Ok(_) => return Err(Failure::Usage(format!("{shown} is no SQLite file"))),
        Err(error) => {
            return Err(Failure::Usage(format!(
                "the SQLite file {shown} can't be opened: {error}; is the path right? \
                 sqlite:///var/… is an absolute one, sqlite://var/… is one below this folder"
            )));
        }
    }
    let options = carafe_sqlite::SqliteOptions::new(path)
        .prefix(args.prefix.as_deref().unwrap_or_default())
        .create_if_missing(false)
        .readers(1)
        .busy_timeout(PATIENCE);
    options.open().map(Store::Sqlite).map_err(Failure::usage)
}

#[cfg(feature = "redis")]
fn redis(url: &str, args: &StoreArgs) -> Result<Store, Failure> {
    // The program may also look at a server that is unfit for the service.
    let mut options = carafe_redis::RedisStore::options(url)
        .allow_eviction(true)
        .connect_timeout(PATIENCE)
        .answer_timeout(PATIENCE);
    if let Some(prefix) = &args.prefix {
        options = options.prefix(prefix);
    }
    if let Some(pem) = certificate(args)? {
        options = options.root_certificate(pem);
    }
    options.open().map(Store::Redis).map_err(Failure::usage)
}

#[cfg(feature = "postgres")]
fn postgres(url: &str, args: &StoreArgs) -> Result<Store, Failure> {
    // The service makes its tables, and knows their schema.
    let mut options = carafe_postgres::PostgresStore::options(url)
        .connect_timeout(PATIENCE)
        .answer_timeout(PATIENCE)
        .pool_size(1)
        .migrate_at_first_use(false);
    if let Some(schema) = &args.schema {
        options = options.schema(schema);
    }
    if let Some(pem) = certificate(args)? {
        options = options.root_certificate(pem);
    }
    options.open().map(Box::new).map(Store::Postgres).map_err(Failure::usage)
}

#[cfg(any(feature = "redis", feature = "postgres"))]
fn certificate(args: &StoreArgs) -> Result<Option<Vec<u8>>, Failure> {
    let Some(file) = &args.ca_file else { return Ok(None) };
    std::fs::read(file).map(Some).map_err(|error| {
        Failure::Usage(format!("the certificate in {} can't be read: {error}", file.display()))
    })
}

/// The error of a program that was built without a kind of store.
macro_rules! missing {
    ($($feature:literal: $name:ident($($argument:ty),*), $store:literal;)*) => {$(
        #[cfg(not(feature = $feature))]
        fn $name($(_: $argument),*) -> Result<Store, Failure> {
            Err(Failure::Usage(format!(
                "this program was built without {}: build it with `cargo install carafe-cli \
                 --features {}`",
                $store, $feature
            )))
        }
    )*};
}
missing! {
    "sqlite": sqlite(&Path, &StoreArgs), "SQLite";
    "redis": redis(&str, &StoreArgs), "Redis";
    "postgres": postgres(&str, &StoreArgs), "PostgreSQL";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_seen() {
        for with in [
            "redis://:secret@host",
            "postgres://u:p@ss@host/db",
            "postgres://host/db?user=u&password=p",
        ] {
            assert!(has_password(with), "{with}");
        }
        for without in ["redis://host:6379", "postgres://u@host:5432/db", "sqlite:///a:b", "a:b"] {
            assert!(!has_password(without), "{without}");
        }
    }
}
