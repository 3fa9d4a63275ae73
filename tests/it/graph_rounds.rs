//! Rounds of the Graph feeds against answers made for each test: what they tell, and what they leave out.

use serde_json::Value;
use serde_json::json;

use rosterd::model::Collection;
use rosterd::model::Coverage;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;

use crate::graph_tenant::ASSIGNED;
use crate::graph_tenant::BIN;
use crate::graph_tenant::Canned;
use crate::graph_tenant::GROUPS;
use crate::graph_tenant::failure;
use crate::graph_tenant::fresh;
use crate::graph_tenant::from_link;
use crate::graph_tenant::from_watermark;
use crate::graph_tenant::id;
use crate::graph_tenant::one_user;
use crate::graph_tenant::user;
use crate::graph_tenant::users_first;
use crate::graph_tenant::users_list;
use crate::graph_tenant::whole;
use crate::graph_tenant::with_latest;

const FROM: &str = "GET /users/delta?$deltatoken=1";

fn link(graph: &Canned, name: &str) -> String {
    format!("{}/v1.0/{name}/delta?$deltatoken=1", graph.root)
}

/// A round of users in one page.
fn round(items: Value) -> Value {
    json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=2", "value": items})
}

fn bin(id: &str) -> String {
    format!("GET /directory/deletedItems/{id}?$select=id")
}

#[tokio::test]
async fn what_is_named_twice_is_read_once_at_the_end_and_the_last_word_wins() {
    let graph = Canned::start()
        .await
        .on(
            FROM,
            200,
            json!({"@odata.nextLink": "{root}/users/delta?$skiptoken=2",
            "value": [{"id": "u1", "displayName": "partial"}, {"id": "u1"}, {"id": "u2", "@removed": {"reason": "changed"}},
                {"id": "u4"}]}),
        )
        .on(
            "GET /users/delta?$skiptoken=2",
            200,
            round(json!([{"id": "u3", "@removed": {"reason": "deleted"}}, {"id": "u2"},
                {"id": "u4", "@removed": {"reason": "changed"}}])),
        )
        .on(&one_user("u1"), 200, user("u1", false))
        .on(&one_user("u2"), 200, user("u2", true));
    let users = from_link(&graph.source(None), "users", &link(&graph, "users")).await.unwrap();
    assert_eq!(
        users.lines,
        ["user u3 (Gone)", "user u4 (SoftDeleted)", "user u1 (Disabled)", "user u2 (Enabled)"]
    );
    assert!(users.notes.is_empty());
    let asked = ["POST /$batch", "  GET /users/u1?$select=…", "  GET /users/u2?$select=…"];
    let mut heard = graph.asked()[2..].to_vec();
    heard[1..].sort();
    assert_eq!(heard, asked);
    let watermark = users.watermark.unwrap();
    assert!(watermark.contains("deltatoken=2") && watermark.contains(r#""gone":["u4"]"#), "{watermark}");
}

#[tokio::test]
async fn who_comes_back_from_the_recycle_bin_is_asked_for_the_groups() {
    let groups = json!({"value": [{"@odata.type": "#microsoft.graph.group", "id": "g1"},
        {"@odata.type": "#microsoft.graph.directoryRole", "id": "r1"}]});
    let graph = Canned::start()
        .await
        .on(FROM, 200, round(json!([{"id": "u1"}, {"id": "u2"}])))
        .on(&one_user("u1"), 200, user("u1", true))
        .on(&one_user("u2"), 200, user("u2", true))
        .on("GET /users/u2/memberOf?$select=id&$top=999", 200, groups);
    let watermark = json!({"link": link(&graph, "users"), "gone": ["u2", "u3"]});
    let users = from_watermark(&graph.source(None), "users", watermark).await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)", "user u2 (Enabled)", "group g1 has user u2"]);
    assert!(users.watermark.unwrap().contains(r#""gone":["u3"]"#));
    assert!(!graph.asked().iter().any(|asked| asked.contains("u1/memberOf")));
}

#[tokio::test]
async fn people_whose_groups_may_not_be_read_are_told_and_asked_for_again() {
    let graph = Canned::start()
        .await
        .on(FROM, 200, round(json!([{"id": "u1"}])))
        .on(&one_user("u1"), 200, user("u1", true))
        .on("GET /users/u1/memberOf?$select=id&$top=999", 403, failure("Authorization_RequestDenied"));
    let watermark = json!({"link": link(&graph, "users"), "gone": ["u1"]});
    let users = from_watermark(&graph.source(None), "users", watermark).await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)"]);
    assert!(users.watermark.unwrap().contains(r#""gone":["u1"]"#));
    assert_eq!(
        users.notes,
        [
            "the groups of 1 users who came back from the recycle bin could not be read: they are in them again \
          after the next full read; the application permission Directory.Read.All shows them at once"
        ]
    );
}

#[tokio::test]
async fn the_recycle_bin_decides_about_those_who_are_not_there() {
    let graph = Canned::start()
        .await
        .on(FROM, 200, round(json!([{"id": "u1"}, {"id": "u2"}, {"id": "u3"}])))
        .on(&bin("u1"), 200, json!({"id": "u1"}))
        .on(&bin("u3"), 500, failure("UnknownError"));
    let source = graph.source(None);
    let mut watermark = json!({"link": link(&graph, "users")});
    for tries in 1..=2 {
        let users = from_watermark(&source, "users", watermark).await.unwrap();
        assert_eq!(users.lines, ["user u1 (SoftDeleted)"], "nobody is purged on one word");
        assert_eq!(
            users.notes,
            [
                "2 users that changed are neither in the directory nor in the recycle bin; they are asked for again"
            ]
        );
        watermark = serde_json::from_str(&users.watermark.unwrap()).unwrap();
        assert_eq!(watermark["tries"], tries);
        assert!(watermark["link"].as_str().unwrap().ends_with("deltatoken=1"), "the round comes again");
    }
    let users = from_watermark(&source, "users", watermark).await.unwrap();
    assert_eq!(users.lines, ["user u1 (SoftDeleted)", "user u2 (Gone)"], "three cycles agree");
}

#[tokio::test]
async fn a_first_load_learns_who_is_in_the_recycle_bin() {
    let graph = with_latest(Canned::start().await)
        .instead(BIN, 200, json!({"@odata.nextLink": "{root}/bin?p=2", "value": [{"id": "u1"}]}))
        .on("GET /bin?p=2", 200, json!({"value": [{"id": "u2"}]}))
        .on(&users_list(), 200, json!({"value": [user("u2", true)]}));
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert_eq!(users.lines, ["user u1 (SoftDeleted)", "user u2 (SoftDeleted)", "user u2 (Enabled)"]);
    assert!(users.watermark.unwrap().contains(r#""gone":["u1","u2"]"#));

    let denied = failure("Authorization_RequestDenied");
    let graph = with_latest(Canned::start().await).instead(BIN, 403, denied).on(
        &users_list(),
        200,
        json!({"value": [user("u2", true)]}),
    );
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert_eq!(users.covered, [(Collection::Users, Coverage::Full)], "the list is whole all the same");
    assert!(users.notes[0].starts_with("the recycle bin could not be listed (GET "), "{:?}", users.notes);
}

/// Reported of later pages (graph.md 6.7): nobody is enabled, or disabled, by a value that is not there.
#[tokio::test]
async fn a_row_without_account_enabled_is_asked_for_again() {
    let mut cut = user("u2", true);
    cut.as_object_mut().unwrap().remove("accountEnabled");
    let graph = with_latest(Canned::start().await)
        .on(&users_list(), 200, json!({"value": [user("u1", true), cut]}))
        .on(&one_user("u2"), 200, user("u2", false));
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)", "user u2 (Disabled)"]);
    assert_eq!(users.covered, [(Collection::Users, Coverage::Full)]);
}

#[tokio::test]
async fn a_manager_is_read_with_the_list_and_with_a_change() {
    let mut managed = user("u1", true);
    managed["manager"] = json!({"@odata.type": "#microsoft.graph.user", "id": "u9"});
    let graph = with_latest(Canned::start().await)
        .on(&users_list(), 200, json!({"value": [managed.clone()]}))
        .on(FROM, 200, round(json!([{"id": "u1", "manager@delta": [{"id": "u9"}]}])))
        .on(&one_user("u1"), 200, managed);
    let source = graph.source(None);
    let listed = fresh(&source, "users").await.unwrap();
    let changed = from_link(&source, "users", &link(&graph, "users")).await.unwrap();
    for read in [listed, changed] {
        let rosterd::model::Record::Object(object) = &read.records[0] else { panic!("an object") };
        assert_eq!(object.attributes["manager"], json!("u9"));
    }
}

#[tokio::test]
async fn a_token_that_graph_no_longer_knows_starts_over_and_says_so() {
    for (status, code) in [
        (400, "syncStateNotFound"),
        (410, "SyncStateNotFound"),
        (410, "resyncRequired"),
        (400, "Request_BadRequest"),
    ] {
        let graph = with_latest(Canned::start().await)
            .on_with(FROM, status, &[("Location", "{root}/elsewhere")], failure(code))
            .on("GET /groups/delta?$deltatoken=1", status, failure(code))
            .on(&users_list(), 200, json!({"value": [user("u1", true)]}))
            .on(GROUPS, 200, json!({"@odata.deltaLink": "{root}/groups/delta?$deltatoken=2", "value": []}));
        let source = graph.source(None);
        for (name, collection) in [("users", Collection::Users), ("groups", Collection::Groups)] {
            let read = from_link(&source, name, &link(&graph, name)).await.unwrap();
            let note = format!("the watermark of `{name}` had expired; it was read from the start");
            assert_eq!(read.notes, [note], "{status} {code}");
            assert_eq!(read.covered[0], (collection, Coverage::Full));
            assert!(read.watermark.is_some());
        }
    }
}

#[tokio::test]
async fn a_round_that_graph_loses_starts_from_the_stored_link_three_times_and_then_from_nothing() {
    for (status, code) in [(400, "Directory_ExpiredPageToken"), (404, "UnknownError")] {
        let page_1 = json!({"@odata.nextLink": "{root}/users/delta?$skiptoken=2", "value": [{"id": "u1"}]});
        let graph = with_latest(Canned::start().await)
            .on(FROM, 200, page_1)
            .on("GET /users/delta?$skiptoken=2", status, failure(code))
            .on(&users_list(), 200, json!({"value": [user("u1", true)]}));
        let users = from_link(&graph.source(None), "users", &link(&graph, "users")).await.unwrap();
        assert_eq!(graph.asked().iter().filter(|asked| *asked == FROM).count(), 4);
        assert_eq!(users.covered, [(Collection::Users, Coverage::Full)]);
        assert_eq!(users.lines, ["user u1 (Enabled)"]);
        assert_eq!(users.notes.len(), 4, "{:?}", users.notes);
        assert_eq!(
            users.notes[3],
            "the pages of `users` expired again and again; it was read from the start"
        );
    }
}

#[tokio::test]
async fn a_list_begins_again_with_the_link_that_it_has_and_not_for_ever() {
    let page_1 = || json!({"@odata.nextLink": "{root}/users?$skiptoken=2", "value": [user("u1", true)]});
    let graph = with_latest(Canned::start().await)
        .on(&users_list(), 200, page_1())
        .on("GET /users?$skiptoken=2", 400, failure("Directory_ExpiredPageToken"))
        .on("GET /users?$skiptoken=2", 200, json!({"value": [user("u2", true)]}));
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)", "user u1 (Enabled)", "user u2 (Enabled)"]);
    assert_eq!(users.notes, ["the pages of `users` expired while they were read; it begins again"]);
    let latest = "GET /users/delta?$deltatoken=latest&$select=…";
    assert_eq!(graph.asked().iter().filter(|asked| *asked == latest).count(), 1);

    let graph = with_latest(Canned::start().await).on(&users_list(), 200, page_1()).on(
        "GET /users?$skiptoken=2",
        400,
        failure("Directory_ExpiredPageToken"),
    );
    let error = fresh(&graph.source(None), "users").await.unwrap_err();
    assert_eq!(error.to_string(), "Graph lost its place in `users` 7 times");
    assert!(matches!(error, SourceError::Unavailable { .. }));
}

#[tokio::test]
async fn where_very_many_changed_all_are_listed() {
    let many: Vec<Value> = (0..20_001).map(|n| json!({"id": format!("u{n}")})).collect();
    let graph = with_latest(Canned::start().await)
        .on(FROM, 200, json!({"@odata.nextLink": "{root}/users/delta?$skiptoken=2", "value": many}))
        .on(&users_list(), 200, json!({"value": [user("u1", true)]}));
    let source = graph.source(None);
    let users = from_link(&source, "users", &link(&graph, "users")).await.unwrap();
    assert_eq!(users.covered, [(Collection::Users, Coverage::Full)]);
    assert_eq!(users.notes, ["more than 20000 users changed; all are listed instead"]);
    assert_eq!(source.requests(), 4);
}

#[tokio::test]
async fn a_group_that_comes_back_has_its_members_listed() {
    let graph = Canned::start()
        .await
        .on(
            "GET /groups/delta?$deltatoken=1",
            200,
            json!({"@odata.deltaLink": "{root}/groups/delta?$deltatoken=2", "value": [
                {"id": "g1", "displayName": "Sales"}, {"id": "g2", "displayName": "Support"},
                {"id": "g3", "@removed": {"reason": "changed"}}]}),
        )
        .on(
            "GET /groups/g1/members?$select=id&$top=999",
            200,
            json!({"value": [{"@odata.type": "#microsoft.graph.user", "id": "u1"}]}),
        );
    let source = graph.source(None);
    let watermark = json!({"link": link(&graph, "groups"), "gone": ["g1"]});
    let groups = from_watermark(&source, "groups", watermark).await.unwrap();
    assert!(groups.watermark.unwrap().contains(r#""gone":["g3"]"#));
    let names: Vec<&str> = groups.further.iter().map(|read| read.name.as_str()).collect();
    assert_eq!(names, ["members:g1"]);
    let members = whole(&source, groups.further[0].clone()).await.unwrap();
    assert_eq!(members.lines, ["group g1 has user u1"]);
    assert_eq!(members.covered, [(Collection::Members(id("g1")), Coverage::Full)]);
}

/// A permission that is lost one day must not stop what the others show (P12), and proves nothing (P1).
#[tokio::test]
async fn a_permission_that_was_lost_makes_its_collection_partial_and_one_that_never_was_ends_the_cycle() {
    let denied = || failure("Authorization_RequestDenied");
    let graph = Canned::start()
        .await
        .on("GET /groups/delta?$deltatoken=1", 403, denied())
        .on(ASSIGNED, 403, denied())
        .on(FROM, 403, denied());
    let source = graph.source(Some("app-1"));
    let lost = from_link(&source, "groups", &link(&graph, "groups")).await.unwrap();
    assert_eq!(
        lost.covered,
        [(Collection::Groups, Coverage::Partial), (Collection::AllMembers, Coverage::Partial)]
    );
    assert!(lost.watermark.is_none() && lost.records.is_empty());
    let note = &lost.notes[0];
    assert!(
        note.contains("403 Authorization_RequestDenied: nothing follows from what `groups` shows"),
        "{note}"
    );
    assert!(note.contains("add the application permission GroupMember.Read.All"), "{note}");

    // Whoever has read before has a watermark.
    let users = json!({"link": link(&graph, "users"), "select": "-"}).to_string();
    let before = [("users".to_owned(), users)].into();
    let read = crate::graph_tenant::read_named(&source, "assignments:app-1", &before);
    let lost = whole(&source, read).await.unwrap();
    assert_eq!(lost.covered, [(Collection::Assignments(id("app-1")), Coverage::Partial)]);

    assert!(fresh(&source, "assignments:app-1").await.is_err(), "a mistake of the set-up is said at once");
    let error = from_link(&source, "users", &link(&graph, "users")).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { .. }), "without people nothing can be decided: {error}");
}

fn with_premium(graph: &Canned) -> GraphSource {
    let attributes = vec!["signInActivity".to_owned()];
    GraphSource::new(GraphSettings { attributes, ..graph.settings() }).unwrap()
}

fn premium(route: &str) -> String {
    route.replace("&$expand", ",signInActivity&$expand").replace("$top=999&", "$top=500&")
}

#[tokio::test]
async fn what_needs_a_licence_is_left_out_and_said() {
    let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    let graph = with_latest(Canned::start().await).on(&premium(&users_list()), 403, failure(code)).on(
        &users_list(),
        200,
        json!({"value": [user("u1", true)]}),
    );
    let source = with_premium(&graph);
    let users = fresh(&source, "users").await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)"]);
    assert_eq!(users.covered, [(Collection::Users, Coverage::Full)]);
    assert_eq!(
        users.notes,
        ["`signInActivity` may not be read and counts as empty; it needs a P1 licence and the application \
          permission AuditLog.Read.All"]
    );
    assert!(fresh(&source, "users").await.unwrap().notes.is_empty(), "it is not asked for again");

    let graph = with_latest(Canned::start().await).on(
        &premium(&users_list()),
        200,
        json!({"value": [user("u1", true)]}),
    );
    assert!(fresh(&with_premium(&graph), "users").await.unwrap().notes.is_empty());
}

#[tokio::test]
async fn a_tenant_without_feeds_is_listed() {
    let no_feed = json!({"error": {"code": "Request_BadRequest",
        "message": "change enumeration is not supported in requested client"}});
    let member = |kind: &str, id: &str| json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": id});
    let graph = Canned::start()
        .await
        .on(&users_first(), 400, no_feed)
        .on(&users_list(), 200, json!({"value": [user("u1", true)]}))
        .on(
            &GROUPS.replace("/groups/delta?", "/groups?$top=999&").replace(",members", ""),
            200,
            json!({"value": [{"id": "g1", "displayName": "Sales"}, {"id": "g2", "displayName": "Hidden"}]}),
        )
        .on(
            "GET /groups/g1/members?$select=id&$top=999",
            200,
            json!({"value": [member("user", "u1"), member("device", "d1")], "@odata.nextLink": "{root}/more"}),
        )
        .on("GET /more", 200, json!({"value": [member("group", "g2")]}))
        .on("GET /groups/g2/members?$select=id&$top=999", 200, json!({"value": []}))
        .on("GET /groups/g2?$select=id,visibility", 200, json!({"visibility": "HiddenMembership"}));
    let source = graph.source(None);
    let users = fresh(&source, "users").await.unwrap();
    assert_eq!((users.covered, users.watermark), (vec![(Collection::Users, Coverage::Full)], None));
    assert_eq!(
        users.notes,
        ["the tenant has no change feeds; everybody and every group is listed in each cycle"]
    );
    let groups = fresh(&source, "groups").await.unwrap();
    assert_eq!(groups.lines, ["group g1 (Enabled)", "group g2 (Enabled)"]);
    assert_eq!(groups.covered[0], (Collection::Groups, Coverage::Full));
    assert_eq!(groups.watermark, None);
    let [one, two] = &groups.further[..] else { panic!("a read for each group") };
    let one = whole(&source, one.clone()).await.unwrap();
    assert_eq!(one.lines, ["group g1 has user u1", "group g1 has group g2"]);
    assert_eq!(one.covered, [(Collection::Members(id("g1")), Coverage::Full)]);
    let two = whole(&source, two.clone()).await.unwrap();
    assert_eq!(two.covered, [(Collection::Members(id("g2")), Coverage::Partial)]);
    assert_eq!(
        two.notes,
        ["1 groups hide their members; add the application permission Member.Read.Hidden to see them"]
    );
    assert_eq!(source.requests(), 8);
}
