//! The same facts give the same state, in whatever order they arrived: people, groups, memberships, and the values of a
//! list that has no order.

use std::collections::BTreeSet;

use proptest::prelude::Just;
use proptest::prelude::ProptestConfig;
use proptest::prelude::Strategy;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use rosterd::model::Seen;
use rosterd::model::SourceId;
use rosterd::model::Standing;
use rosterd::model::Vocabulary;
use rosterd::plan::Environment;
use rosterd::plan::Given;
use rosterd::plan::GroupName;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::scim::Kind;
use serde_json::Value;
use serde_json::json;

use super::support::story::Stage;

/// Rows of every kind: copied, computed, a list, a reference, the groups of somebody.
fn own() -> RawMapping {
    toml_edit::de::from_str(
        r#"
        preset = "entra-default"
        clear = ["jobTitle"]

        [users."title"]
        clear = true

        [users."urn:example:2.0:User:groups"]
        attribute = "groups"

        [users."urn:example:2.0:User:mails"]
        attribute = "proxyAddresses"

        [users."urn:example:2.0:User:first"]
        expression = 'Item([groupIds], 1)'
        "#,
    )
    .expect("rows as they are written in settings")
}

/// Everything that the mapping makes of one person, as text.
fn made(addresses: &[String], groups: &[GroupName]) -> String {
    let preset: RawPreset = toml_edit::de::from_str(include_str!("../../config/presets/entra-default.toml"))
        .expect("the preset is TOML");
    let users = own().check(Some(&preset), Vocabulary::Graph).expect("sound").users;
    let attributes =
        json!({ "userPrincipalName": "ann@x.example", "proxyAddresses": addresses, "manager": "u2" });
    let attributes = serde_json::from_value(attributes).expect("an object");
    let seen = Seen { standing: Standing::Enabled, attributes };
    let id = SourceId("u1".to_owned());
    let given = Given { id: &id, kind: Kind::User, seen: &seen, soft_deleted: false, groups };
    let mapped = users.evaluate(given, Vocabulary::Graph, &Environment::default()).expect("mapped");
    let names: Vec<_> = mapped.references.iter().map(|reference| reference.names.clone()).collect();
    json!([mapped.attributes, mapped.on_create, mapped.active, names]).to_string()
}

/// A list, and the same list in another order.
fn shuffled(item: &'static str) -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    proptest::collection::vec(item, 0..6)
        .prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_a_list_that_has_none_changes_nothing(
        (read, again) in shuffled("(SMTP|smtp|SIP|x500):[a-c]{1,2}@x"),
        (here, there) in shuffled("[A-C]{1,2}"),
    ) {
        let groups = |names: &[String]| -> Vec<GroupName> {
            let named = |name: &String| GroupName { name: name.clone(), id: SourceId(name.to_lowercase()) };
            names.iter().map(named).collect()
        };
        prop_assert_eq!(made(&read, &groups(&here)), made(&again, &groups(&there)));
    }
}

/// A small company, its lists in the order that these numbers give.
fn company(order: &[usize]) -> String {
    let in_order = |items: Vec<Value>| -> Vec<Value> {
        let places = order.iter().filter(|place| **place < items.len());
        places.map(|place| items[*place].clone()).collect()
    };
    let person = |number: usize| {
        let name = format!("p{number}@x.example");
        let attributes = json!({ "userName": name, "mail": name, "manager": format!("u{}", number * 7 % 5) });
        json!({ "id": format!("u{number}"), "enabled": number != 3, "attributes": attributes })
    };
    let group = |number: usize| {
        let members: Vec<Value> = (number..5).map(|member| json!(format!("user:u{member}"))).collect();
        let attributes = json!({ "displayName": format!("Team {number}") });
        json!({ "id": format!("g{number}"), "attributes": attributes, "members": in_order(members) })
    };
    let app: Vec<Value> = ["user:u0", "group:g1", "group:g3"].map(|id| json!(id)).to_vec();
    json!({
        "directory": "story",
        "apps": { "app": in_order(app) },
        "users": in_order((0..5).map(person).collect()),
        "groups": in_order((0..5).map(group).collect()),
    })
    .to_string()
}

/// What the workspace holds after a first cycle: accounts, managers, teams, and how many wait.
async fn held(order: &[usize]) -> String {
    let mut stage = Stage::new();
    stage.command("row manager manager refers").await;
    let told = stage.cycle_of(&company(order)).await;
    let mut held =
        told.lines().filter(|line| line.contains("waiting")).collect::<BTreeSet<_>>().len().to_string();
    held += &stage.workspace().await;
    held += &stage.command("shows manager").await.expect("an answer");
    held
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_in_which_a_directory_is_read_changes_nothing(order in Just((0..5).collect::<Vec<usize>>()).prop_shuffle()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (read, again) = runtime.block_on(async { (held(&[0, 1, 2, 3, 4]).await, held(&order).await) });
        prop_assert_eq!(&read, &again);
        prop_assert!(read.contains("[Team 1] p1@x.example p2@x.example p4@x.example"), "{}", read);
    }
}
