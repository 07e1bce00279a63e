use crate::value::{Text, Value};
use crate::{Error, ErrorKind};

/// One step of the path to a nested value: a dictionary's key, or a list's index.
///
/// Indices below zero count from the end, as in Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key of a dictionary.
    Key(Text),
    /// An index of a list.
    Index(i64),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(Text::from(key))
    }
}

impl From<String> for Step {
    fn from(key: String) -> Self {
        Self::Key(Text::from(key))
    }
}

impl From<Text> for Step {
    fn from(key: Text) -> Self {
        Self::Key(key)
    }
}

impl From<i64> for Step {
    fn from(index: i64) -> Self {
        Self::Index(index)
    }
}

/// Sets the value at the end of `path` within `target`.
///
/// Only the last step may name a missing key. An error leaves `target` unchanged.
pub(super) fn set(target: &mut Value, path: &[Step], value: Value) -> Result<(), Error> {
    let Some((step, rest)) = path.split_first() else {
        *target = value;
        return Ok(());
    };
    match (target, step) {
        (Value::Dict(dict), Step::Key(key)) if rest.is_empty() => {
            dict.insert(key.clone(), value);
            Ok(())
        }
        (Value::Dict(dict), Step::Key(key)) => {
            set(dict.get_mut(key).ok_or_else(missing)?, rest, value)
        }
        (Value::List(list), Step::Index(index)) => {
            let item = position(*index, list.len()).and_then(|at| list.get_mut(at));
            set(item.ok_or_else(missing)?, rest, value)
        }
        // A path may lead through a tuple, as in Python, but a tuple's items can't be replaced.
        (Value::Tuple(list), Step::Index(index)) if !rest.is_empty() => {
            let item = position(*index, list.len()).and_then(|at| list.get_mut(at));
            set(item.ok_or_else(missing)?, rest, value)
        }
        (other, step) => Err(Error::new(
            ErrorKind::Type,
            format!(
                "a nested value can't be set: a step of the path is {}, and the value there is of \
                 the type {}",
                match step {
                    Step::Key(_) => "a key",
                    Step::Index(_) => "an index",
                },
                other.type_name()
            ),
        )),
    }
}

fn position(index: i64, len: usize) -> Option<usize> {
    if index < 0 {
        len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    } else {
        usize::try_from(index).ok()
    }
}

pub(crate) fn missing() -> Error {
    Error::new(ErrorKind::KeyMissing, "a nested value can't be set: a step of its path is missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_tagged_json(text.as_bytes()).unwrap()
    }

    fn after(target: &str, path: &[Step]) -> Result<String, ErrorKind> {
        let mut target = json(target);
        set(&mut target, path, Value::from(7)).map_err(|error| error.kind())?;
        Ok(target.to_tagged_json().unwrap())
    }

    #[test]
    fn paths_lead_through_dicts_lists_and_tuples() {
        let (a, b) = (Step::from("a"), Step::from("b"));
        assert_eq!(after("{}", std::slice::from_ref(&a)).unwrap(), r#"{"a":7}"#);
        assert_eq!(after(r#"{"a":{"b":1}}"#, &[a.clone(), b.clone()]).unwrap(), r#"{"a":{"b":7}}"#);
        assert_eq!(after("[1,2]", &[Step::Index(-1)]).unwrap(), "[1,7]");
        let through = after(r#"{" t":[{"a":1}]}"#, &[Step::Index(0), a.clone()]).unwrap();
        assert_eq!(through, r#"{" t":[{"a":7}]}"#);
        assert_eq!(after("{}", &[a.clone(), b.clone()]), Err(ErrorKind::KeyMissing));
        assert_eq!(after("[]", &[Step::Index(0)]), Err(ErrorKind::KeyMissing));
        assert_eq!(after("[1]", &[Step::Index(-2)]), Err(ErrorKind::KeyMissing));
        assert_eq!(after(r#"{" t":[1]}"#, &[Step::Index(0)]), Err(ErrorKind::Type));
        assert_eq!(after("1", &[a]), Err(ErrorKind::Type));
        assert_eq!(after("[1]", &[b]), Err(ErrorKind::Type));
    }
}
