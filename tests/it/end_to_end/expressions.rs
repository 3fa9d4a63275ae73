//! Expressions that need more than an object, through the whole chain: roles, the default domain, what is sent once.

use std::collections::BTreeMap;

use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Job;
use rosterd::expr::Expression;
use rosterd::model::GroupPick;
use rosterd::model::Reading;
use rosterd::model::Vocabulary;
use rosterd::plan::Act;
use rosterd::plan::Class;
use rosterd::plan::Edit;
use rosterd::plan::Mode;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::RawRow;
use rosterd::plan::RowFlow;
use rosterd::scim::Attributes;
use rosterd::scim::Kind;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::store::LogFilter;
use rosterd::targets::Operation;
use serde_json::Value;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::site::JOB;
use super::site::Site;
use super::site::acme;
use super::site::login;

const PRESET: &str = include_str!("../../../config/presets/cerby.toml");

impl Site {
    /// One row over those of the preset.
    fn row(&mut self, target: &str, expression: &str, apply: RowFlow) {
        let preset: RawPreset = toml_edit::de::from_str(PRESET).expect("the preset is TOML");
        let row = RawRow { expression: Some(expression.to_owned()), apply: Some(apply), ..RawRow::default() };
        let raw = RawMapping { users: BTreeMap::from([(target.to_owned(), row)]), ..RawMapping::default() };
        self.rules.users = raw.check(Some(&preset), Vocabulary::Graph).expect("the rows are sound").users;
    }

    async fn mode(&self, mode: Mode) {
        let job = self.store.job(JOB).await.expect("a job");
        self.store.set_mode(job.id, mode, "test", "a test", self.now.as_second()).await.expect("a mode");
    }

    async fn shown(&self, given: &str) -> Value {
        let all = self.resources().await;
        all.into_iter().find(|user| user["userName"] == json!(login(given))).expect("an account")
    }

    /// What everybody has of an attribute, by given name.
    async fn all(&self, attribute: &str) -> Vec<String> {
        let mut all = Vec::new();
        for user in self.resources().await.iter().filter(|user| user["userName"].is_string()) {
            let text = |path: &str| user.pointer(path).and_then(Value::as_str).unwrap_or("-").to_owned();
            all.push(format!("{} {}", text("/name/givenName"), text(&format!("/{attribute}"))));
        }
        all.sort();
        all
    }
}

fn assign(site: &Site, principal: &str, role: Option<&str>) {
    site.change(Change::Assign { principal: principal.to_owned(), role: role.map(str::to_owned) });
}

async fn with_roles(function: &str) -> Site {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.graph(|settings| settings.roles = true);
    site.row("roles", &format!("{function}([appRoleAssignments])"), RowFlow::Always);
    assign(&site, &login("Di"), Some("Admin"));
    assign(&site, "Sales", Some("User"));
    site
}

fn role(value: &str, display: &str) -> Value {
    json!({"display": display, "type": "WindowsAzureActiveDirectoryRole", "value": value})
}

/// The names of the roles that somebody has in the target.
async fn roles_of(site: &Site, given: &str) -> Vec<String> {
    let user = site.shown(given).await;
    let roles = user["roles"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<String> =
        roles.iter().map(|role| role["value"].as_str().unwrap_or("-").to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn added_roles_come_from_the_person_and_the_groups_and_are_never_taken_away() {
    let mut site = with_roles("AppRoleAssignmentsComplex").await;
    site.cycle().await;
    assert_eq!(site.shown("Di").await["roles"], json!([role("Admin", "Administrator")]));
    assert_eq!(roles_of(&site, "Bo").await, ["User"]);
    assert!(roles_of(&site, "Cy").await.is_empty());
    assert_eq!(site.cycle().await.written(), 0);
    assign(&site, "Sales", Some("Admin"));
    site.cycle().await;
    assert_eq!(roles_of(&site, "Bo").await, ["Admin", "User"]);
    site.change(Change::Unassign { principal: login("Di") });
    assign(&site, &login("Di"), Some("User"));
    site.cycle().await;
    assert_eq!(roles_of(&site, "Di").await, ["Admin", "User"]);
    assert_eq!(site.cycle().await.written(), 0);
}

#[tokio::test]
async fn asserted_roles_are_these_and_no_others() {
    let mut site = with_roles("AssertiveAppRoleAssignmentsComplex").await;
    site.cycle().await;
    let mut whole = role("Admin", "Administrator");
    whole["primary"] = json!(false);
    assert_eq!(site.shown("Di").await["roles"], json!([whole]));
    site.change(Change::Unassign { principal: login("Di") });
    assign(&site, &login("Di"), Some("User"));
    let record = site.cycle().await;
    assert_eq!(record.done, BTreeMap::from([(Class::Update, 1)]));
    assert_eq!(roles_of(&site, "Di").await, ["User"]);
    assert_eq!(site.cycle().await.written(), 0);
}

/// The group is no longer on the list of assignments, and is in scope by its name: its people stay, and have the group's
/// roles no more.
#[tokio::test]
async fn a_group_that_loses_the_application_takes_its_roles_with_it() {
    let mut site = with_roles("AssertiveAppRoleAssignmentsComplex").await;
    site.rules.scope.users.groups = vec![GroupPick::Name("Sales".to_owned())];
    assign(&site, &login("Bo"), Some("Admin"));
    site.cycle().await;
    assert_eq!(roles_of(&site, "Bo").await, ["Admin", "User"]);
    site.change(Change::Unassign { principal: "Sales".to_owned() });
    site.cycle().await;
    assert_eq!(roles_of(&site, "Bo").await, ["Admin"]);
}

#[tokio::test]
async fn one_role_is_the_primary_one() {
    let mut site = with_roles("AppRoleAssignmentsComplex").await;
    site.row(
        "roles[primary eq \"True\"].value",
        "SingleAppRoleAssignment([appRoleAssignments])",
        RowFlow::Always,
    );
    site.cycle().await;
    assert_eq!(site.shown("Di").await["roles"], json!([{"primary": true, "value": "Admin"}]));
    assert_eq!(site.cycle().await.written(), 0);
}

#[tokio::test]
async fn the_default_domain_is_asked_for_where_a_row_needs_it() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    let without = site.cycle().await.source_requests;
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.row("nickName", "Join(\"@\", [givenName], DefaultDomain())", RowFlow::Always);
    let with = site.cycle().await.source_requests;
    assert_eq!(with, without + 1);
    assert_eq!(site.all("nickName").await[0], "Ann Ann@acme.example");
}

/// A rehearsal asks nobody: it knows the domain that a cycle has read, or says that none has.
#[tokio::test]
async fn a_rehearsal_takes_the_default_domain_that_was_last_seen() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.cycle().await;
    let today = site.job();
    let domain = "Join(\"@\", [givenName], DefaultDomain())";
    site.row("nickName", domain, RowFlow::Always);
    let rehearsed = async |site: &Site, today: &Job| {
        let (stop, now) = (CancellationToken::new(), site.now);
        let clock = move || now;
        let reading = Reading::Incremental;
        let how = How { reading, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
        let planned = cycle::rehearse(today, &site.job(), &site.store, how).await.expect("a rehearsal");
        let planned = planned.expect("something was seen");
        let mut told: Vec<String> = planned.header.notes.clone();
        let mut take = |change: rosterd::plan::Change| told.push(format!("{:?}", change.act));
        planned.changes(&mut take).await.expect("the plan is read");
        told.join("\n")
    };
    let asked = today.source.requests();
    let told = rehearsed(&site, &today).await;
    assert!(told.contains("never read: the directory's own domain"), "{told}");
    assert_eq!(today.source.requests(), asked);

    site.cycle().await;
    let today = site.job();
    site.row("displayName", domain, RowFlow::Always);
    let asked = today.source.requests();
    let told = rehearsed(&site, &today).await;
    assert!(told.contains("displayName") && !told.contains("never read"), "{told}");
    assert_eq!(today.source.requests(), asked);
}

/// Of five people of one surname, one has the plain name; whoever is there already keeps it.
#[tokio::test]
async fn a_unique_value_is_chosen_of_the_target() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    let taken = Attributes::from_iter([
        ("userName".to_owned(), json!("somebody@else.example")),
        ("nickName".to_owned(), json!("LEE")),
    ]);
    let there = Operation::Create { kind: Kind::User, attributes: taken };
    site.target.apply(&[there]).await.expect("somebody");
    let rules = r#"SelectUniqueValue([surname], Append([surname], "2"), Join(".", [givenName], [surname]))"#;
    site.row("nickName", rules, RowFlow::OnCreate);
    let planned = site.plan().await;
    site.cycle().await;
    let mut chosen: Vec<String> = site.all("nickName").await;
    chosen.retain(|line| !line.starts_with('-'));
    let plain = chosen.iter().filter(|line| line.ends_with(" Lee")).count();
    let second = chosen.iter().filter(|line| line.ends_with(" Lee2")).count();
    let own = chosen.iter().filter(|line| line.contains('.')).count();
    assert_eq!((plain, second, own), (0, 1, 4), "{chosen:?}");
    assert!(planned.iter().filter(|line| line.ends_with(" create")).count() >= 5, "{planned:?}");
    assert_eq!(site.cycle().await.written(), 0);
}

#[tokio::test]
async fn who_finds_every_value_taken_is_held_until_one_is_free() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.row("nickName", r#"SelectUniqueValue([surname], Append([surname], "2"))"#, RowFlow::OnCreate);
    site.cycle().await;
    let held = site.left().await;
    let told = "nickName: the target has every value that SelectUniqueValue offers; give it one more, such as one with Guid()";
    let three = held.iter().filter(|line| line.contains(told)).count();
    assert_eq!(three, 3, "{held:?}");
    assert_eq!(site.accounts().await.len(), 2);
}

/// What is drawn stays as it was shown until it is sent, and is drawn once.
#[tokio::test]
async fn what_is_drawn_by_chance_is_what_was_shown() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.row("nickName", "Join(\"-\", Guid(), RandomString(8,2,0,2,2))", RowFlow::OnCreate);
    site.mode(Mode::Observe).await;
    site.cycle().await;
    let shown = nick_names(&site).await;
    assert_eq!(shown.len(), 5);
    site.cycle().await;
    assert_eq!(nick_names(&site).await, shown);
    site.mode(Mode::Write).await;
    site.cycle().await;
    let mut sent: Vec<String> = site
        .resources()
        .await
        .iter()
        .filter_map(|user| Some(user["nickName"].as_str()?.to_owned()))
        .collect();
    let mut drawn = shown.clone();
    sent.sort();
    drawn.sort();
    assert_eq!(sent, drawn);
    drawn.dedup();
    assert_eq!(drawn.len(), 5);
    assert_eq!(site.cycle().await.written(), 0);
}

async fn nick_names(site: &Site) -> Vec<String> {
    let job = site.job();
    let planned = rosterd::cycle::standing(job.standing(), &site.store, site.now).await.expect("the state");
    let mut names = Vec::new();
    let mut take = |change: rosterd::plan::Change| {
        if let Act::Create { attributes } = change.act {
            names.extend(attributes.text("nickName").map(str::to_owned));
        }
    };
    planned.expect("a job").changes(&mut take).await.expect("the plan");
    names
}

#[tokio::test]
async fn a_redacted_value_reaches_the_target_and_nothing_else() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.row("nickName", "Redact(Append([givenName], \"-secret\"))", RowFlow::Always);
    site.mode(Mode::Observe).await;
    site.cycle().await;
    assert_eq!(nick_names(&site).await[0], "[Redact]");
    site.mode(Mode::Write).await;
    site.cycle().await;
    assert_eq!(site.shown("Ann").await["nickName"], json!("Ann-secret"));
    let filter = LogFilter { limit: 100, ..LogFilter::default() };
    let log = site.store.log(filter).await.expect("the log");
    let edits: Vec<&Edit> =
        log.iter().flat_map(|row| &row.edits).filter(|edit| edit.path == "nickName").collect();
    assert_eq!(edits.len(), 5);
    assert!(edits.iter().all(|edit| edit.new == Some(json!("[Redact]"))));
    assert_eq!(site.cycle().await.written(), 0);
}

#[test]
fn rows_that_ask_for_more_are_checked_with_the_settings() {
    let rows =
        |expression: &str, apply: RowFlow, matching: Option<u8>, target: &str, vocabulary: Vocabulary| {
            let preset: RawPreset = toml_edit::de::from_str(PRESET).expect("the preset is TOML");
            let row = RawRow {
                expression: Some(expression.to_owned()),
                apply: Some(apply),
                matching,
                ..RawRow::default()
            };
            let raw =
                RawMapping { users: BTreeMap::from([(target.to_owned(), row)]), ..RawMapping::default() };
            let told = raw.check(Some(&preset), vocabulary).err().unwrap_or_default();
            told.iter().map(|problem| format!("{}: {}", problem.field, problem.text)).collect::<Vec<_>>()
        };
    let always = |text: &str| rows(text, RowFlow::Always, None, "nickName", Vocabulary::Graph);
    let fleeting = "apply: Now, Guid and RandomString give another value each time, so the target would never be in sync; \
                    write apply = \"on_create\"";
    for text in ["Now()", "Left(Guid(), 8)", "RandomString(8,1,1,1,1)"] {
        assert_eq!(always(text), [fleeting], "{text}");
    }
    assert_eq!(
        always("SelectUniqueValue([mail], [givenName])"),
        [
            "apply: SelectUniqueValue chooses when an account is made, and never again; write apply = \"on_create\""
        ]
    );
    assert_eq!(
        rows(
            "SelectUniqueValue([mail], [givenName])",
            RowFlow::OnCreate,
            Some(3),
            "nickName",
            Vocabulary::Graph
        ),
        ["matching: nobody is found by a value that nobody has; match by another row"]
    );
    assert_eq!(
        rows("Append([user.login], DefaultDomain())", RowFlow::Always, None, "nickName", Vocabulary::Okta),
        ["expression: only Microsoft Graph has a default domain; write the domain as a text"]
    );
    assert_eq!(
        always("AppRoleAssignmentsComplex([appRoleAssignments])"),
        ["expression: whole roles go to the attribute `roles`"]
    );
    let direct = rows("ToLower([mail])", RowFlow::Always, None, "roles", Vocabulary::Graph);
    assert!(direct[0].contains("say which of the roles is meant"), "{direct:?}");
    assert!(Expression::parse("Now()").expect("parses").is_fleeting());
}
