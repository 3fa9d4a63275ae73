//! The Okta source against a replayed org: what it asks for, what it makes of the answers, and what it refuses.

use jiff::Timestamp;
use rosterd::model::Collection;
use rosterd::model::Container;
use rosterd::model::Coverage;
use rosterd::model::GroupPick;
use rosterd::model::Reading;
use rosterd::model::SourceId;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use serde_json::Value;
use serde_json::json;

use super::okta_org::Org;
use super::okta_org::Pulled;
use super::okta_org::Reply;
use super::okta_org::pull;

const APP: &str = "/api/v1/apps/0oa1";
const USERS: &str = "/api/v1/apps/0oa1/users?limit=500&expand=user";
const GROUPS: &str = "/api/v1/apps/0oa1/groups?limit=200&expand=group";
const MEMBERS: &str = "/api/v1/groups/00g1/users?limit=200";

fn id(text: &str) -> SourceId {
    SourceId(text.to_owned())
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn active() -> Reply {
    Reply::ok(
        json!({"id": "0oa1", "label": "Acme", "status": "ACTIVE", "settings": {"implicitAssignment": false}}),
    )
}

fn user(id: &str, login: &str) -> Value {
    json!({"id": id, "status": "ACTIVE", "credentials": {"userName": login}, "profile": {"role": "member"},
        "_embedded": {"user": {"id": id, "status": "ACTIVE", "profile": {"login": login, "title": null}}}})
}

fn group(id: &str, name: &str, updated: &str) -> Value {
    json!({"id": id, "priority": 0, "profile": {"licence": "gold"}, "_embedded": {"group":
        {"id": id, "type": "OKTA_GROUP", "lastMembershipUpdated": updated, "profile": {"name": name, "description": null}}}})
}

/// One person, one group with that person in it.
async fn small_org() -> Org {
    let org = Org::start().await;
    org.tell(APP, active());
    org.tell(USERS, Reply::ok(json!([user("00u1", "ann")])));
    org.tell(GROUPS, Reply::ok(json!([group("00g1", "Sales", "2026-03-01T00:00:00.000Z")])));
    org.tell(
        MEMBERS,
        Reply::ok(json!([{"id": "00u1", "status": "ACTIVE"}, {"id": "00u7", "status": "DEPROVISIONED"}])),
    );
    org
}

async fn pull_all(source: &OktaSource, watermarks: &Watermarks, now: &str) -> Result<Pulled, SourceError> {
    pull(source, source.reads(watermarks, Reading::Incremental, time(now))).await
}

async fn first(org: &Org) -> Result<Pulled, SourceError> {
    pull_all(&org.source("0oa1"), &Watermarks::new(), "2026-03-02T10:00:00Z").await
}

fn text(outcome: Result<Pulled, SourceError>, org: &Org) -> String {
    let error = outcome.err().map(|error| error.to_string()).unwrap_or_default();
    error.replace(org.host.trim_start_matches("http://"), "HOST")
}

#[tokio::test]
async fn a_first_reading_shows_people_groups_assignments_and_members() {
    let org = small_org().await;
    let pulled = first(&org).await.expect("a whole reading");
    assert_eq!(
        pulled.lines(),
        r#"user 00u1 (Enabled) appuser.role="member" appuser.userName="ann" id="00u1" status="ACTIVE" user.login="ann"
app 0oa1 > user 00u1
group 00g1 (Enabled) id="00g1" name="Sales" type="OKTA_GROUP"
app 0oa1 > group 00g1
group 00g1 > user 00u1
group 00g1 > user 00u7"#
    );
    assert_eq!(
        pulled.covered,
        [
            (Collection::Assignments(id("0oa1")), Coverage::Full),
            (Collection::Members(id("00g1")), Coverage::Full),
        ]
    );
    assert_eq!(
        pulled.watermarks["members:00g1"],
        r#"{"updated":"2026-03-01T00:00:00.000Z","read_at":"2026-03-02T10:00:00Z","members":"2:4de46774c66f64db","sample":"00u1"}"#
    );
    assert_eq!(pulled.watermarks["assignments"], r#"{"users":["00u1"],"groups":["00g1"]}"#);
    assert_eq!(pulled.notes, Vec::<String>::new());
    assert_eq!(org.asked().len(), 4);
}

#[tokio::test]
async fn members_are_read_again_only_where_the_group_shows_a_change() {
    let org = small_org().await;
    let source = org.source("0oa1");
    let watermarks =
        pull_all(&source, &Watermarks::new(), "2026-03-02T10:00:00Z").await.expect("whole").watermarks;
    let quiet = pull_all(&source, &watermarks, "2026-03-02T10:40:00Z").await.expect("whole");
    assert_eq!(quiet.further, Vec::<String>::new());
    assert_eq!(quiet.covered, [(Collection::Assignments(id("0oa1")), Coverage::Full)]);
    org.tell(GROUPS, Reply::ok(json!([group("00g1", "Sales", "2026-03-02T10:50:00.000Z")])));
    let changed = pull_all(&source, &watermarks, "2026-03-02T11:00:00Z").await.expect("whole");
    assert_eq!(changed.further, ["members:00g1"]);
}

#[tokio::test]
async fn a_full_reading_reads_every_group() {
    let org = small_org().await;
    let source = org.source("0oa1");
    let watermarks =
        pull_all(&source, &Watermarks::new(), "2026-03-02T10:00:00Z").await.expect("whole").watermarks;
    let reads = source.reads(&watermarks, Reading::Full, time("2026-03-02T10:40:00Z"));
    assert_eq!(pull(&source, reads).await.expect("whole").further, ["members:00g1"]);
}

/// Paths of the second and third page of app users, as Okta names them (without `expand`) and as they are asked for.
const SECOND: &str = "/api/v1/apps/0oa1/users?after=0ua%2Bb%3D&limit=500";
const SECOND_ASKED: &str = "/api/v1/apps/0oa1/users?after=0ua%2Bb%3D&expand=user&limit=500";
const THIRD: &str = "/api/v1/apps/0oa1/users?after=0uac&limit=500";
const THIRD_ASKED: &str = "/api/v1/apps/0oa1/users?after=0uac&expand=user&limit=500";

#[tokio::test]
async fn a_lost_expand_is_asked_for_again_and_an_empty_page_does_not_end_the_list() {
    let org = small_org().await;
    org.tell(USERS, Reply::ok(json!([])).next(SECOND));
    org.tell(SECOND_ASKED, Reply::ok(json!([user("00u1", "ann")])).next(THIRD));
    org.tell(THIRD_ASKED, Reply::ok(json!([user("00u2", "bo")])));
    let pulled = first(&org).await.expect("whole");
    let expected =
        "user 00u1 (Enabled)\napp 0oa1 > user 00u1\nuser 00u2 (Enabled)\napp 0oa1 > user 00u2\ngroup";
    assert!(pulled.short().starts_with(expected), "{}", pulled.short());
    assert_eq!(pulled.notes, Vec::<String>::new());
}

#[tokio::test]
async fn a_page_that_fails_proves_nothing() {
    let org = small_org().await;
    org.tell(USERS, Reply::ok(json!([user("00u1", "ann")])).next(SECOND));
    org.tell(SECOND_ASKED, Reply::error(403, "E0000006"));
    assert_eq!(
        text(first(&org).await, &org),
        "GET HOST/api/v1/apps/0oa1/users: Okta refuses (status 403, E0000006); give the account of the token, or the \
         service application itself, the role Read-only Administrator, or a custom role with okta.apps.read, \
         okta.users.read and okta.groups.read over the application and its groups"
    );
}

#[tokio::test]
async fn a_cursor_that_okta_refuses_begins_the_list_again_once() {
    let org = small_org().await;
    org.tell(USERS, Reply::ok(json!([user("00u1", "ann")])).next(SECOND));
    org.tell_in_turn(SECOND_ASKED, [Reply::error(400, "E0000029"), Reply::ok(json!([user("00u2", "bo")]))]);
    let pulled = first(&org).await.expect("whole at the second try");
    assert!(pulled.short().contains("app 0oa1 > user 00u2"));
    assert_eq!(pulled.covered[0], (Collection::Assignments(id("0oa1")), Coverage::Full));
    assert_eq!(pulled.notes.len(), 1);

    org.tell(SECOND_ASKED, Reply::error(400, "E0000029"));
    assert_eq!(
        text(first(&org).await, &org),
        "GET HOST/api/v1/apps/0oa1/users: Okta refuses (status 400, E0000029), a cursor of its own, twice in one listing"
    );
}

#[tokio::test]
async fn a_list_that_turns_in_circles_is_true_but_not_whole() {
    let org = small_org().await;
    org.tell(USERS, Reply::ok(json!([user("00u1", "ann")])).next(SECOND));
    org.tell(SECOND_ASKED, Reply::ok(json!([user("00u2", "bo")])).next(SECOND));
    let pulled = first(&org).await.expect("what was read is true");
    assert!(pulled.short().contains("app 0oa1 > user 00u2"), "{}", pulled.short());
    assert_eq!(pulled.covered[0], (Collection::Assignments(id("0oa1")), Coverage::Partial));
    assert!(
        pulled.notes[0].ends_with("turn in a circle; nobody is removed for being absent"),
        "{:?}",
        pulled.notes
    );
}

#[tokio::test]
async fn a_next_link_to_another_host_is_not_followed() {
    let org = small_org().await;
    let foreign = Reply::ok(json!([]))
        .header("link", "<https://evil.example/api/v1/apps/0oa1/users?after=x>; rel=\"next\"");
    org.tell(USERS, foreign);
    assert!(matches!(first(&org).await, Err(SourceError::Refused { .. })));
    assert_eq!(org.asked().len(), 2);
}

#[tokio::test]
async fn a_heavy_page_is_asked_for_again_in_smaller_ones() {
    let org = small_org().await;
    org.tell(USERS, Reply::raw(500, "<html>"));
    org.tell("/api/v1/apps/0oa1/users?limit=200&expand=user", Reply::raw(504, "<html>"));
    let after = "/api/v1/apps/0oa1/users?after=x&limit=100";
    let smallest = "/api/v1/apps/0oa1/users?limit=100&expand=user";
    org.tell_in_turn(
        smallest,
        [Reply::raw(502, "<html>"), Reply::ok(json!([user("00u1", "ann")])).next(after)],
    );
    org.tell("/api/v1/apps/0oa1/users?after=x&expand=user&limit=100", Reply::ok(json!([user("00u2", "bo")])));
    let pulled = first(&org).await.expect("whole");
    assert!(pulled.short().contains("user 00u1 (Enabled)") && pulled.short().contains("user 00u2 (Enabled)"));
}

#[tokio::test]
async fn an_application_that_is_not_active_stops_the_cycle_before_anything_is_read() {
    let org = small_org().await;
    for (reply, expected) in [
        (
            Reply::ok(json!({"id": "0oa1", "status": "INACTIVE"})),
            "the application 0oa1 is INACTIVE; activate it in the admin console, or end the job; nobody is removed meanwhile",
        ),
        (
            Reply::error(404, "E0000007"),
            "the application 0oa1 is not there (GET HOST/api/v1/apps/0oa1: Okta refuses (status 404, E0000007)); check its id and what the token may see; nobody is removed meanwhile",
        ),
        (
            Reply::ok(json!({"id": "0oa1", "status": "ACTIVE", "settings": {"implicitAssignment": true}})),
            "the application 0oa1 admits everybody without assignment (implicitAssignment); switch that off and assign the people or groups who shall have it",
        ),
        (
            Reply::raw(200, "<html>sign in</html>").header("content-type", "text/html"),
            "GET HOST/api/v1/apps/0oa1: the object was expected, but the answer (text/html, 20 bytes) is not one; check that the host is the org itself and no proxy stands between",
        ),
    ] {
        org.tell(APP, reply);
        assert_eq!(text(first(&org).await, &org), expected);
    }
    assert!(org.asked().iter().all(|target| target == APP), "{:?}", org.asked());
}

#[tokio::test]
async fn a_token_that_okta_does_not_know_says_where_to_get_one() {
    let org = small_org().await;
    let token = rosterd::client::Secret::new("another");
    let settings = OktaSettings::new(&org.host, token, "0oa1").expect("good settings");
    let source = OktaSource::new(settings).expect("a source");
    let error = text(pull_all(&source, &Watermarks::new(), "2026-03-02T10:00:00Z").await, &org);
    assert!(error.contains("(status 401, E0000011); make a new API token"), "{error}");
    assert!(!error.contains("another") && !error.contains("in confidence"), "{error}");
}

#[tokio::test]
async fn one_bad_row_is_left_out_and_nobody_is_removed() {
    let org = small_org().await;
    org.tell(USERS, Reply::ok(json!([{"status": "ACTIVE"}, user("00u1", "ann")])));
    let pulled = first(&org).await.expect("the others go on");
    assert_eq!(pulled.covered[0], (Collection::Assignments(id("0oa1")), Coverage::Partial));
    assert!(pulled.short().starts_with("user 00u1 (Enabled)"));
    assert!(
        pulled.notes[0]
            .ends_with("1 of 2 rows cannot be read and are left out; nobody is removed for being absent")
    );
}

#[tokio::test]
async fn a_person_without_a_profile_is_looked_up_and_else_keeps_the_one_seen_before() {
    let org = small_org().await;
    org.tell(
        USERS,
        Reply::ok(json!([{"id": "00u1", "status": "ACTIVE"}, {"id": "00u2", "status": "ACTIVE"}])),
    );
    org.tell(
        "/api/v1/users/00u1",
        Reply::ok(json!({"id": "00u1", "status": "SUSPENDED", "profile": {"login": "ann"}})),
    );
    let pulled = first(&org).await.expect("whole");
    let expected = "user 00u1 (Disabled)\napp 0oa1 > user 00u1\napp 0oa1 > user 00u2\ngroup";
    assert!(pulled.short().starts_with(expected), "{}", pulled.short());
    assert_eq!(pulled.notes, ["user 00u2 came without a profile; the one seen before stays"]);
}

#[tokio::test]
async fn members_that_cannot_be_read_are_unknown_not_gone() {
    let org = small_org().await;
    for (reply, note) in [
        (Reply::error(404, "E0000007"), "group 00g1 is no longer there ("),
        (Reply::error(403, "E0000006"), "the members of group 00g1 cannot be read ("),
    ] {
        org.tell(MEMBERS, reply);
        let pulled = first(&org).await.expect("the others go on");
        assert_eq!(pulled.covered[1], (Collection::Members(id("00g1")), Coverage::Partial));
        assert!(pulled.notes[0].starts_with(note), "{:?}", pulled.notes);
        assert!(!pulled.watermarks.contains_key("members:00g1"));
    }
}

#[tokio::test]
async fn members_that_are_not_whole_are_read_again_in_the_next_cycle() {
    let org = small_org().await;
    org.tell(MEMBERS, Reply::ok(json!([{"id": "00u1"}, {"status": "ACTIVE"}])));
    let pulled = first(&org).await.expect("the others go on");
    assert_eq!(pulled.covered[1], (Collection::Members(id("00g1")), Coverage::Partial));
    assert!(!pulled.watermarks.contains_key("members:00g1"));
}

#[tokio::test]
async fn picked_groups_are_read_with_their_members_and_each_group_once() {
    let org = small_org().await;
    let picked = |id: &str, name: &str| json!({"id": id, "type": "OKTA_GROUP", "profile": {"name": name}});
    org.tell("/api/v1/groups/00g9", Reply::ok(picked("00g9", "Board")));
    org.tell(
        "/api/v1/groups?q=Sales",
        Reply::ok(json!([picked("00g1", "Sales"), picked("00g3", "Sales EMEA")])),
    );
    org.tell(
        "/api/v1/groups?q=app-",
        Reply::ok(json!([picked("00g4", "app-one"), picked("00g5", "App-two")])),
    );
    for group in ["00g4", "00g5", "00g9"] {
        org.tell(&format!("/api/v1/groups/{group}/users?limit=200"), Reply::ok(json!([])));
    }
    let picks = vec![
        GroupPick::Id(id("00g9")),
        GroupPick::Id(id("00gX")),
        GroupPick::Name("Sales".to_owned()),
        GroupPick::Prefix("app-".to_owned()),
    ];
    let source = OktaSource::new(org.settings("0oa1").with_groups(picks).expect("picks")).expect("a source");
    let pulled = pull_all(&source, &Watermarks::new(), "2026-03-02T10:00:00Z").await.expect("whole");
    assert_eq!(pulled.further, ["members:00g1", "members:00g9", "members:00g4", "members:00g5"]);
    assert!(!pulled.short().contains("00g3"));
    assert_eq!(pulled.notes, ["the picked group 00gX is not there; check its id"]);
}

#[tokio::test]
async fn the_witness_answers_by_a_second_independent_question() {
    let org = small_org().await;
    org.tell("/api/v1/apps/0oa1/users/00u1", Reply::ok(json!({"id": "00u1", "status": "ACTIVE"})));
    org.tell("/api/v1/apps/0oa1/users/00u2", Reply::ok(json!({"id": "00u2", "status": "INACTIVE"})));
    org.tell("/api/v1/apps/0oa1/users/00u3", Reply::ok(json!({"id": "00u3", "status": "FROZEN"})));
    org.tell("/api/v1/apps/0oa1/users/00u4", Reply::error(403, "E0000006"));
    let of_app =
        json!({"errorCode": "E0000007", "errorSummary": "Not found: Resource not found: 0oa1 (AppInstance)"});
    org.tell("/api/v1/apps/0oa1/users/00u5", Reply::raw(404, &of_app.to_string()));
    org.tell("/api/v1/apps/0oa1/groups/00g1", Reply::ok(json!({"id": "00g1"})));
    org.tell("/api/v1/users/00u1", Reply::ok(json!({"id": "00u1", "status": "LOCKED_OUT"})));
    org.tell("/api/v1/users/00u2", Reply::ok(json!({"id": "00u2", "status": "DEPROVISIONED"})));
    org.tell("/api/v1/users/00u3", Reply::error(410, "E0000156"));
    let in_app = |who: &str, kind| WitnessQuestion::Held {
        container: Container::App(id("0oa1")),
        principal: id(who),
        kind,
    };
    let in_group = |group: &str, who: &str| WitnessQuestion::Held {
        container: Container::Group(id(group)),
        principal: id(who),
        kind: Kind::User,
    };
    let exists = |who: &str| WitnessQuestion::Exists { id: id(who), kind: Kind::User };
    let questions = [
        in_app("00u1", Kind::User),
        in_app("00u2", Kind::User),
        in_app("00u3", Kind::User),
        in_app("00u4", Kind::User),
        in_app("00u5", Kind::User),
        in_app("00u6", Kind::User),
        in_app("00g1", Kind::Group),
        in_app("00g2", Kind::Group),
        in_group("00g1", "00u1"),
        in_group("00g1", "00u2"),
        in_group("00g2", "00u1"),
        exists("00u1"),
        exists("00u2"),
        exists("00u3"),
        exists("00u4"),
    ];
    let answers = org.source("0oa1").witness(&questions).await.expect("answers");
    let short = |answer: &WitnessAnswer| match answer {
        WitnessAnswer::Absent(_) => "absent",
        WitnessAnswer::Present => "present",
        WitnessAnswer::CannotSay(_) => "cannot say",
        WitnessAnswer::Disabled => "disabled",
        WitnessAnswer::Unexplained(_) => "unexplained",
    };
    let answers: Vec<&str> = answers.iter().map(short).collect();
    let users = ["present", "absent", "cannot say", "cannot say", "cannot say", "absent"];
    let groups = ["present", "absent"];
    let members = ["present", "absent", "cannot say"];
    let existing = ["present", "absent", "absent", "absent"];
    assert_eq!(answers, [users.as_slice(), &groups, &members, &existing].concat());
    let readings = org.asked().iter().filter(|target| target.ends_with("/00g1/users?limit=200")).count();
    assert_eq!(readings, 1, "each group is read once for all questions about it");
}

#[tokio::test]
async fn a_source_that_cannot_be_asked_gives_no_answers() {
    let org = small_org().await;
    org.tell("/api/v1/users/00u1", Reply::error(401, "E0000011"));
    let questions = [WitnessQuestion::Exists { id: id("00u1"), kind: Kind::User }];
    assert!(matches!(org.source("0oa1").witness(&questions).await, Err(SourceError::Refused { .. })));
}

#[tokio::test]
async fn the_identity_is_the_org_and_the_application() {
    let org = small_org().await;
    let host = org.host.trim_start_matches("http://").to_owned();
    assert_eq!(org.source("0oa1").identity(), Some(format!("okta {host} app 0oa1")));
}
