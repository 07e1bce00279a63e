//! The reasons why a text can't be a session's cookie.

/// The parts of a signed session.
const PARTS: [&str; 3] = ["payload", "time", "signature"];

/// The lengths of signatures, for each digest.
const SIGNATURES: [usize; 4] = [27, 43, 64, 86];

/// Describes why a text has no form of a session's cookie. Its signature is not looked at.
pub(super) fn what_is_wrong(cookie: &[u8]) -> String {
    if cookie.is_empty() {
        return "it is empty".to_owned();
    }
    if is_percent_encoded(cookie) {
        return "it is percent-encoded (%2E for a dot): decode it first".to_owned();
    }
    // A leading dot says that the payload is compressed.
    let bare = cookie.strip_prefix(b".").unwrap_or(cookie);
    let parts: Vec<&[u8]> = bare.split(|&byte| byte == b'.').collect();
    match parts[..] {
        [_] => "the value has no signature: a session is payload.time.signature, and this has no \
                dot; was all of it copied?"
            .to_owned(),
        [value, signature] if !value.is_empty() && SIGNATURES.contains(&signature.len()) => {
            "it may be a signed value, but it has no time: a session is payload.time.signature; was \
             its beginning or its middle left out?"
                .to_owned()
        }
        [payload, time, signature] => wrong_part([payload, time, signature]),
        _ => format!(
            "a session is payload.time.signature, and this has {} parts between dots; was all of it \
             copied, and nothing else?",
            parts.len()
        ),
    }
}

fn wrong_part(parts: [&[u8]; 3]) -> String {
    match parts.into_iter().zip(PARTS).find(|(part, _)| !is_base64(part)) {
        Some((b"", name)) => format!("its {name} is missing"),
        Some((_, name)) => format!(
            "its {name} has characters that base64 doesn't have; was all of it copied, and nothing \
             else?"
        ),
        None => "its second part is no time; a session is payload.time.signature".to_owned(),
    }
}

fn is_base64(part: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/=".contains(byte);
    !part.is_empty() && part.iter().all(allowed)
}

fn is_percent_encoded(cookie: &[u8]) -> bool {
    let is_encoded = |part: &[u8]| part[0] == b'%' && part[1..].iter().all(u8::is_ascii_hexdigit);
    cookie.windows(3).any(is_encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_said() {
        for (cookie, known) in [
            ("", "it is empty"),
            ("hello", "no signature"),
            ("eyJ1c2VyX2lkIjo0Mn0", "no signature"),
            ("ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs", "it has no time"),
            ("a.b", "2 parts"),
            ("a.b.c.d", "4 parts"),
            ("a b.ZVPxAA.c2ln", "its payload has characters"),
            ("e30..c2ln", "its time is missing"),
            ("e30.ZVPxAA.", "its signature is missing"),
            ("eyJ1%2EZVPxAA%2Ec2ln", "percent-encoded"),
            ("e30.AAAAAAAAAAAAAAAA.c2ln", "no time"),
        ] {
            let said = what_is_wrong(cookie.as_bytes());
            assert!(said.contains(known), "{cookie}: {said}");
            assert!(!said.contains("keys"), "{cookie}: {said}");
        }
    }
}
