use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::{KeyRing, SecretKey};
use crate::{Error, ErrorKind};

/// The largest file of keys in bytes: more than any ring needs, and little enough to read at once.
const MAX_FILE: u64 = 64 * 1024;

impl KeyRing {
    /// Reads keys from text with one key a line, the current one first and the newest fallback
    /// next.
    ///
    /// Space around a key doesn't count; empty lines, and lines that begin with `#`, are left out.
    ///
    /// ```
    /// use carafe::KeyRing;
    ///
    /// let keys = KeyRing::from_lines(concat!(
    ///     "# since May\n",
    ///     "5a2f9e0c71d84b36a7f1c0e95d3b8246\n",
    ///     "# until the end of June\n",
    ///     "e8d10b7c42f94a6590c3b71f2ed6a854\n",
    /// ))?;
    /// assert_eq!(keys.len(), 2);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::MissingSecretKey`] if there is no key in it.
    pub fn from_lines(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::parse_lines(text.as_ref(), "text")
    }

    /// `source` names in an error where the text comes from.
    fn parse_lines(text: &[u8], source: &str) -> Result<Self, Error> {
        let mut keys = text
            .split(|&byte| byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
            .map(SecretKey::new);
        let current = keys.next().ok_or_else(|| {
            Error::new(
                ErrorKind::MissingSecretKey,
                format!(
                    "there is no secret key in the {source}: it must have one a line, the current one \
                     first, such as the output of `openssl rand -hex 32`"
                ),
            )
        })??;
        keys.try_fold(Self::new(current), |ring, key| Ok(ring.with_fallback(key?)))
    }

    /// Reads keys from a file, as [`from_lines`](Self::from_lines) reads them. The file may have up
    /// to 64 KiB, and other users of the machine should not be able to read it.
    ///
    /// `SharedKeys::replace` of the crate `carafe` shows how to take up a changed file
    /// without a restart.
    ///
    /// ```no_run
    /// use carafe::{KeyRing, SessionLayer};
    ///
    /// let layer = SessionLayer::signed(KeyRing::from_file("/run/secrets/session-keys")?)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if the file can't be read or is larger, and
    /// [`ErrorKind::MissingSecretKey`] if there is no key in it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::parse_lines(&read(path, "secret keys")?, &format!("file {}", path.display()))
    }
}

impl SecretKey {
    /// Reads a key from a file that holds nothing else: its bytes as they are, without one newline
    /// at their end if there is one. It may have up to 64 KiB.
    ///
    /// ```no_run
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::signed(SecretKey::from_file("/run/secrets/session-key")?)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if the file can't be read or is larger, and
    /// [`ErrorKind::MissingSecretKey`] if it is empty.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = read(path, "secret key")?;
        let key = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        if key.is_empty() {
            let path = path.display();
            let message =
                format!("the file {path} is empty: it must hold the secret key and nothing else");
            return Err(Error::new(ErrorKind::MissingSecretKey, message));
        }
        Self::new(key)
    }
}

fn read(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut text = Zeroizing::new(Vec::with_capacity(1024));
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text))
        .map_err(|error| {
            let path = path.display();
            let message = format!("the file {path} with the {what} can't be read: {error}");
            Error::new(ErrorKind::Setting, message).with_source(error)
        })?;
    if text.len() as u64 > MAX_FILE {
        let path = path.display();
        let message = format!("the file {path} has more than {MAX_FILE} bytes: it holds no keys");
        return Err(Error::new(ErrorKind::Setting, message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &[u8]) -> Vec<Vec<u8>> {
        let ring = KeyRing::from_lines(text).unwrap();
        ring.iter().map(|key| key.expose().to_vec()).collect()
    }

    #[test]
    fn a_key_a_line() {
        assert_eq!(keys(b"one"), [b"one"]);
        assert_eq!(keys(b"one\n"), [b"one"]);
        assert_eq!(
            keys(b"\r\n# old # ones\r\n one two \r\n\n\xff#\n"),
            [&b"one two"[..], b"\xff#"]
        );
    }

    #[test]
    fn a_text_without_keys_is_refused() {
        for text in ["", "\n \n", "# a comment"] {
            let error = KeyRing::from_lines(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingSecretKey);
        }
    }

    #[test]
    fn a_file_that_is_missing_or_too_large_is_refused() {
        let folder = std::env::temp_dir().join(format!("carafe-keys-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("keys");
        let missing = KeyRing::from_file(&file).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Setting);
        assert!(missing.to_string().contains("keys with the secret keys can't be read"));
        std::fs::write(&file, "first\nsecond\n").unwrap();
        assert_eq!(KeyRing::from_file(&file).unwrap().len(), 2);
        std::fs::write(&file, vec![b'x'; 64 * 1024]).unwrap();
        assert_eq!(SecretKey::from_file(&file).unwrap().expose().len(), 64 * 1024);
        std::fs::write(&file, vec![b'x'; 64 * 1024 + 1]).unwrap();
        assert_eq!(KeyRing::from_file(&file).unwrap_err().kind(), ErrorKind::Setting);
        assert_eq!(SecretKey::from_file(&file).unwrap_err().kind(), ErrorKind::Setting);
        for (bytes, key) in [(&b"k"[..], &b"k"[..]), (b"k\n", b"k"), (b"\0\n\n", b"\0\n")] {
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(SecretKey::from_file(&file).unwrap().expose(), key);
        }
        for empty in ["", "\n"] {
            std::fs::write(&file, empty).unwrap();
            let error = KeyRing::from_file(&file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingSecretKey);
            assert!(error.to_string().contains(&format!("in the file {}", file.display())));
            let error = SecretKey::from_file(&file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingSecretKey);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
