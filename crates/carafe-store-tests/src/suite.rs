/// Makes a test of every case, on a fresh [`Fixture`](crate::Fixture) each.
///
/// It takes the name of an `async fn() -> impl Fixture`, and belongs at the top of a file in `tests/`:
/// the tests are called `records::…`, `sessions::…` and `interleavings::…`.
#[macro_export]
macro_rules! suite {
    ($fixture:path) => {
        $crate::with_cases!(tests_of, $fixture);
        $crate::tests_of!(interleavings, run_on_one_thread, $fixture,
            of_two_requests_in_one_process
            of_two_requests_in_two_processes
            of_late_requests
            of_requests_and_failures
            of_requests_and_crashes
            of_random_histories
        );
    };
}

/// Gives the names of the cases, but for the interleavings, to one of this module's macros.
#[doc(hidden)]
#[macro_export]
macro_rules! with_cases {
    ($then:ident, $fixture:path) => {
        $crate::$then!(records, run, $fixture,
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
            a_clock_that_is_ahead_deletes_nothing
            a_clock_that_is_ahead_forgets_no_revocation
            a_clock_that_is_ahead_hides_no_session
            processes_see_each_others_writes_at_once
            what_was_written_outlives_the_connection
            a_call_that_is_dropped_is_whole_or_nothing
            one_runtime_may_follow_another
            a_runtime_that_ends_harms_no_other
            a_paused_clock_refuses_no_call
            a_store_may_be_dropped_anywhere
            racing_creations_of_one_id_have_one_winner
            racing_updates_of_one_version_have_one_winner
            every_version_is_written_once
            an_update_and_a_deletion_of_one_version_exclude_each_other
            a_deletion_wins_against_updates
            racing_deletions_have_one_winner
            deleting_a_users_records_wins_against_updates
            deleting_a_users_records_catches_those_that_move
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
            a_user_has_at_most_so_many_sessions
            the_oldest_sessions_of_a_user_end
            only_other_sessions_count
            racing_logins_keep_the_limit
            racing_logins_that_end_others_keep_the_limit
            a_session_that_is_renewed_counts_all_the_time
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
            a_session_that_is_kept_may_be_getting_a_new_id
            many_records_of_a_user_are_deleted_in_one_call
            users_may_have_any_name
            every_field_survives
            the_content_may_be_any_bytes
            the_content_may_be_large
            an_id_may_be_any_bytes
            many_records_are_loaded_in_order
            what_ends_is_told
            a_session_that_ends_for_a_login_is_told
            what_goes_on_is_not_told
            the_end_of_all_of_a_users_sessions_is_told
            revocations_are_told
        );
        $crate::$then!(sessions, run, $fixture,
            increments_in_one_process_lose_nothing
            increments_in_two_processes_lose_nothing
            updates_are_applied_to_the_newest_record
            keys_set_at_once_are_all_there
            strict_layers_refuse_lost_updates
            strict_layers_notice_keys_that_were_missing
            what_was_saved_is_there_at_once
            a_token_is_taken_once
            a_copied_cookie_is_dead_after_logout
            a_request_under_way_brings_nothing_back
            saving_at_once_brings_nothing_back
            a_reader_under_way_is_served
            what_follows_a_logout_begins_anew
            a_session_may_be_ended_twice
            refused_calls_lose_nothing
            lost_answers_lose_nothing
            failing_rotations_keep_the_session
            the_lost_answer_of_a_new_id_is_found_out
            a_slow_store_costs_a_503
            a_store_that_becomes_slow_holds_nobody_up
            a_paused_clock_refuses_no_request
            a_response_that_nobody_polls_holds_up_no_other
            responses_that_nobody_polls_hold_up_no_other_session
            a_save_behind_the_response_s_is_an_error
            a_save_that_another_has_failed_to_do_is_an_error
            what_a_save_has_failed_to_do_is_not_done_later
            a_client_who_leaves_cuts_nothing_in_half
            a_call_that_panics_is_a_503
            a_failing_load_is_no_empty_session
            an_id_of_no_session_is_never_adopted
            a_forged_id_is_never_adopted
            a_changed_cookie_opens_nothing
            sessions_have_ids_of_their_own
            an_idle_session_ends
            a_session_ends_in_any_case
            an_expired_session_stays_so
            a_session_that_expires_while_it_is_read_stays_so
            uses_are_written_seldom
            a_request_loads_once
            visitors_without_data_write_nothing
            a_session_may_not_be_too_large
            a_login_ends_the_old_id_at_once
            a_login_keeps_what_is_named
            a_request_from_before_the_login_writes_nothing
            a_rotation_ends_the_old_id_at_once
            a_request_from_before_the_rotation_writes_nothing
            the_public_id_outlives_a_rotation
            a_login_that_was_saved_survives_a_failing_handler
            a_login_that_was_saved_survives_a_failing_commit
            racing_logins_leave_one_session
            racing_logins_of_a_user_keep_the_limit
            a_refused_login_changes_nothing
            a_login_within_a_session_replaces_it
            the_oldest_login_ends
            what_is_known_of_a_login_is_stored
            changes_of_different_keys_are_merged
            the_later_write_of_a_key_stands
            changes_within_a_value_are_merged
            clear_removes_what_came_meanwhile
            or_insert_leaves_what_came_meanwhile
            flashed_messages_are_all_kept
            showing_takes_only_what_was_shown
            a_change_that_no_longer_fits_fails_whole
            a_failing_change_harms_no_other
            a_renewed_id_is_an_alias_for_a_grace
            writes_with_the_old_id_reach_the_session
            a_request_under_way_follows_the_renewal
            a_logout_with_the_old_id_ends_the_session
            a_logout_under_way_follows_the_renewal
            a_renewal_under_way_brings_nothing_back
            a_late_write_is_refused
            a_late_logout_ends_the_session
            a_logout_under_way_follows_the_rotation
            racing_renewals_keep_one_session
            quick_renewals_lead_to_the_session
            a_chain_of_renewals_that_is_too_long_is_an_error
            parts_of_seconds_are_rounded_up
            a_rotated_id_is_dead_by_any_clock
            a_users_sessions_are_listed
            one_of_a_users_sessions_is_ended
            all_other_sessions_are_ended_in_one_call
            a_session_that_is_ended_from_elsewhere_stays_so
            an_administrator_ends_sessions
            every_setting_has_its_effect
            what_waits_is_told_of_a_logout
            what_waits_is_told_of_every_other_end
            a_login_and_a_rotation_end_the_session_before
            a_renewal_ends_nothing
            an_expired_session_ends_what_waits
            a_lost_notice_is_made_up_for
            what_waits_outlives_its_runtime
            a_visitor_without_a_session_waits_for_ever
            waiting_costs_a_load_per_interval
            a_handle_reads_and_writes_outside_of_its_request
            a_handle_ends_with_its_session
            a_handle_follows_many_renewals
        );
    };
}

/// A module with a test for each of some cases.
#[doc(hidden)]
#[macro_export]
macro_rules! tests_of {
    ($group:ident, $run:ident, $fixture:path, $($case:ident)*) => {
        mod $group {
            #[allow(unused_imports, reason = "the fixture may be named by a whole path")]
            use super::*;

            $(
                #[test]
                fn $case() {
                    $crate::$run(async { $crate::$group::$case($fixture().await).await });
                }
            )*
        }
    };
}

/// Runs cases one after the other.
#[doc(hidden)]
#[macro_export]
macro_rules! run_of {
    ($group:ident, $run:ident, $fixture:path, $($case:ident)*) => {
        $($crate::$run(async { $crate::$group::$case($fixture().await).await });)*
    };
}
