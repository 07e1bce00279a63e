//! Recorded changes, applied to the newest record.

use super::Rules;
use crate::content::{Login, Operation, View, conflict};
use crate::record::Record;
use crate::{Error, UnixSeconds, event};

/// Applies one request's changes, all or none.
pub(super) fn to_view(
    view: &mut View,
    operations: &[Operation],
    rules: &Rules,
) -> Result<(), Error> {
    let before = view.snapshot();
    for operation in operations {
        if operation.overwrites_unseen(view) {
            event::conflict(rules.strict);
            if rules.strict {
                view.restore(before);
                return Err(conflict());
            }
        }
        if let Err(error) = operation.clone().apply(view) {
            view.restore(before);
            return Err(error);
        }
    }
    Ok(())
}

/// The login among these changes, if there is one; of several the last.
pub(super) fn login(operations: &[Operation]) -> Option<&Login> {
    operations.iter().rev().find_map(|operation| match operation {
        Operation::Login(login) => Some(login.as_ref()),
        _ => None,
    })
}

/// Makes a record that of the user who logged in.
pub(super) fn log_in(record: Record, login: &Login, now: UnixSeconds) -> Record {
    Record {
        user: Some(login.user.clone()),
        logged_in: Some(now),
        address: login.address.clone(),
        agent: login.agent.clone(),
        ..record
    }
}
