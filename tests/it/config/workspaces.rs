//! Settings of workspaces: what holds in each, whoever writes.

use std::collections::BTreeSet;

use rosterd::store::OtherOwners;
use rosterd::store::Policy;
use rosterd::store::Unique;

use super::GOOD;
use super::Settings;

#[test]
fn a_workspace_without_a_table_refuses_other_owners_and_gives_no_grant_back() {
    let config = Settings::new(GOOD).config();
    let names: Vec<&str> = config.workspaces.keys().map(String::as_str).collect();
    assert_eq!(names, ["main"], "the target's workspace is there");
    let usual = Policy { other_owners: OtherOwners::Refuse, restore_grants: false, unique: BTreeSet::new() };
    assert_eq!(config.workspaces["main"].policy, usual);
}

#[test]
fn a_workspace_that_only_tokens_reach_needs_no_target() {
    let more = "[workspaces.pushed]\nother_owners = \"allow\"\nrestore_grants = true\n\
                unique = [\"users.externalId\", \"groups.displayName\"]\n";
    let config = Settings::new(&format!("{GOOD}{more}")).config();
    let policy = Policy {
        other_owners: OtherOwners::Allow,
        restore_grants: true,
        unique: BTreeSet::from([Unique::ExternalId, Unique::TeamName]),
    };
    assert_eq!(config.workspaces["pushed"].policy, policy);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn slips_in_a_workspace_are_told_with_their_cure() {
    let more =
        "[workspaces.mian]\nother_owners = \"deny\"\nrestore_grant = true\nunique = [\"users.mail\"]\n";
    let problems = Settings::new(&format!("{GOOD}{more}")).problems();
    for expected in [
        "`deny` is not one of the possible values",
        "possible here: refuse, allow",
        "workspaces.mian.restore_grant",
        "did you mean `restore_grants`?",
        "`users.mail` is not one of the possible values",
    ] {
        assert!(problems.contains(expected), "{expected} in\n{problems}");
    }
    let config = Settings::new(&format!("{GOOD}[workspaces.mian]\n")).config();
    let warned: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert!(warned.len() == 1 && warned[0].contains("did you mean `main`?"), "{warned:?}");
}
