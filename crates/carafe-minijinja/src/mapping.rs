//! The common methods of a session and of a dict within it.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Tuple, from_args};
use minijinja::{Error, ErrorKind, Value};

use super::python;
use carafe::value::Text;

/// A dict with text for keys.
pub(super) trait Mapping {
    /// The value of a key.
    fn lookup(&self, key: &str) -> Option<Value>;

    /// The keys and values in their order.
    fn pairs(&self) -> Vec<(Value, Value)>;
}

/// A key as templates see it.
pub(super) fn key(key: &Text) -> Value {
    Value::from(key.to_string_lossy())
}

/// Returns the key that templates see as `seen` but that is another text: one with lone surrogates.
pub(super) fn unseen_key(seen: &str, keys: impl FnOnce() -> Vec<Text>) -> Option<Text> {
    if !seen.contains(char::REPLACEMENT_CHARACTER) {
        return None;
    }
    keys().into_iter().find(|key| key.as_str().is_none() && key.to_string_lossy() == seen)
}

/// Calls a method of Python's `dict` that only reads; `None` if it isn't one of them.
pub(super) fn call(
    mapping: &impl Mapping,
    method: &str,
    args: &[Value],
) -> Result<Option<Value>, Error> {
    let pairs = || mapping.pairs().into_iter();
    let (name, items): (_, Vec<Value>) = match method {
        "get" => {
            let (key, default) = key_and_default(args)?;
            let found = key.as_str().and_then(|key| mapping.lookup(key));
            return Ok(Some(found.or_else(|| default.cloned()).unwrap_or(Value::from(()))));
        }
        "items" => ("dict_items", pairs().map(|(k, v)| Value::from(Tuple::from([k, v]))).collect()),
        "keys" => ("dict_keys", pairs().map(|(key, _)| key).collect()),
        "values" => ("dict_values", pairs().map(|(_, value)| value).collect()),
        _ => return Ok(None),
    };
    let () = from_args(args)?;
    Ok(Some(Value::from_object(View { name, items })))
}

/// The arguments of `get` and its like; any value is a default, an undefined one too.
pub(super) fn key_and_default(args: &[Value]) -> Result<(&Value, Option<&Value>), Error> {
    let (_, _): (&Value, Option<&Value>) = from_args(args)?;
    args.first().map(|key| (key, args.get(1))).ok_or_else(|| ErrorKind::MissingArgument.into())
}

/// Python's `repr` of the dict.
pub(super) fn repr(mapping: &impl Mapping) -> String {
    let mut out = String::new();
    let pairs = mapping.pairs();
    python::push_dict(&mut out, pairs.iter().map(|(key, value)| (key, value)));
    out
}

/// The result of `dict.items()`, `dict.keys()` and `dict.values()`.
struct View {
    name: &'static str,
    items: Vec<Value>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({} items)", self.name, self.items.len())
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items.clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.items.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        python::push_items(&mut out, "([", &self.items, "])");
        write!(f, "{}{out}", self.name)
    }
}
