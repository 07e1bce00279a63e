//! temporary
use crate::*;
/// x
pub trait FromValue: Sized {
    /// # Errors
    /// x
    fn from_value(value: Value) -> Result<Self, Error>;
}
impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Text(t) => Ok(t.to_string_lossy().into_owned()),
            _ => Err(Error::new(ErrorKind::Type, "x")),
        }
    }
}
impl FromValue for i64 {
    fn from_value(value: Value) -> Result<Self, Error> {
        value.as_i64().ok_or_else(|| Error::new(ErrorKind::Type, "x"))
    }
}
impl FromValue for Int {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Int(t) => Ok(t),
            _ => Err(Error::new(ErrorKind::Type, "x")),
        }
    }
}
impl Value {
    pub(crate) fn is_truthy(&self) -> bool {
        matches!(self, Value::Bool(true))
    }
    /// # Errors
    /// x
    pub fn deserialize<T: serde::de::DeserializeOwned>(self) -> Result<T, Error> {
        Err(Error::new(ErrorKind::Type, "x"))
    }
    /// # Errors
    /// x
    pub fn from_serialize<T: serde::Serialize + ?Sized>(_: &T) -> Result<Self, Error> {
        Err(Error::new(ErrorKind::Type, "x"))
    }
}
impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(i: I) -> Self {
        Value::List(i.into_iter().collect())
    }
}
