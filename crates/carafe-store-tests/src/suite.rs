/// Makes a test of every case, on a fresh [`Fixture`](crate::Fixture) each.
///
/// It takes the name of an `async fn() -> impl Fixture`, and belongs at the top of a file in `tests/`:
/// the tests are called `records::…` and `sessions::…`.
#[macro_export]
macro_rules! suite {
    ($fixture:path) => {
        $crate::tests_of!(records, $fixture,
            a_created_record_is_there
            a_missing_record_is_none
            an_id_is_created_once
            records_are_kept_apart
            a_deleted_record_is_gone
            deleting_a_missing_record_says_so
            deleting_another_version_is_a_conflict
            expired_records_are_deleted_to_the_second
            expired_records_are_deleted_in_batches
            a_record_that_is_used_lives_on
            a_record_can_be_made_to_end_sooner
            the_callers_clock_counts
            a_record_may_never_end
            processes_see_each_others_writes_at_once
            what_was_written_outlives_the_connection
            a_call_that_is_dropped_is_whole_or_nothing
            racing_creations_of_one_id_have_one_winner
            racing_updates_of_one_version_have_one_winner
            every_version_is_written_once
            an_update_and_a_deletion_of_one_version_exclude_each_other
            a_deletion_wins_against_updates
            racing_deletions_have_one_winner
            deleting_a_users_records_wins_against_updates
            a_sweep_never_takes_what_was_just_used
            racing_sweeps_count_each_record_once
            readers_see_whole_records
            nothing_is_revoked_by_itself
            a_session_is_revoked_until_its_time
            a_revocation_is_never_shortened
            a_users_limit_never_moves_back
            a_users_limit_is_never_forgotten_sooner
            revocations_outlive_sweeps
            revocations_may_last_for_ever
            racing_revocations_keep_the_latest
            an_update_replaces_the_record
            an_update_of_an_old_version_is_a_conflict
            an_update_of_an_unknown_version_is_a_conflict
            an_update_never_adds_a_record
            an_update_never_brings_a_record_back
            an_update_moves_a_record_to_its_user
            an_update_makes_a_pointer
            a_list_has_the_records_of_its_user
            a_list_leaves_out_what_has_expired
            a_list_leaves_out_pointers
            all_records_of_a_user_can_be_deleted
            all_records_but_one_can_be_deleted
            users_may_have_any_name
            every_field_survives
            the_content_may_be_any_bytes
            the_content_may_be_large
            an_id_may_be_any_bytes
        );
    };
}

/// A module with a test for each of some cases.
#[doc(hidden)]
#[macro_export]
macro_rules! tests_of {
    ($group:ident, $fixture:path, $($case:ident)*) => {
        mod $group {
            #[allow(unused_imports, reason = "the fixture may be named by a whole path")]
            use super::*;

            $(
                #[test]
                fn $case() {
                    $crate::run(async { $crate::$group::$case($fixture().await).await });
                }
            )*
        }
    };
}
