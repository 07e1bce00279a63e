//! Credential marks: hashes under the layer's key.

use sha2::{Digest as _, Sha256};

use super::Engine;
use crate::base64;

impl Engine {
    /// Returns the mark of a user's credential under the current key.
    pub(crate) fn credential_mark(&self, user: &str, credential: &[u8]) -> String {
        let mut text = signed_text(user, credential);
        let mark = text.len() + 1;
        self.codecs().ids().append_signature(&mut text, 0);
        text.split_off(mark)
    }

    /// Checks a mark against a user's credential: `None` if it differs, and otherwise whether the
    /// mark was made under an older key.
    pub(crate) fn check_credential(
        &self,
        user: &str,
        credential: &[u8],
        mark: &str,
    ) -> Option<bool> {
        let signed = format!("{}.{mark}", signed_text(user, credential));
        let (_, key) = self.codecs().ids().unsign_with_key(signed.as_bytes()).ok()?;
        Some(key != 0)
    }
}

/// Returns the signed text, which can't be mistaken for a session's id.
fn signed_text(user: &str, credential: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update((user.len() as u64).to_le_bytes())
        .chain_update(user)
        .chain_update(credential);
    let mut text = "credential ".to_owned();
    base64::encode_url(&<[u8; 32]>::from(hash.finalize()), &mut text);
    text
}
