//! Errors of serde's traits, without the values that serde would show in them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::{Error, ErrorKind};

/// The error type that serde's traits ask for. Only names of types and fields go into it.
#[derive(Debug)]
pub(super) struct SerdeError {
    message: Cow<'static, str>,
    /// The field that is missing, if the error is about that and about nothing within a field.
    pub(super) missing: Option<&'static str>,
}

impl SerdeError {
    pub(super) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), missing: None }
    }

    pub(super) fn too_deep() -> Self {
        Self::new("the value is nested more than 128 levels, which is too deep for serde")
    }

    /// An error of writing.
    pub(super) fn into_value(self) -> Error {
        Error::new(ErrorKind::Value, self.message)
    }

    /// An error of reading.
    pub(super) fn into_type(self) -> Error {
        Error::new(ErrorKind::Type, self.message)
    }
}

impl fmt::Display for SerdeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SerdeError {}

impl serde::ser::Error for SerdeError {
    // A message from elsewhere may show the value.
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self::new("the type refuses to be serialised")
    }
}

impl serde::de::Error for SerdeError {
    // A message of serde itself that doesn't show the value.
    fn custom<T: fmt::Display>(message: T) -> Self {
        match message.to_string().as_str() {
            "i128 is not supported" | "u128 is not supported" => Self::new(
                "serde reads no `i128` or `u128` within a flattened field or an enum that has a tag \
                 or none: use `carafe::value::Int`",
            ),
            _ => Self::new("the value is not one that the type accepts"),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match found {
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => {
                Self::new(format!("expected {expected}, found an int out of its range"))
            }
            _ => Self::new(format!("expected {expected}, found another {}", kind(found))),
        }
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found a length of {len}"))
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("expected one of the variants {}", expected.join(", ")))
    }

    fn unknown_field(_field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("found a field besides {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        let message = Cow::Owned(format!("the field {field} is missing"));
        Self { message, missing: Some(field) }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("the field {field} is there twice"))
    }
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "bool",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "int",
        Unexpected::Float(_) => "float",
        Unexpected::Char(_) | Unexpected::Str(_) => "str",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Unit | Unexpected::Option => "None",
        Unexpected::Seq => "list",
        Unexpected::Map => "dict",
        Unexpected::NewtypeStruct => "int or str that serde has no type for",
        _ => "value",
    }
}
