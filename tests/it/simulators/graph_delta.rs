//! Graph: delta feeds (graph.md section 6).

use rosterd::simulators::CLIENT_ID;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

use super::Served;
use super::graph_with;
use super::ids;
use super::join;
use super::morning;
use super::own;
use super::row;

const USERS_DELTA: &str =
    "/v1.0/users/delta?$select=id,displayName,surname,mail,userPrincipalName,accountEnabled";

#[tokio::test]
async fn a_first_round_of_users_comes_by_two_hundred_and_later_rounds_show_what_changed() {
    let size = Size { users: 250, groups: 4, memberships_per_user: 1 };
    let served = Served::graph(World::new(Flavour::Graph, size, 3, morning())).await;
    let (rows, link) = served.rows(USERS_DELTA).await;
    assert_eq!(ids(&rows).len(), 249);
    assert_eq!(served.world.counters().of(Route::UsersDelta), 2);
    let link = link.unwrap();
    assert!(link.contains("/v1.0/users/delta?$deltatoken="), "{link}");

    let (rows, link) = served.rows(&link).await;
    assert_eq!(rows, Vec::<Value>::new());

    let [one, other, third] = [1, 2, 3].map(|place| served_id(&served.world, place));
    let rename = Change::Rename {
        who: one.clone(),
        login: None,
        mail: None,
        given_name: None,
        surname: Some(own("Holm")),
        display_name: None,
    };
    served.world.change(rename).unwrap();
    served.world.change(Change::SoftDelete { who: other.clone() }).unwrap();
    served.world.change(Change::SoftDelete { who: third.clone() }).unwrap();
    served.world.change(Change::Purge { who: third.clone() }).unwrap();
    served.world.change(Change::Hire(Hire::assigned("new@x.example", "New", "One"))).unwrap();
    let (rows, link) = served.rows(&link.unwrap()).await;
    assert_eq!(rows.len(), 4);
    assert_eq!(row(&rows, &one)["surname"], "Holm");
    assert_eq!(*row(&rows, &other), json!({ "id": other, "@removed": { "reason": "changed" } }));
    assert_eq!(*row(&rows, &third), json!({ "id": third, "@removed": { "reason": "deleted" } }));

    served.world.change(Change::Restore { who: other.clone() }).unwrap();
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(rows.len(), 1);
    assert!(row(&rows, &other).get("@removed").is_none());
    assert_eq!(row(&rows, &other)["accountEnabled"], true);
}

/// The id of a seeded person by place in the expected snapshot.
fn served_id(world: &World, place: usize) -> String {
    world.snapshot().people.keys().nth(place).unwrap().clone()
}

#[tokio::test]
async fn delta_leaves_never_set_properties_out_shows_cleared_ones_as_null_and_ignores_what_is_not_selected() {
    let world = graph_with(&["ann@x.example"], &[]);
    let served = Served::graph(world).await;
    let (rows, link) = served.rows("/v1.0/users/delta?$select=displayName,mail,department").await;
    assert!(rows[0].get("department").is_none());
    assert_eq!(rows[0]["mail"], "ann@x.example");

    let set = |property: &str, value: Value| Change::Set {
        who: own("ann@x.example"),
        property: own(property),
        value,
    };
    served.world.change(set("surname", json!("Koch"))).unwrap();
    let (rows, link) = served.rows(&link.unwrap()).await;
    assert_eq!(rows, Vec::<Value>::new());

    served.world.change(set("mail", Value::Null)).unwrap();
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(rows[0]["mail"], Value::Null);
    assert_eq!(rows[0]["displayName"], "Ann Lee");
}

#[tokio::test]
async fn the_latest_token_shows_only_what_comes_after_it() {
    let served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    let (rows, link) = served.rows("/v1.0/users/delta?$deltatoken=latest&$select=id,accountEnabled").await;
    assert_eq!(rows, Vec::<Value>::new());
    served.world.change(Change::Disable { who: own("ann@x.example") }).unwrap();
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["accountEnabled"], false);
}

#[tokio::test]
async fn two_people_swap_logins_within_one_round() {
    let served = Served::graph(graph_with(&["ann@x.example", "bob@x.example"], &[])).await;
    let [ann, bob] = ["ann@x.example", "bob@x.example"].map(|login| served.world.id_of(login).unwrap());
    let (_, link) = served.rows(USERS_DELTA).await;
    let swap = Change::SwapLogins { one: own("ann@x.example"), other: own("bob@x.example") };
    served.world.change(swap).unwrap();
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(row(&rows, &ann)["userPrincipalName"], "bob@x.example");
    assert_eq!(row(&rows, &bob)["mail"], "ann@x.example");
}

#[tokio::test]
async fn a_big_group_is_sliced_over_pages_and_no_larger_page_can_be_had() {
    let world = World::empty(Flavour::Graph, morning());
    world.change(Change::CreateGroup { name: own("Big"), id: None, assigned: false }).unwrap();
    world.change(Change::CreateGroup { name: own("Empty"), id: None, assigned: false }).unwrap();
    for number in 0..1200 {
        let mut hire = Hire::assigned(&format!("p{number}@x.example"), "P", "Q");
        hire.groups = vec![own("Big")];
        world.change(Change::Hire(hire)).unwrap();
    }
    let served = Served::graph(world).await;
    let target = "/v1.0/groups/delta?$select=id,displayName,members";
    let (rows, link) = served.rows(target).await;
    assert_eq!(served.world.counters().of(Route::GroupsDelta), 3);
    let slices: Vec<usize> =
        rows.iter().map(|row| row["members@delta"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(slices, [500, 500, 200, 0]);
    assert!(rows[3].get("members@delta").is_none());
    assert_eq!(members(&rows).len(), 1200);

    let request = served.http.get(served.url(target)).header("authorization", &served.credentials);
    let large: Value =
        request.header("prefer", "odata.maxpagesize=999").send().await.unwrap().json().await.unwrap();
    assert_eq!(large["value"][0]["members@delta"].as_array().unwrap().len(), 500);
    assert!(large["@odata.nextLink"].is_string());

    let first = served.world.id_of("p0@x.example").unwrap();
    served.world.change(Change::Leave { group: own("Big"), member: own("p0@x.example") }).unwrap();
    served.world.change(Change::RenameGroup { group: own("Empty"), name: own("Void") }).unwrap();
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(rows.len(), 2);
    let gone =
        json!([{ "@odata.type": "#microsoft.graph.user", "id": first, "@removed": { "reason": "deleted" } }]);
    assert_eq!(rows[0]["members@delta"], gone);
    assert_eq!(rows[1]["displayName"], "Void");
}

fn members(rows: &[Value]) -> BTreeSet<String> {
    let links = rows.iter().filter_map(|row| row["members@delta"].as_array()).flatten();
    links.map(|link| link["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_member_who_leaves_between_two_pages_costs_nobody_else_a_place() {
    let world = World::empty(Flavour::Graph, morning());
    world.change(Change::CreateGroup { name: own("Big"), id: None, assigned: false }).unwrap();
    for number in 0..700 {
        let mut hire = Hire::assigned(&format!("p{number}@x.example"), "P", "Q");
        hire.groups = vec![own("Big")];
        world.change(Change::Hire(hire)).unwrap();
    }
    let served = Served::graph(world).await;
    let first = served.ok("/v1.0/groups/delta").await;
    let mut seen = members(first["value"].as_array().unwrap());
    served.world.change(Change::Leave { group: own("Big"), member: own("p3@x.example") }).unwrap();
    let (rest, link) = served.rows(first["@odata.nextLink"].as_str().unwrap()).await;
    seen.extend(members(&rest));
    assert_eq!(seen.len(), 700);
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(rows[0]["members@delta"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_delta_token_expires_after_seven_days_or_when_the_service_says_so() {
    let mut served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    let (_, link) = served.rows(USERS_DELTA).await;
    let link = link.unwrap();
    served.world.fault(Fault::next(Route::UsersDelta, Trouble::ExpireDelta { status: 410 }));
    let answer = served.send(&link).await.unwrap();
    assert_eq!(answer.status(), 410);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(location, format!("{}/v1.0/users/delta?$deltatoken=", served.base));
    served.ok(&location).await;

    served.world.set_clock("2026-03-10T08:00:00Z".parse().unwrap());
    let answer = served.token(&[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
    let token: Value = answer.json().await.unwrap();
    served.credentials = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let (status, body) = served.get(&link).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("syncStateNotFound")));
}

#[tokio::test]
async fn a_minimal_round_shows_only_what_changed_and_a_manager_comes_as_a_link() {
    let served = Served::graph(graph_with(&["ann@x.example", "bob@x.example"], &[])).await;
    let [ann, bob] = ["ann@x.example", "bob@x.example"].map(|login| served.world.id_of(login).unwrap());
    let (_, link) = served.rows("/v1.0/users/delta?$select=displayName,department,manager").await;
    let set = Change::Set { who: ann.clone(), property: own("department"), value: json!("Legal") };
    served.world.change(set).unwrap();
    served.world.change(Change::SetManager { who: ann.clone(), manager: Some(bob.clone()) }).unwrap();
    let request = served.http.get(link.unwrap()).header("authorization", &served.credentials);
    let answer = request.header("prefer", "return=minimal").send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    let manager = json!([{ "@odata.type": "#microsoft.graph.user", "id": bob }]);
    assert_eq!(body["value"], json!([{ "id": ann, "department": "Legal", "manager@delta": manager }]));

    let expanded = served.ok(&format!("/v1.0/users/{ann}?$select=id&$expand=manager($select=id)")).await;
    assert_eq!(expanded["manager"]["id"], json!(bob));
    assert_eq!(served.ok(&format!("/v1.0/users/{ann}/manager?$select=id")).await["id"], json!(bob));
    assert_eq!(served.get(&format!("/v1.0/users/{bob}/manager")).await.0, 404);
}

#[tokio::test]
async fn a_soft_deleted_member_is_hidden_without_an_event_and_purging_gives_one() {
    let world = graph_with(&["ann@x.example"], &["Team"]);
    join(&world, "Team", "ann@x.example");
    let served = Served::graph(world).await;
    let [ann, team] = ["ann@x.example", "Team"].map(|name| served.world.id_of(name).unwrap());
    let (_, link) = served.rows("/v1.0/groups/delta?$select=displayName,members").await;
    served.world.change(Change::SoftDelete { who: ann.clone() }).unwrap();
    assert_eq!(served.rows(&format!("/v1.0/groups/{team}/members")).await.0, Vec::<Value>::new());
    let (rows, link) = served.rows(&link.unwrap()).await;
    assert_eq!(rows, Vec::<Value>::new());

    served.world.change(Change::Restore { who: ann.clone() }).unwrap();
    let (rows, link) = served.rows(&link.unwrap()).await;
    assert_eq!(members(&rows), BTreeSet::from([ann.clone()]));
    served.world.change(Change::Purge { who: ann.clone() }).unwrap();
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(rows[0]["members@delta"][0]["@removed"], json!({ "reason": "deleted" }));
}

#[tokio::test]
async fn a_deleted_group_says_whether_it_can_come_back() {
    let served = Served::graph(graph_with(&[], &["Soft", "Hard"])).await;
    let [soft, hard] = ["Soft", "Hard"].map(|name| served.world.id_of(name).unwrap());
    let (_, link) = served.rows("/v1.0/groups/delta").await;
    served.world.change(Change::DeleteGroup { group: soft.clone() }).unwrap();
    served.world.change(Change::PurgeGroup { group: hard.clone() }).unwrap();
    let (rows, link) = served.rows(&link.unwrap()).await;
    assert_eq!(*row(&rows, &soft), json!({ "id": soft, "@removed": { "reason": "changed" } }));
    assert_eq!(*row(&rows, &hard), json!({ "id": hard, "@removed": { "reason": "deleted" } }));
    served.world.change(Change::RestoreGroup { group: soft.clone() }).unwrap();
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(row(&rows, &soft)["displayName"], "Soft");
}
