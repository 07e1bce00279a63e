//! The command line.

use std::path::PathBuf;

/// The place of sessions.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Store {
    /// In this process.
    Memory,
    /// In this file.
    Sqlite(PathBuf),
    /// On the server at this URL, which may hold a password.
    Redis(String),
    Postgres(String),
    /// In encrypted cookies.
    Sealed,
}

pub(crate) struct Arguments {
    pub(crate) listen: String,
    pub(crate) database: Option<PathBuf>,
    pub(crate) store: Store,
    origins: Vec<String>,
}

impl Arguments {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
        let mut parsed = Self {
            listen: format!("127.0.0.1:{port}"),
            database: None,
            store: Store::Memory,
            origins: Vec::new(),
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--listen" => parsed.listen = value?,
                "--database" => parsed.database = Some(value?.into()),
                "--store" => parsed.store = Store::parse(&value?)?,
                "--origin" => parsed.origins.push(value?),
                _ => {
                    return Err(format!(
                        "there is no option {name}; use: --listen ADDRESS --origin ORIGIN \
                         --database FILE \
                         --store memory|sqlite:FILE|redis://…|postgres://…|sealed"
                    ));
                }
            }
        }
        Ok(parsed)
    }

    /// The address where browsers find this site: on this machine by default.
    pub(crate) fn origins(&self, port: u16) -> Vec<String> {
        if self.origins.is_empty() {
            return ["localhost", "127.0.0.1"].map(|host| format!("http://{host}:{port}")).into();
        }
        self.origins.clone()
    }
}

impl Store {
    fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        // A Cluster's URL begins with `redis-cluster`, one with TLS with `rediss`.
        match kind.split('-').next().unwrap_or_default() {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "sealed" if rest.is_empty() => Ok(Self::Sealed),
            "sqlite" if !rest.is_empty() => Ok(Self::Sqlite(rest.into())),
            "redis" | "rediss" | "valkey" | "valkeys" => Ok(Self::Redis(text.to_owned())),
            "postgres" | "postgresql" => Ok(Self::Postgres(text.to_owned())),
            _ => Err("--store must be memory, sqlite:FILE, a URL like redis://… or postgres://…, \
                      or sealed"
                .to_owned()),
        }
    }
}
