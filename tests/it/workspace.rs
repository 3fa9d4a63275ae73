//! The embedded workspace: what is unique, what counts as a change, what a large team costs, tokens.

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::scim::Filter;
use rosterd::scim::MembersEdit;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::ListQuery;
use rosterd::store::Store;
use rosterd::store::WriteAct;
use rosterd::store::Written;
use serde_json::Value;
use serde_json::json;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + minute * 60).expect("a time")
}

fn author(minute: i64) -> Author {
    Author::job("job", at(minute))
}

fn create(kind: ResourceType, id: &str, body: Value) -> WriteAct {
    let incoming = incoming(kind, Dialect::Tolerant, &body).expect("a sound body");
    WriteAct::Create { kind, id: ResourceId(id.to_owned()), incoming, dialect: Dialect::Strict }
}

fn user(id: &str, user_name: &str) -> WriteAct {
    create(ResourceType::User, id, json!({ "userName": user_name }))
}

fn replace(id: &str, body: Value) -> WriteAct {
    let incoming = incoming(ResourceType::User, Dialect::Tolerant, &body).expect("a sound body");
    WriteAct::Replace {
        kind: ResourceType::User,
        id: ResourceId(id.to_owned()),
        incoming,
        dialect: Dialect::Tolerant,
    }
}

/// Each outcome as `done`, `same` or the refusal's words.
async fn write(store: &Store, workspace: &str, minute: i64, acts: Vec<WriteAct>) -> Vec<String> {
    let writes = acts.into_iter().map(Into::into).collect();
    let written = store.write_resources(workspace, author(minute), writes).await.expect("the store writes");
    let word = |outcome: Result<Written, rosterd::scim::Error>| match outcome {
        Ok(written) if written.changed => "done".to_owned(),
        Ok(_) => "same".to_owned(),
        Err(error) => error.detail,
    };
    written.into_iter().map(word).collect()
}

async fn list(store: &Store, kind: ResourceType, filter: &str) -> Vec<String> {
    let filter = (!filter.is_empty()).then(|| Filter::parse(filter).expect("a filter"));
    let query = ListQuery { filter, count: 100, ..ListQuery::all(kind) };
    let listing = store.list_resources("main", query).await.expect("the store reads");
    assert_eq!(listing.total, listing.resources.len() as u64);
    listing.resources.into_iter().map(|resource| resource.meta.id.0).collect()
}

#[tokio::test]
async fn a_user_name_is_unique_in_any_script_and_spelling_of_one_workspace() {
    let store = Store::in_memory().expect("a store");
    let acts = vec![user("1", "ÄRGER"), user("2", "ärger"), user("3", "A\u{308}rger"), user("4", "arger")];
    let taken = "another resource has this userName";
    assert_eq!(write(&store, "main", 0, acts).await, ["done", taken, taken, "done"]);
    assert_eq!(write(&store, "other", 0, vec![user("1", "ÄRGER")]).await, ["done"]);
    let delete = WriteAct::Delete { kind: ResourceType::User, id: ResourceId("1".to_owned()) };
    assert_eq!(write(&store, "main", 1, vec![delete, user("5", "ärger")]).await, ["done", "done"]);
    assert_eq!(list(&store, ResourceType::User, "").await, ["4", "5"]);
}

#[tokio::test]
async fn what_changes_nothing_leaves_version_and_time_as_they_were() {
    let store = Store::in_memory().expect("a store");
    write(&store, "main", 0, vec![user("1", "ann")]).await;
    let same = replace("1", json!({"userName": "ann", "active": true, "title": ""}));
    assert_eq!(write(&store, "main", 5, vec![same]).await, ["same"]);
    let ann = &store.resources("main", vec![(ResourceType::User, ResourceId("1".to_owned()))], false).await;
    let ann = ann.as_ref().expect("the store reads")[0].as_ref().expect("it is there");
    assert_eq!((ann.meta.version, ann.meta.modified, ann.owner.to_string().as_str()), (1, at(0), "job job"));
    assert_eq!(format!("{ann:?}"), "user 1 v1", "no attribute values in Debug");

    let other = replace("1", json!({"userName": "ann", "active": true, "title": "Boss"}));
    assert_eq!(write(&store, "main", 6, vec![other]).await, ["done"]);
    let ann = &store.resources("main", vec![(ResourceType::User, ResourceId("1".to_owned()))], false).await;
    let ann = ann.as_ref().expect("the store reads")[0].as_ref().expect("it is there");
    assert_eq!((ann.meta.version, ann.meta.created, ann.meta.modified), (2, at(0), at(6)));
}

#[tokio::test]
async fn a_refused_write_leaves_no_trace() {
    let store = Store::in_memory().expect("a store");
    write(&store, "main", 0, vec![user("u1", "ann")]).await;
    let team = json!({"displayName": "Sales", "members": [{"value": "u1"}, {"value": "nobody"}]});
    let outcomes =
        write(&store, "main", 1, vec![create(ResourceType::Group, "g1", team), user("u2", "bob")]).await;
    assert_eq!(outcomes, ["members: no user or group has the id nobody", "done"]);
    assert_eq!(list(&store, ResourceType::Group, "").await, [""; 0]);
}

#[tokio::test]
async fn lists_are_found_by_index_and_by_scan_alike() {
    let store = Store::in_memory().expect("a store");
    let people = vec![
        create(
            ResourceType::User,
            "1",
            json!({"userName": "ann", "externalId": "E1", "title": "Boss",
                                         "emails": [{"type": "work", "value": "Ann@x"}]}),
        ),
        create(
            ResourceType::User,
            "2",
            json!({"userName": "bob", "externalId": "e1", "active": false,
                                         "emails": [{"type": "home", "value": "ann@x"}]}),
        ),
        create(ResourceType::Group, "g", json!({"displayName": "Sales", "members": [{"value": "1"}]})),
        create(
            ResourceType::Group,
            "h",
            json!({"displayName": "sales", "members": [{"value": "2"}, {"value": "1"}]}),
        ),
    ];
    write(&store, "main", 0, people).await;
    for (kind, filter, expected) in [
        (ResourceType::User, "userName eq \"ANN\"", vec!["1"]),
        (ResourceType::User, "externalId eq \"e1\"", vec!["2"]),
        (ResourceType::User, "emails.value eq \"ANN@X\"", vec!["1", "2"]),
        (ResourceType::User, "emails[type eq \"work\" and value eq \"ann@x\"]", vec!["1"]),
        (ResourceType::User, "emails[type eq \"home\"].value eq \"ann@x\"", vec!["2"]),
        (ResourceType::User, "emails.value eq \"ann@x\" and active eq true", vec!["1"]),
        (ResourceType::User, "title pr or active eq false", vec!["1", "2"]),
        (ResourceType::User, "not (title pr)", vec!["2"]),
        (ResourceType::User, "groups.value eq \"h\"", vec!["1", "2"]),
        (ResourceType::User, "groups eq \"g\"", vec!["1"]),
        (ResourceType::User, "id eq \"g\"", vec![]),
        (ResourceType::Group, "displayName eq \"SALES\"", vec!["g", "h"]),
        (ResourceType::Group, "members eq \"2\"", vec!["h"]),
        (ResourceType::Group, "id eq \"g\" and members eq \"1\"", vec!["g"]),
        (ResourceType::Group, "id eq \"g\" and members eq \"2\"", vec![]),
        (ResourceType::Group, "not (members eq \"2\")", vec!["g"]),
        (ResourceType::Group, "members[value eq \"2\" and type eq \"User\"]", vec!["h"]),
        (ResourceType::User, "meta.created gt \"2020-01-01T00:00:00Z\"", vec!["1", "2"]),
    ] {
        assert_eq!(list(&store, kind, filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_change_of_a_large_team_costs_what_it_names() {
    const PEOPLE: usize = 20_000;
    let store = Store::in_memory().expect("a store");
    let everybody: Vec<WriteAct> = (0..PEOPLE).map(|n| user(&format!("u{n}"), &format!("user{n}"))).collect();
    write(&store, "main", 0, everybody).await;
    let ids = |range: std::ops::Range<usize>| range.map(|n| ResourceId(format!("u{n}"))).collect::<Vec<_>>();
    let team = ResourceId("g".to_owned());
    let fill = WriteAct::Members { team: team.clone(), edits: vec![MembersEdit::Add(ids(0..PEOPLE))] };
    write(&store, "main", 1, vec![create(ResourceType::Group, "g", json!({"displayName": "All"})), fill])
        .await;

    let started = std::time::Instant::now();
    let small = |n| WriteAct::Members {
        team: team.clone(),
        edits: vec![MembersEdit::Remove(ids(n..n + 1)), MembersEdit::Add(ids(n..n + 1))],
    };
    let outcomes = write(&store, "main", 2, (0..100).map(small).collect()).await;
    assert_eq!(outcomes, ["done"; 100]);
    // Read whole, the team would be read two million times; in proportion this takes milliseconds.
    assert!(started.elapsed().as_millis() < 2_000, "{:?}", started.elapsed());
    let counts = store.workspace_counts("main").await.expect("the store reads");
    assert_eq!((counts.users, counts.teams, counts.memberships), (PEOPLE as u64, 1, PEOPLE as u64));
}
