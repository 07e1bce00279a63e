//! The places of the table's sessions, and sites that keep them there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use carafe::store::SessionStore;
use carafe::{Clock, Config, KeyRing, SecretKey, SessionLayer};
use tower_layer::Layer as _;

use super::row::Row;
use super::steps::{Handler, Site};
use crate::intercept::{Call, Fate, Intercepted};
use crate::support::NOW;

/// The properties that settings may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Signed cookies.
    Signed,
    /// Sealed cookies.
    Sealed,
    /// A store.
    Stored,
}

/// A place of sessions.
pub(crate) struct Backend {
    pub(crate) kind: Kind,
    config: fn() -> Config,
    keep: Box<dyn Fn(SessionLayer) -> SessionLayer + Send + Sync>,
    /// The key of this site, and that of the other one: each accepts what the other's key signed.
    keys: [SecretKey; 2],
    watched: Watched,
}

/// The calls of a store that were seen.
#[derive(Clone, Default)]
pub(crate) struct Watched(Arc<State>);

#[derive(Default)]
struct State {
    slow: AtomicBool,
    sweeps: AtomicU64,
}

impl Watched {
    /// The delay of every call while the store is slow.
    const DELAY: Duration = Duration::from_millis(300);

    /// Makes the store slow, or quick again.
    pub(crate) fn slow(&self, slow: bool) {
        self.0.slow.store(slow, Ordering::SeqCst);
    }

    /// Whether the store is asked to remove expired records within a second.
    pub(crate) async fn is_swept(&self) -> bool {
        let before = self.0.sweeps.load(Ordering::SeqCst);
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if self.0.sweeps.load(Ordering::SeqCst) > before {
                return true;
            }
        }
        false
    }

    fn of<S>(&self, store: S) -> Intercepted<S> {
        let state = Arc::clone(&self.0);
        Intercepted::new(store, move |call| {
            if call == Call::DeleteExpired {
                state.sweeps.fetch_add(1, Ordering::SeqCst);
            }
            let is_slow = state.slow.load(Ordering::SeqCst);
            Box::pin(async move {
                if is_slow {
                    tokio::time::sleep(Self::DELAY).await;
                }
                Fate::Done
            })
        })
    }
}

impl Backend {
    /// Sessions in cookies.
    #[cfg(test)]
    pub(super) fn in_cookies(kind: Kind, config: fn() -> Config) -> Self {
        let keys = two_keys();
        Self { kind, config, keep: Box::new(|layer| layer), keys, watched: Watched::default() }
    }

    /// Sessions in a store.
    pub(crate) fn stored(store: impl SessionStore) -> Self {
        let watched = Watched::default();
        let store = Arc::new(watched.of(store));
        Self {
            kind: Kind::Stored,
            config: Config::hardened,
            keep: Box::new(move |layer| layer.in_store(Arc::clone(&store))),
            keys: two_keys(),
            watched,
        }
    }

    /// The site of a row, with its setting or without it, and the other one that shares its sessions.
    pub(super) fn sites(&self, row: &Row, set: bool) -> [Site; 2] {
        let given = (row.given)((self.config)().cookie_name("sid"));
        let here = match set {
            true => (row.around)(self.layer((row.change)(given), 0)),
            false => self.layer(given, 0),
        };
        let profile = if row.other_is_signed { Config::hardened } else { self.config };
        let other = self.layer((row.other)(profile().cookie_name("sid")), 1);
        let (clock, handler) = (Clock::fixed(NOW), Handler::default());
        [here, other].map(|layer| Site {
            service: layer.with_clock(clock.clone()).layer(handler.clone()),
            handler: handler.clone(),
            clock: clock.clone(),
            watched: self.watched.clone(),
        })
    }

    fn layer(&self, config: Config, key: usize) -> SessionLayer {
        let [new, old] = [&self.keys[key], &self.keys[1 - key]].map(SecretKey::clone);
        let ring = KeyRing::new(new).with_fallback(old);
        (self.keep)(SessionLayer::new(ring, config).unwrap())
    }
}

fn two_keys() -> [SecretKey; 2] {
    [0, 1].map(|_| SecretKey::random().unwrap())
}
