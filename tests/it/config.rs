//! Settings: layers and their origins, and bad settings told all at once with file, line, key and cure.

mod failing;
mod leavers;
mod limits;
mod scope;
mod service;
mod targets;
mod workspaces;

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rosterd::config::Config;
use rosterd::config::Flags;
use rosterd::config::Key;
use rosterd::config::Layers;
use rosterd::config::Merged;
use rosterd::config::OktaSignIn;
use rosterd::config::SourceConfig;
use rosterd::config::TargetKind;
use rosterd::model::GroupPick;
use rosterd::plan::Actions;
use rosterd::plan::Adoption;
use rosterd::plan::Class;
use rosterd::plan::Leavers;
use rosterd::plan::Limit;
use rosterd::plan::Limits;
use rosterd::plan::Mode;
use rosterd::sources::okta::Treatment;
use tempfile::TempDir;

/// A folder with `rosterd.toml` and whatever `conf.d` files a test adds.
struct Settings {
    folder: TempDir,
    variables: Vec<(String, String)>,
    flags: Flags,
}

impl Settings {
    fn new(text: &str) -> Settings {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("rosterd.toml"), text).unwrap();
        Settings { folder, variables: Vec::new(), flags: Flags::default() }
    }

    fn fragment(self, name: &str, text: &str) -> Settings {
        let folder = self.folder.path().join("conf.d");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Settings {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn merged(&self) -> Result<Merged, String> {
        let layers = Layers {
            file: Some(self.folder.path().join("rosterd.toml")),
            variables: self.variables.clone(),
            flags: self.flags.clone(),
        };
        Merged::read(&layers).map_err(|problems| self.anonymous(&problems.to_string()))
    }

    fn config(&self) -> Config {
        self.checked().unwrap_or_else(|text| panic!("{text}"))
    }

    fn problems(&self) -> String {
        self.checked().map(|_| String::new()).unwrap_or_else(|text| text)
    }

    fn checked(&self) -> Result<Config, String> {
        self.merged()?.check().map_err(|problems| self.anonymous(&problems.to_string()))
    }

    /// `DIR` for the folder of the test.
    fn anonymous(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "DIR")
    }
}

const GOOD: &str = r#"
[jobs.acme]
target = "local"
[jobs.acme.source.graph]
tenant = "t1"
client_id = "c1"
secret = "env:ACME_SECRET"
[jobs.acme.scope.users]
assigned_to = "app1"
[jobs.acme.mapping]
preset = "cerby"
[targets.local.workspace]
name = "main"
"#;

#[test]
fn a_short_file_is_enough_and_the_rest_are_the_defaults_of_the_rules() {
    let config = Settings::new(GOOD).config();
    let job = &config.jobs["acme"];
    assert_eq!(job.schedule.to_string(), "every 40m");
    assert_eq!(job.mode, Mode::Write);
    assert_eq!(Limits { target: Limits::default().target, ..job.limits.clone() }, Limits::default());
    assert_eq!(job.rules.actions, Actions::default());
    assert_eq!(job.rules.leavers, Leavers::default());
    assert_eq!(job.rules.adoption, Adoption::default());
    assert_eq!(config.daemon.listen.to_string(), "127.0.0.1:8480");
    assert_eq!(config.daemon.state, Path::new("/var/lib/rosterd/rosterd.db"));
    assert!(matches!(&config.targets["local"].kind, TargetKind::Workspace { name } if name == "main"));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn the_example_of_the_design_is_understood() {
    let config = Settings::new(
        r#"
[daemon]
state = "/tmp/rosterd.db"
listen = "[::1]:9000"
[jobs.globex]
schedule = "CRON_TZ=Europe/Berlin 0 6 * * 1-5"
jitter = "5m"
mode = "approve"
target = "cerby"
actions = { delete = true }
leavers = { unassigned = "delete after 30d", teams = "leave" }
adopt = "never"
[jobs.globex.source.okta]
url = "https://globex.okta.com"
token = "file:/etc/rosterd/okta"
[jobs.globex.scope.users]
groups = ["name:Sales", "id:00g1"]
nested = true
[jobs.globex.scope.teams]
assigned_to = "0oa1"
groups = "prefix:app-"
[jobs.globex.mapping]
preset = "cerby"
[jobs.globex.limits]
deactivate = { count = 5, percent = 1 }
create = { count = 1000 }
floor = 0
[targets.cerby.scim]
url = "https://api.cerby.com/v1/scim/v2"
token = ["cred:new", "cred:old"]
profile = "cerby"
protect = ["Owner@ACME.example"]
"#,
    )
    .config();
    let job = &config.jobs["globex"];
    let before = "2026-03-27T10:00:00Z".parse::<Timestamp>().unwrap();
    let due = job.schedule.due(Some(before), before, "globex");
    let six = "2026-03-30T04:00:00Z".parse::<Timestamp>().unwrap();
    assert!(due >= six && due <= six + Duration::from_secs(300), "{due}");
    assert_eq!(job.mode, Mode::Approve);
    assert_eq!(job.limits.classes[&Class::Deactivate], Limit { count: 5, percent: 1 });
    assert_eq!(job.limits.classes[&Class::Create], Limit { count: 1000, percent: 100 });
    assert_eq!(job.limits.floor, 0);
    assert_eq!(job.rules.scope.users.groups.len(), 2);
    assert!(job.rules.scope.users.nested);
    assert_eq!(job.rules.scope.teams.groups, [GroupPick::Prefix("app-".to_owned())]);
    assert!(job.rules.protect.contains("owner@acme.example"));
    assert!(
        matches!(&job.source, SourceConfig::Okta(okta) if matches!(&okta.sign_in, OktaSignIn::Token(place) if place.to_string() == "file:/etc/rosterd/okta"))
    );
    let TargetKind::Scim(scim) = &config.targets["cerby"].kind else { panic!("not a SCIM target") };
    assert_eq!(scim.tokens.len(), 2);
}

#[test]
fn every_problem_is_told_at_once_with_file_line_key_and_cure() {
    let settings = Settings::new(
        r#"
[daemon]
listen = "localhost"
[jobs.acme]
schedule = "every moon"
target = "lokal"
mode = "writ"
[jobs.acme.source.graph]
tennant = "t1"
client_id = 5
secret = "hunter2"
root = "http://graph.example"
[jobs.acme.scope.users]
groups = ["Sales"]
[jobs.acme.mapping]
preset = "cerby"
[jobs.acme.limits]
deactivate = { count = -1, percent = 10 }
delete = { percent = 120 }
[jobs."Bad Name"]
target = "local"
[targets.local.workspace]
name = "main"
"#,
    );
    let expected = r#"error: `localhost` is not an address and a port for `daemon.listen`
  --> DIR/rosterd.toml:3:1
  cure: write 127.0.0.1:8480
error: `moon` is not a duration for `jobs.acme.schedule`
  --> DIR/rosterd.toml:5:1
  cure: write one like 90s, 40m or 1h 30m
error: there is no target `lokal` for `jobs.acme.target`
  --> DIR/rosterd.toml:6:1
  cure: did you mean `local`?
error: `writ` is not one of the possible values for `jobs.acme.mode`
  --> DIR/rosterd.toml:7:1
  cure: did you mean `write`?
error: missing for `jobs.acme.source.graph.tenant`
  --> DIR/rosterd.toml:8:19
  cure: set it to the directory (tenant) id
error: unknown key for `jobs.acme.source.graph.tennant`
  --> DIR/rosterd.toml:9:1
  cure: did you mean `tenant`?
error: a number where a text is needed for `jobs.acme.source.graph.client_id`
  --> DIR/rosterd.toml:10:1
  cure: put it into quotes
error: a secret is never written into the settings for `jobs.acme.source.graph.secret`
  --> DIR/rosterd.toml:11:1
  cure: say where it lies: file:PATH, env:NAME or cred:NAME
error: plain http would send credentials in the clear for `jobs.acme.source.graph.root`
  --> DIR/rosterd.toml:12:1
  cure: use https://
error: `Sales` chooses no group for `jobs.acme.scope.users.groups`
  --> DIR/rosterd.toml:14:1
  cure: write "id:ID", "name:WHOLE NAME", "prefix:BEGINNING OF NAMES", or a rule such as "name_contains:PART" (docs/settings.md lists them)
error: a number where a whole number, not negative, is needed for `jobs.acme.limits.deactivate.count`
  --> DIR/rosterd.toml:18:16
  cure: write it without sign, point and quotes
error: 120 is no percentage for `jobs.acme.limits.delete.percent`
  --> DIR/rosterd.toml:19:12
  cure: use 0 to 100
error: this name cannot be used for `jobs.'Bad Name'`
  --> DIR/rosterd.toml:20:7
  cure: use lower-case letters, digits and _ only, so that a variable can name it
error: nobody is in scope for `jobs.'Bad Name'.scope.users`
  --> DIR/rosterd.toml:20:7
  cure: set one or more of assigned_to = "APPLICATION ID", groups = ["name:…"], all = true
error: the job reads nothing for `jobs.'Bad Name'.source`
  --> DIR/rosterd.toml:20:7
  cure: add one table: source.graph, source.okta or source.file
15 problems in the settings"#;
    assert_eq!(settings.problems(), expected);
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let text = Settings::new(&GOOD.replace("env:ACME_SECRET", "hunter2")).problems();
    assert!(text.contains("a secret is never written into the settings for `jobs.acme.source.graph.secret`"));
    assert!(text.contains("--> DIR/rosterd.toml:7:1"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let text = Settings::new(&GOOD.replace("\"env:ACME_SECRET\"", "12345")).problems();
    assert!(!text.contains("12345"), "{text}");
}

#[test]
fn later_layers_win_and_every_value_knows_its_origin() {
    let mut settings =
        Settings::new(&GOOD.replace("[jobs.acme]", "[jobs.acme]\nschedule = \"every 1h\"\njitter = \"1s\""))
            .fragment("20-more.toml", "[jobs.acme]\nschedule = \"every 3h\"\n")
            .fragment("10-less.toml", "[jobs.acme]\nschedule = \"every 2h\"\n[jobs.acme.limits]\nfloor = 9\n")
            .fragment("notes.txt", "not settings")
            .variable("ROSTERD_JOBS__ACME__MODE", "approve")
            .variable("ROSTERD_JOBS__ACME__LIMITS__DEACTIVATE__COUNT", "7")
            .variable("ROSTERD_JOBS__ACME__SCOPE__USERS__GROUPS", "[\"name:A\", \"name:B\"]")
            .variable("ROSTERD_TARGETS__LOCAL__WORKSPACE__NAME", "0123")
            .variable("ROSTERD_CORPUS", "/not/a/setting");
    settings.flags.state = Some("/tmp/flag.db".to_owned());
    let config = settings.config();
    let job = &config.jobs["acme"];
    assert_eq!(job.schedule.to_string(), "every 3h");
    assert_eq!(job.mode, Mode::Approve);
    assert_eq!(job.limits.classes[&Class::Deactivate], Limit { count: 7, percent: 10 });
    assert_eq!(job.limits.floor, 9);
    assert_eq!(job.rules.scope.users.groups.len(), 2);
    assert_eq!(config.daemon.state, Path::new("/tmp/flag.db"));
    assert!(matches!(&config.targets["local"].kind, TargetKind::Workspace { name } if name == "0123"));

    let merged = settings.merged().unwrap_or_else(|text| panic!("{text}"));
    let place = |parts: &[&str]| {
        let key = Key(parts.iter().map(|part| (*part).to_owned()).collect());
        settings.anonymous(&merged.place(&key).to_string())
    };
    assert_eq!(place(&["jobs", "acme", "schedule"]), "DIR/conf.d/20-more.toml:2:1");
    assert_eq!(place(&["jobs", "acme", "limits", "floor"]), "DIR/conf.d/10-less.toml:4:1");
    assert_eq!(place(&["jobs", "acme", "mode"]), "variable ROSTERD_JOBS__ACME__MODE");
    assert_eq!(place(&["jobs", "acme", "limits", "deactivate", "percent"]), "built-in default");
    assert_eq!(place(&["daemon", "state"]), "command line");
    assert_eq!(place(&["jobs", "acme", "source", "graph", "tenant"]), "DIR/rosterd.toml:7:1");
}

#[test]
fn a_wrong_variable_is_named() {
    let text = Settings::new(GOOD)
        .variable("ROSTERD_JOBS__ACME__SCHEDUEL", "every 5m")
        .variable("ROSTERD_DAEMON__LISTEN", "nowhere")
        .problems();
    assert_eq!(
        text,
        "\
error: `nowhere` is not an address and a port for `daemon.listen`
  --> variable ROSTERD_DAEMON__LISTEN
  cure: write 127.0.0.1:8480
error: unknown key for `jobs.acme.scheduel`
  --> variable ROSTERD_JOBS__ACME__SCHEDUEL
  cure: did you mean `schedule`?
2 problems in the settings"
    );
}

#[test]
fn a_file_that_is_not_toml_is_named_with_its_line() {
    let text = Settings::new("[jobs.acme]\ntarget = local\n").fragment("x.toml", "= 1\n").problems();
    assert!(text.contains("  --> DIR/rosterd.toml:2:10\n"), "{text}");
    assert!(text.contains("  --> DIR/conf.d/x.toml:1:1\n"), "{text}");
    assert!(text.ends_with("2 problems in the settings"), "{text}");
}

#[test]
fn a_missing_file_says_what_to_do() {
    let layers = Layers { file: Some("/nonexistent/rosterd.toml".into()), ..Layers::default() };
    let text = Merged::read(&layers).err().unwrap().to_string();
    assert!(text.contains("--> /nonexistent/rosterd.toml"), "{text}");
    assert!(text.contains("cure: write it, or name another one with -c FILE"), "{text}");
}

#[test]
fn a_job_reads_one_source_and_writes_one_kind_of_target() {
    let none = Settings::new(
        "[jobs.a]\ntarget = \"t\"\n[jobs.a.scope.users]\nall = true\n[jobs.a.mapping]\npreset = \"cerby\"\n[targets.t]\n",
    );
    let text = none.problems();
    assert!(text.contains("the job reads nothing for `jobs.a.source`\n  --> DIR/rosterd.toml:1:7"), "{text}");
    assert!(
        text.contains("neither a service nor a workspace for `targets.t`\n  --> DIR/rosterd.toml:7:10"),
        "{text}"
    );
    let two = format!(
        "{GOOD}[jobs.acme.source.file]\npath = \"x.json\"\n[targets.local.scim]\nurl = \"https://x.example\"\n"
    );
    let text = Settings::new(&two).problems();
    assert!(text.contains("the job reads two sources"), "{text}");
    assert!(text.contains("two things at once"), "{text}");
}

#[test]
fn secrets_that_cannot_be_read_are_told_with_their_cure() {
    let settings = Settings::new(&GOOD.replace("env:ACME_SECRET", "env:ROSTERD_TEST_UNSET_VARIABLE"));
    let config = settings.config();
    let merged = settings.merged().unwrap_or_else(|text| panic!("{text}"));
    let problems = merged.check_secrets(&config);
    assert_eq!(problems.len(), 1);
    let text = problems[0].to_string();
    assert!(
        text.contains("ROSTERD_TEST_UNSET_VARIABLE is not set for `jobs.acme.source.graph.secret`"),
        "{text}"
    );
    assert!(text.contains("cure: set it, or name another place"), "{text}");
}

#[test]
fn the_merged_result_names_every_origin_and_never_a_secret() {
    let settings = Settings::new(&GOOD.replace("env:ACME_SECRET", "hunter2"))
        .variable("ROSTERD_JOBS__ACME__LIMITS__FLOOR", "9");
    let merged = settings.merged().unwrap_or_else(|text| panic!("{text}"));
    let text = settings.anonymous(&merged.show());
    for line in [
        "daemon.listen = \"127.0.0.1:8480\"  # built-in default",
        "jobs.acme.limits.floor = \"9\"  # variable ROSTERD_JOBS__ACME__LIMITS__FLOOR",
        "jobs.acme.source.graph.secret = \"••••\"  # DIR/rosterd.toml:7:1",
        "jobs.acme.source.graph.tenant = \"t1\"  # DIR/rosterd.toml:5:1",
        "targets.local.workspace.name = \"main\"  # DIR/rosterd.toml:13:1",
    ] {
        assert!(text.lines().any(|shown| shown == line), "no line {line} in\n{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
    let places = Settings::new(GOOD).merged().unwrap_or_else(|text| panic!("{text}")).show();
    assert!(places.contains("jobs.acme.source.graph.secret = \"env:ACME_SECRET\""), "{places}");
}

#[test]
fn a_mapping_is_a_preset_with_rows_of_ones_own_over_it() {
    let rows = r#"
[jobs.acme.mapping.users."userName"]
attribute = "mail"
[jobs.acme.mapping.users."title"]
expression = 'ToUpper([jobTitle], )'
"#;
    let config = Settings::new(
        &GOOD.replace("[targets.local.workspace]", &format!("{rows}[targets.local.workspace]")),
    )
    .config();
    let users = &config.jobs["acme"].rules.users;
    let row =
        |target: &str| users.rows.iter().find(|row| row.target == target).map(|row| row.value.attributes());
    assert_eq!(row("userName"), Some(vec!["mail"]));
    assert_eq!(row("title"), Some(vec!["jobTitle"]));
    assert_eq!(row("name.familyName"), Some(vec!["surname"]));
}

#[test]
fn a_mapping_that_cannot_be_is_told_row_by_row() {
    let rows = r#"
[jobs.acme.mapping.users."title"]
expression = "Uper([jobTitle])"
[jobs.acme.mapping.users."nickName"]
atribute = "mailNickname"
"#;
    let settings = Settings::new(
        &GOOD.replace("[targets.local.workspace]", &format!("{rows}[targets.local.workspace]")),
    );
    let text = settings.problems();
    assert!(
        text.contains(
            "there is no function `Uper` for `jobs.acme.mapping.users.title.expression`\n      Uper([jobTitle])\n      ^\n  --> DIR/rosterd.toml:14:1"
        ),
        "{text}"
    );
    assert!(text.contains("unknown key for `jobs.acme.mapping.users.nickName.atribute`\n  --> DIR/rosterd.toml:16:1\n  cure: did you mean `attribute`?"), "{text}");
    let text = Settings::new(&GOOD.replace("\"cerby\"", "\"cerbi\"")).problems();
    assert!(text.contains("there is no preset `cerbi` for `jobs.acme.mapping.preset`"), "{text}");
    assert!(text.contains("cure: did you mean `cerby`?"), "{text}");
}

#[test]
fn an_okta_job_names_the_one_application_through_which_it_reads() {
    let okta = r#"
[jobs.a]
target = "t"
source.okta = { url = "https://acme-admin.okta.com", token = "env:T" }
scope.users.assigned_to = "0oa1"
scope.teams.assigned_to = "0oa2"
mapping.preset = "cerby"
[targets.t.workspace]
name = "main"
"#;
    let text = Settings::new(okta).problems();
    assert!(
        text.contains("people and teams come from two applications for `jobs.a.scope.users.assigned_to`"),
        "{text}"
    );
    let text = Settings::new(&okta.replace("0oa2", "0oa1")).problems();
    assert!(text.contains("it is the admin console for `jobs.a.source.okta.url`\n  --> DIR/rosterd.toml:4:17\n  cure: write https://acme.okta.com"), "{text}");
}

#[test]
fn an_okta_job_says_what_statuses_mean_and_how_often_members_are_read() {
    let okta = r#"
[jobs.a]
target = "t"
scope.users.assigned_to = "0oa1"
scope.teams.push_mappings = true
mapping.preset = "cerby"
[jobs.a.source.okta]
url = "https://acme.okta.com"
token = "env:T"
suspended = "active"
system_log = false
overlap = "20m"
member_reread = "12h"
[targets.t.workspace]
name = "main"
"#;
    let config = Settings::new(okta).config();
    let SourceConfig::Okta(okta_source) = &config.jobs["a"].source else { panic!("an Okta source") };
    assert_eq!(okta_source.statuses.suspended, Treatment::Active);
    assert_eq!(okta_source.statuses.staged, Treatment::Inactive);
    assert!(okta_source.statuses.implicit && !okta_source.system_log);
    assert_eq!(okta_source.overlap, Some(Duration::from_secs(20 * 60)));
    assert_eq!(okta_source.member_reread, Some(Duration::from_secs(12 * 60 * 60)));

    let text =
        Settings::new(&okta.replace("\"active\"", "\"gone\"").replace("\"20m\"", "\"soon\"")).problems();
    assert_eq!(
        text,
        "\
error: `gone` is not one of the possible values for `jobs.a.source.okta.suspended`
  --> DIR/rosterd.toml:10:1
  cure: possible here: active, inactive
error: `soon` is not a duration for `jobs.a.source.okta.overlap`
  --> DIR/rosterd.toml:12:1
  cure: write one like 90s, 40m or 1h 30m
2 problems in the settings"
    );
}
