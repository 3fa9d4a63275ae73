//! Owners, and what is unique besides userName: the second write is refused or allowed as the settings say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::scim::MembersEdit;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::OtherOwners;
use rosterd::store::Policy;
use rosterd::store::Store;
use rosterd::store::Unique;
use rosterd::store::Write;
use rosterd::store::WriteAct;
use serde_json::Value;
use serde_json::json;

fn okta() -> Author {
    Author::push("okta", "t1", false, Timestamp::UNIX_EPOCH)
}

fn entra() -> Author {
    Author::push("entra", "t2", false, Timestamp::UNIX_EPOCH)
}

fn acme() -> Author {
    Author::job("acme", Timestamp::UNIX_EPOCH)
}

fn create(kind: ResourceType, id: &str, body: Value) -> WriteAct {
    let incoming = incoming(kind, Dialect::Tolerant, &body).expect("a sound body");
    WriteAct::Create { kind, id: ResourceId(id.to_owned()), incoming, dialect: Dialect::Strict }
}

fn user(id: &str, body: Value) -> WriteAct {
    create(ResourceType::User, id, body)
}

fn replace(kind: ResourceType, id: &str, body: Value) -> WriteAct {
    let incoming = incoming(kind, Dialect::Tolerant, &body).expect("a sound body");
    WriteAct::Replace { kind, id: ResourceId(id.to_owned()), incoming, dialect: Dialect::Tolerant }
}

fn delete(kind: ResourceType, id: &str) -> WriteAct {
    WriteAct::Delete { kind, id: ResourceId(id.to_owned()) }
}

/// `done`, or the status and the words of the refusal.
async fn write(store: &Store, author: Author, act: impl Into<Write>) -> String {
    let written = store.write_resources("main", author, vec![act.into()]).await.expect("the store writes");
    match written.into_iter().next().expect("an outcome") {
        Ok(_) => "done".to_owned(),
        Err(error) => format!("{} {}", error.status, error.detail),
    }
}

fn with(policy: Policy) -> Store {
    let store = Store::in_memory().expect("a store");
    store.with_policies(BTreeMap::from([("main".to_owned(), policy)]))
}

#[tokio::test]
async fn who_does_not_own_a_resource_is_refused_with_the_setting_that_would_let_them() {
    let store = with(Policy::default());
    assert_eq!(write(&store, okta(), user("u1", json!({"userName": "ann"}))).await, "done");
    let refused = "403 push okta owns this resource, so push entra may not write it; workspaces.main.other_owners = \
                   \"allow\" in the settings lets it";
    let renamed = || replace(ResourceType::User, "u1", json!({"userName": "ann", "title": "Boss"}));
    assert_eq!(write(&store, entra(), renamed()).await, refused);
    assert_eq!(write(&store, entra(), delete(ResourceType::User, "u1")).await, refused);
    assert!(
        write(&store, acme(), renamed()).await.starts_with("403 push okta owns this resource, so job acme")
    );
    assert_eq!(write(&store, okta(), renamed()).await, "done");
    let local = Author::local("root", "by hand", Timestamp::UNIX_EPOCH);
    assert_eq!(write(&store, local, renamed()).await, "done", "an administrator may");
}

#[tokio::test]
async fn where_it_is_allowed_others_write_and_the_owner_stays() {
    let store = with(Policy { other_owners: OtherOwners::Allow, ..Policy::default() });
    write(&store, okta(), user("u1", json!({"userName": "ann"}))).await;
    let titled = replace(ResourceType::User, "u1", json!({"userName": "ann", "title": "Boss"}));
    assert_eq!(write(&store, acme(), titled).await, "done");
    let id = (ResourceType::User, ResourceId("u1".to_owned()));
    let found = store.resources("main", vec![id], false).await.expect("the store reads");
    let ann = found[0].as_ref().expect("it is there");
    assert_eq!((ann.owner.to_string().as_str(), &ann.body["title"]), ("push okta", &json!("Boss")));
}

#[tokio::test]
async fn a_membership_is_a_write_of_the_team_alone() {
    let store = with(Policy::default());
    write(&store, okta(), user("u1", json!({"userName": "ann"}))).await;
    write(&store, entra(), create(ResourceType::Group, "g1", json!({"displayName": "Sales"}))).await;
    let join = || WriteAct::Members {
        team: ResourceId("g1".to_owned()),
        edits: vec![MembersEdit::Add(vec![ResourceId("u1".to_owned())])],
    };
    assert_eq!(write(&store, entra(), join()).await, "done", "the member is another's");
    assert!(write(&store, okta(), join()).await.starts_with("403 push entra owns this resource"));
}

#[tokio::test]
async fn what_the_settings_call_unique_is_unique_in_any_spelling() {
    let unique = [Unique::ExternalId, Unique::Emails, Unique::TeamName].into();
    let store = with(Policy { unique, ..Policy::default() });
    let ann =
        json!({"userName": "ann", "externalId": "E1", "emails": [{"value": "Ärger@x"}, {"value": "a@x"}]});
    assert_eq!(write(&store, okta(), user("u1", ann)).await, "done");
    let bob = |more: Value| {
        let mut body = json!({"userName": "bob"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let taken = |name: &str| format!("409 another resource has this {name}");
    let post = async |more| write(&store, okta(), user("u2", bob(more))).await;
    assert_eq!(post(json!({"externalId": "e1"})).await, taken("externalId"));
    assert_eq!(post(json!({"emails": [{"value": "ärger@X", "type": "home"}]})).await, taken("emails"));
    assert_eq!(post(json!({"externalId": "E2", "emails": [{"value": "b@x"}]})).await, "done");
    let put = async |more| write(&store, okta(), replace(ResourceType::User, "u2", bob(more))).await;
    assert_eq!(put(json!({"emails": [{"value": "A@X"}]})).await, taken("emails"));
    assert_eq!(put(json!({"externalId": "E2", "emails": [{"value": "B@x", "type": "work"}]})).await, "done");

    let team = |id: &str, name: &str| create(ResourceType::Group, id, json!({ "displayName": name }));
    assert_eq!(write(&store, okta(), team("g1", "Sales")).await, "done");
    assert_eq!(write(&store, okta(), team("g2", "SALES")).await, taken("displayName"));
    assert_eq!(write(&store, okta(), delete(ResourceType::Group, "g1")).await, "done");
    assert_eq!(write(&store, okta(), team("g3", "SALES")).await, "done", "what is gone does not count");
}

#[tokio::test]
async fn what_was_double_before_it_had_to_be_unique_stays_and_nothing_new_joins_it() {
    let store = with(Policy::default());
    for (id, name) in [("u1", "ann"), ("u2", "bob")] {
        write(&store, okta(), user(id, json!({"userName": name, "externalId": "E1"}))).await;
    }
    let policy = Policy { unique: [Unique::ExternalId].into(), ..Policy::default() };
    let store = store.with_policies(BTreeMap::from([("main".to_owned(), policy)]));
    let titled =
        replace(ResourceType::User, "u2", json!({"userName": "bob", "externalId": "E1", "title": "Boss"}));
    assert_eq!(write(&store, okta(), titled).await, "done");
    let third = user("u3", json!({"userName": "cy", "externalId": "e1"}));
    assert_eq!(write(&store, okta(), third).await, "409 another resource has this externalId");
}
