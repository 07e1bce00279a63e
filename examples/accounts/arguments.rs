//! The command line.

use std::path::PathBuf;

/// Where sessions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// In this process.
    Memory,
    /// In this file.
    Sqlite(PathBuf),
    /// In encrypted cookies.
    Sealed,
}

#[derive(Debug)]
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
                         --database FILE --store memory|sqlite:FILE|sealed"
                    ));
                }
            }
        }
        Ok(parsed)
    }

    /// Where browsers find this site; on this machine, unless something else was said.
    pub(crate) fn origins(&self, port: u16) -> Vec<String> {
        if self.origins.is_empty() {
            return ["localhost", "127.0.0.1"].map(|host| format!("http://{host}:{port}")).into();
        }
        self.origins.clone()
    }
}

impl Store {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            None if text == "sealed" => Ok(Self::Sealed),
            Some(("sqlite", file)) if !file.is_empty() => Ok(Self::Sqlite(file.into())),
            _ => Err(format!("--store is {text:?}; it must be memory, sqlite:FILE or sealed")),
        }
    }
}
