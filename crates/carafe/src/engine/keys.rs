//! The keys of running layers, which can be replaced.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::{ArcSwap, Guard};

use crate::codec::Codecs;
use crate::id::SessionId;
use crate::{Config, Error, KeyRing, SecretKey, event};

/// The secret keys of running layers, which can be replaced without a restart.
///
/// Clones are handles of the same keys. Pass one to each layer and keep one, or ask a layer for
/// [its keys](crate::SessionLayer::keys).
///
/// ```no_run
/// use std::time::Duration;
/// use carafe::{KeyRing, SessionLayer, SharedKeys};
///
/// # async fn example() -> Result<(), carafe::Error> {
/// let keys = SharedKeys::new(KeyRing::from_file("/run/secrets/session-keys")?);
/// let layer = SessionLayer::signed(keys.clone())?;
///
/// // A new key goes first into the file, and the old one below it.
/// tokio::spawn(async move {
///     loop {
///         tokio::time::sleep(Duration::from_secs(60)).await;
///         let replaced = KeyRing::from_file("/run/secrets/session-keys")
///             .map_err(carafe::Error::from)
///             .and_then(|ring| keys.replace(ring));
///         if let Err(error) = replaced {
///             tracing::error!(%error, "the old keys stay");
///         }
///     }
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SharedKeys {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    ring: KeyRing,
    /// The layers that use the keys. Dropped layers are removed from time to time.
    layers: Vec<Weak<LayerKeys>>,
    /// Whether the warning of weak keys has been logged, so that a layer that is built in several
    /// steps logs it once.
    warned: bool,
}

impl SharedKeys {
    /// Creates keys that several layers can share.
    ///
    /// ```
    /// use carafe::{SecretKey, SessionLayer, SharedKeys};
    ///
    /// let keys = SharedKeys::new(SecretKey::random()?);
    /// let shop = SessionLayer::signed(keys.clone())?;
    /// let admin = SessionLayer::signed(keys)?
    ///     .configure(|config| config.cookie_name("__Host-admin"))?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn new(ring: impl Into<KeyRing>) -> Self {
        let shared = Shared { ring: ring.into(), layers: Vec::new(), warned: false };
        Self { shared: Arc::new(Mutex::new(shared)) }
    }

    /// Replaces the keys of all layers that share them, from the next reading or writing of a
    /// session on. Users stay logged in as long as the old key is a fallback of the new ring.
    ///
    /// Call this from the code that watches a file, listens to a signal or asks a secret manager.
    /// It derives keys, and never blocks.
    ///
    /// ```
    /// use carafe::{KeyRing, SecretKey, SharedKeys};
    ///
    /// let old = SecretKey::random()?;
    /// let keys = SharedKeys::new(old.clone());
    /// keys.replace(KeyRing::new(SecretKey::random()?).with_fallback(old))?;
    /// assert_eq!(keys.ring().iter().count(), 2);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`](crate::ErrorKind::WeakKey) if one of the layers refuses a key. All
    /// layers then keep their present keys.
    pub fn replace(&self, ring: impl Into<KeyRing>) -> Result<(), Error> {
        let ring = ring.into();
        let mut shared = self.lock();
        shared.layers.retain(|layer| layer.strong_count() > 0);
        let layers: Vec<_> = shared.layers.iter().filter_map(Weak::upgrade).collect();
        if layers.iter().any(|layer| layer.config.refuses_weak_keys()) {
            ring.refuse_weak()?;
        }
        let derive = |layer: Arc<LayerKeys>| {
            let codecs = Arc::new(Codecs::new(&ring, &layer.config.codec())?);
            Ok((layer, codecs))
        };
        let derived = layers.into_iter().map(derive).collect::<Result<Vec<_>, Error>>()?;
        for (layer, codecs) in derived {
            layer.codecs.store(codecs);
        }
        shared.ring = ring;
        shared.warned = !shared.layers.is_empty();
        if shared.warned {
            event::keys(&shared.ring);
        }
        Ok(())
    }

    /// Returns a copy of the present keys.
    ///
    /// ```
    /// use carafe::{SecretKey, SharedKeys};
    ///
    /// let keys = SharedKeys::new(SecretKey::new("a key, long and random")?);
    /// assert_eq!(keys.ring().iter().count(), 1);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn ring(&self) -> KeyRing {
        self.lock().ring.clone()
    }

    /// Returns whether the two rings have a key in common, as the same key or as a copy.
    fn shares_key_with(&self, ring: &KeyRing) -> bool {
        let shared = self.lock();
        shared.ring.iter().any(|own| ring.iter().any(|other| own.expose() == other.expose()))
    }

    /// Locks the keys. They are consistent after a panic, since everything is derived before
    /// anything is changed.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<KeyRing> for SharedKeys {
    fn from(ring: KeyRing) -> Self {
        Self::new(ring)
    }
}

impl From<SecretKey> for SharedKeys {
    fn from(key: SecretKey) -> Self {
        Self::new(key)
    }
}

impl fmt::Debug for SharedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedKeys").field(&self.lock().ring).finish()
    }
}

thread_local! {
    /// The layers built on this thread, to find copies of one key: an application builds its layers
    /// on one thread, and parallel tests run on different threads.
    static BUILT_HERE: RefCell<Vec<Weak<LayerKeys>>> = const { RefCell::new(Vec::new()) };
}

fn built_here() -> Vec<Arc<LayerKeys>> {
    BUILT_HERE.with_borrow(|layers| layers.iter().filter_map(Weak::upgrade).collect())
}

/// The keys that one layer derives from the shared keys.
pub(super) struct LayerKeys {
    pub(super) keys: SharedKeys,
    pub(super) config: Config,
    codecs: ArcSwap<Codecs>,
    /// Whether the warning of the cookie's missing attributes has been logged.
    warned: AtomicBool,
}

impl LayerKeys {
    /// Derives the keys of a layer's formats, which may replace those that another layer has
    /// derived.
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if another layer with the same keys would
    /// accept this layer's sessions under another name, and
    /// [`ErrorKind::WeakKey`](crate::ErrorKind::WeakKey) if a key isn't allowed.
    pub(super) fn new(
        keys: &SharedKeys,
        config: Config,
        replaced: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, Error> {
        let is_other = |layer: &Arc<Self>| !replaced.is_some_and(|old| Arc::ptr_eq(old, layer));
        let ring = keys.ring();
        for other in built_here().into_iter().filter(is_other) {
            if other.keys.shares_key_with(&ring) {
                config.refuse_same_signature(&other.config)?;
            }
        }
        let mut shared = keys.lock();
        let others = shared.layers.iter().filter_map(Weak::upgrade);
        for other in others.filter(is_other) {
            config.refuse_same_signature(&other.config)?;
        }
        if config.refuses_weak_keys() {
            shared.ring.refuse_weak()?;
        }
        let codecs = Codecs::new(&shared.ring, &config.codec())?;
        Ok(Self::register(keys.clone(), &mut shared, config, codecs))
    }

    /// Derives the keys for [`Config::flask`], whose settings are valid and which refuses no key.
    pub(super) fn flask(keys: &SharedKeys) -> Arc<Self> {
        let config = Config::flask();
        let mut shared = keys.lock();
        let codecs = Codecs::flask(&shared.ring);
        Self::register(keys.clone(), &mut shared, config, codecs)
    }

    /// Adds the layer to those whose keys are replaced.
    fn register(
        keys: SharedKeys,
        shared: &mut Shared,
        config: Config,
        codecs: Codecs,
    ) -> Arc<Self> {
        if !std::mem::replace(&mut shared.warned, true) {
            event::keys(&shared.ring);
        }
        let codecs = ArcSwap::from_pointee(codecs);
        let layer = Arc::new(Self { keys, config, codecs, warned: AtomicBool::new(false) });
        shared.layers.push(Arc::downgrade(&layer));
        BUILT_HERE.with_borrow_mut(|layers| {
            layers.retain(|layer| layer.strong_count() > 0);
            layers.push(Arc::downgrade(&layer));
        });
        layer
    }

    /// Logs once which attributes the cookie of a layer in use lacks.
    pub(super) fn warn_of_cookie(&self) {
        let lacking = self.config.attributes().lacking();
        if let Some(lacking) = lacking
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            event::lax_cookie(&self.config.cookie_name, lacking);
        }
    }

    /// Returns the id in the cookie of a session in a store, if this service signed it, and whether
    /// a new cookie would have another signature; `None` if the signed text is no id.
    pub(super) fn unsign_id(&self, cookie: &[u8]) -> Result<Option<(SessionId, bool)>, Error> {
        let codecs = self.codecs();
        let (text, is_outdated) = codecs.unsign_id(cookie)?;
        Ok(SessionId::from_text(text).map(|id| (id, is_outdated)))
    }

    /// Returns the formats with the present keys.
    pub(super) fn codecs(&self) -> Guard<Arc<Codecs>> {
        self.codecs.load()
    }
}
