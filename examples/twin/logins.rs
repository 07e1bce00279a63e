//! The operations of logins, of Carafe's own kind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use carafe::value::Value;
use carafe::{LoginOptions, Session};

use crate::operations::null;

/// Whether a user's sessions are limited: then a login is saved at once, so that the operation's result
/// tells of a user who has too many.
pub(crate) static IS_LIMITED: AtomicBool = AtomicBool::new(false);

/// Runs one of these operations; `None` if the name is of none of them.
pub(crate) async fn apply(
    session: &Session,
    name: &str,
    arguments: &[Value],
) -> Option<Result<Value, &'static str>> {
    let is_limited = IS_LIMITED.load(Ordering::Relaxed);
    Some(match (name, arguments) {
        ("login", [user]) if is_limited => {
            null(session.login_now(user_of(user)?, LoginOptions::default()).await)
        }
        ("login", [user]) => null(session.login(user_of(user)?)),
        ("login_pending", [user]) => null(session.login_pending(user_of(user)?)),
        ("complete_login", []) if is_limited => null(session.complete_login_now().await),
        ("complete_login", []) => null(session.complete_login()),
        ("user", []) => Ok(session.user().map_or(Value::Null, Value::from)),
        ("fresh", [seconds]) => {
            let seconds = u64::try_from(seconds.as_i64()?).ok()?;
            Ok(session.is_fresh(Duration::from_secs(seconds)).into())
        }
        ("reauthenticated", []) => null(session.reauthenticated()),
        _ => return None,
    })
}

fn user_of(user: &Value) -> Option<String> {
    match user {
        Value::Text(user) => Some(user.to_string_lossy().into_owned()),
        Value::Int(user) => Some(user.to_string()),
        _ => None,
    }
}
