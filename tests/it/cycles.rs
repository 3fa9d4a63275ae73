//! Cycles end to end: stories from tests/scenarios, played against a file source and a workspace.

use std::path::Path;

use super::support::sections;
use super::support::story;

/// One test a story, so that a failure names it.
macro_rules! stories {
    ($($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let file = format!("{}.txt", stringify!($name));
                story::play(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(file)).await;
            }
        )*

        #[test]
        fn every_story_is_played() {
            let played = [$(concat!(stringify!($name), ".txt")),*];
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
            for entry in std::fs::read_dir(directory).expect("the scenarios are there") {
                let entry = entry.expect("an entry");
                let name = entry.file_name().into_string().expect("a plain name");
                assert!(played.contains(&name.as_str()), "{name} is not in the list");
                let text = std::fs::read_to_string(entry.path()).expect("the story is read");
                let head: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
                sections::check_source(&name, &head.join("\n"));
            }
        }
    };
}

stories! {
    a_date_of_a_filter_lets_in_and_out_when_it_comes
    a_deletion_waits_for_its_time
    a_deletion_waits_from_the_deactivation_on
    a_due_deletion_is_proved_by_the_reads_in_between
    a_due_deletion_needs_its_witness_the_action_and_the_limit
    a_filter_lets_in_and_out_with_the_attribute
    a_filter_looks_at_groups_through_others_too
    a_filter_of_groups_decides_about_teams_alone
    a_first_cycle_creates_and_the_second_is_empty
    a_guest_is_in_scope_until_guests_are_not
    a_held_removal_whose_person_comes_back_leaves_the_plan
    a_jump_of_the_clock_holds_what_time_alone_removes
    a_lost_account_is_matched_anew
    a_mail_counts_where_the_source_vouches_for_it
    a_manager_is_written_when_both_accounts_are_there
    a_manager_may_be_named_by_the_user_name
    a_manager_who_gets_a_new_account_is_repaired
    a_mass_removal_is_held_whole_and_the_rest_goes_on
    a_member_out_of_scope_is_left_out_and_comes_in_later
    a_name_with_quotes_and_backslashes_is_found
    a_new_group_with_the_name_of_a_team_about_to_go_goes_on_with_it
    a_new_job_observes_and_approve_waits_for_a_person
    a_page_that_fails_in_the_middle_removes_nobody
    a_person_in_two_groups_goes_when_the_last_one_is_lost
    a_purge_after_the_leaving_is_still_acted_on
    a_recycled_address_is_a_different_person
    a_reference_that_is_refused_is_no_failure_of_the_person
    a_relink_by_itself_needs_proof_that_the_old_one_left
    a_rename_keeps_the_link
    a_resource_account_is_left_out_when_told
    a_silent_canary_makes_every_witness_worthless
    a_team_follows_its_group_when_it_is_renamed
    a_team_has_a_name_of_its_own_or_is_none
    a_team_is_linked_to_one_that_is_there
    a_team_of_somebody_else_is_never_linked
    a_team_of_the_same_name_is_linked_by_policy
    a_team_that_leaves_scope_is_emptied_not_deleted
    a_value_that_the_source_lost_is_cleared_when_both_gates_are_open
    an_account_that_is_there_is_adopted_as_the_policy_says
    an_edit_of_the_settings_is_a_cause_of_its_own
    an_edited_filter_is_a_cause_of_its_own_and_limited
    an_ending_goes_when_the_other_team_is_gone
    an_ordinary_unassignment_is_confirmed_and_applied
    an_unproven_empty_answer_removes_nobody
    an_undo_leaves_what_was_written_again_and_names_it
    an_undo_of_a_leaving_brings_people_and_memberships_back
    an_undo_of_a_team_empties_it
    an_undo_of_an_adoption_gives_the_account_its_values_back
    an_undo_of_an_undo_brings_the_change_back
    an_undo_of_references_and_renames_goes_the_same_ways
    an_undo_of_the_emptying_of_a_team_fills_it_again
    an_undo_puts_back_what_a_cycle_wrote
    circles_of_groups_end
    disabled_and_deleted_people_are_deactivated_and_restored_ones_come_back
    disabled_people_are_deactivated_or_leavers_by_policy
    each_switch_holds_what_it_names
    many_lost_anchors_stop_everything_that_creates_or_removes
    matches_that_the_policy_forbids_are_one_decision
    members_that_are_not_ours_stay
    memberships_that_follow_a_leaver_are_not_counted_twice
    one_person_who_cannot_be_mapped_blocks_nobody
    protected_accounts_are_never_written
    references_are_limited_and_approved_like_other_changes
    somebody_disabled_is_never_created
    somebody_who_comes_back_has_the_teams_of_today
    somebody_who_comes_back_is_proposed_the_old_account
    the_groups_of_somebody_can_be_mapped
    two_groups_of_one_name_are_held_or_get_an_ending
    two_people_swap_their_user_names
    two_people_who_match_one_account_are_both_held
    what_a_plan_would_run_into_is_said_before
    what_is_over_the_witness_budget_waits
    what_is_taken_over_is_cleared_where_both_gates_are_open
    who_is_excluded_is_out_whatever_the_filters_say
    who_is_left_alone_keeps_the_teams
    who_leaves_a_group_that_an_attribute_tells_is_asked_for
    who_leaves_and_comes_back_at_once_keeps_what_there_was
    without_a_witness_a_second_complete_read_decides
}

/// The first cycle of a job pins what it has read (P15): a file that cannot be read yet pins nothing, another
/// directory in its place is refused afterwards.
#[tokio::test]
async fn another_directory_in_the_place_of_the_first_is_refused() {
    let mut stage = story::Stage::new();
    let told = stage.cycle_of("not yet there").await;
    assert!(told.starts_with("error: job story: the source could not be read"), "{told}");
    assert_eq!(stage.cycle_of(r#"{"directory": "one", "users": [], "groups": []}"#).await, "nothing\n");
    let told = stage.cycle_of(r#"{"directory": "two", "users": [], "groups": []}"#).await;
    assert!(told.starts_with("error: job story: its source was `file one` and is `file two` now"), "{told}");
    assert_eq!(stage.cycle_of(r#"{"directory": "one", "users": [], "groups": []}"#).await, "nothing\n");
}
