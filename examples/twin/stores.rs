//! The operations that Flask hasn't: on sessions in a store.

use carafe::value::{Dict, Value};
use carafe::{Error, Session, SessionInfo};

use crate::operations::{null, python_name};

/// Runs one of these operations; `None` if the name is of none of them.
pub(crate) async fn apply(
    session: &Session,
    name: &str,
    arguments: &[Value],
) -> Option<Result<Value, &'static str>> {
    Some(match (name, arguments) {
        ("logout", []) => null(session.logout()),
        ("logout_everywhere", []) => null(session.logout_everywhere().await.map(drop)),
        ("rotate", []) => null(session.rotate()),
        ("sessions", []) => named(sessions(session).await),
        ("revoke", [Value::Text(id)]) => match id.to_string_lossy().parse() {
            Ok(id) => named(session.revoke(id).await.map(Value::from)),
            Err(_) => Ok(Value::from(false)),
        },
        _ => return None,
    })
}

/// With what this request has done so far, a login of its own among it.
async fn sessions(session: &Session) -> Result<Value, Error> {
    session.save().await?;
    session.sessions().await.map(list)
}

fn named(result: Result<Value, Error>) -> Result<Value, &'static str> {
    result.map_err(|error| python_name(&error))
}

fn list(sessions: Vec<SessionInfo>) -> Value {
    let entry = |info: SessionInfo| {
        Value::from(Dict::from([
            ("public_id", Value::from(info.public_id.to_string())),
            ("created", Value::from(info.created.0)),
            ("last_seen", Value::from(info.last_seen.0)),
            ("current", Value::from(info.current)),
        ]))
    };
    Value::List(sessions.into_iter().map(entry).collect())
}
