//! Passwords, hashed with Argon2id.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::failure::Failure;

/// Hashing takes 19 MiB and a core, each time: more at once would only wait for each other.
const AT_ONCE: usize = 2;

const SHORTEST: usize = 10;
const LONGEST: usize = 200;

#[derive(Clone)]
pub(crate) struct Passwords {
    at_once: Arc<Semaphore>,
    /// The hash of a random password, for names without an account.
    of_nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, Failure> {
        let password = carafe::id::SessionId::random()?.to_text();
        let of_nobody = hash(&password)?.into();
        Ok(Self { at_once: Arc::new(Semaphore::new(AT_ONCE)), of_nobody })
    }

    /// The text by which a password can be verified.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Failure> {
        self.compute(move || hash(&password)).await
    }

    /// Whether a password is that of a hash. Without one it isn't, which takes as long to find out.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Failure> {
        let is_somebody = hash.is_some();
        let hash = hash.map_or_else(|| Arc::clone(&self.of_nobody), Into::into);
        let is_right = self.compute(move || verify(&password, &hash)).await?;
        Ok(is_right && is_somebody)
    }

    async fn compute<R: Send + 'static>(
        &self,
        f: impl FnOnce() -> Result<R, HashError> + Send + 'static,
    ) -> Result<R, Failure> {
        let permit = Arc::clone(&self.at_once).acquire_owned().await?;
        let computed = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            f()
        });
        Ok(computed.await??)
    }
}

/// Tells a password's hash from that of the password before: its salt, which is random and no secret.
pub(crate) fn stamp(hash: &str) -> String {
    hash.split('$').nth(4).unwrap_or_default().to_owned()
}

/// Returns the fault of a new password: few rules apply, as NIST SP 800-63B recommends.
pub(crate) fn objection(name: &str, password: &str) -> Option<&'static str> {
    if password.chars().count() < SHORTEST {
        Some("A password needs at least 10 characters.")
    } else if password.chars().count() > LONGEST {
        Some("A password has at most 200 characters.")
    } else if password.to_lowercase().contains(name) {
        Some("A password must not contain the name.")
    } else {
        None
    }
}

fn hash(password: &str) -> Result<String, HashError> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

fn verify(password: &str, hash: &str) -> Result<bool, HashError> {
    match Argon2::default().verify_password(password.as_bytes(), &PasswordHash::new(hash)?) {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_its_own() -> Result<(), Failure> {
        let passwords = Passwords::new()?;
        let hash = passwords.hash("correct horse".to_owned()).await?;
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse".to_owned()).await?, "there is no salt");
        for (password, hash, is_right) in [
            ("correct horse", Some(hash.clone()), true),
            ("correct horsf", Some(hash.clone()), false),
            ("", Some(hash), false),
            ("correct horse", None, false),
        ] {
            assert_eq!(passwords.verify(password.to_owned(), hash).await?, is_right, "{password}");
        }
        assert!(passwords.verify("a".to_owned(), Some("no hash".to_owned())).await.is_err());
        Ok(())
    }

    #[test]
    fn a_password_is_long_and_not_the_name() {
        for (password, good) in [
            ("aaaaaaaaa", false),
            ("aaaaaaaaaé", true),
            ("correct horse", true),
            ("I am ADA, hello", false),
        ] {
            assert_eq!(objection("ada", password).is_none(), good, "{password}");
        }
        assert!(objection("ada", &"é".repeat(200)).is_none());
        assert!(objection("ada", &"é".repeat(201)).is_some());
    }
}
