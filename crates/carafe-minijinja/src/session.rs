//! `session` in templates.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Kwargs, Object, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::mapping::{self, Mapping};
use super::{from_template, refused, to_template};
use carafe::Session;

/// The session of the request: every access goes to it, nothing is copied.
#[derive(Debug)]
pub(super) struct SessionObject(pub(super) Session);

impl SessionObject {
    /// The methods of Python's `dict` that change it.
    fn change(&self, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
        match method {
            "pop" => {
                let (key, default) = mapping::key_and_default(args)?;
                let removed = match key.as_str() {
                    Some(key) => self.0.remove(key).map_err(refused)?.map(to_template),
                    None => None,
                };
                removed.or_else(|| default.cloned()).map(Some).ok_or_else(|| {
                    let message = "session.pop: the key is missing, and there is no default";
                    Error::new(ErrorKind::InvalidOperation, message)
                })
            }
            "setdefault" => {
                let (key, default): (&str, Option<&Value>) = from_args(args)?;
                let default = default.map_or(Ok(carafe::value::Value::Null), from_template)?;
                let value = self.0.entry(key).or_insert(default);
                value.map(|value| Some(to_template(value))).map_err(refused)
            }
            "update" => {
                let (from, named): (Option<&Value>, Kwargs) = from_args(args)?;
                let mut entries = carafe::value::Dict::new();
                for source in [from.cloned(), Some(Value::from(named))].into_iter().flatten() {
                    match from_template(&source)? {
                        carafe::value::Value::Dict(dict) => entries.extend(dict),
                        _ => return Err(Error::new(ErrorKind::InvalidOperation, "not a dict")),
                    }
                }
                self.0.extend(entries).map_err(refused)?;
                Ok(Some(Value::from(())))
            }
            "clear" => {
                let () = from_args(args)?;
                self.0.clear().map_err(refused)?;
                Ok(Some(Value::from(())))
            }
            _ => Ok(None),
        }
    }
}

impl Mapping for SessionObject {
    fn lookup(&self, key: &str) -> Option<Value> {
        let found = self.0.value(key);
        let found = found.or_else(|| self.0.value(mapping::unseen_key(key, || self.0.keys())?));
        found.map(to_template)
    }

    fn pairs(&self) -> Vec<(Value, Value)> {
        self.0.iter().map(|(key, value)| (mapping::key(&key), to_template(value))).collect()
    }
}

impl Object for SessionObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.lookup(key.as_str()?)
    }

    /// Returns an attribute, as in Jinja, or else the value of a key.
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "permanent" => self.lookup("_permanent").or_else(|| Some(Value::from(false))),
            "modified" => Some(Value::from(self.0.is_modified())),
            // Flask's cookie sessions never report that they are new.
            "new" => Some(Value::from(false)),
            _ => self.lookup(key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().iter().map(mapping::key).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let result = match mapping::call(&**self, method, args)? {
            None => self.change(method, args)?,
            read => read,
        };
        result.ok_or_else(|| Error::from(ErrorKind::UnknownMethod))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            // MiniJinja's description of an error, which goes to a log.
            return f.write_str("<session>");
        }
        write!(f, "<SecureCookieSession {}>", mapping::repr(&**self))
    }
}
