use std::ffi::OsString;
use std::str::FromStr;

use carafe::signing::{Digest, KeyDerivation, SigningOptions};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

/// A number of seconds, as an argument.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "it must be a number of seconds, such as 1700000000".to_owned())
}

/// The age up to which a signature is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaxAge(pub(crate) Option<u64>);

impl FromStr for MaxAge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            text => match text.parse() {
                Ok(seconds) => Ok(Self(Some(seconds))),
                Err(_) => Err("it must be a number of seconds, such as 3600, or none".to_owned()),
            },
        }
    }
}

/// The settings of a signature, with Flask's defaults.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signature (Flask's own unless set)")]
pub(crate) struct SigningArgs {
    /// The salt [default: cookie-session]
    #[arg(long, value_name = "TEXT")]
    pub(crate) salt: Option<OsString>,

    /// The digest
    #[arg(long, value_name = "NAME", default_value = "sha1",
          value_parser = PossibleValuesParser::new(Digest::ALL.map(Digest::name))
              .try_map(|name| name.parse::<Digest>()))]
    pub(crate) digest: Digest,

    /// How the signature's key comes from the secret key and the salt
    #[arg(long, value_name = "NAME", default_value = "hmac",
          value_parser = PossibleValuesParser::new(KeyDerivation::ALL.map(KeyDerivation::name))
              .try_map(|name| name.parse::<KeyDerivation>()))]
    pub(crate) key_derivation: KeyDerivation,
}

impl SigningArgs {
    pub(crate) fn options(&self) -> SigningOptions {
        let options =
            SigningOptions::default().digest(self.digest).key_derivation(self.key_derivation);
        match &self.salt {
            Some(salt) => options.salt(salt.as_encoded_bytes()),
            None => options,
        }
    }
}

/// The formats that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FormatArg {
    Flask(FlaskSettings),
    /// A sealed session, bound to a cookie's name.
    Sealed {
        cookie_name: Option<String>,
    },
}

/// The given settings of a signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlaskSettings {
    pub(crate) salt: Option<String>,
    pub(crate) digest: Option<Digest>,
    pub(crate) key_derivation: Option<KeyDerivation>,
}

impl FlaskSettings {
    /// Returns the given settings, completed by the settings of `options`.
    pub(crate) fn over(&self, mut options: SigningOptions) -> SigningOptions {
        if let Some(salt) = &self.salt {
            options = options.salt(salt.as_bytes());
        }
        if let Some(digest) = self.digest {
            options = options.digest(digest);
        }
        match self.key_derivation {
            Some(key_derivation) => options.key_derivation(key_derivation),
            None => options,
        }
    }
}

impl FromStr for FormatArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, settings) = match text.split_once(',') {
            Some((format, settings)) => (format, settings.split(',').collect()),
            None => (text, Vec::new()),
        };
        let mut read = match format {
            "flask" => Self::Flask(FlaskSettings::default()),
            "sealed" => Self::Sealed { cookie_name: None },
            _ => return Err("it must be flask or sealed".to_owned()),
        };
        for setting in settings {
            read.set(setting)?;
        }
        Ok(read)
    }
}

impl FormatArg {
    fn set(&mut self, setting: &str) -> Result<(), String> {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        let own = value.to_owned();
        match (self, name) {
            (Self::Flask(flask), "salt") => flask.salt = Some(own),
            (Self::Flask(flask), "digest") => {
                flask.digest =
                    Some(value.parse().map_err(|error: carafe::format::Error| error.to_string())?);
            }
            (Self::Flask(flask), "key-derivation") => {
                let parsed = value.parse();
                flask.key_derivation =
                    Some(parsed.map_err(|error: carafe::format::Error| error.to_string())?);
            }
            (Self::Sealed { cookie_name }, "cookie-name") if !own.is_empty() => {
                *cookie_name = Some(own);
            }
            (Self::Flask(_), _) => {
                return Err("flask has the settings salt=, digest= and key-derivation=".to_owned());
            }
            (Self::Sealed { .. }, _) => {
                return Err("sealed has the setting cookie-name=".to_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_settings() {
        let flask = |text: &str| match text.parse() {
            Ok(FormatArg::Flask(flask)) => flask,
            other => panic!("{other:?}"),
        };
        assert_eq!(flask("flask"), FlaskSettings::default());
        let read = flask("flask,digest=sha256,salt=a=b,key-derivation=none");
        assert_eq!(read.digest, Some(Digest::Sha256));
        assert_eq!(read.salt.as_deref(), Some("a=b"));
        assert_eq!(read.key_derivation, Some(KeyDerivation::None));
        assert_eq!(
            "sealed,cookie-name=sid".parse(),
            Ok(FormatArg::Sealed { cookie_name: Some("sid".to_owned()) })
        );
        for bad in ["", "jwt", "flask,", "flask,digest=md5", "flask,cookie-name=x", "sealed,salt=x"]
        {
            assert!(bad.parse::<FormatArg>().is_err(), "{bad}");
        }
    }
}
