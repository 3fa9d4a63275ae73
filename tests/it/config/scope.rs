//! Settings of the scope: filters, people's policy, single teams; every problem with its clause.

use rosterd::plan::People;
use rosterd::plan::TeamNames;
use rosterd::scim::Kind;

use super::GOOD;
use super::Settings;

#[test]
fn filters_policy_and_single_teams_are_told_clause_by_clause() {
    let settings = Settings::new(
        r#"
[jobs.acme]
target = "local"
team_names = "number"
[jobs.acme.source.graph]
tenant = "t1"
client_id = "c1"
secret = "env:ACME_SECRET"
[jobs.acme.scope.users]
assigned_to = "app1"
guests = "perhaps"
filters = [
  [ { attribute = "departement", op = "EQUALS", value = "Sales" },
    { attribute = "country", op = "EQUALZ", value = "DE" } ],
  [ { attribute = "employeeId", op = "Greater_Than", value = "ten" },
    { attribute = "jobTitle", op = "REGEX MATCH", value = '(?!x)y' },
    { attribute = "jobTitle", op = "IS NULL", vale = "x" },
    { op = "IS NULL" } ],
]
[jobs.acme.scope.teams]
filters = [ [ { attribute = "userType", op = "IS NULL" } ] ]
[jobs.acme.teams."id:g1"]
rename = true
[jobs.acme.teams."prefix:app-"]
link = "All"
[jobs.acme.teams."g7"]
name = ""
[jobs.acme.mapping]
preset = "cerby"
[targets.local.workspace]
name = "main"
"#,
    );
    let expected = r#"error: `number` is not one of the possible values for `jobs.acme.team_names`
  --> DIR/rosterd.toml:4:1
  cure: possible here: hold, suffix, link
error: a text where true or false is needed for `jobs.acme.scope.users.guests`
  --> DIR/rosterd.toml:11:1
  cure: write true or false, without quotes
error: a user of Microsoft Graph has no attribute `departement` for `jobs.acme.scope.users.filters.0.0.attribute`
  --> DIR/rosterd.toml:13:7
  cure: did you mean `department`?
error: there is no operator `EQUALZ` for `jobs.acme.scope.users.filters.0.1.op`
  --> DIR/rosterd.toml:14:30
  cure: did you mean `EQUALS`?
error: `Greater_Than` compares whole numbers for `jobs.acme.scope.users.filters.1.0.value`
  --> DIR/rosterd.toml:15:54
  cure: write one like 18, -3 or &H200
error: look-ahead and look-behind are .NET only for `jobs.acme.scope.users.filters.1.1.value`
  --> DIR/rosterd.toml:16:51
  cure: say it with a second clause, REGEX MATCH or NOT REGEX MATCH
error: unknown key for `jobs.acme.scope.users.filters.1.2.vale`
  --> DIR/rosterd.toml:17:47
  cure: did you mean `value`?
error: missing for `jobs.acme.scope.users.filters.1.3.attribute`
  --> DIR/rosterd.toml:18:5
  cure: set it to the attribute that is looked at
error: a group of Microsoft Graph has no attribute `userType` for `jobs.acme.scope.teams.filters.0.0.attribute`
  --> DIR/rosterd.toml:21:17
error: only a linked team keeps its name for `jobs.acme.teams.'id:g1'.rename`
  --> DIR/rosterd.toml:23:1
  cure: take it out; a team that is made here always follows its group
error: many groups cannot be one team for `jobs.acme.teams.'prefix:app-'.link`
  --> DIR/rosterd.toml:25:1
  cure: choose the one group by id: or name:
error: `g7` chooses no group for `jobs.acme.teams.g7`
  --> DIR/rosterd.toml:26:18
  cure: write "id:ID", "name:WHOLE NAME", "prefix:BEGINNING OF NAMES", or a rule such as "name_contains:PART" (docs/settings.md lists them)
error: empty for `jobs.acme.teams.g7.name`
  --> DIR/rosterd.toml:27:1
  cure: set it to the name of the team
13 problems in the settings"#;
    assert_eq!(settings.problems(), expected);
}

#[test]
fn okta_has_no_guests_and_no_resource_accounts() {
    let okta = r#"
[jobs.a]
target = "t"
source.okta = { url = "https://acme.okta.com", token = "env:T" }
scope.users = { assigned_to = "0oa1", guests = false }
mapping.preset = "cerby"
[targets.t.workspace]
name = "main"
"#;
    let expected = "error: an Okta org does not know such people for `jobs.a.scope.users.guests`
  --> DIR/rosterd.toml:5:39
  cure: take it out, or filter by an attribute such as user.userType
1 problem in the settings";
    assert_eq!(Settings::new(okta).problems(), expected);
}

#[test]
fn what_filters_and_policy_look_at_is_read_of_the_source() {
    let more = r#"
assigned_to = "app1"
guests = false
resource_accounts = false
filters = [ [ { attribute = "extensionAttribute3", op = "equals", value = "x", ignore_case = true, not = true },
              { attribute = "employeeHireDate", op = "BEFORE", value = "2026-01-31" } ],
            [ { attribute = "otherMails", op = "ENDS_WITH", value = "@x.example", of = "any" },
              { attribute = "employeeId", op = "Less_Than", value = 100 } ] ]
[jobs.acme.teams."id:g1"]
link = "Old"
rename = true
[jobs.acme.teams."name_starts:app-"]
enabled = false
"#;
    let config = Settings::new(&GOOD.replace("assigned_to = \"app1\"", more)).config();
    let rules = &config.jobs["acme"].rules;
    let read = rules.source_attributes(Kind::User);
    for name in [
        "onPremisesExtensionAttributes",
        "employeeHireDate",
        "otherMails",
        "employeeId",
        "isResourceAccount",
        "userType",
    ] {
        assert!(read.contains(name), "{name} in {read:?}");
    }
    assert_eq!(rules.people, People { guests: false, resource_accounts: false, ..People::default() });
    assert_eq!(rules.teams.names, TeamNames::default());
    // The same settings have the same digest, in whatever order their tables stand.
    let config = Settings::new(GOOD).config();
    assert_eq!(config.jobs["acme"].rules.people, People::default());
    assert_ne!(config.jobs["acme"].rules.digest(), rules.digest());
}
