//! The secret keys of one run, and the messages about them.

use std::io::IsTerminal as _;

use carafe::signing::KeyStrength;
use carafe::value::Value;
use carafe::{KeyRing, SecretKey};

use crate::args::KeyArgs;
use crate::failure::Failure;
use crate::output::Output;

/// A ring, and the origin of each of its keys.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) ring: KeyRing,
    names: Vec<String>,
}

impl Keys {
    /// Takes the keys from the arguments, the environment or the terminal, and warns of weak ones.
    pub(crate) fn load(args: &KeyArgs, output: &mut Output) -> Result<Self, Failure> {
        let keys = Self::load_quietly(args, output)?;
        let allowed = args.allow_weak_key
            || std::env::var_os("CARAFE_ALLOW_WEAK_KEY").is_some_and(|value| value == "1");
        if !allowed {
            for (name, key) in keys.iter() {
                if let Some(finding) = finding(key.strength()) {
                    output.warning(&format!(
                        "{name} {finding}: make another with `carafe keygen` (--allow-weak-key \
                         silences this)"
                    ));
                }
            }
        }
        Ok(keys)
    }

    /// Loads the keys like [`load`](Self::load), without warnings about their strength.
    pub(crate) fn load_quietly(args: &KeyArgs, output: &mut Output) -> Result<Self, Failure> {
        let mut keys = Vec::new();
        for path in &args.secret_key_file {
            let key = SecretKey::from_file(path).map_err(Failure::usage)?;
            keys.push((format!("the key in {}", path.display()), key));
        }
        if !args.secret_key.is_empty() {
            output.warning(
                "other users of this machine, and your shell's history, can see --secret-key: use \
                 --secret-key-file or the environment for a key that matters",
            );
        }
        for (at, text) in args.secret_key.iter().enumerate() {
            let key = SecretKey::new(text.as_encoded_bytes()).map_err(Failure::usage)?;
            let name = match args.secret_key.len() {
                1 => "the key of --secret-key".to_owned(),
                _ => format!("the key of --secret-key number {}", at + 1),
            };
            keys.push((name, key));
        }
        match Self::collect(keys) {
            Some(keys) => Ok(keys),
            None => Self::from_env(output).unwrap_or_else(|| Self::from_terminal(output)),
        }
    }

    /// Returns the keys of the environment, if one is set there.
    fn from_env(output: &mut Output) -> Option<Result<Self, Failure>> {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let current = ["SECRET_KEY", "FLASK_SECRET_KEY"].into_iter().find(|name| is_set(name))?;
        if current == "FLASK_SECRET_KEY" && is_json_but_no_text(current) {
            output.warning(
                "FLASK_SECRET_KEY parses as JSON that is no text, with which Flask fails; its \
                 characters are taken as the key: put it in double quotes",
            );
        }
        Some(KeyRing::from_env().map_err(Failure::usage).map(|ring| {
            let fallbacks = ring.len() - 1;
            let fallback =
                |at| format!("the key in FLASK_SECRET_KEY_FALLBACKS[{}]", fallbacks - 1 - at);
            let names = std::iter::once(format!("the key in {current}"))
                .chain((0..fallbacks).map(fallback));
            Self { names: names.collect(), ring }
        }))
    }

    fn from_terminal(output: &mut Output) -> Result<Self, Failure> {
        let missing = || {
            Failure::Usage(
                "no secret key is given: use --secret-key-file FILE, or set SECRET_KEY in the \
                 environment"
                    .to_owned(),
            )
        };
        if !std::io::stderr().is_terminal() && !std::io::stdin().is_terminal() {
            return Err(missing());
        }
        output.flush()?;
        let key = rpassword::prompt_password("Secret key (not shown): ").map_err(|_| missing())?;
        let key = SecretKey::new(key).map_err(|_| missing())?;
        Ok(Self { ring: key.into(), names: vec!["the key that was typed".to_owned()] })
    }

    fn collect(keys: Vec<(String, SecretKey)>) -> Option<Self> {
        let (names, keys): (_, Vec<_>) = keys.into_iter().unzip();
        let mut keys = keys.into_iter();
        let ring = keys.next().map(KeyRing::new)?;
        Some(Self { ring: keys.fold(ring, KeyRing::with_fallback), names })
    }

    /// Returns the origin of a key, in words.
    pub(crate) fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("the secret key", String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &SecretKey)> {
        self.names.iter().map(String::as_str).zip(self.ring.iter())
    }
}

/// Whether Flask's `from_prefixed_env` would read another type than text.
pub(crate) fn is_json_but_no_text(variable: &str) -> bool {
    let Some(text) = std::env::var_os(variable) else { return false };
    let value = Value::from_tagged_json(text.as_encoded_bytes());
    value.is_ok_and(|value| value.as_str().is_none())
}

/// Returns the weakness of a key of this strength.
pub(crate) fn finding(strength: KeyStrength) -> Option<&'static str> {
    match strength {
        KeyStrength::Published => Some(
            "is published in documentation or tutorials, so that every reader of them can make \
             sessions",
        ),
        KeyStrength::Placeholder => Some(
            "is a placeholder, which nothing has replaced, or asks to be changed, so that an attacker can \
             make sessions",
        ),
        KeyStrength::Guessable => Some(
            "consists of words, repetitions or sequences that can be guessed, so that an attacker can make \
             sessions",
        ),
        KeyStrength::Short => Some("has fewer than 16 bytes, which can perhaps be guessed"),
        _ => None,
    }
}
