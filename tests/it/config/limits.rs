//! Settings of limits: of one team, of an upgrade, and of all jobs of a target.

use rosterd::plan::Limit;

use super::GOOD;
use super::Settings;

#[test]
fn limits_of_one_team_of_an_upgrade_and_of_a_target_are_settings_with_defaults() {
    let limits = Settings::new(GOOD).config().jobs["acme"].limits.clone();
    assert_eq!(limits.remove_members_team, Some(Limit { count: 50, percent: 100 }));
    assert_eq!(limits.upgrade, Some(Limit { count: 100, percent: 10 }));
    assert_eq!(limits.target.removals, Some(Limit { count: 100, percent: 100 }));
    assert_eq!(limits.target.changes, None);
    let edited = format!(
        "{GOOD}\n[targets.local.limits]\nremovals = {{ count = 7 }}\nchanges = {{ percent = 40 }}\n[jobs.acme.limits]\n\
         remove_members_team = {{ count = 9, percent = 25 }}\nupgrade = {{ count = 3 }}\n"
    );
    let limits = Settings::new(&edited).config().jobs["acme"].limits.clone();
    assert_eq!(limits.remove_members_team, Some(Limit { count: 9, percent: 25 }));
    assert_eq!(limits.upgrade, Some(Limit { count: 3, percent: 10 }));
    assert_eq!(limits.target.name, "local");
    assert_eq!(limits.target.removals, Some(Limit { count: 7, percent: 100 }));
    assert_eq!(limits.target.changes, Some(Limit { count: u64::MAX, percent: 40 }));
}

#[test]
fn a_percentage_that_is_none_and_an_unknown_limit_are_told_with_their_place() {
    let edited = format!(
        "{GOOD}\n[targets.local.limits]\nremovals = {{ percent = 101 }}\ntotal = {{ count = 1 }}\n[jobs.acme.limits]\n\
         remove_members_team = {{ percent = 200 }}\n"
    );
    let problems = Settings::new(&edited).problems();
    for told in [
        "101 is no percentage for `targets.local.limits.removals.percent`",
        "unknown key for `targets.local.limits.total`",
        "200 is no percentage for `jobs.acme.limits.remove_members_team.percent`",
    ] {
        assert!(problems.contains(told), "{problems}");
    }
}
