//! Notices: a store's messages about sessions that may have ended.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::id::SessionIdHash;

/// The greatest number of unread notices. Further ones are replaced by one [`Notice::Begun`].
const WAITING: usize = 1024;

/// The SHA-256 hash of a user's name, which keeps names out of notices.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserHash([u8; 32]);

impl UserHash {
    /// Returns the hash of a user's name.
    ///
    /// ```
    /// use carafe::store::UserHash;
    ///
    /// assert_eq!(UserHash::of("ada"), UserHash::of("ada"));
    /// assert_ne!(UserHash::of("ada"), UserHash::of("bob"));
    /// ```
    #[must_use]
    pub fn of(user: &str) -> Self {
        Self(Sha256::digest(user).into())
    }

    /// Returns the hash with these bytes, as a store passed them on.
    ///
    /// ```
    /// use carafe::store::UserHash;
    ///
    /// let hash = UserHash::of("ada");
    /// assert_eq!(UserHash::from_bytes(*hash.as_bytes()), hash);
    /// ```
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the hash.
    ///
    /// ```
    /// use carafe::store::UserHash;
    ///
    /// assert_eq!(UserHash::from_bytes([7; 32]).as_bytes(), &[7; 32]);
    /// ```
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for UserHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserHash(…)")
    }
}

/// A store's message about a session that may have ended. It is a hint to look: a superfluous
/// notice does no harm, and the periodic check
/// ([`Config::watch_interval`](crate::Config::watch_interval)) makes up for a lost one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The record of this id was deleted or became a pointer record, or the session in a cookie
    /// with this id was revoked.
    Session(SessionIdHash),
    /// Logins of this user were revoked.
    User(UserHash),
    /// Notices arrive from now on. Earlier ones may have been lost.
    Begun,
    /// No notices arrive until the next [`Begun`](Self::Begun).
    Interrupted,
}

/// The queue of a store's notices, returned by [`SessionStore::watch`](super::SessionStore::watch).
#[derive(Debug)]
pub struct Notices {
    waiting: mpsc::Receiver<Notice>,
    lost: Arc<AtomicBool>,
}

/// The sending end of a queue of notices.
#[derive(Clone, Debug)]
pub struct NoticeSender {
    waiting: mpsc::Sender<Notice>,
    lost: Arc<AtomicBool>,
}

impl Notices {
    /// Returns a queue of notices with its sending end.
    ///
    /// ```
    /// use carafe::store::{Notice, Notices};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let (sender, mut notices) = Notices::channel();
    /// assert!(sender.send(Notice::Begun));
    /// assert_eq!(notices.next().await, Some(Notice::Begun));
    /// drop(notices);
    /// assert!(!sender.send(Notice::Begun));
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn channel() -> (NoticeSender, Self) {
        let (sender, waiting) = mpsc::channel(WAITING);
        let lost = Arc::<AtomicBool>::default();
        (NoticeSender { waiting: sender, lost: Arc::clone(&lost) }, Self { waiting, lost })
    }

    /// Waits for the next notice; `None` once every sender is dropped.
    pub async fn next(&mut self) -> Option<Notice> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Notice>> {
        match self.lost.swap(false, Ordering::Relaxed) {
            true => Poll::Ready(Some(Notice::Begun)),
            false => self.waiting.poll_recv(context),
        }
    }
}

impl NoticeSender {
    /// Puts a notice into the queue, without waiting. Returns `false` if the queue has lost its
    /// reader.
    ///
    /// If the queue is full the notice is dropped, and the reader learns that some were lost.
    pub fn send(&self, notice: Notice) -> bool {
        match self.waiting.try_send(notice) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.lost.store(true, Ordering::Relaxed);
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    /// Waits until the queue has lost its reader: the store then need not listen any longer.
    ///
    /// ```
    /// use carafe::store::Notices;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let (sender, notices) = Notices::channel();
    /// drop(notices);
    /// sender.closed().await;
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn closed(&self) {
        self.waiting.closed().await;
    }
}

/// The readers of notices within one process, for stores that make their notices themselves.
///
/// ```
/// use carafe::store::{Notice, NoticeBoard, UserHash};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let board = NoticeBoard::default();
/// let mut notices = board.watch();
/// assert_eq!(notices.next().await, Some(Notice::Begun));
/// board.tell(Notice::User(UserHash::of("ada")));
/// assert_eq!(notices.next().await, Some(Notice::User(UserHash::of("ada"))));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct NoticeBoard {
    readers: Mutex<Vec<NoticeSender>>,
    /// Whether there may be a reader, so that a notice without readers costs no lock.
    is_read: AtomicBool,
}

impl NoticeBoard {
    /// Returns a new queue, which receives a [`Notice::Begun`] and then all notices from now on.
    #[must_use]
    pub fn watch(&self) -> Notices {
        let (sender, notices) = Notices::channel();
        sender.send(Notice::Begun);
        let mut readers = self.readers();
        readers.push(sender);
        self.is_read.store(true, Ordering::SeqCst);
        notices
    }

    /// Puts a notice into the queue of every reader.
    pub fn tell(&self, notice: Notice) {
        if self.is_read.load(Ordering::SeqCst) {
            let mut readers = self.readers();
            readers.retain(|reader| reader.send(notice));
            self.is_read.store(!readers.is_empty(), Ordering::SeqCst);
        }
    }

    fn readers(&self) -> MutexGuard<'_, Vec<NoticeSender>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_queue_that_overflows_says_that_notices_were_lost() {
        let (sender, mut notices) = Notices::channel();
        let notice = Notice::Session(SessionIdHash::from_bytes([7; 32]));
        assert!((0..=WAITING).all(|_| sender.send(notice)));
        assert_eq!(notices.next().await, Some(Notice::Begun));
        for _ in 0..WAITING {
            assert_eq!(notices.next().await, Some(notice));
        }
        drop(sender);
        assert_eq!(notices.next().await, None);
    }

    #[tokio::test]
    async fn a_board_forgets_readers_that_are_gone() {
        let board = NoticeBoard::default();
        let (first, mut second) = (board.watch(), board.watch());
        drop(first);
        board.tell(Notice::Interrupted);
        assert_eq!(second.next().await, Some(Notice::Begun));
        assert_eq!(second.next().await, Some(Notice::Interrupted));
        assert_eq!(board.readers().len(), 1);
        drop(second);
        board.tell(Notice::Begun);
        assert!(board.readers().is_empty() && !board.is_read.load(Ordering::SeqCst));
    }
}
