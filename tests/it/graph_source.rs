//! The Graph connector against answers made for each test: reads, rounds, and what goes wrong.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use rosterd::model::Collection;
use rosterd::model::Coverage;
use rosterd::model::Reading;
use rosterd::model::Record;
use rosterd::model::Watermarks;
use rosterd::sources::Source;
use rosterd::sources::SourceError;

use crate::graph_tenant::ASSIGNED;
use crate::graph_tenant::BIN;
use crate::graph_tenant::Canned;
use crate::graph_tenant::DEFAULT;
use crate::graph_tenant::GROUPS;
use crate::graph_tenant::failure;
use crate::graph_tenant::feed_select;
use crate::graph_tenant::fresh;
use crate::graph_tenant::from_link;
use crate::graph_tenant::id;
use crate::graph_tenant::one_user;
use crate::graph_tenant::read_named;
use crate::graph_tenant::row;
use crate::graph_tenant::user;
use crate::graph_tenant::users_first;
use crate::graph_tenant::users_list;

#[tokio::test]
async fn a_first_load_reads_assignments_groups_and_users_to_the_end() {
    let graph = Canned::start()
        .await
        .on(
            ASSIGNED,
            200,
            json!({"@odata.nextLink": "{root}/assigned?p=2",
            "value": [row("u1", "User", "r2"), row("u2", "User", DEFAULT)]}),
        )
        .on(
            "GET /assigned?p=2",
            200,
            json!({"value": [row("u1", "User", "r1"), row("g1", "Group", DEFAULT),
            row("s1", "ServicePrincipal", DEFAULT)]}),
        )
        .on(
            GROUPS,
            200,
            json!({"@odata.nextLink": "{root}/groups/delta?$skiptoken=2", "value": [
            {"id": "g1", "displayName": "Sales", "members@delta": [
                {"@odata.type": "#microsoft.graph.user", "id": "u1"},
                {"@odata.type": "#microsoft.graph.device", "id": "d1"}]},
            {"id": "g2", "displayName": "Empty"}]}),
        )
        .on(
            "GET /groups/delta?$skiptoken=2",
            200,
            json!({"@odata.deltaLink": "{root}/groups/delta?$deltatoken=1",
            "value": [{"id": "g1", "displayName": "Sales", "members@delta": [
                {"@odata.type": "#microsoft.graph.group", "id": "g2"}]}]}),
        )
        .on(&users_first(), 200, json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=1", "value": []}))
        .on(
            &users_list(),
            200,
            json!({"@odata.nextLink": "{root}/users?$skiptoken=2", "value": [user("u1", true)]}),
        )
        .on("GET /users?$skiptoken=2", 200, json!({"value": [user("u2", false)]}));
    let source = graph.source(Some("app-1"));
    let reads = source.reads(&Watermarks::new(), Reading::Full, Timestamp::UNIX_EPOCH);
    let names: Vec<&str> = reads.iter().map(|read| read.name.as_str()).collect();
    assert_eq!(names, ["assignments:app-1", "users", "groups"]);

    let assigned = fresh(&source, "assignments:app-1").await.unwrap();
    assert_eq!(
        assigned.lines,
        [
            "app app-1 has user u1 as r2",
            "app app-1 has user u2",
            "app app-1 has group g1",
            "app app-1 has user u1 as r1,r2"
        ]
    );
    assert_eq!(assigned.covered, [(Collection::Assignments(id("app-1")), Coverage::Full)]);
    assert_eq!(assigned.watermark, None);
    assert_eq!(assigned.notes, ["assignments of service principals to application app-1 do not count: 1"]);

    let groups = fresh(&source, "groups").await.unwrap();
    assert_eq!(
        groups.lines,
        [
            "group g1 (Enabled)",
            "group g1 has user u1",
            "group g2 (Enabled)",
            "group g1 (Enabled)",
            "group g1 has group g2"
        ]
    );
    assert_eq!(
        groups.covered,
        [(Collection::Groups, Coverage::Full), (Collection::AllMembers, Coverage::Full)]
    );
    assert_eq!(groups.notes, ["members that are neither people nor groups do not count: 1"]);

    let users = fresh(&source, "users").await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)", "user u2 (Disabled)"]);
    assert_eq!(users.covered, [(Collection::Users, Coverage::Full)]);
    let Record::Object(first) = &users.records[0] else { panic!("an object") };
    assert!(!first.attributes.contains_key("mail"), "null is no value");
    assert_eq!(
        graph.asked(),
        [
            ASSIGNED,
            "GET /assigned?p=2",
            GROUPS,
            "GET /groups/delta?$skiptoken=2",
            "GET /users/delta?$deltatoken=latest&$select=…",
            BIN,
            "GET /users?$top=999&$select=…",
            "GET /users?$skiptoken=2",
        ]
    );
}

#[tokio::test]
async fn a_quiet_cycle_costs_one_request_a_read() {
    let graph = Canned::start()
        .await
        .on(ASSIGNED, 200, json!({"value": []}))
        .on(
            "GET /groups/delta?$deltatoken=1",
            200,
            json!({"value": [], "@odata.deltaLink": "{root}/groups/delta?$deltatoken=2"}),
        )
        .on(
            "GET /users/delta?$deltatoken=1",
            200,
            json!({"value": [], "@odata.deltaLink": "{root}/users/delta?$deltatoken=2"}),
        );
    let source = graph.source(Some("app-1"));
    fresh(&source, "assignments:app-1").await.unwrap();
    let groups = from_link(&source, "groups", &format!("{}/v1.0/groups/delta?$deltatoken=1", graph.root))
        .await
        .unwrap();
    assert_eq!(
        groups.covered,
        [(Collection::Groups, Coverage::Changes), (Collection::AllMembers, Coverage::Changes)]
    );
    let users =
        from_link(&source, "users", &format!("{}/v1.0/users/delta?$deltatoken=1", graph.root)).await.unwrap();
    assert_eq!(users.covered, [(Collection::Users, Coverage::Changes)]);
    assert!(users.watermark.unwrap().contains("deltatoken=2"));
    assert_eq!(source.requests(), 3);
}

#[tokio::test]
async fn a_group_round_takes_member_removals_and_reads_nameless_groups_whole() {
    let select = GROUPS.trim_start_matches("GET /groups/delta?").trim_end_matches(",members");
    let graph = Canned::start()
        .await
        .on(
            "GET /groups/delta?$deltatoken=1",
            200,
            json!({"@odata.deltaLink": "{root}/groups/delta?$deltatoken=2",
            "value": [
                {"id": "g1", "members@delta": [
                    {"@odata.type": "#microsoft.graph.user", "id": "u1", "@removed": {"reason": "deleted"}},
                    {"@odata.type": "#microsoft.graph.user", "id": "u2"}]},
                {"id": "g2", "@removed": {"reason": "changed"}}]}),
        )
        .on(
            &format!("GET /groups/g1?{select}"),
            200,
            json!({"id": "g1", "displayName": "Sales", "description": null}),
        );
    let source = graph.source(None);
    let link = format!("{}/v1.0/groups/delta?$deltatoken=1", graph.root);
    let groups = from_link(&source, "groups", &link).await.unwrap();
    assert_eq!(
        groups.lines,
        [
            "no more: group g1 has user u1",
            "group g1 has user u2",
            "group g2 (SoftDeleted)",
            "group g1 (Enabled)"
        ]
    );
}

#[tokio::test]
async fn a_watermark_of_other_attributes_or_another_service_starts_over() {
    let graph = Canned::start().await;
    let source = graph.source(None);
    let begun = |link: &str, select: &str| {
        let watermark = json!({"link": link, "select": select}).to_string();
        read_named(&source, "users", &[("users".to_owned(), watermark)].into()).cursor.0.contains("\"from\"")
    };
    let ours = format!("{}/v1.0/users/delta?$deltatoken=1", graph.root);
    assert!(begun(&ours, &feed_select()));
    assert!(!begun(&ours, "id,mail"));
    assert!(!begun("https://graph.microsoft.com/v1.0/users/delta?$deltatoken=1", &feed_select()));
    let full = source.reads(&Watermarks::new(), Reading::Full, Timestamp::UNIX_EPOCH);
    assert!(full.iter().all(|read| !read.cursor.0.contains("\"from\"")));
}

#[tokio::test]
async fn a_next_link_to_another_host_is_not_followed() {
    let graph = Canned::start().await.on(
        ASSIGNED,
        200,
        json!({"@odata.nextLink": "http://evil.example/v1.0/x", "value": []}),
    );
    let error = fresh(&graph.source(Some("app-1")), "assignments:app-1").await.unwrap_err();
    assert!(
        matches!(&error, SourceError::Malformed { what, .. } if what.contains("evil.example")),
        "{error}"
    );
}

#[tokio::test]
async fn a_page_that_is_no_page_is_never_taken_for_an_end() {
    for body in [json!({}), json!({"value": null}), json!("<html>"), json!({"value": [{"id": 7}]})] {
        let graph = Canned::start().await.on(GROUPS, 200, body.clone());
        let error = fresh(&graph.source(None), "groups").await.unwrap_err();
        assert!(matches!(error, SourceError::Malformed { .. }), "{body}");
    }
    let graph = Canned::start().await.on(GROUPS, 200, json!({"value": []}));
    let error = fresh(&graph.source(None), "groups").await.unwrap_err();
    assert_eq!(error.to_string(), "groups/delta: the page has neither a next link nor a delta link");
}

#[tokio::test]
async fn an_application_that_is_not_there_is_refused_with_its_cure() {
    let graph = Canned::start().await;
    let error = fresh(&graph.source(Some("app-1")), "assignments:app-1").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the tenant has no enterprise application with the application id app-1; copy its Application ID (not its \
         Object ID) from Enterprise applications"
    );
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let graph = Canned::start().await.on(GROUPS, 403, failure("Authorization_RequestDenied"));
    let error = fresh(&graph.source(None), "groups").await.unwrap_err();
    let SourceError::Refused { what, cure } = error else { panic!("refused") };
    assert!(what.ends_with("/v1.0/groups/delta was answered 403 Authorization_RequestDenied"), "{what}");
    assert!(cure.starts_with("add the application permission GroupMember.Read.All"), "{cure}");
}

#[tokio::test]
async fn people_without_names_are_left_out_and_prove_nothing() {
    let graph = Canned::start()
        .await
        .on(&users_first(), 200, json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=1", "value": []}))
        .on(
            &users_list(),
            200,
            json!({"value": [user("u1", true), {"id": "u2", "userPrincipalName": null}]}),
        );
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)"]);
    assert_eq!(users.covered, [(Collection::Users, Coverage::Partial)]);
    assert_eq!(users.watermark, None);
    assert_eq!(
        users.notes,
        ["1 users came without id or name and were left out; check the application permission User.Read.All"]
    );
}

#[tokio::test]
async fn a_hidden_group_without_members_proves_nothing_about_them() {
    let graph = Canned::start().await.on(
        GROUPS,
        200,
        json!({"@odata.deltaLink": "{root}/groups/delta?$deltatoken=1",
        "value": [{"id": "g1", "displayName": "Secret", "visibility": "HiddenMembership"}]}),
    );
    let groups = fresh(&graph.source(None), "groups").await.unwrap();
    assert!(groups.covered.contains(&(Collection::Members(id("g1")), Coverage::Partial)));
    assert_eq!(
        groups.notes,
        ["1 groups hide their members; add the application permission Member.Read.Hidden to see them"]
    );
}

#[tokio::test]
async fn throttled_parts_of_a_batch_are_asked_again_and_one_bad_part_does_not_block() {
    let throttled = json!({"error": {"code": "TooManyRequests"}});
    let graph = Canned::start()
        .await
        .on(
            "GET /users/delta?$deltatoken=1",
            200,
            json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=2",
            "value": [{"id": "u1"}, {"id": "u2"}]}),
        )
        .on_with(&one_user("u1"), 429, &[("Retry-After", "1")], throttled)
        .on(&one_user("u1"), 200, user("u1", true))
        .on(&one_user("u2"), 500, failure("UnknownError"));
    let source = graph.source(None);
    let link = format!("{}/v1.0/users/delta?$deltatoken=1", graph.root);
    let users = from_link(&source, "users", &link).await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)"]);
    assert_eq!(users.watermark, None, "who was missed has to come again");
    assert_eq!(users.notes, ["1 users that changed could not be read; they are asked for again"]);
    let again = graph.asked().iter().filter(|asked| asked.trim() == "GET /users/u1?$select=…").count();
    assert_eq!(again, 2, "only what was not settled is repeated");
}

#[tokio::test]
async fn forty_five_changed_people_are_three_batches() {
    let changed: Vec<Value> = (0..45).map(|n| json!({"id": format!("u{n}")})).collect();
    let mut graph = Canned::start().await.on(
        "GET /users/delta?$deltatoken=1",
        200,
        json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=2", "value": changed}),
    );
    for n in 0..45 {
        graph = graph.on(&one_user(&format!("u{n}")), 200, user(&format!("u{n}"), true));
    }
    let source = graph.source(None);
    let link = format!("{}/v1.0/users/delta?$deltatoken=1", graph.root);
    assert_eq!(from_link(&source, "users", &link).await.unwrap().records.len(), 45);
    assert_eq!(source.requests(), 4);
}
