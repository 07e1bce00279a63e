//! The settings in the environment.

use std::ffi::OsString;

use carafe::inspect::SetCookieLine;
use carafe::signing::KeyStrength;
use carafe::{Config, ErrorKind, KeyRing, SecretKey};

use super::{Finding, Severity, cookie};
use crate::args::Profile;
use crate::keys::{finding, is_json_but_no_text};
use crate::time::span;

/// The lifetime, in seconds, from which a session is long-lived: Flask's default.
const LONG: u64 = 31 * 86_400;

/// Variables of this project that aren't settings of a layer.
const OTHERS: [&str; 1] = ["CARAFE_ALLOW_WEAK_KEY"];

/// The settings that a service would read here.
#[derive(Debug)]
pub(super) struct Environment {
    variables: Vec<(OsString, OsString)>,
    /// The settings, without those that aren't allowed.
    config: Config,
    /// The findings about single variables.
    refused: Vec<Finding>,
    /// The secret keys, if there are any.
    pub(super) keys: Option<KeyRing>,
}

impl Environment {
    pub(super) fn read(profile: Profile) -> Self {
        let variables: Vec<_> = std::env::vars_os().collect();
        let mut config = match profile {
            Profile::Flask => Config::flask(),
            Profile::Signed => Config::hardened(),
            Profile::Sealed => Config::sealed(),
        };
        let mut refused = Vec::new();
        for (name, value) in &variables {
            match config.clone().with_variables([(name, value)]) {
                Ok(with) => config = with,
                Err(error) => refused.push(Finding::new(
                    Severity::Contradictory,
                    "setting-refused",
                    error.to_string(),
                    "correct it or unset it: the service doesn't start like this",
                )),
            }
        }
        Self { keys: KeyRing::from_env().ok(), variables, config, refused }
    }

    /// Returns the cookie that results from these settings, if they fit together.
    pub(super) fn cookie(&self) -> Result<SetCookieLine, carafe::Error> {
        self.config.set_cookie_line()
    }

    /// Whether a variable is set.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&OsString> {
        self.variables.iter().find(|(of, _)| of == name).map(|(_, value)| value)
    }
}

pub(super) fn check(environment: &Environment) -> Vec<Finding> {
    let mut findings = environment.refused.clone();
    match environment.cookie() {
        Ok(set) => findings.extend(cookie::check(&set)),
        Err(error) => findings.push(Finding::new(
            Severity::Contradictory,
            "settings-contradict",
            error.to_string(),
            "change one of the two: the service doesn't start like this",
        )),
    }
    let lifetime = environment.config.session_lifetime().as_secs();
    if lifetime >= LONG {
        let what = format!(
            "a session is accepted for {} after its last signature, a stolen one too",
            span(lifetime)
        );
        let remedy = "set FLASK_PERMANENT_SESSION_LIFETIME to fewer seconds, such as 86400";
        findings.push(Finding::new(Severity::Advice, "long-lifetime", what, remedy));
    }
    keys(environment, &mut findings);
    names(environment, &mut findings);
    findings
}

fn keys(environment: &Environment, findings: &mut Vec<Finding>) {
    let mut find = |severity, id, what: String, remedy: &str| {
        findings.push(Finding::new(severity, id, what, remedy));
    };
    if let (Some(own), Some(flasks)) =
        (environment.get("SECRET_KEY"), environment.get("FLASK_SECRET_KEY"))
        && own != flasks
    {
        find(
            Severity::Contradictory,
            "two-keys",
            "SECRET_KEY and FLASK_SECRET_KEY differ: Carafe takes the first where both are set, \
             and Flask's from_prefixed_env the second"
                .to_owned(),
            "set one of them, or both to the same",
        );
    }
    if is_json_but_no_text("FLASK_SECRET_KEY") {
        find(
            Severity::Contradictory,
            "key-is-json",
            "FLASK_SECRET_KEY parses as JSON that is no text, with which Flask fails".to_owned(),
            "put it in double quotes, or make another key with `carafe keygen`",
        );
    }
    if environment.get("CARAFE_ALLOW_WEAK_KEY").is_some_and(|value| value == "1") {
        find(
            Severity::Unsafe,
            "weak-keys-allowed",
            "CARAFE_ALLOW_WEAK_KEY=1 lets every key pass".to_owned(),
            "unset it where real users log in",
        );
    }
    match KeyRing::from_env() {
        Err(error) if error.kind() == ErrorKind::MissingSecretKey => find(
            Severity::Unsafe,
            "no-key",
            "no secret key is set: without one nothing can be signed, and a random one ends all \
             sessions with every restart"
                .to_owned(),
            "set SECRET_KEY to the output of `carafe keygen`; if the service has its key elsewhere, \
             try `carafe check-key --secret-key-file FILE`",
        ),
        Err(error) => find(
            Severity::Contradictory,
            "keys-refused",
            error.to_string(),
            "correct it: the service doesn't start like this",
        ),
        Ok(ring) => {
            for (place, key) in ring.iter().enumerate() {
                let name = match place {
                    0 => "the secret key".to_owned(),
                    place => format!("fallback {place} of the secret key"),
                };
                weak_key(&name, key, &mut find);
            }
        }
    }
}

fn weak_key(
    name: &str,
    key: &SecretKey,
    find: &mut impl FnMut(Severity, &'static str, String, &str),
) {
    let strength = key.strength();
    let Some(what) = finding(strength) else { return };
    let severity = match strength {
        KeyStrength::Short => Severity::Advice,
        _ => Severity::Unsafe,
    };
    find(
        severity,
        "weak-key",
        format!("{name} {what}"),
        "set SECRET_KEY to the output of `carafe keygen`; to keep the sessions, put the old key \
         into FLASK_SECRET_KEY_FALLBACKS, unless it is published",
    );
}

/// Variables that look like settings and aren't read.
fn names(environment: &Environment, findings: &mut Vec<Finding>) {
    let known: Vec<&str> = Config::VARIABLES.into_iter().chain(OTHERS).collect();
    for name in environment.variables.iter().filter_map(|(name, _)| name.to_str()) {
        if known.contains(&name) {
            continue;
        }
        let prefixed = format!("FLASK_{name}");
        let meant = if name.starts_with("SESSION_") || name.starts_with("PERMANENT_") {
            known.iter().find(|known| **known == prefixed)
        } else if name.starts_with("FLASK_") || name.starts_with("CARAFE_") {
            known.iter().find(|known| distance(known, name) <= 2)
        } else {
            continue;
        };
        let remedy = match meant {
            Some(meant) => format!("rename it to {meant}, if that is meant"),
            None if name.starts_with("CARAFE_") => {
                format!("unset it; there are {}", with_prefix(&known, "CARAFE_"))
            }
            None => continue,
        };
        let what = format!("the variable {name} is not read by anything");
        findings.push(Finding::new(Severity::Contradictory, "unknown-variable", what, remedy));
    }
}

fn with_prefix(names: &[&str], prefix: &str) -> String {
    let names: Vec<&str> = names.iter().copied().filter(|name| name.starts_with(prefix)).collect();
    names.join(", ")
}

/// Returns the number of letters that have to be inserted, removed or changed.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        for (a, b, expected) in [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 2), ("a", "", 1)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
        assert_eq!(distance("FLASK_SESSION_COOKIE_SECURE", "FLASK_SESSION_COKIE_SECURE"), 1);
    }
}
