//! Conversions between values of sessions and values of templates.

use carafe::value::{Dict, Int, Text, Value};
use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, ErrorKind, Value as TemplateValue};

use super::datetime::DateTimeObject;
use super::dict::DictObject;
use super::objects::{BigInt, BytesObject, UuidObject};

/// Converts a session's value into the value that templates of a Flask application see.
///
/// A lone surrogate becomes U+FFFD.
///
/// ```
/// use carafe::value::Value;
/// use carafe_minijinja::{add_to_environment, to_template};
/// use minijinja::{Environment, context};
///
/// let mut env = Environment::new();
/// add_to_environment(&mut env);
/// let paid = to_template(Value::from((1e16, true)));
/// assert_eq!(env.render_str("{{ paid }}", context! { paid })?, "(1e+16, True)");
/// # Ok::<(), minijinja::Error>(())
/// ```
#[must_use]
pub fn to_template(value: Value) -> TemplateValue {
    match value {
        Value::Null => TemplateValue::from(()),
        Value::Bool(bool) => TemplateValue::from(bool),
        Value::Int(int) => from_int(int),
        Value::Float(float) => TemplateValue::from(float),
        Value::Text(text) => TemplateValue::from(text.to_string_lossy()),
        Value::Markup(html) => TemplateValue::from_safe_string(html.to_string_lossy().into_owned()),
        Value::Bytes(bytes) => TemplateValue::from_object(BytesObject(bytes)),
        Value::List(items) => {
            TemplateValue::from(items.into_iter().map(to_template).collect::<Vec<_>>())
        }
        Value::Tuple(items) => {
            TemplateValue::from(Tuple::new(items.into_iter().map(to_template).collect()))
        }
        Value::Dict(dict) => {
            let pairs = dict.into_iter().map(|(key, value)| (key, to_template(value)));
            TemplateValue::from_object(DictObject(pairs.collect()))
        }
        Value::Uuid(uuid) => TemplateValue::from_object(UuidObject(uuid)),
        Value::DateTime(time) => TemplateValue::from_object(DateTimeObject(time)),
        // A type of Flask's that this version doesn't know.
        _ => TemplateValue::UNDEFINED,
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

/// Converts a template's value into one that a session can hold.
///
/// ```
/// use carafe::value::Value;
/// use carafe_minijinja::from_template;
///
/// let made = minijinja::Value::from(vec![1, 2]);
/// assert_eq!(from_template(&made)?, Value::from(vec![1, 2]));
/// # Ok::<(), minijinja::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidOperation`] if a session can't hold it: an undefined value, a function, a
/// dict with keys that are no text, another kind of object.
pub fn from_template(value: &TemplateValue) -> Result<Value, Error> {
    if let Some(bytes) = value.downcast_object_ref::<BytesObject>() {
        return Ok(Value::Bytes(bytes.0.clone()));
    } else if let Some(int) = value.downcast_object_ref::<BigInt>() {
        return Ok(Value::Int(int.0.clone()));
    } else if let Some(uuid) = value.downcast_object_ref::<UuidObject>() {
        return Ok(Value::Uuid(uuid.0));
    } else if let Some(time) = value.downcast_object_ref::<DateTimeObject>() {
        return Ok(Value::DateTime(time.0));
    } else if let Some(dict) = value.downcast_object_ref::<DictObject>() {
        let pairs = dict.0.iter().map(|(key, value)| Ok((key.clone(), from_template(value)?)));
        return Ok(Value::Dict(pairs.collect::<Result<Dict, Error>>()?));
    }
    match value.kind() {
        ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number if value.is_integer() => {
            value.to_string().parse().map(Value::Int).map_err(|_| unfit(value))
        }
        ValueKind::Number => {
            f64::try_from(value.clone()).map(Value::Float).map_err(|_| unfit(value))
        }
        ValueKind::String => {
            let text = Text::from(value.as_str().ok_or_else(|| unfit(value))?);
            Ok(if value.is_safe() { Value::Markup(text) } else { Value::Text(text) })
        }
        ValueKind::Bytes => Ok(Value::bytes(value.as_bytes().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|_| unfit(value))?;
            let items = items.map(|item| from_template(&item)).collect::<Result<_, _>>()?;
            Ok(if value.is_tuple() { Value::Tuple(items) } else { Value::List(items) })
        }
        ValueKind::Map => {
            let mut dict = Dict::new();
            for key in value.try_iter().map_err(|_| unfit(value))? {
                let Value::Text(text) = from_template(&key)? else {
                    return Err(unfit(&key));
                };
                let item = value.get_item(&key).map_err(|_| unfit(value))?;
                dict.insert(text, from_template(&item)?);
            }
            Ok(Value::Dict(dict))
        }
        _ => Err(unfit(value)),
    }
}

fn unfit(value: &TemplateValue) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!(
            "a session can't hold what the template gave it: a value of the type {}",
            value.kind()
        ),
    )
}
