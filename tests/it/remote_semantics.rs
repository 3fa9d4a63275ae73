//! What a service makes of deactivations and deletions is said before there is one.

use rosterd::model::Finding;
use rosterd::model::Grade;
use rosterd::plan::Leavers;
use rosterd::plan::OnLeave;
use rosterd::plan::Rules;
use rosterd::plan::semantics;
use rosterd::scim::profiles::Profile;

use crate::support::story;

fn rules(leavers: Leavers, delete: bool) -> Rules {
    let mut rules = Rules { leavers, ..story::rules() };
    rules.actions.delete = delete;
    rules
}

fn said(profile: &str, leavers: Leavers, delete: bool) -> Vec<Finding> {
    semantics(&Profile::named(profile).unwrap().demands(), &rules(leavers, delete))
}

fn subjects(findings: &[Finding]) -> Vec<(&str, Grade)> {
    findings.iter().map(|finding| (finding.subject.as_str(), finding.grade)).collect()
}

#[test]
fn a_job_that_deactivates_where_that_deletes_the_identity_is_told() {
    let told = said("github-org", Leavers::default(), false);
    assert_eq!(subjects(&told), [("deactivation", Grade::Warning)]);
    assert!(
        told[0].text.ends_with(
            "`deactivate` is the policy of unassigned, out_of_scope, disabled, suspended, soft_deleted, purged"
        ),
        "{}",
        told[0].text
    );
    let leave = OnLeave::Leave;
    let leaving = Leavers {
        unassigned: leave,
        out_of_scope: leave,
        disabled: leave,
        suspended: leave,
        soft_deleted: leave,
        purged: OnLeave::DeleteAfter { seconds: 60 },
        ..Leavers::default()
    };
    let told = said("github-org", leaving, false);
    assert!(
        told[0].text.ends_with("the policy of purged"),
        "who waits for a deletion is deactivated meanwhile"
    );
    assert_eq!(said("github-org", Leavers { purged: leave, ..leaving }, false), []);
}

#[test]
fn a_job_that_deletes_for_good_is_told_only_where_it_may_delete() {
    let deleting = Leavers { purged: OnLeave::Delete, ..Leavers::default() };
    assert_eq!(subjects(&said("github", deleting, true)), [("deletion", Grade::Warning)]);
    assert_eq!(said("github", deleting, false), []);
    assert_eq!(said("github", Leavers::default(), true), []);
    assert_eq!(subjects(&said("slack", deleting, true)), [("deletion", Grade::Ok)]);
    assert_eq!(subjects(&said("atlassian", deleting, true)), [("deletion", Grade::Ok)]);
    assert_eq!(said("standard", deleting, true), []);
}

#[test]
fn a_service_that_hides_members_is_told_where_teams_are_written() {
    assert_eq!(subjects(&said("aws-identity-center", Leavers::default(), false)), [("members", Grade::Ok)]);
    let mut without = rules(Leavers::default(), false);
    without.actions.teams = false;
    let demands = Profile::named("aws-identity-center").unwrap().demands();
    assert_eq!(semantics(&demands, &without), []);
}
