//! Applies recorded changes to the newest record.

use super::Rules;
use crate::content::{Login, Operation, View, conflict};
use crate::record::{LoginDetails, Record};
use crate::{Error, event};

/// Applies all of one request's changes, or none.
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

/// Returns the last login among these changes, if there is one.
pub(super) fn login(operations: &[Operation]) -> Option<&Login> {
    operations.iter().rev().find_map(|operation| match operation {
        Operation::Login(login) => Some(login.as_ref()),
        _ => None,
    })
}

/// Applies changes of the login to a record's fields outside of its content. Only changes after the
/// last login count, since that login has made the record.
pub(super) fn to_login(record: &mut Record, operations: &[Operation]) {
    let is_login = |operation: &Operation| matches!(operation, Operation::Login(_));
    let after = operations.iter().rposition(is_login).map_or(0, |at| at + 1);
    for operation in &operations[after..] {
        let mut details = || record.details.take().map(|details| *details).unwrap_or_default();
        let details = match operation {
            Operation::Reauthenticated(time) => {
                LoginDetails { authenticated: Some(*time), ..details() }
            }
            Operation::Credential(mark) => {
                LoginDetails { credential: Some(mark.clone()), ..details() }
            }
            Operation::Series(series) => LoginDetails { series: Some(*series), ..details() },
            _ => continue,
        };
        record.details = details.into_record();
    }
}
