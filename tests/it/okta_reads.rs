//! What an Okta source reads beyond the lists of the application, against a replayed org: groups by rule, group push,
//! groups that nothing shows any more, lists that are empty all of a sudden, policies of status.

use jiff::Timestamp;
use rosterd::model::Collection;
use rosterd::model::Coverage;
use rosterd::model::GroupField;
use rosterd::model::GroupPick;
use rosterd::model::Reading;
use rosterd::model::SourceId;
use rosterd::model::TextTest;
use rosterd::model::Watermarks;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use rosterd::sources::okta::StatusPolicy;
use rosterd::sources::okta::Treatment;
use serde_json::Value;
use serde_json::json;

use super::okta_org::Org;
use super::okta_org::Pulled;
use super::okta_org::Reply;
use super::okta_org::pull;

pub const APP: &str = "/api/v1/apps/0oa1";
pub const USERS: &str = "/api/v1/apps/0oa1/users?limit=500&expand=user";
pub const GROUPS: &str = "/api/v1/apps/0oa1/groups?limit=200&expand=group";
const MAPPINGS: &str = "/api/v1/apps/0oa1/group-push/mappings?limit=1000";

pub fn id(text: &str) -> SourceId {
    SourceId(text.to_owned())
}

pub fn row(id: &str) -> Value {
    json!({"id": id, "status": "ACTIVE", "_embedded": {"user": {"status": "ACTIVE", "profile": {"login": id}}}})
}

/// A group that last changed long before the tests.
pub fn group(id: &str, name: &str) -> Value {
    json!({"id": id, "type": "OKTA_GROUP", "lastMembershipUpdated": "2026-03-01T00:00:00.000Z",
        "profile": {"name": name, "description": format!("all of {name}")}})
}

pub fn assigned(id: &str, name: &str) -> Value {
    json!({"id": id, "_embedded": {"group": group(id, name)}})
}

/// One person, no group.
pub async fn org() -> Org {
    let org = Org::start().await;
    org.tell(APP, Reply::ok(json!({"id": "0oa1", "label": "Acme", "status": "ACTIVE"})));
    org.tell(USERS, Reply::ok(json!([row("00u1")])));
    org.tell(GROUPS, Reply::ok(json!([])));
    org
}

pub fn members(group: &str) -> String {
    format!("/api/v1/groups/{group}/users?limit=200")
}

pub async fn read(source: &OktaSource, watermarks: &Watermarks, now: &str) -> Result<Pulled, SourceError> {
    let now: Timestamp = now.parse().expect("a time");
    pull(source, source.reads(watermarks, Reading::Incremental, now)).await
}

const MORNING: &str = "2026-03-02T10:00:00Z";
const LATER: &str = "2026-03-02T10:40:00Z";

async fn first(settings: OktaSettings) -> Pulled {
    let source = OktaSource::new(settings).expect("a source");
    read(&source, &Watermarks::new(), MORNING).await.expect("a whole reading")
}

fn rule(field: GroupField, test: TextTest, text: &str) -> GroupPick {
    GroupPick::Rule { field, test, text: text.to_owned() }
}

fn picking(org: &Org, pick: GroupPick) -> OktaSettings {
    org.settings("0oa1").with_groups(vec![pick]).expect("a pick")
}

/// The names of groups that a reading showed.
fn names(pulled: &Pulled) -> Vec<String> {
    let lines = pulled.lines();
    let named = |line: &str| {
        let from = line.find("name=\"").filter(|_| line.starts_with("group "))? + 6;
        Some(line[from..].split('"').next().unwrap_or_default().to_owned())
    };
    lines.lines().filter_map(named).collect()
}

#[tokio::test]
async fn a_rule_is_asked_for_in_the_words_that_okta_knows_and_verified_by_us() {
    for (pick, asked, expected) in [
        (
            rule(GroupField::Name, TextTest::Starts, "app-"),
            "/api/v1/groups?q=app-",
            vec!["app-one", "App-two"],
        ),
        (
            rule(GroupField::Name, TextTest::Contains, "p-"),
            "/api/v1/groups?limit=200&search=profile.name+co+%22p-%22",
            vec!["app-one", "App-two"],
        ),
        (
            rule(GroupField::Description, TextTest::Starts, "all of a"),
            "/api/v1/groups?limit=200&search=profile.description+sw+%22all+of+a%22",
            vec!["app-one", "App-two"],
        ),
        (rule(GroupField::Name, TextTest::Ends, "ONE"), "/api/v1/groups?limit=200", vec!["app-one"]),
        (rule(GroupField::Description, TextTest::Ends, "r"), "/api/v1/groups?limit=200", vec!["Other"]),
    ] {
        let org = org().await;
        // The index lags and shows what does not fit any more.
        let shown = json!([group("00g1", "app-one"), group("00g2", "App-two"), group("00g3", "Other")]);
        org.tell(asked, Reply::ok(shown));
        let pulled = first(picking(&org, pick.clone())).await;
        assert_eq!(names(&pulled), expected, "{pick:?}");
        assert_eq!(org.asked()[3], asked, "{pick:?}");
    }
}

/// More than `q` can show, which does not page: the search does.
#[tokio::test]
async fn more_groups_than_a_search_by_name_can_show_are_found_all_the_same() {
    let org = org().await;
    let shown: Vec<Value> = (0..300).map(|number| group(&format!("00g{number}"), "app-")).collect();
    org.tell("/api/v1/groups?q=app-", Reply::ok(json!(shown)));
    let search = "/api/v1/groups?limit=200&search=profile.name+sw+%22app-%22";
    let second = "/api/v1/groups?after=00g199&limit=200&search=profile.name+sw+%22app-%22";
    org.tell(search, Reply::ok(json!(shown[..200])).next(second));
    let rest = [&shown[200..], &[group("00g300", "app-last")]].concat();
    org.tell(second, Reply::ok(json!(rest)));
    let pulled = first(picking(&org, GroupPick::Prefix("app-".to_owned()))).await;
    assert!(names(&pulled).contains(&"app-last".to_owned()));
    let read = pulled.further.iter().filter(|name| name.starts_with("members:")).count();
    assert_eq!(read, 301, "each group is read once");
}

#[tokio::test]
async fn a_search_that_okta_cannot_do_is_done_over_all_groups() {
    for (status, code) in [(400, "E0000094"), (400, "E0000031"), (409, "E0000145"), (503, "E0000100")] {
        let org = org().await;
        org.tell("/api/v1/groups?q=app-", Reply::error(status, code));
        let second = "/api/v1/groups?after=00g2&limit=200";
        org.tell("/api/v1/groups?limit=200", Reply::ok(json!([group("00g2", "Other")])).next(second));
        org.tell(second, Reply::ok(json!([group("00g1", "app-one")])));
        let mut settings = picking(&org, GroupPick::Prefix("app-".to_owned()));
        settings.backoff = std::time::Duration::from_millis(1);
        let pulled = first(settings).await;
        assert_eq!(names(&pulled), ["app-one"], "{code}");
        assert!(pulled.notes.iter().any(|note| note.contains("all groups are listed instead")), "{code}");
    }
}

fn mapping(number: u32, source: &str, status: &str) -> Value {
    json!({"id": format!("gPm{number}"), "created": "2026-03-01T13:45:47Z", "lastUpdated": "2026-03-01T13:45:47Z",
        "sourceGroupId": source, "targetGroupId": format!("00gT{number}"), "status": status,
        "errorSummary": if status == "ERROR" { "the app said no" } else { "" }})
}

fn pushing(org: &Org) -> OktaSettings {
    let mut settings = org.settings("0oa1");
    settings.push_mappings = true;
    settings.assigned_teams = false;
    settings
}

const PUSHED: &str = "/api/v1/groups?filter=id+eq+%2200g1%22+or+id+eq+%2200g2%22&limit=200";

#[tokio::test]
async fn pushed_groups_are_one_more_list_with_the_state_of_each_push() {
    let org = org().await;
    let rows =
        json!([mapping(1, "00g1", "ACTIVE"), mapping(2, "00g2", "ERROR"), mapping(3, "00g3", "INACTIVE")]);
    org.tell(MAPPINGS, Reply::ok(rows));
    org.tell(PUSHED, Reply::ok(json!([group("00g1", "Sales"), group("00g2", "Board")])));
    org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}])));
    org.tell(&members("00g2"), Reply::ok(json!([])));
    let pulled = first(pushing(&org)).await;
    assert_eq!(
        pulled.short(),
        "\
user 00u1 (Enabled)
app 0oa1 > user 00u1
app push:0oa1 > 00g1 status=ACTIVE;target=00gT1;error=
app push:0oa1 > 00g2 status=ERROR;target=00gT2;error=the app said no
app push:0oa1 > 00g3 status=INACTIVE;target=00gT3;error=
group 00g1 (Enabled)
group 00g2 (Enabled)
group 00g1 > user 00u1",
        "a deactivated push shows neither its group nor the members of it"
    );
    assert!(pulled.covered.contains(&(Collection::Assignments(id("push:0oa1")), Coverage::Full)));
    assert!(
        !org.asked().iter().any(|target| target.contains("/groups?limit=200&expand")),
        "{:?}",
        org.asked()
    );
}

#[tokio::test]
async fn a_push_that_is_deactivated_later_leaves_the_team_as_it_is() {
    let org = org().await;
    org.tell(MAPPINGS, Reply::ok(json!([mapping(1, "00g1", "ACTIVE")])));
    let only = "/api/v1/groups?filter=id+eq+%2200g1%22&limit=200";
    org.tell(only, Reply::ok(json!([group("00g1", "Sales")])));
    org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}])));
    let source = OktaSource::new(pushing(&org)).expect("a source");
    let before = read(&source, &Watermarks::new(), MORNING).await.expect("whole");
    org.tell(MAPPINGS, Reply::ok(json!([mapping(1, "00g1", "INACTIVE")])));
    let after = read(&source, &before.watermarks, LATER).await.expect("whole");
    assert_eq!(
        after.short(),
        "user 00u1 (Enabled)\napp 0oa1 > user 00u1\napp push:0oa1 > 00g1 status=INACTIVE;target=00gT1;error="
    );
    assert_eq!(after.further, ["lost"], "its members are not read");
}

#[tokio::test]
async fn an_org_without_group_push_is_named_and_keeps_every_team() {
    for (status, code) in [(401, "E0000015"), (404, "E0000007"), (403, "E0000006")] {
        let org = org().await;
        org.tell(MAPPINGS, Reply::error(status, code));
        let pulled = first(pushing(&org)).await;
        assert!(pulled.covered.contains(&(Collection::Assignments(id("push:0oa1")), Coverage::Partial)));
        let told = pulled.notes.iter().any(|note| {
            note.contains("the group push mappings cannot be read")
                && note.contains("scope.teams.push_mappings")
        });
        assert!(told, "{code}: {:?}", pulled.notes);
    }
}

/// Two cycles; between them the group is on no list any more.
async fn lost(reply: Reply) -> (Org, OktaSource, Pulled) {
    let org = org().await;
    org.tell(GROUPS, Reply::ok(json!([assigned("00g1", "Sales"), assigned("00g2", "Board")])));
    org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}])));
    org.tell(&members("00g2"), Reply::ok(json!([{"id": "00u1"}])));
    let source = org.source("0oa1");
    let before = read(&source, &Watermarks::new(), MORNING).await.expect("whole");
    org.tell(GROUPS, Reply::ok(json!([assigned("00g2", "Board")])));
    org.tell("/api/v1/groups/00g1", reply);
    let after = read(&source, &before.watermarks, LATER).await.expect("whole");
    (org, source, after)
}

#[tokio::test]
async fn a_group_that_no_list_shows_is_looked_at_once() {
    let (org, source, mut after) = lost(Reply::ok(group("00g1", "Renamed"))).await;
    assert_eq!(names(&after), ["Board", "Renamed"]);
    let text = after.watermarks.remove("members:00g1").expect("a mark");
    assert!(text.contains(r#""settled":true"#), "{text}");
    let asked = org.asked().len();
    let marks = Watermarks::from([("members:00g1".to_owned(), text)]);
    let third = read(&source, &marks, LATER).await.expect("whole");
    assert!(!org.asked()[asked..].contains(&"/api/v1/groups/00g1".to_owned()), "{:?}", third.further);
}

#[tokio::test]
async fn a_group_that_is_not_there_any_more_is_missing_and_that_is_for_a_witness() {
    let (_, _, after) = lost(Reply::error(404, "E0000007")).await;
    assert!(after.short().contains("not found: group 00g1"), "{}", after.short());
}

#[tokio::test]
async fn a_group_that_may_not_be_looked_at_stays() {
    let (_, _, after) = lost(Reply::error(403, "E0000006")).await;
    assert_eq!(names(&after), ["Board"]);
    assert!(after.notes.iter().any(|note| note.contains("may not be looked at")), "{:?}", after.notes);
}

/// Two cycles; in the second every list is empty, and `reply` is what one object says.
async fn emptied(reply: Reply) -> Pulled {
    let org = org().await;
    org.tell(GROUPS, Reply::ok(json!([assigned("00g1", "Sales")])));
    org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}])));
    let source = org.source("0oa1");
    let before = read(&source, &Watermarks::new(), MORNING).await.expect("whole");
    org.tell(USERS, Reply::ok(json!([])));
    org.tell(GROUPS, Reply::ok(json!([])));
    org.tell(&members("00g1"), Reply::ok(json!([])));
    for target in [
        "/api/v1/apps/0oa1/users/00u1",
        "/api/v1/users/00u1",
        "/api/v1/apps/0oa1/groups/00g1",
        "/api/v1/groups/00g1",
    ] {
        org.tell(target, reply.clone());
    }
    read(&source, &before.watermarks, LATER).await.expect("whole")
}

#[tokio::test]
async fn lists_that_are_empty_because_the_role_was_lost_prove_nothing() {
    let pulled = emptied(Reply::error(403, "E0000006")).await;
    assert_eq!(pulled.covered, [(Collection::Assignments(id("0oa1")), Coverage::Partial)]);
    let told = pulled
        .notes
        .iter()
        .filter(|note| note.contains("is empty all of a sudden, which proves nothing"))
        .count();
    assert_eq!(told, 2, "users and groups: {:?}", pulled.notes);
}

#[tokio::test]
async fn lists_that_are_empty_while_nobody_is_to_be_seen_prove_nothing() {
    let pulled = emptied(Reply::error(404, "E0000007")).await;
    assert_eq!(pulled.covered, [(Collection::Assignments(id("0oa1")), Coverage::Partial)]);
}

#[tokio::test]
async fn lists_that_are_empty_while_people_are_to_be_seen_are_empty() {
    let pulled = emptied(Reply::ok(json!({"id": "x", "status": "ACTIVE"}))).await;
    assert_eq!(pulled.covered, [(Collection::Assignments(id("0oa1")), Coverage::Full)]);
    assert_eq!(pulled.notes, Vec::<String>::new());
    assert_eq!(
        pulled.watermarks["assignments"], r#"{"users":["00u1"],"groups":["00g1"]}"#,
        "asked again next time"
    );
}

#[tokio::test]
async fn a_team_does_become_empty_unless_its_people_may_not_be_seen() {
    for (reply, coverage) in [
        (Reply::ok(json!({"id": "00u1", "status": "ACTIVE"})), Coverage::Full),
        (Reply::error(404, "E0000007"), Coverage::Full),
        (Reply::error(403, "E0000006"), Coverage::Partial),
    ] {
        let org = org().await;
        let changed = |at: &str| {
            let mut row = assigned("00g1", "Sales");
            row["_embedded"]["group"]["lastMembershipUpdated"] = json!(at);
            Reply::ok(json!([row]))
        };
        org.tell(GROUPS, changed("2026-03-01T00:00:00.000Z"));
        org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}])));
        let source = org.source("0oa1");
        let before = read(&source, &Watermarks::new(), MORNING).await.expect("whole");
        org.tell(GROUPS, changed("2026-03-02T10:20:00.000Z"));
        org.tell(&members("00g1"), Reply::ok(json!([])));
        org.tell("/api/v1/groups/00g1", Reply::ok(group("00g1", "Sales")));
        org.tell("/api/v1/users/00u1", reply);
        let after = read(&source, &before.watermarks, LATER).await.expect("whole");
        assert_eq!(after.covered[1], (Collection::Members(id("00g1")), coverage));
    }
}

#[tokio::test]
async fn members_that_changed_without_a_time_stamp_are_found_by_the_verification_and_told() {
    let org = org().await;
    org.tell(GROUPS, Reply::ok(json!([assigned("00g1", "Sales")])));
    org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}])));
    let source = org.source("0oa1");
    let before = read(&source, &Watermarks::new(), MORNING).await.expect("whole");
    org.tell(&members("00g1"), Reply::ok(json!([{"id": "00u1"}, {"id": "00u2"}])));
    let after = read(&source, &before.watermarks, "2026-03-03T10:00:00Z").await.expect("whole");
    assert_eq!(
        after.notes,
        [
            "the members of group 00g1 changed though its lastMembershipUpdated did not (1 before, 2 now); the daily \
             verification found it"
        ]
    );
}

#[tokio::test]
async fn suspended_and_staged_people_stand_as_the_settings_say() {
    for (statuses, expected) in [
        (StatusPolicy::default(), ["Disabled", "Disabled"]),
        (StatusPolicy { suspended: Treatment::Active, ..StatusPolicy::default() }, ["Enabled", "Disabled"]),
        (StatusPolicy { staged: Treatment::Active, ..StatusPolicy::default() }, ["Disabled", "Enabled"]),
    ] {
        let org = org().await;
        let of = |id: &str, status: &str| json!({"id": id, "status": "ACTIVE", "_embedded": {"user": {"status": status, "profile": {}}}});
        org.tell(USERS, Reply::ok(json!([of("00u1", "SUSPENDED"), of("00u2", "STAGED")])));
        let mut settings = org.settings("0oa1");
        settings.statuses = statuses;
        let short = first(settings).await.short();
        let [suspended, staged] = expected;
        let people = [format!("user 00u1 ({suspended})"), format!("user 00u2 ({staged})")];
        assert!(people.iter().all(|line| short.contains(line)), "{short}");
    }
}

#[tokio::test]
async fn an_implicit_row_counts_unless_the_settings_say_otherwise() {
    for (implicit, expected) in [(true, true), (false, false)] {
        let org = org().await;
        let row = json!({"id": "00u1", "status": "IMPLICIT", "_embedded": {"user": {"status": "ACTIVE", "profile": {}}}});
        org.tell(USERS, Reply::ok(json!([row])));
        let mut settings = org.settings("0oa1");
        settings.statuses.implicit = implicit;
        assert_eq!(first(settings).await.short().contains("app 0oa1 > user 00u1"), expected);
    }
}

#[tokio::test]
async fn an_assignment_of_an_unknown_status_stays_as_it_was() {
    let org = org().await;
    let row =
        json!({"id": "00u1", "status": "FROZEN", "_embedded": {"user": {"status": "ACTIVE", "profile": {}}}});
    org.tell(USERS, Reply::ok(json!([row])));
    let pulled = first(org.settings("0oa1")).await;
    assert_eq!(pulled.short(), "user 00u1 (Enabled)\napp 0oa1 ?> user 00u1");
    assert_eq!(
        pulled.notes,
        ["user 00u1: the assignment status `FROZEN` is not known; the assignment stays as it was"]
    );
}
