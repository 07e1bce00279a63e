//! Values of sessions as templates see them, and back.

use minijinja::Value as TemplateValue;
use minijinja::value::{Tuple, ValueKind};

use super::datetime::DateTimeObject;
use super::objects::{BigInt, BytesObject, DictObject, UuidObject};
use crate::{Dict, Error, ErrorKind, Int, Text, Value};

impl From<Value> for TemplateValue {
    /// The value as templates of a Flask application see it.
    ///
    /// A lone surrogate becomes U+FFFD.
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::from(()),
            Value::Bool(bool) => Self::from(bool),
            Value::Int(int) => from_int(int),
            Value::Float(float) => Self::from(float),
            Value::Text(text) => Self::from(text.to_string_lossy()),
            Value::Markup(html) => Self::from_safe_string(html.to_string_lossy().into_owned()),
            Value::Bytes(bytes) => Self::from_object(BytesObject(bytes)),
            Value::List(items) => {
                Self::from(items.into_iter().map(Self::from).collect::<Vec<Self>>())
            }
            Value::Tuple(items) => {
                Self::from(Tuple::new(items.into_iter().map(Self::from).collect()))
            }
            Value::Dict(dict) => {
                let pairs = dict.into_iter().map(|(key, value)| (key, Self::from(value)));
                Self::from_object(DictObject(pairs.collect()))
            }
            Value::Uuid(uuid) => Self::from_object(UuidObject(uuid)),
            Value::DateTime(time) => Self::from_object(DateTimeObject(time)),
        }
    }
}

impl From<&Value> for TemplateValue {
    fn from(value: &Value) -> Self {
        Self::from(value.clone())
    }
}

fn from_int(int: Int) -> TemplateValue {
    if let Some(small) = int.as_i64() {
        TemplateValue::from(small)
    } else if let Ok(wide) = i128::try_from(&int) {
        TemplateValue::from(wide)
    } else if let Ok(wide) = u128::try_from(&int) {
        TemplateValue::from(wide)
    } else {
        TemplateValue::from_object(BigInt(int))
    }
}

impl TryFrom<&TemplateValue> for Value {
    type Error = Error;

    /// What a template made, as a session can hold it.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] if a session can't hold it: an undefined value, a function, a dict
    /// with keys that are no text, another kind of object.
    fn try_from(value: &TemplateValue) -> Result<Self, Error> {
        if let Some(bytes) = value.downcast_object_ref::<BytesObject>() {
            return Ok(Self::Bytes(bytes.0.clone()));
        } else if let Some(int) = value.downcast_object_ref::<BigInt>() {
            return Ok(Self::Int(int.0.clone()));
        } else if let Some(uuid) = value.downcast_object_ref::<UuidObject>() {
            return Ok(Self::Uuid(uuid.0));
        } else if let Some(time) = value.downcast_object_ref::<DateTimeObject>() {
            return Ok(Self::DateTime(time.0));
        } else if let Some(dict) = value.downcast_object_ref::<DictObject>() {
            let pairs = dict.0.iter().map(|(key, value)| Ok((key.clone(), Self::try_from(value)?)));
            return Ok(Self::Dict(pairs.collect::<Result<Dict, Error>>()?));
        }
        match value.kind() {
            ValueKind::None => Ok(Self::Null),
            ValueKind::Bool => Ok(Self::Bool(value.is_true())),
            ValueKind::Number if value.is_integer() => {
                value.to_string().parse().map(Self::Int).map_err(|_| unfit(value))
            }
            ValueKind::Number => {
                f64::try_from(value.clone()).map(Self::Float).map_err(|_| unfit(value))
            }
            ValueKind::String => {
                let text = Text::from(value.as_str().ok_or_else(|| unfit(value))?);
                Ok(if value.is_safe() { Self::Markup(text) } else { Self::Text(text) })
            }
            ValueKind::Bytes => Ok(Self::bytes(value.as_bytes().unwrap_or_default())),
            ValueKind::Seq | ValueKind::Iterable => {
                let items = value.try_iter().map_err(|_| unfit(value))?;
                let items = items.map(|item| Self::try_from(&item)).collect::<Result<_, _>>()?;
                Ok(if value.is_tuple() { Self::Tuple(items) } else { Self::List(items) })
            }
            ValueKind::Map => {
                let mut dict = Dict::new();
                for key in value.try_iter().map_err(|_| unfit(value))? {
                    let Self::Text(text) = Self::try_from(&key)? else {
                        return Err(unfit(&key));
                    };
                    let item = value.get_item(&key).map_err(|_| unfit(value))?;
                    dict.insert(text, Self::try_from(&item)?);
                }
                Ok(Self::Dict(dict))
            }
            _ => Err(unfit(value)),
        }
    }
}

fn unfit(value: &TemplateValue) -> Error {
    Error::new(
        ErrorKind::Value,
        format!(
            "a session can't hold what the template gave it: a value of the type {}",
            value.kind()
        ),
    )
}
