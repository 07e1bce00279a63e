//! The keys of running layers, which can be replaced.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::{ArcSwap, Guard};

use crate::codec::Codecs;
use crate::id::SessionId;
use crate::{Config, Error, KeyRing, SecretKey, event};

/// The secret keys of running layers, to be replaced without a restart.
///
/// Its clones are the same keys. Give one to each layer and keep one; or ask a layer for
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
    /// The layers that use the keys. Those that are gone are dropped from time to time.
    layers: Vec<Weak<LayerKeys>>,
    /// Whether the log has been told of what is weak, so that building a layer in several steps
    /// says it once.
    warned: bool,
}

impl SharedKeys {
    /// Keys that several layers can share.
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

    /// Replaces the keys of every layer that has them, from the next reading or writing of a session
    /// on. Nobody is logged out as long as the old key is a fallback of the new ring.
    ///
    /// Whatever watches a file, listens to a signal or asks a secret manager calls this; it derives
    /// keys and doesn't wait for anything.
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
    /// [`ErrorKind::WeakKey`](crate::ErrorKind::WeakKey) if one of the layers refuses a key. Then
    /// all of them keep the keys that they have.
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

    /// A copy of the keys as they are now.
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

    /// Whether a key of another ring is one of these, or a copy of one.
    fn shares_key_with(&self, ring: &KeyRing) -> bool {
        let shared = self.lock();
        shared.ring.iter().any(|own| ring.iter().any(|other| own.expose() == other.expose()))
    }

    /// What was there before a panic is still whole: nothing is changed before all is derived.
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
    /// The layers that this thread has built, to find copies of one key: an application builds its layers
    /// on one thread, and tests that run beside each other have one each.
    static BUILT_HERE: RefCell<Vec<Weak<LayerKeys>>> = const { RefCell::new(Vec::new()) };
}

fn built_here() -> Vec<Arc<LayerKeys>> {
    BUILT_HERE.with_borrow(|layers| layers.iter().filter_map(Weak::upgrade).collect())
}

/// What one layer makes of the shared keys.
pub(super) struct LayerKeys {
    pub(super) keys: SharedKeys,
    pub(super) config: Config,
    codecs: ArcSwap<Codecs>,
    /// Whether the log has been told of what the cookie lacks.
    warned: AtomicBool,
}

impl LayerKeys {
    /// Derives the keys of a layer's formats, which may take the place of another layer's.
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if another layer with the same keys would
    /// accept this one's sessions under another name, and
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

    /// For [`Config::flask`], whose settings are known to be good and which refuses no key.
    pub(super) fn flask(keys: &SharedKeys) -> Arc<Self> {
        let config = Config::flask();
        let mut shared = keys.lock();
        let codecs = Codecs::flask(&shared.ring);
        Self::register(keys.clone(), &mut shared, config, codecs)
    }

    /// Makes the layer one of those whose keys are replaced.
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

    /// Tells the log once what the cookie of a layer in use lacks.
    pub(super) fn warn_of_cookie(&self) {
        let lacking = self.config.attributes().lacking();
        if let Some(lacking) = lacking
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            event::lax_cookie(&self.config.cookie_name, lacking);
        }
    }

    /// The id in the cookie of a session in a store, if this service signed it, and whether a new
    /// cookie would have another signature; `None` if what was signed is no id.
    pub(super) fn unsign_id(&self, cookie: &[u8]) -> Result<Option<(SessionId, bool)>, Error> {
        let codecs = self.codecs();
        let (text, is_outdated) = codecs.unsign_id(cookie)?;
        Ok(SessionId::from_text(text).map(|id| (id, is_outdated)))
    }

    /// The formats under the keys of this moment.
    pub(super) fn codecs(&self) -> Guard<Arc<Codecs>> {
        self.codecs.load()
    }
}
