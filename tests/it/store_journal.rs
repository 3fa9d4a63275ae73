//! The provisioning log of both doors, and the chain over it (P5; SCIM reference, S11).

use jiff::Timestamp;
use rosterd::report;
use rosterd::scim::Dialect;
use rosterd::scim::MembersEdit;
use rosterd::scim::Patch;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::LogFilter;
use rosterd::store::LogRow;
use rosterd::store::Store;
use rosterd::store::Write;
use rosterd::store::WriteAct;
use serde_json::Value;
use serde_json::json;

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + at).expect("a time")
}

fn okta(at: i64) -> Author {
    Author::push("okta", "t1", false, second(at))
}

fn id(id: &str) -> ResourceId {
    ResourceId(id.to_owned())
}

fn create(kind: ResourceType, name: &str, body: Value) -> WriteAct {
    let incoming = incoming(kind, Dialect::Tolerant, &body).expect("a sound body");
    WriteAct::Create { kind, id: id(name), incoming, dialect: Dialect::Strict }
}

fn patch(kind: ResourceType, name: &str, operations: Value) -> WriteAct {
    let body =
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    WriteAct::Patch { id: id(name), patch: Patch::read(kind, Dialect::Strict, &body).expect("a sound patch") }
}

async fn write(store: &Store, author: Author, acts: Vec<WriteAct>) -> Vec<u16> {
    let writes = acts.into_iter().map(Write::from).collect();
    let written = store.write_resources("main", author, writes).await.expect("the store writes");
    written.into_iter().map(|outcome| outcome.map_or_else(|error| error.status, |_| 200)).collect()
}

async fn log(store: &Store, filter: LogFilter) -> Vec<LogRow> {
    store.log(LogFilter { limit: 100, ..filter }).await.expect("a log")
}

/// `class name outcome: edits; people`.
fn line(row: &LogRow) -> String {
    let edits: Vec<String> = row.edits.iter().map(report::edit).collect();
    let mut line = format!("{} {} {}", row.class, row.name, row.outcome.as_deref().unwrap_or("open"));
    for more in [edits.join(", "), row.people.join(", "), row.detail.clone().unwrap_or_default()] {
        if !more.is_empty() {
            line += &format!(": {more}");
        }
    }
    line
}

async fn lines(store: &Store, filter: LogFilter) -> Vec<String> {
    log(store, filter).await.iter().map(line).collect()
}

#[tokio::test]
async fn every_push_that_changes_something_is_an_entry_and_no_other() {
    let store = Store::in_memory().expect("a store");
    let ann = json!({"userName": "ann", "title": "Boss", "externalId": "e1"});
    let team = json!({"displayName": "Sales", "members": [{"value": "u1"}]});
    let disable = json!([{"op": "replace", "path": "active", "value": false}]);
    let acts = vec![
        create(ResourceType::User, "u1", ann),
        create(ResourceType::Group, "g1", team),
        patch(ResourceType::User, "u1", json!([{"op": "replace", "path": "title", "value": "Boss"}])),
        patch(ResourceType::User, "u1", json!([{"op": "replace", "path": "title", "value": "CEO"}])),
        patch(ResourceType::User, "u1", json!([{"op": "replace", "path": "userName", "value": "ann.koch"}])),
        patch(ResourceType::User, "u1", disable),
        patch(ResourceType::User, "u1", json!([{"op": "replace", "path": "active", "value": true}])),
        patch(ResourceType::Group, "g1", json!([{"op": "remove", "path": "members[value eq \"u1\"]"}])),
        WriteAct::Members { team: id("g1"), edits: vec![MembersEdit::Add(vec![id("u1")])] },
        WriteAct::Delete { kind: ResourceType::Group, id: id("g1") },
        WriteAct::Delete { kind: ResourceType::User, id: id("u1") },
    ];
    assert_eq!(write(&store, okta(0), acts).await, [200; 11]);
    let expected = [
        "create ann done: active: (none) -> true, externalId: (none) -> e1, title: (none) -> Boss, userName: (none) -> ann",
        "create Sales done: displayName: (none) -> Sales",
        "add_members Sales done: u1",
        "update ann done: title: Boss -> CEO",
        "rename ann.koch done: userName: ann -> ann.koch",
        "deactivate ann.koch done: active: true -> false",
        "reactivate ann.koch done: active: false -> true",
        "remove_members Sales done: u1",
        "add_members Sales done: u1",
        "delete_teams Sales done: displayName: Sales -> (none)",
    ];
    let told = lines(&store, LogFilter::default()).await;
    assert_eq!(told[..10], expected);
    assert!(told[10].starts_with("delete ann.koch done: active: true -> (none), "), "{}", told[10]);
    assert_eq!(told.len(), 11);
    let rows = log(&store, LogFilter::default()).await;
    let first = &rows[0];
    assert_eq!(
        (first.workspace.as_deref(), first.owner.as_deref(), first.by.as_deref(), first.id.as_deref()),
        (Some("main"), Some("push okta"), Some("t1"), Some("u1"))
    );
    assert_eq!((&first.job, first.cycle, first.kind.as_str()), (&None, None, "user"));
}

#[tokio::test]
async fn what_a_job_writes_is_in_its_own_entries_and_not_here() {
    let store = Store::in_memory().expect("a store");
    let acme = Author::job("acme", second(0));
    write(&store, acme, vec![create(ResourceType::User, "u1", json!({"userName": "ann"}))]).await;
    assert_eq!(lines(&store, LogFilter::default()).await, [""; 0]);
}

#[tokio::test]
async fn refusals_are_entries_and_equal_ones_of_a_minute_are_one_with_a_count() {
    let store = Store::in_memory().expect("a store");
    let ann = |name: &str| create(ResourceType::User, name, json!({"userName": "ann"}));
    write(&store, okta(0), vec![ann("u1")]).await;
    for at in 0..50 {
        assert_eq!(write(&store, okta(at), vec![ann(&format!("x{at}"))]).await, [409]);
    }
    let entra = Author::push("entra", "t2", false, second(50));
    let delete = WriteAct::Delete { kind: ResourceType::User, id: id("u1") };
    assert_eq!(write(&store, entra, vec![delete]).await, [403]);
    let act = patch(ResourceType::User, "u1", json!([{"op": "replace", "path": "title", "value": "x"}]));
    let stale = store.write_resources("main", okta(51), vec![Write { act, expected: vec![7] }]).await;
    assert_eq!(stale.expect("the store writes")[0].as_ref().map_err(|error| error.status).err(), Some(412));
    assert_eq!(write(&store, okta(300), vec![ann("y")]).await, [409]);
    let unknown = WriteAct::Delete { kind: ResourceType::User, id: id("nobody") };
    assert_eq!(write(&store, okta(301), vec![unknown]).await, [404], "and no entry");

    let told: Vec<String> = log(&store, LogFilter::default())
        .await
        .iter()
        .map(|row| format!("{} x{}", line(row), row.count))
        .collect();
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(told[1], "create ann conflict: another resource has this userName x50");
    assert!(told[2].starts_with("delete u1 refused: push okta owns this resource"), "{}", told[2]);
    assert_eq!(told[3], "update u1 refused: the resource has changed since it was read x1");
    assert_eq!(told[4], "create ann conflict: another resource has this userName x1");
}

#[tokio::test]
async fn people_are_found_by_id_by_name_and_by_mail() {
    let store = Store::in_memory().expect("a store");
    let ann = json!({"userName": "ann", "emails": [{"value": "Ann@x.example"}]});
    let bob = json!({"userName": "bob"});
    let team = json!({"displayName": "Sales", "members": [{"value": "u1"}]});
    let acts = vec![
        create(ResourceType::User, "u1", ann),
        create(ResourceType::User, "u2", bob),
        create(ResourceType::Group, "g1", team),
        patch(ResourceType::User, "u1", json!([{"op": "replace", "path": "userName", "value": "koch"}])),
    ];
    write(&store, okta(0), acts).await;
    for who in ["u1", "KOCH", "ann@X.example", "Ann"] {
        let filter = LogFilter { who: Some(who.to_owned()), ..LogFilter::default() };
        let told: Vec<String> = log(&store, filter).await.into_iter().map(|row| row.class).collect();
        assert_eq!(told, ["create", "add_members", "rename"], "{who}");
    }
    let other = |workspace: &str| LogFilter { workspace: Some(workspace.to_owned()), ..LogFilter::default() };
    assert_eq!(log(&store, other("main")).await.len(), 5);
    assert_eq!(log(&store, other("elsewhere")).await.len(), 0);
}

#[tokio::test]
async fn grants_that_go_with_somebody_are_entries_of_whoever_did_that() {
    let store = Store::in_memory().expect("a store");
    let grant = json!({"user": {"value": "u1"}, "account": "root@db", "privileged": true});
    let local = Author::local("root", "on call", second(0));
    write(
        &store,
        local,
        vec![
            create(ResourceType::User, "u1", json!({"userName": "ann"})),
            create(ResourceType::Grant, "x1", grant),
        ],
    )
    .await;
    let acme = Author { writes_others: true, ..Author::job("acme", second(1)) };
    let disable =
        patch(ResourceType::User, "u1", json!([{"op": "replace", "path": "active", "value": false}]));
    write(&store, acme, vec![disable]).await;
    let rows = log(&store, LogFilter::default()).await;
    let told: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {}", row.owner.as_deref().unwrap_or(""), row.class, row.name))
        .collect();
    assert_eq!(told, ["local create ann", "local grant root@db", "job acme revoke root@db"]);
    assert_eq!(rows[0].reason.as_deref(), Some("on call"));
}

/// A file with three entries, and a hand on it.
async fn tampered(sql: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("state.db");
    let store = Store::open(&path).expect("a state");
    for (at, name) in ["ann", "bob", "cy"].into_iter().enumerate() {
        let act = create(ResourceType::User, &format!("u{at}"), json!({ "userName": name }));
        write(&store, okta(at as i64), vec![act]).await;
    }
    let whole = store.verify_chain().await.expect("a walk");
    assert_eq!((whole.links, whole.older, whole.broken), (3, 0, None));
    assert_eq!(whole.last.map(|last| last.len()), Some(64));
    drop(store);
    rusqlite::Connection::open(&path).expect("the file").execute_batch(sql).expect(sql);
    let store = Store::open(&path).expect("a state");
    let broken = store.verify_chain().await.expect("a walk").broken;
    broken.map_or_else(
        || "whole".to_owned(),
        |broken| format!("link {}, entry {}: {}", broken.link, broken.entry.0, broken.what),
    )
}

#[tokio::test]
async fn whoever_changes_the_journal_breaks_its_chain_where_it_was_changed() {
    let changed = "link 2, entry 2: was changed after it was recorded, or its link was";
    for (sql, expected) in [
        ("UPDATE journal SET class = 'update' WHERE id = 2", changed),
        ("UPDATE journal SET owner = 'push entra' WHERE id = 2", changed),
        ("UPDATE journal SET by = 't9' WHERE id = 2", changed),
        ("UPDATE journal SET at = at + 1 WHERE id = 2", changed),
        ("UPDATE journal SET outcome = 'refused' WHERE id = 2", changed),
        ("UPDATE journal SET resource = 'u9' WHERE id = 2", changed),
        ("UPDATE journal_chain SET link = zeroblob(32) WHERE n = 2", changed),
        ("UPDATE journal_chain SET sealed = zeroblob(32) WHERE n = 2", changed),
        (
            "UPDATE journal SET edits = replace(edits, 'bob', 'eve') WHERE id = 2",
            "link 2, entry 2: has other values than were recorded, or lost them without an erasure",
        ),
        (
            "UPDATE journal SET name = NULL, edits = '[]', salt = NULL WHERE id = 2",
            "link 2, entry 2: has other values than were recorded, or lost them without an erasure",
        ),
        ("DELETE FROM journal WHERE id = 2", "link 2, entry 2: is gone from the journal"),
        (
            "DELETE FROM journal WHERE id = 2; DELETE FROM journal_chain WHERE entry = 2",
            "link 3, entry 3: does not follow the entry before it: one was taken out or put in",
        ),
        (
            "DELETE FROM journal_chain WHERE entry = 1",
            "link 1, entry 2: is not where the chain begins: what was before was cut off, and no checkpoint tells of it",
        ),
        (
            "DELETE FROM journal_chain WHERE entry = 3",
            "link 2, entry 3: is not in the chain: the chain's end was cut off, or the entry was put in",
        ),
        ("UPDATE journal SET count = 9 WHERE id = 2", "whole"),
    ] {
        assert_eq!(tampered(sql).await, expected, "{sql}");
    }
}
