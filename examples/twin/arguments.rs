use std::sync::atomic::Ordering;

use carafe::flask_login::Protection;
use carafe::store::{MemoryStore, OverLimit};
use carafe::value::Value;
use carafe::{Clock, Config, Error, KeyRing, SecretKey, SessionLayer};
use tracing_subscriber::filter::LevelFilter;

use crate::{flask_logins, logins, servers};

const USAGE: &str = "usage: twin --listen ADDRESS [--server axum|actix] \
                     [--store cookie|sealed|memory|redis://…|rediss://…|redis-cluster://…|\
                     sqlite:PATH|postgres://…] [--now UNIX-SECONDS] [--log LEVEL] \
                     [--flask-login none|basic|strong] \
                     [--max-sessions NUMBER] [--over-limit refuse|end-oldest]";

/// The framework that serves.
pub(crate) enum Server {
    Axum,
    Actix,
}

/// The options of the command line.
pub(crate) struct Arguments {
    pub(crate) listen: String,
    pub(crate) server: Server,
    /// Down to which level events are logged.
    pub(crate) log: LevelFilter,
    store: String,
    /// Whether logins are Flask-Login's, and how it protects them.
    flask_login: Option<Protection>,
    now: Option<u64>,
    /// The number of sessions that a user may have.
    max_sessions: Option<u32>,
    over_limit: OverLimit,
}

impl Arguments {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            listen: "127.0.0.1:5001".to_owned(),
            server: Server::Axum,
            log: LevelFilter::INFO,
            store: "cookie".to_owned(),
            flask_login: None,
            now: None,
            max_sessions: None,
            over_limit: OverLimit::Refuse,
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} has no value; {USAGE}"))?;
            match (name.as_str(), value.as_str()) {
                ("--listen", _) => parsed.listen = value,
                ("--store", _) => parsed.store = value,
                ("--flask-login", "none") => parsed.flask_login = Some(Protection::None),
                ("--flask-login", "basic") => parsed.flask_login = Some(Protection::Basic),
                ("--flask-login", "strong") => parsed.flask_login = Some(Protection::Strong),
                ("--now", _) => {
                    let now = value.parse().map_err(|_| format!("--now {value:?}; {USAGE}"))?;
                    parsed.now = Some(now);
                }
                ("--log", level) => {
                    parsed.log = level.parse().map_err(|_| format!("--log {level}; {USAGE}"))?;
                }
                ("--max-sessions", most) => {
                    let most = most.parse();
                    parsed.max_sessions =
                        Some(most.map_err(|_| format!("--max-sessions {value:?}; {USAGE}"))?);
                }
                ("--over-limit", "refuse") => parsed.over_limit = OverLimit::Refuse,
                ("--over-limit", "end-oldest") => parsed.over_limit = OverLimit::EndOldest,
                ("--server", "axum") => parsed.server = Server::Axum,
                ("--server", "actix") => parsed.server = Server::Actix,
                _ => return Err(format!("{name} {value} is not known; {USAGE}")),
            }
        }
        Ok(parsed)
    }

    /// Sessions where the command line says, with the settings of the environment.
    pub(crate) fn layer(&self) -> Result<SessionLayer, Box<dyn std::error::Error>> {
        let mut config = Config::flask().from_prefixed_env()?;
        if let Some(most) = self.max_sessions {
            config = config.sessions_per_user(most, self.over_limit);
            logins::IS_LIMITED.store(true, Ordering::Relaxed);
        }
        let layer = match self.store.as_str() {
            "cookie" => SessionLayer::new(KeyRing::from_flask_env()?, config)?,
            "sealed" => SessionLayer::new(long_enough()?, config.seal(true))?,
            "memory" => {
                SessionLayer::new(KeyRing::from_flask_env()?, config)?.in_store(MemoryStore::new())
            }
            url => servers::keep_in(url, SessionLayer::new(KeyRing::from_flask_env()?, config)?)?
                .ok_or_else(|| format!("--store is not known; {USAGE}"))?,
        };
        let layer = match self.flask_login {
            Some(protection) => layer.flask_login(flask_logins::settings(protection)?)?,
            None => layer,
        };
        Ok(match self.now {
            Some(now) => layer.with_clock(Clock::fixed(now)),
            None => layer,
        })
    }
}

/// The keys of the environment, each repeated until it is long enough to seal with, and allowed to be
/// weak: the twin is for tests, which have short keys.
fn long_enough() -> Result<KeyRing, Error> {
    // Says what is wrong with the variables, if anything is.
    KeyRing::from_flask_env()?;
    let key = std::env::var("FLASK_SECRET_KEY").unwrap_or_default();
    let fallbacks = std::env::var("FLASK_SECRET_KEY_FALLBACKS").unwrap_or_default();
    let fallbacks = match Value::from_tagged_json(fallbacks.as_bytes()) {
        Ok(Value::List(keys)) => keys,
        _ => Vec::new(),
    };
    let fallbacks = fallbacks.iter().filter_map(Value::as_str).map(repeated);
    Ok(KeyRing::from_flask(repeated(&key)?, fallbacks.collect::<Result<Vec<_>, _>>()?))
}

fn repeated(key: &str) -> Result<SecretKey, Error> {
    Ok(SecretKey::new(key.repeat(32))?.allow_weak_key())
}
