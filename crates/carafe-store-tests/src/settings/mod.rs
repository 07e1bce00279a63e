//! Every setting of a session layer on every backend: what a visitor sees without it and with it.

mod backend;
mod row;
mod steps;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use self::backend::Backend;
use self::row::Row;
use self::table::ROWS;

/// Shows the effect of every setting on a backend. A setting without an effect there has a reason in the
/// table, and then both visits see the same.
pub(crate) async fn check(backend: &Backend) {
    for row in ROWS {
        check_row(backend, row).await;
    }
}

async fn check_row(backend: &Backend, row: &Row) {
    let unset = row.seen(backend, false).await;
    let set = row.seen(backend, true).await;
    let (setting, kind) = (row.setting, backend.kind);
    match row.none.iter().find(|(without, _)| *without == kind) {
        Some((_, reason)) => {
            assert_eq!(unset, set, "{setting} has an effect on {kind:?}: {reason}");
        }
        None => {
            assert_eq!(unset, row.unset, "without {setting} on {kind:?}");
            assert_eq!(set, row.set, "with {setting} on {kind:?}");
        }
    }
}
