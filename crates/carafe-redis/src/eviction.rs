//! Whether the server drops keys when its memory is full.
//!
//! A cookie that was logged out works again if its revocation is dropped, and `logout_everywhere`
//! misses a user's sessions if the user's index is dropped.

use carafe::store::{StoreError, StoreErrorKind};
use redis::Value;

/// The behaviour of a server whose memory is full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The server refuses writes, or has no limit.
    Keeps,
    /// The server drops keys, by the policy of this name.
    Evicts(String),
    /// The server doesn't tell its policy.
    Unknown,
}

impl Policy {
    /// Reads the answer to `INFO memory`.
    pub(crate) fn read(answer: &Value) -> Self {
        let text = match answer {
            Value::BulkString(text) => String::from_utf8_lossy(text),
            Value::VerbatimString { text, .. } => text.as_str().into(),
            _ => return Self::Unknown,
        };
        let field = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned())
        };
        match (field("maxmemory").as_deref(), field("maxmemory_policy")) {
            (Some("0"), _) => Self::Keeps,
            (_, Some(policy)) if policy == "noeviction" => Self::Keeps,
            (_, Some(policy)) => Self::Evicts(policy),
            (_, None) => Self::Unknown,
        }
    }

    /// Refuses a server that evicts keys, unless that is allowed. An allowed or unknown policy is
    /// logged.
    pub(crate) fn accept(&self, allowed: bool) -> Result<(), StoreError> {
        match self {
            Self::Evicts(policy) if !allowed => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!(
                    "Redis drops keys when its memory is full (maxmemory-policy {policy}), and with \
                     them sessions that are in use and the knowledge of logouts: set \
                     maxmemory-policy noeviction, or, if that may happen, \
                     RedisOptions::allow_eviction"
                ),
            )),
            Self::Evicts(policy) => {
                tracing::warn!(
                    target: "carafe",
                    event = "redis.evicts",
                    policy,
                    "Redis drops keys when its memory is full: sessions that were ended can be back"
                );
                Ok(())
            }
            Self::Unknown => {
                tracing::warn!(
                    target: "carafe",
                    event = "redis.eviction_unknown",
                    "Redis doesn't tell its maxmemory-policy (INFO memory): see that it is noeviction"
                );
                Ok(())
            }
            Self::Keeps => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_counts_where_there_is_a_limit() {
        let read = |text: &str| Policy::read(&Value::BulkString(text.as_bytes().to_vec()));
        let evicts = Policy::Evicts("volatile-lru".to_owned());
        assert_eq!(read("maxmemory:0\r\nmaxmemory_policy:volatile-lru\r\n"), Policy::Keeps);
        assert_eq!(read("maxmemory:9\r\nmaxmemory_policy:noeviction\r\n"), Policy::Keeps);
        assert_eq!(read("maxmemory:9\r\nmaxmemory_policy:volatile-lru\r\n"), evicts);
        assert_eq!(read("maxmemory_policy:volatile-lru\r\n"), evicts);
        assert_eq!(read("used_memory:9\r\n"), Policy::Unknown);
        assert_eq!(Policy::read(&Value::Nil), Policy::Unknown);
        assert!(evicts.accept(false).is_err() && evicts.accept(true).is_ok());
        assert!(Policy::Keeps.accept(false).is_ok() && Policy::Unknown.accept(false).is_ok());
    }
}
