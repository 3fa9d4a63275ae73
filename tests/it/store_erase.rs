//! Erasure: the values of a person are gone from the state, byte for byte, and who, when and why stay verifiable.

use std::path::Path;

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::scim::Patch;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::Erased;
use rosterd::store::Erasure;
use rosterd::store::FollowUpAct;
use rosterd::store::LogFilter;
use rosterd::store::NotErased;
use rosterd::store::Store;
use rosterd::store::WriteAct;
use serde_json::Value;
use serde_json::json;

fn okta() -> Author {
    Author::push("okta", "t1", false, Timestamp::from_second(1_700_000_000).expect("a time"))
}

fn create(kind: ResourceType, id: &str, body: Value) -> WriteAct {
    let incoming = incoming(kind, Dialect::Tolerant, &body).expect("a sound body");
    WriteAct::Create { kind, id: ResourceId(id.to_owned()), incoming, dialect: Dialect::Strict }
}

fn set(id: &str, path: &str, value: Value) -> WriteAct {
    let patch = Patch::of_values(ResourceType::User, &[(path.to_owned(), value)]).expect("a sound patch");
    WriteAct::Patch { id: ResourceId(id.to_owned()), patch }
}

async fn write(store: &Store, author: Author, acts: Vec<WriteAct>) {
    let writes = acts.into_iter().map(Into::into).collect();
    let written = store.write_resources("main", author, writes).await.expect("the store writes");
    assert!(written.iter().all(Result::is_ok), "{written:?}");
}

/// A name that is in no other text.
fn person(marker: &str, at: usize) -> Value {
    json!({
        "userName": format!("{marker}{at}@acme.example"), "displayName": format!("Zz{marker}{at}"),
        "externalId": format!("ext-{marker}{at}"), "title": "x".repeat(at % 700),
        "emails": [{"type": "work", "value": format!("mail.{marker}{at}@acme.example")}],
    })
}

async fn erase(store: &Store, who: &str) -> Result<Erased, NotErased> {
    let wish = Erasure {
        workspace: "main".to_owned(),
        who: who.to_owned(),
        by: "root".to_owned(),
        reason: "asked for on paper".to_owned(),
        now: Timestamp::from_second(1_700_009_000).expect("a time"),
    };
    store.erase_person(wish).await.expect("the store works")
}

/// How often the text stands in the state's files, in any case.
fn traces(path: &Path, text: &str) -> usize {
    let find = |bytes: &[u8]| {
        bytes.windows(text.len()).filter(|part| part.eq_ignore_ascii_case(text.as_bytes())).count()
    };
    let file = |ending: &str| std::fs::read(format!("{}{ending}", path.display())).unwrap_or_default();
    ["", "-wal"].map(|ending| find(&file(ending))).iter().sum()
}

/// Many others around, so that rows move between pages, and pages are split and freed.
#[tokio::test]
async fn nothing_of_an_erased_person_is_in_the_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("state.db");
    let store = Store::open(&path).expect("a state");
    for at in 0..300 {
        write(&store, okta(), vec![create(ResourceType::User, &format!("u{at}"), person("qxq", at))]).await;
    }
    let id = "u150";
    write(&store, okta(), vec![set(id, "userName", "qxqrenamed@acme.example".into())]).await;
    for at in (0..300).filter(|at| at % 3 == 0 && *at != 150) {
        write(&store, okta(), vec![set(&format!("u{at}"), "title", "y".repeat(900).into())]).await;
    }
    let clash = create(ResourceType::User, "other", json!({"userName": "qxqrenamed@acme.example"}));
    let refused = store.write_resources("main", okta(), vec![clash.into()]).await.expect("the store writes");
    assert_eq!(refused[0].as_ref().map_err(|error| error.status).err(), Some(409));
    write(&store, okta(), vec![set(id, "active", false.into())]).await;
    assert!(traces(&path, "qxq150") > 0 && traces(&path, "qxqrenamed") > 0);

    let erased = erase(&store, "qxqrenamed@acme.example").await.expect("it is done");
    assert_eq!((erased.resource.as_deref(), erased.log_emptied), (Some(id), true));
    assert_eq!(erased.removed, [("the account in the workspace", 1), ("entries of the log", 4)]);
    for text in ["qxq150", "mail.qxq150", "qxqrenamed"] {
        assert_eq!(traces(&path, text), 0, "{text}");
    }
    assert!(traces(&path, "qxq151@acme.example") > 0, "others stay");

    let about = LogFilter { who: Some(id.to_owned()), limit: 100, ..LogFilter::default() };
    let rows = store.log(about).await.expect("a log");
    let told: Vec<String> =
        rows.iter().map(|row| format!("{} {} {}", row.class, row.name, row.edits.len())).collect();
    assert_eq!(told, ["create u150 0", "rename u150 0", "deactivate u150 0", "erase u150 0"]);
    let last = rows.last().expect("the erasure");
    assert_eq!((last.by.as_deref(), last.reason.as_deref()), (Some("root"), Some("asked for on paper")));
    let chain = store.verify_chain().await.expect("a walk");
    assert_eq!(chain.broken, None);

    let again = create(ResourceType::User, id, json!({"userName": "new@acme.example"}));
    let again = store.write_resources("main", okta(), vec![again.into()]).await.expect("the store writes");
    assert_eq!(again[0].as_ref().map_err(|error| error.status).err(), Some(409), "the id is spent");
    assert_eq!(erase(&store, "qxqrenamed@acme.example").await, Err(NotErased::Nobody));
}

#[tokio::test]
async fn whoever_is_in_use_or_not_clear_is_not_erased() {
    let store = Store::in_memory().expect("a store");
    let with_mail = |name: &str| json!({"userName": name, "emails": [{"value": "shared@x"}]});
    write(
        &store,
        okta(),
        vec![
            create(ResourceType::User, "u1", with_mail("ann")),
            create(ResourceType::User, "u2", with_mail("bob")),
        ],
    )
    .await;
    assert_eq!(erase(&store, "nobody").await, Err(NotErased::Nobody));
    assert_eq!(
        erase(&store, "SHARED@x").await,
        Err(NotErased::Several(vec!["u1".to_owned(), "u2".to_owned()]))
    );
    assert_eq!(erase(&store, "ann").await, Err(NotErased::Active));
    let error = NotErased::Active.to_string();
    assert!(error.contains("deactivate it first"), "{error}");
}

#[tokio::test]
async fn grants_and_follow_ups_lose_their_values_once_nobody_needs_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("state.db");
    let store = Store::open(&path).expect("a state");
    let local = || Author::local("root", "on call", Timestamp::from_second(1_700_000_000).expect("a time"));
    let grant = json!({"user": {"value": "u1"}, "account": "qxqroot@database", "privileged": true});
    let acts = vec![
        create(ResourceType::User, "u1", json!({"userName": "ann"})),
        create(ResourceType::Grant, "x1", grant),
    ];
    write(&store, local(), acts).await;
    write(&store, local(), vec![set("u1", "active", false.into())]).await;
    let Err(NotErased::FollowUps(open)) = erase(&store, "u1").await else {
        panic!("the password is to be changed")
    };
    assert_eq!(open, ["rotate_1_x1"]);
    store
        .decide_follow_up("main", &open[0], FollowUpAct::Acknowledge, local())
        .await
        .expect("the store writes")
        .expect("it is decided");
    let erased = erase(&store, "u1").await.expect("it is done");
    let expected = [
        ("the account in the workspace", 1),
        ("grants that were taken", 1),
        ("follow-ups", 1),
        ("entries of the log", 4),
    ];
    assert_eq!(erased.removed, expected);
    assert_eq!(traces(&path, "qxqroot"), 0);
    assert_eq!(store.verify_chain().await.expect("a walk").broken, None);
}
