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

#[test]
fn workspaces_for_tokens_are_no_slips() {
    let good = GOOD.replace("\"main\"", "\"w0\"");
    for more in ["[workspaces.w1]\n", "[workspaces.wa]\n[workspaces.wb]\n[workspaces.wc]\n"] {
        let config = Settings::new(&format!("{good}{more}")).config();
        let warned: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
        assert!(warned.is_empty(), "{warned:?}");
    }
}

#[test]
fn follow_ups_wait_for_a_person_until_a_receiver_is_named() {
    let config = Settings::new(GOOD).config();
    assert!(config.workspaces["main"].follow_ups.receiver.is_none());
    let more = "[workspaces.main.follow_ups]\nurl = \"https://hooks.acme.example/rosterd\"\n\
                secret = [\"cred:new\", \"cred:old\"]\ndelay = \"24h\"\nretry_max = \"1h\"\n";
    let config = Settings::new(&format!("{GOOD}{more}")).config();
    let follow_ups = &config.workspaces["main"].follow_ups;
    let seconds = [follow_ups.rhythm.delay, follow_ups.rhythm.retry, follow_ups.rhythm.retry_max];
    assert_eq!(seconds.map(|time| time.as_secs()), [24 * 3600, 30, 3600]);
    assert_eq!(follow_ups.overdue.as_secs(), 24 * 3600);
    let receiver = follow_ups.receiver.as_ref().expect("a receiver");
    assert_eq!(receiver.settings.url.as_str(), "https://hooks.acme.example/rosterd");
    assert_eq!(receiver.secrets.len(), 2, "so that one can be replaced without a gap");
}

#[test]
fn slips_of_a_receiver_are_told_all_at_once() {
    let more = "[workspaces.main.follow_ups]\nurl = \"http://hooks.acme.example/x\"\nsecret = \"whsec_c2VjcmV0\"\n\
                delay = \"a day\"\nretry = \"2h\"\nretry_max = \"0s\"\n";
    let problems = Settings::new(&format!("{GOOD}{more}")).problems();
    for expected in [
        "plain http would send credentials in the clear",
        "a secret is never written into the settings",
        "workspaces.main.follow_ups.delay",
        "shorter than a second",
    ] {
        assert!(problems.contains(expected), "{expected} in\n{problems}");
    }
    assert!(!problems.contains("c2VjcmV0"), "{problems}");
    let short = "[workspaces.main.follow_ups]\nurl = \"https://x.example\"\nsecret = \"cred:x\"\nretry = \"2h\"\nretry_max = \"1h\"\n";
    let problems = Settings::new(&format!("{GOOD}{short}")).problems();
    assert!(problems.contains("the longest wait is shorter than the first"), "{problems}");
    let missing = Settings::new(&format!("{GOOD}[workspaces.main.follow_ups]\ndelay = \"1h\"\n")).problems();
    assert!(missing.contains("follow_ups.url") && missing.contains("follow_ups.secret"), "{missing}");
}
