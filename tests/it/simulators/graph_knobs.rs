//! Graph: what delta rounds and listings may do to a client, each by a knob (graph.md sections 6.4, 6.5 and 6.7).

use std::collections::BTreeSet;

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

use super::SMALL;
use super::Served;
use super::graph_with;
use super::ids;
use super::join;
use super::morning;
use super::own;
use super::row;

const USERS: &str = "/v1.0/users/delta?$select=id,displayName,department,accountEnabled,manager";
const GROUPS: &str = "/v1.0/groups/delta?$select=id,displayName,members";

fn change(served: &Served, change: Change) {
    served.world.change(change).unwrap();
}

fn turn(served: &Served, knobs: &[&str]) {
    knobs.iter().for_each(|knob| served.world.turn(knob).unwrap());
}

fn delete(served: &Served, who: &str) {
    change(served, Change::SoftDelete { who: own(who) });
}

fn set(served: &Served, who: &str, property: &str, value: Value) {
    change(served, Change::Set { who: own(who), property: own(property), value });
}

/// Ids in the order in which they came.
fn order(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| own(row["id"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_round_ends_with_the_same_people_whatever_its_pages_look_like() {
    let size = Size { users: 90, groups: 7, memberships_per_user: 3 };
    let served = Served::graph(World::new(Flavour::Graph, size, 3, morning())).await;
    let (plain, _) = served.rows(USERS).await;
    let (groups, _) = served.rows(GROUPS).await;
    let members = |rows: &[Value]| -> BTreeSet<(String, String)> {
        let links = |row: &Value| row["members@delta"].as_array().cloned().unwrap_or_default();
        let pairs = rows.iter().flat_map(|row| links(row).into_iter().map(|link| (row["id"].clone(), link)));
        pairs.map(|(group, link)| (group.to_string(), link["id"].to_string())).collect()
    };
    for knobs in [
        vec!["page_size=7"],
        vec!["page_size=7", "empty_pages=true"],
        vec!["page_size=7", "duplicate_items=true"],
        vec!["page_size=7", "shuffled_order=true"],
        vec!["page_size=7", "links_per_page=4"],
        vec![
            "page_size=5",
            "links_per_page=3",
            "empty_pages=true",
            "duplicate_items=true",
            "shuffled_order=true",
        ],
    ] {
        let put = served.http.put(served.url("/_control/knobs")).json(&json!({})).send().await.unwrap();
        assert_eq!(put.status(), 200);
        turn(&served, &knobs);
        let (rows, link) = served.rows(USERS).await;
        assert_eq!(ids(&rows), ids(&plain), "{knobs:?}");
        assert!(link.is_some());
        let (rows, _) = served.rows(GROUPS).await;
        assert_eq!((ids(&rows), members(&rows)), (ids(&groups), members(&groups)), "{knobs:?}");
        let (rows, _) = served.rows("/v1.0/users?$select=id").await;
        assert_eq!(ids(&rows), ids(&plain), "{knobs:?}");
    }
}

#[tokio::test]
async fn empty_pages_have_a_next_link_and_shuffled_rounds_no_order() {
    let served = Served::graph(World::new(Flavour::Graph, SMALL, 1, morning())).await;
    let (plain, _) = served.rows(USERS).await;
    turn(&served, &["page_size=20", "empty_pages=true"]);
    for target in [USERS, "/v1.0/users?$select=id"] {
        let first = served.ok(target).await;
        assert_eq!(first["value"].as_array().unwrap().len(), 20);
        let second = served.ok(first["@odata.nextLink"].as_str().unwrap()).await;
        assert_eq!(second["value"], json!([]));
        let third = served.ok(second["@odata.nextLink"].as_str().unwrap()).await;
        assert_eq!(third["value"].as_array().unwrap().len(), 20);
    }
    turn(&served, &["empty_pages=false", "shuffled_order=true"]);
    let (shuffled, _) = served.rows(USERS).await;
    assert_ne!(order(&shuffled), order(&plain));
    let (again, _) = served.rows(USERS).await;
    assert_eq!(order(&shuffled), order(&again));
}

#[tokio::test]
async fn items_come_twice_and_the_last_round_comes_again() {
    let served = Served::graph(graph_with(&["a@x.example", "b@x.example", "c@x.example"], &[])).await;
    turn(&served, &["page_size=2", "duplicate_items=true"]);
    let (rows, link) = served.rows(USERS).await;
    let [a, b, c] = ["a", "b", "c"].map(|who| served.world.id_of(&format!("{who}@x.example")).unwrap());
    assert_eq!(order(&rows), [a.clone(), b.clone(), a.clone(), b.clone(), c.clone()]);

    turn(&served, &["duplicate_items=false", "replay_last_round=true"]);
    set(&served, "a@x.example", "department", json!("One"));
    let (rows, link) = served.rows(&link.unwrap()).await;
    assert_eq!(order(&rows), std::slice::from_ref(&a));
    set(&served, "b@x.example", "department", json!("Two"));
    let (rows, link) = served.rows(&link.unwrap()).await;
    assert_eq!(order(&rows), [a, b.clone()]);
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(order(&rows).last(), Some(&b));
}

#[tokio::test]
async fn a_first_round_may_show_who_is_gone() {
    let world = graph_with(&["ann@x.example", "bob@x.example", "cid@x.example"], &["Team", "Old"]);
    join(&world, "Team", "ann@x.example");
    join(&world, "Team", "bob@x.example");
    world.change(Change::Leave { group: own("Team"), member: own("bob@x.example") }).unwrap();
    let served = Served::graph(world).await;
    let [ann, bob, cid, team, old] = ["ann@x.example", "bob@x.example", "cid@x.example", "Team", "Old"]
        .map(|one| served.world.id_of(one).unwrap());
    delete(&served, &ann);
    change(&served, Change::Purge { who: cid.clone() });
    change(&served, Change::DeleteGroup { group: old.clone() });
    // Correct: what was deleted before the round began is not in it (section 6.4, 4).
    assert_eq!(ids(&served.rows(USERS).await.0), [bob.clone()].into());
    let (groups, _) = served.rows(GROUPS).await;
    assert_eq!((ids(&groups), groups[0].get("members@delta")), ([team.clone()].into(), None));

    turn(&served, &["removed_in_first_round=true", "removed_members_in_first_round=true"]);
    let (rows, _) = served.rows(USERS).await;
    assert_eq!(*row(&rows, &ann), json!({ "id": ann, "@removed": { "reason": "changed" } }));
    assert_eq!(*row(&rows, &cid), json!({ "id": cid, "@removed": { "reason": "deleted" } }));
    let (rows, _) = served.rows(GROUPS).await;
    assert_eq!(row(&rows, &old)["@removed"]["reason"], "changed");
    let gone =
        json!([{ "@odata.type": "#microsoft.graph.user", "id": bob, "@removed": { "reason": "deleted" } }]);
    assert_eq!(row(&rows, &team)["members@delta"], gone);
}

#[tokio::test]
async fn nulls_unchanged_values_and_managers_may_be_missing() {
    let world = graph_with(&["ann@x.example", "bob@x.example"], &[]);
    let served = Served::graph(world).await;
    let [ann, bob] = ["ann@x.example", "bob@x.example"].map(|who| served.world.id_of(who).unwrap());
    set(&served, &ann, "department", json!("Sales"));
    change(&served, Change::SetManager { who: ann.clone(), manager: Some(bob.clone()) });
    let (rows, link) = served.rows(USERS).await;
    let manager = json!([{ "@odata.type": "#microsoft.graph.user", "id": bob }]);
    assert_eq!(row(&rows, &ann)["manager@delta"], manager);

    // Cleared: null; the manager is not repeated; a manager that was taken away is shown as removed.
    set(&served, &ann, "department", Value::Null);
    let (rows, link) = served.rows(&link.unwrap()).await;
    assert_eq!((rows[0].get("department"), rows[0].get("manager@delta")), (Some(&Value::Null), None));
    turn(&served, &["omit_nulls=true", "always_minimal=true"]);
    change(&served, Change::SetManager { who: ann.clone(), manager: None });
    let (rows, link) = served.rows(&link.unwrap()).await;
    let removed =
        json!([{ "@odata.type": "#microsoft.graph.user", "id": bob, "@removed": { "reason": "deleted" } }]);
    assert_eq!(rows, [json!({ "id": ann, "manager@delta": removed })]);

    set(&served, &ann, "department", json!("Ops"));
    set(&served, &ann, "department", Value::Null);
    let (rows, _) = served.rows(&link.unwrap()).await;
    assert_eq!(rows, [json!({ "id": ann })]);

    turn(
        &served,
        &["always_minimal=false", "page_size=1", "forgotten_on_later_pages=manager,accountEnabled"],
    );
    change(&served, Change::SetManager { who: bob.clone(), manager: Some(ann.clone()) });
    let (rows, _) = served.rows(USERS).await;
    assert_eq!(row(&rows, &ann)["accountEnabled"], true);
    assert_eq!((row(&rows, &bob).get("accountEnabled"), row(&rows, &bob).get("manager@delta")), (None, None));
}

#[tokio::test]
async fn minimal_rounds_can_begin_and_end_at_any_request() {
    let served = Served::graph(graph_with(&["ann@x.example"], &["Team"])).await;
    let (_, link) = served.rows(USERS).await;
    set(&served, "ann@x.example", "department", json!("Sales"));
    let request = served.http.get(link.unwrap()).header("authorization", &served.credentials);
    let answer = request.header("Prefer", "return=minimal").send().await.unwrap();
    assert_eq!(answer.headers()["preference-applied"], "odata.track-changes");
    let body: Value = answer.json().await.unwrap();
    let ann = served.world.id_of("ann@x.example").unwrap();
    assert_eq!(body["value"], json!([{ "id": ann, "department": "Sales" }]));
    set(&served, "ann@x.example", "department", json!("Ops"));
    let (rows, _) = served.rows(body["@odata.deltaLink"].as_str().unwrap()).await;
    assert_eq!(rows[0]["displayName"], "Ann Lee");
}

#[tokio::test]
async fn deletions_and_restores_may_be_silent() {
    let world = graph_with(&["ann@x.example", "bob@x.example"], &["Team"]);
    join(&world, "Team", "ann@x.example");
    join(&world, "Team", "bob@x.example");
    let served = Served::graph(world).await;
    let [ann, bob] = ["ann@x.example", "bob@x.example"].map(|who| served.world.id_of(who).unwrap());
    let (_, users) = served.rows(USERS).await;
    let (_, groups) = served.rows(GROUPS).await;

    // Correct: a soft-deleted member keeps the membership and gives no entry; a purged one does.
    delete(&served, &ann);
    let (rows, groups) = served.rows(&groups.unwrap()).await;
    assert_eq!(rows, Vec::<Value>::new());
    change(&served, Change::Purge { who: ann.clone() });
    let (rows, groups) = served.rows(&groups.unwrap()).await;
    assert_eq!(rows[0]["members@delta"][0]["@removed"]["reason"], "deleted");
    let (rows, users) = served.rows(&users.unwrap()).await;
    assert_eq!(order(&rows), [ann]);

    turn(&served, &["silent_deletions=true", "silent_member_purges=true", "silent_restore=true"]);
    delete(&served, &bob);
    let (rows, users) = served.rows(&users.unwrap()).await;
    assert_eq!(rows, Vec::<Value>::new());
    change(&served, Change::Restore { who: bob.clone() });
    let (rows, users) = served.rows(&users.unwrap()).await;
    assert_eq!(rows, Vec::<Value>::new());
    change(&served, Change::Purge { who: bob });
    assert_eq!(served.rows(&groups.unwrap()).await.0, Vec::<Value>::new());
    assert_eq!(served.rows(&users.unwrap()).await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn a_round_of_groups_may_never_end() {
    let served = Served::graph(graph_with(&["ann@x.example"], &["Team"])).await;
    turn(&served, &["endless_groups_delta=true"]);
    let mut target = own(GROUPS);
    for _ in 0..5 {
        let page = served.ok(&target).await;
        assert_eq!((page["value"].as_array().unwrap().len(), page.get("@odata.deltaLink")), (1, None));
        target = own(page["@odata.nextLink"].as_str().unwrap());
    }
    assert!(served.rows("/v1.0/groups/delta?$select=id").await.1.is_some());
}

#[tokio::test]
async fn tokens_expire_by_age_by_a_reset_and_by_idling() {
    let served = Served::graph(World::new(Flavour::Graph, SMALL, 1, morning())).await;
    served.world.set_clock(morning());
    turn(&served, &["token_seconds=2000000"]);
    let credentials = renewed(&served).await;
    let get = async |target: &str| {
        let request = served.http.get(served.url(target)).header("authorization", &credentials);
        request.send().await.unwrap()
    };
    let link = served.rows(USERS).await.1.unwrap();
    served.world.set_clock("2026-03-09T07:59:00Z".parse().unwrap());
    assert_eq!(get(&link).await.status(), 200);
    served.world.set_clock("2026-03-09T08:00:00Z".parse().unwrap());
    let answer = get(&link).await;
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["code"], "syncStateNotFound");
    assert_eq!(
        body["error"]["message"],
        "The sync state generation is not found. The delta token is expired and data must be synchronized again."
    );

    let first: Value = get(&format!("{USERS}&$filter=")).await.json().await.unwrap();
    assert_eq!(first["error"]["code"], "Request_BadRequest");
    turn(&served, &["page_size=20", "reset_code=ResyncRequired"]);
    let first: Value = get(USERS).await.json().await.unwrap();
    let next = own(first["@odata.nextLink"].as_str().unwrap());
    turn(&served, &["delta_generation=1"]);
    for stale in [&link, &next] {
        let answer = get(stale).await;
        assert_eq!(answer.status(), 410);
        let location = own(answer.headers()["location"].to_str().unwrap());
        assert!(location.ends_with("/v1.0/users/delta?$deltatoken="), "{location}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "ResyncRequired");
        assert_eq!(get(&location).await.status(), 200);
    }

    for target in [USERS, "/v1.0/users?$select=id"] {
        served.world.set_clock("2026-03-09T08:00:00Z".parse().unwrap());
        let first: Value = get(target).await.json().await.unwrap();
        served.world.set_clock("2026-03-09T08:10:00Z".parse().unwrap());
        let answer = get(first["@odata.nextLink"].as_str().unwrap()).await;
        assert_eq!(answer.status(), 400);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["code"], "Directory_ExpiredPageToken");
        let message =
            "The specified page token value has expired and can no longer be included in your request.";
        assert_eq!(body["error"]["message"], message);
    }
}

async fn renewed(served: &Served) -> String {
    let fields = [
        ("client_id", rosterd::simulators::CLIENT_ID),
        ("client_secret", rosterd::simulators::CLIENT_SECRET),
    ];
    let body: Value = served.token(&fields).await.json().await.unwrap();
    format!("Bearer {}", body["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn faults_lose_and_expire_pages_only_where_one_is_followed() {
    let served = Served::graph(World::new(Flavour::Graph, SMALL, 1, morning())).await;
    turn(&served, &["page_size=20"]);
    for (trouble, status, code) in
        [(Trouble::LosePage, 404, "UnknownError"), (Trouble::ExpirePage, 400, "Directory_ExpiredPageToken")]
    {
        served.world.fault(Fault::always(Route::UsersDelta, trouble));
        let first = served.ok(USERS).await;
        let (shown, body) = served.get(first["@odata.nextLink"].as_str().unwrap()).await;
        assert_eq!((shown, &body["error"]["code"]), (status, &json!(code)));
        served.world.clear_faults();
    }
}

#[tokio::test]
async fn routes_lag_behind_changes_each_by_its_own_time() {
    let served = Served::graph(graph_with(&["ann@x.example"], &["Team"])).await;
    served.world.set_clock(morning());
    turn(&served, &["lag.users_delta=60", "lag.members=30", "index_lag_seconds=120"]);
    let (_, link) = served.rows(USERS).await;
    let link = link.unwrap();
    let team = served.world.id_of("Team").unwrap();
    change(&served, Change::Hire(Hire::assigned("new@x.example", "New", "One")));
    join(&served.world, "Team", "new@x.example");
    let new = served.world.id_of("new@x.example").unwrap();
    let members = format!("/v1.0/groups/{team}/members?$select=id");
    let counted = "/v1.0/users?$count=true&$select=id";
    let seen = async || {
        let round = served.rows(&link).await.0.len();
        let members = served.ok(&members).await["value"].as_array().unwrap().len();
        let indexed =
            super::graph_refusals::eventually(&served, counted).await.1["@odata.count"].as_u64().unwrap();
        let single = served.get(&format!("/v1.0/users/{new}")).await.0;
        (round, members, indexed, single)
    };
    assert_eq!(seen().await, (0, 0, 1, 200));
    served.world.set_clock("2026-03-02T08:00:30Z".parse().unwrap());
    assert_eq!(seen().await, (0, 1, 1, 200));
    served.world.set_clock("2026-03-02T08:01:00Z".parse().unwrap());
    assert_eq!(seen().await, (1, 1, 1, 200));
    served.world.set_clock("2026-03-02T08:02:00Z".parse().unwrap());
    assert_eq!(seen().await, (1, 1, 2, 200));
}

#[tokio::test]
async fn a_lagging_round_leaves_nothing_out() {
    let served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    served.world.set_clock(morning());
    turn(&served, &["lag.users_delta=60"]);
    let mut link = served.rows(USERS).await.1.unwrap();
    let mut seen = BTreeSet::new();
    for minute in 1..5 {
        served.world.set_clock(format!("2026-03-02T08:0{minute}:00Z").parse().unwrap());
        change(&served, Change::Hire(Hire::assigned(&format!("p{minute}@x.example"), "P", "Q")));
        let (rows, next) = served.rows(&link).await;
        seen.extend(ids(&rows));
        link = next.unwrap();
    }
    served.world.set_clock("2026-03-02T08:09:00Z".parse().unwrap());
    seen.extend(ids(&served.rows(&link).await.0));
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn the_recycle_bin_is_emptied_after_thirty_days() {
    let mut served = Served::graph(graph_with(&["ann@x.example"], &["Team"])).await;
    served.world.set_clock(morning());
    join(&served.world, "Team", "ann@x.example");
    let [ann, team] = ["ann@x.example", "Team"].map(|one| served.world.id_of(one).unwrap());
    turn(&served, &["token_seconds=9000000", "delta_token_days=60"]);
    served.credentials = renewed(&served).await;
    let (_, users) = served.rows(USERS).await;
    delete(&served, &ann);
    let item = format!("/v1.0/directory/deletedItems/{ann}");
    served.world.set_clock("2026-04-01T07:59:59Z".parse().unwrap());
    served.ok(&item).await;
    served.world.set_clock("2026-04-01T08:00:00Z".parse().unwrap());
    assert_eq!(served.get(&item).await.0, 404);
    let (rows, _) = served.rows(&users.unwrap()).await;
    assert_eq!(rows[0]["@removed"]["reason"], "deleted");

    turn(&served, &["deleted_items_days=null"]);
    change(&served, Change::DeleteGroup { group: team.clone() });
    served.world.set_clock("2026-05-20T08:00:00Z".parse().unwrap());
    served.ok(&format!("/v1.0/directory/deletedItems/{team}")).await;
}

#[tokio::test]
async fn a_lagging_recycle_bin_is_emptied_later() {
    let mut served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    served.world.set_clock(morning());
    turn(&served, &["token_seconds=9000000", "lag.deleted_items=60"]);
    served.credentials = renewed(&served).await;
    let ann = served.world.id_of("ann@x.example").unwrap();
    delete(&served, &ann);
    let item = format!("/v1.0/directory/deletedItems/{ann}");
    for (at, status) in [
        ("2026-03-02T08:00:59Z", 404),
        ("2026-03-02T08:01:00Z", 200),
        ("2026-04-01T08:00:59Z", 200),
        ("2026-04-01T08:01:00Z", 404),
    ] {
        served.world.set_clock(at.parse().unwrap());
        assert_eq!(served.get(&item).await.0, status, "{at}");
    }
}

#[tokio::test]
async fn the_control_interface_turns_knobs_and_tells_the_nearest_one() {
    let served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    let send = async |method: reqwest::Method, path: &str, body: Value| {
        let answer = served.http.request(method, served.url(path)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let patched =
        send(reqwest::Method::PATCH, "/_control/knobs", json!({ "page_size": 5, "b2c": true })).await;
    assert_eq!(patched, (200, json!({ "done": 2 })));
    let put = send(reqwest::Method::PUT, "/_control/knobs", json!({ "page_size": 6 })).await;
    assert_eq!(put.0, 200);
    let shown = served.ok("/_control/knobs").await;
    assert_eq!((&shown["page_size"], &shown["b2c"]), (&json!(6), &json!(false)));
    let (status, body) = send(reqwest::Method::PATCH, "/_control/knobs", json!({ "page_sise": 5 })).await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("`page_sise` is no knob of this service; the nearest is `page_size`"))
    );
    let (status, body) = served.post("/_control/faults", &json!(["users_lst=503"])).await;
    let told = "`users_lst` in `users_lst=503` is no route; the nearest is `users_list`";
    assert_eq!((status, &body["error"]), (400, &json!(told)));
    assert_eq!(served.post("/_control/faults", &json!(["users_list=503"])).await.0, 200);
    assert_eq!(served.get("/v1.0/users").await.0, 503);
}
