//! Settings of leavers, of the clock, and of filters that look at groups and dates.

use rosterd::model::GroupPick;
use rosterd::model::SourceId;
use rosterd::plan::Leavers;
use rosterd::plan::OnLeave;
use rosterd::plan::OnTeamLeave;
use rosterd::scim::Kind;

use super::GOOD;
use super::Settings;

const OKTA: &str = r#"
[jobs.a]
target = "t"
source.okta = { url = "https://acme.okta.com", token = "env:T" }
scope.users.assigned_to = "0oa1"
mapping.preset = "cerby"
actions.delete = true
leavers = { suspended = "leave", purged = "delete after 90d", teams = "leave" }
[targets.t.workspace]
name = "main"
"#;

/// Entra provisioning reference, section 8; Okta reference, section 6.1: an org knows no recycle bin.
#[test]
fn every_event_has_a_policy_and_a_source_only_its_own() {
    let after = OnLeave::DeleteAfter { seconds: 90 * 86_400 };
    let expected = Leavers {
        suspended: OnLeave::Leave,
        purged: after,
        soft_deleted: after,
        teams: OnTeamLeave::Leave,
        ..Leavers::default()
    };
    let config = Settings::new(OKTA).config();
    assert_eq!(config.jobs["a"].rules.leavers, expected);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);

    let text = Settings::new(&OKTA.replace("suspended", "soft_deleted")).problems();
    assert_eq!(
        text,
        "\
error: an Okta org has no recycle bin for `jobs.a.leavers.soft_deleted`
  --> DIR/rosterd.toml:8:13
  cure: take it out
1 problem in the settings"
    );
    let text = Settings::new(&with("leavers.suspended = \"delete\"")).problems();
    assert!(text.contains("only Okta suspends people for `jobs.acme.leavers.suspended`"), "{text}");
}

/// A job of Graph with more lines in its table.
fn with(line: &str) -> String {
    GOOD.replace("target = \"local\"\n", &format!("target = \"local\"\n{line}\n"))
}

#[test]
fn what_cannot_be_a_policy_is_told_with_its_cure() {
    let more = "leavers = { users = \"delete\", unassigned = \"purge\", disabled = \"delete after 5 days\" }
limits.clock_jump = \"soon\"";
    let text = Settings::new(&with(more)).problems();
    let told: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("-->")).collect();
    assert_eq!(
        told,
        [
            "error: every event has a policy of its own for `jobs.acme.leavers.users`",
            "  cure: take it out, and set what is meant of unassigned, out_of_scope, disabled, suspended, soft_deleted and purged",
            "error: `purge` is not one of the possible values for `jobs.acme.leavers.unassigned`",
            "  cure: possible here: deactivate, delete, delete after 30d, leave",
            "error: `delete after 5 days` is not one of the possible values for `jobs.acme.leavers.disabled`",
            "  cure: possible here: deactivate, delete, delete after 30d, leave",
            "error: `soon` is no time that a clock may go on by for `jobs.acme.limits.clock_jump`",
            "  cure: write one like 8d or 36h, an hour at least, and longer than between two cycles",
            "4 problems in the settings",
        ]
    );
}

#[test]
fn deleting_takes_two_settings() {
    let warned = |line: &str| {
        let config = Settings::new(&with(line)).config();
        config.warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>().join("\n")
    };
    let told = "leavers are to be deleted, but deleting is switched off";
    assert_eq!(warned("leavers.unassigned = \"delete after 30d\""), told);
    assert_eq!(warned("leavers.teams = \"delete\""), told);
    assert_eq!(warned("leavers.unassigned = \"leave\""), "");
}

/// Who is in a group that a filter looks at has to be read, through other groups too.
#[test]
fn the_groups_of_a_filter_are_read() {
    let settings = GOOD.replace(
        "assigned_to = \"app1\"\n",
        r#"assigned_to = "app1"
exclude = [ [ { op = "IsMemberOf", value = "id:AB-1" } ] ]
[jobs.acme.scope.teams]
filters = [ [ { op = "IsMemberOf", value = "id:ab-2" }, { attribute = "createdDateTime", op = "BEFORE", value = "now-90d" } ] ]
"#,
    );
    let config = Settings::new(&settings).config();
    let rules = &config.jobs["acme"].rules;
    let pick = |id: &str| GroupPick::Id(SourceId(id.to_owned()));
    let looked_at: Vec<_> = rules.scope.groups_looked_at().cloned().collect();
    assert_eq!(looked_at, [pick("AB-1"), pick("ab-2")]);
    assert!(rules.source_attributes(Kind::Group).contains("createdDateTime"));
    let text = Settings::new(&settings.replace("id:AB-1", "AB-1")).problems();
    assert!(text.contains("`AB-1` chooses no group for `jobs.acme.scope.users.exclude.0.0.value`"), "{text}");
}
