use carafe::config::SameSite;
use carafe::store::{MemoryStore, RevocationStore, SessionStore};
use carafe::{Config, SecretKey, SessionLayer};
use carafe_postgres::PostgresStore;
use carafe_redis::RedisStore;
use carafe_sqlite::SqliteStore;

type Error = Box<dyn std::error::Error>;

const USAGE: &str = "usage: live [--listen ADDRESS] [--server axum|actix] [--sessions stored|signed|sealed] \
                     [--store memory|sqlite:PATH|redis://…|rediss://…|redis-cluster://…|postgres://…]";

/// The framework that serves.
pub(crate) enum Server {
    Axum,
    Actix,
}

/// The place of sessions. For sessions in cookies a store keeps the revocations.
enum Place {
    Stored,
    Signed,
    Sealed,
}

/// The options of the command line.
pub(crate) struct Arguments {
    pub(crate) listen: String,
    pub(crate) server: Server,
    place: Place,
    store: String,
}

impl Arguments {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            listen: "127.0.0.1:5000".to_owned(),
            server: Server::Axum,
            place: Place::Stored,
            store: "memory".to_owned(),
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} has no value; {USAGE}"))?;
            match (name.as_str(), value.as_str()) {
                ("--listen", _) => parsed.listen = value,
                ("--store", _) => parsed.store = value,
                ("--server", "axum") => parsed.server = Server::Axum,
                ("--server", "actix") => parsed.server = Server::Actix,
                ("--sessions", "stored") => parsed.place = Place::Stored,
                ("--sessions", "signed") => parsed.place = Place::Signed,
                ("--sessions", "sealed") => parsed.place = Place::Sealed,
                _ => return Err(format!("{name} {value} is not known; {USAGE}")),
            }
        }
        Ok(parsed)
    }

    /// The layer, with the settings of the environment.
    pub(crate) fn sessions(&self) -> Result<SessionLayer, Error> {
        // `Lax` keeps other sites from sending the forms.
        let config = Config::flask().same_site(SameSite::Lax).from_prefixed_env()?;
        let config = config.seal(matches!(self.place, Place::Sealed));
        let layer = SessionLayer::new(SecretKey::from_env_or_random()?, config)?;
        let url = self.store.as_str();
        Ok(match url.split([':', '-']).next().unwrap_or_default() {
            "memory" => self.keep_in(MemoryStore::new(), layer),
            "redis" | "rediss" | "valkey" | "valkeys" => self.keep_in(RedisStore::new(url)?, layer),
            "postgres" | "postgresql" => self.keep_in(PostgresStore::new(url)?, layer),
            "sqlite" => {
                let file = url.strip_prefix("sqlite:").unwrap_or(url);
                self.keep_in(SqliteStore::open(file)?, layer)
            }
            _ => return Err(format!("--store is not known; {USAGE}").into()),
        })
    }

    fn keep_in(
        &self,
        store: impl SessionStore + RevocationStore,
        layer: SessionLayer,
    ) -> SessionLayer {
        match self.place {
            Place::Stored => layer.in_store(store),
            Place::Signed | Place::Sealed => layer.with_revocations(store),
        }
    }
}
