use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{Error, base64, id};

/// The secret of one visitor's tokens: 32 random bytes.
#[derive(Clone)]
pub(super) struct Secret(Zeroizing<[u8; LEN]>);

const LEN: usize = 32;
/// The length of a token: a mask and the masked secret.
const TOKEN_LEN: usize = 2 * LEN;

/// Random bytes that mask a secret on one page, so that compressed pages never repeat its bytes.
pub(super) type Mask = [u8; LEN];

pub(super) fn random_mask() -> Result<Mask, Error> {
    id::random()
}

impl Secret {
    pub(super) fn random() -> Result<Self, Error> {
        id::random().map(Zeroizing::new).map(Self)
    }

    /// Parses the text that [`to_text`](Self::to_text) returns, in its only spelling.
    pub(super) fn from_text(text: &[u8]) -> Option<Self> {
        base64::decode_exact(text).map(Zeroizing::new).map(Self)
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::with_capacity(43);
        base64::encode_url(&self.0[..], &mut text);
        text
    }

    /// Returns the token for a page: 86 characters.
    pub(super) fn token(&self, mask: &Mask) -> String {
        let mut bytes = Zeroizing::new([0; TOKEN_LEN]);
        bytes[..LEN].copy_from_slice(mask);
        for (at, byte) in mask.iter().zip(self.0.iter()).map(|(a, b)| a ^ b).enumerate() {
            bytes[LEN + at] = byte;
        }
        let mut text = String::with_capacity(86);
        base64::encode_url(&bytes[..], &mut text);
        text
    }
}

/// The token of a request: the secret that the sender claims to know.
pub(super) struct Claim(Zeroizing<[u8; LEN]>);

impl Claim {
    /// Unmasks a token; `None` if the text does not have the form of a token.
    pub(super) fn from_token(token: &[u8]) -> Option<Self> {
        let bytes: Zeroizing<[u8; TOKEN_LEN]> = Zeroizing::new(base64::decode_exact(token)?);
        let mut secret = Zeroizing::new([0; LEN]);
        for (at, byte) in secret.iter_mut().enumerate() {
            *byte = bytes[at] ^ bytes[LEN + at];
        }
        Some(Self(secret))
    }

    /// Compares with a secret, in constant time.
    pub(super) fn is(&self, secret: &Secret) -> bool {
        self.0[..].ct_eq(&secret.0[..]).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_its_secret_under_every_mask() {
        let [secret, other] = [Secret::random().unwrap(), Secret::random().unwrap()];
        let tokens: Vec<_> = (0..10).map(|_| secret.token(&random_mask().unwrap())).collect();
        for (n, token) in tokens.iter().enumerate() {
            assert_eq!(token.len(), 86);
            let claim = Claim::from_token(token.as_bytes()).unwrap();
            assert!(claim.is(&secret) && !claim.is(&other));
            assert!(!tokens[..n].contains(token), "two pages have the same token");
            assert!(!token.contains(&secret.to_text()[..42]), "the page shows the secret");
        }
    }

    #[test]
    fn no_change_to_a_token_is_accepted() {
        let secret = Secret::random().unwrap();
        let token = secret.token(&random_mask().unwrap()).into_bytes();
        let refused =
            |token: &[u8]| Claim::from_token(token).is_none_or(|claim| !claim.is(&secret));
        assert!(!refused(&token));
        for bit in 0..token.len() * 8 {
            let mut flipped = token.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(refused(&flipped), "bit {bit}");
        }
        for len in 0..token.len() {
            assert!(refused(&token[..len]) && refused(&token[len + 1..]), "{len}");
        }
        for byte in 0..=u8::MAX {
            assert!(refused(&[&token[..], &[byte]].concat()), "{byte}");
            assert!(refused(&[&[byte], &token[..]].concat()), "{byte}");
        }
        // Neither the secret itself nor random text is accepted as a token.
        assert!(refused(secret.to_text().as_bytes()) && refused(&[b'A'; 86]) && refused(b""));
    }

    #[test]
    fn a_secret_has_one_spelling() {
        let secret = Secret::random().unwrap();
        let text = secret.to_text();
        assert_eq!(text.len(), 43);
        let again = Secret::from_text(text.as_bytes()).unwrap();
        assert_eq!(again.to_text(), text);
        for bad in ["", &text[1..], &format!("{text}="), &format!("{text}A")] {
            assert!(Secret::from_text(bad.as_bytes()).is_none());
        }
    }
}
