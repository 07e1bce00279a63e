use std::time::Duration;

use carafe::http::StatusCode;
use carafe::value::{Dict, Int, Step, Text, Value};
use carafe::{Error, ErrorKind, LazySession, Session};
use serde::{Deserialize, Serialize};

use crate::{flask_logins, logins, stores};

/// The outcome of a list of operations.
pub(crate) enum Outcome {
    Done {
        status: StatusCode,
        results: Vec<Value>,
    },
    /// The handler was told to fail.
    Failed,
    /// The request isn't of the form that is agreed on.
    Malformed,
}

/// Runs the operations in order; one that fails has an error as its result, and the rest still run.
pub(crate) async fn run(session: &LazySession, ops: Vec<Value>) -> Result<Outcome, Error> {
    let mut status = StatusCode::OK;
    let mut results = Vec::with_capacity(ops.len());
    for op in ops {
        let Value::List(parts) = op else {
            return Ok(Outcome::Malformed);
        };
        let result = match parts.as_slice() {
            [name, arguments @ ..] => match (name.as_str(), arguments) {
                (Some("sleep_ms"), [n]) => {
                    let Some(n) = at_most(n, 5000) else {
                        return Ok(Outcome::Malformed);
                    };
                    tokio::time::sleep(Duration::from_millis(n)).await;
                    Some(Ok(Value::Null))
                }
                (Some("status"), [n]) => {
                    let code = n.as_i64().and_then(|n| u16::try_from(n).ok());
                    let code = code.filter(|code| (200..600).contains(code));
                    match code.and_then(|code| StatusCode::from_u16(code).ok()) {
                        Some(code) => status = code,
                        None => return Ok(Outcome::Malformed),
                    }
                    Some(Ok(Value::Null))
                }
                (Some("fail"), []) => return Ok(Outcome::Failed),
                (Some("incr"), [Value::Text(key)]) => {
                    Some(increment(&session.open().await?, key).await)
                }
                (Some(name), arguments) => {
                    let session = session.open().await?;
                    let mut done = stores::apply(&session, name, arguments).await;
                    if done.is_none() {
                        done = logins::apply(&session, name, arguments).await;
                    }
                    let done = done.or_else(|| flask_logins::apply(&session, name, arguments));
                    done.or_else(|| apply(&session, name, arguments))
                }
                (None, _) => None,
            },
            [] => None,
        };
        match result {
            Some(Ok(value)) => results.push(value),
            Some(Err(kind)) => results.push(error(kind)),
            None => return Ok(Outcome::Malformed),
        }
    }
    Ok(Outcome::Done { status, results })
}

/// A number that isn't negative, or `limit` if it is larger.
fn at_most(number: &Value, limit: u64) -> Option<u64> {
    match number {
        Value::Int(number) if number.to_string().starts_with('-') => None,
        Value::Int(number) => Some(number.to_string().parse().unwrap_or(limit).min(limit)),
        _ => None,
    }
}

fn error(kind: &str) -> Value {
    Value::from(Dict::from([("error", kind)]))
}

/// Runs one operation on the session; `None` if there is no such operation. Errors have Python's
/// names.
fn apply(
    session: &Session,
    name: &str,
    arguments: &[Value],
) -> Option<Result<Value, &'static str>> {
    Some(match (name, arguments) {
        ("get", [Value::Text(key)]) => Ok(session.value(key).unwrap_or(Value::Null)),
        ("get", [Value::Text(key), default]) => {
            Ok(session.value(key).unwrap_or_else(|| default.clone()))
        }
        ("item", [Value::Text(key)]) => session.value(key).ok_or("KeyError"),
        ("set", [Value::Text(key), value]) => null(session.insert(key, value.clone())),
        ("del", [Value::Text(key)]) => match session.remove(key) {
            Ok(Some(_)) => Ok(Value::Null),
            other => popped(other, None),
        },
        ("pop", [Value::Text(key)]) => popped(session.remove(key), None),
        ("pop", [Value::Text(key), default]) => popped(session.remove(key), Some(default)),
        ("setdefault", [Value::Text(key), value]) => {
            session.entry(key).or_insert(value.clone()).map_err(|error| python_name(&error))
        }
        ("update", [Value::Dict(entries)]) => null(session.extend(entries.clone())),
        ("clear", []) => null(session.clear()),
        ("contains", [Value::Text(key)]) => Ok(session.contains(key).into()),
        ("len", []) => Ok(Value::from(session.len())),
        ("keys", []) => Ok(Value::from(session.keys())),
        ("items", []) => Ok(Value::Dict(session.to_dict())),
        ("set_nested", [Value::List(path), value]) => {
            let steps = path.iter().map(step).collect::<Option<Vec<Step>>>()?;
            null(session.insert_at(steps, value.clone()))
        }
        ("permanent", []) => Ok(permanent(session)),
        ("permanent", [Value::Bool(on)]) => {
            session.set_permanent(*on).map(|()| permanent(session)).map_err(|e| python_name(&e))
        }
        ("flash", [message]) => null(session.flash(message.clone())),
        ("flash", [message, Value::Text(category)]) => {
            null(session.flash_with(category, message.clone()))
        }
        ("flashes", _) => return flashes(session, arguments),
        _ => return None,
    })
}

pub(crate) fn null(result: Result<(), Error>) -> Result<Value, &'static str> {
    result.map(|()| Value::Null).map_err(|error| python_name(&error))
}

fn popped(
    removed: Result<Option<Value>, Error>,
    default: Option<&Value>,
) -> Result<Value, &'static str> {
    match removed {
        Ok(value) => value.or_else(|| default.cloned()).ok_or("KeyError"),
        Err(error) => Err(python_name(&error)),
    }
}

pub(crate) fn python_name(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::KeyMissing => "KeyError",
        ErrorKind::Type => "TypeError",
        ErrorKind::Ended => "Ended",
        ErrorKind::Conflict => "Conflict",
        ErrorKind::Store => "Store",
        ErrorKind::NoStore => "NoStore",
        ErrorKind::TooManySessions => "TooManySessions",
        _ => "RuntimeError",
    }
}

fn step(value: &Value) -> Option<Step> {
    match value {
        Value::Text(key) => Some(Step::Key(key.clone())),
        // No list is long enough for an index of more than 64 bits.
        Value::Int(index) => Some(Step::Index(index.as_i64().unwrap_or(i64::MAX))),
        _ => None,
    }
}

/// Python's `session[key] = session.get(key, 0) + 1`, saved at once where there is a store.
async fn increment(session: &Session, key: &Text) -> Result<Value, &'static str> {
    let next = |number: Option<Number>| match number {
        None => Number::Int(Int::from(1)),
        Some(Number::Int(number)) => Number::Int(number.add_i64(1)),
        Some(Number::Float(number)) => Number::Float(number + 1.0),
    };
    session.update_now(key, next).await.map(Value::from).map_err(|error| python_name(&error))
}

/// A value that Python counts as a number: True is 1.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
enum Number {
    Int(Int),
    Float(f64),
}

impl TryFrom<Value> for Number {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::Int(number) => Ok(Self::Int(number)),
            Value::Bool(on) => Ok(Self::Int(Int::from(i64::from(on)))),
            Value::Float(number) => Ok(Self::Float(number)),
            _ => Err("this is no number"),
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(number) => Self::Int(number),
            Number::Float(number) => Self::Float(number),
        }
    }
}

/// Returns the value of Flask's `session.permanent`, which may have any type.
fn permanent(session: &Session) -> Value {
    session.value("_permanent").unwrap_or(Value::Bool(false))
}

fn flashes(session: &Session, arguments: &[Value]) -> Option<Result<Value, &'static str>> {
    let (with_categories, filter) = match arguments {
        [] => (false, &[][..]),
        [Value::Bool(with)] => (*with, &[][..]),
        [Value::Bool(with), Value::List(filter)]
            if filter.iter().all(|name| matches!(name, Value::Text(_))) =>
        {
            (*with, filter.as_slice())
        }
        _ => return None,
    };
    let flashes = match session.get_flashed_messages() {
        Ok(flashes) => flashes,
        Err(error) => return Some(Err(python_name(&error))),
    };
    let wanted = |category: &Text| {
        filter.is_empty() || filter.iter().any(|name| name.as_text() == Some(category))
    };
    let shown: Vec<Value> = flashes
        .into_iter()
        .filter(|flash| wanted(&flash.category))
        .map(|flash| match with_categories {
            true => Value::Tuple(vec![Value::Text(flash.category), flash.message]),
            false => flash.message,
        })
        .collect();
    Some(Ok(Value::List(shown)))
}
