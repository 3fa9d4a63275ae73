//! Graph: batches, resource units and throttling (graph.md sections 5.10 and 7).

use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::graph_with;
use super::morning;

async fn batch(served: &Served, requests: Value) -> (u16, Value) {
    served.post("/v1.0/$batch", &json!({ "requests": requests })).await
}

/// The part with that id.
fn part<'a>(body: &'a Value, id: &str) -> &'a Value {
    body["responses"].as_array().unwrap().iter().find(|part| part["id"] == id).unwrap()
}

fn get(id: &str, url: &str) -> Value {
    json!({ "id": id, "method": "GET", "url": url })
}

#[tokio::test]
async fn a_malformed_batch_is_refused_whole() {
    let served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    let many: Vec<Value> = (0..21).map(|number| get(&number.to_string(), "/users")).collect();
    for (what, requests) in [
        ("none", json!([])),
        ("21", json!(many)),
        ("an id twice", json!([get("1", "/users"), get("1", "/groups")])),
        ("no id", json!([{ "method": "GET", "url": "/users" }])),
        ("an absolute url", json!([get("1", "https://graph.microsoft.com/v1.0/users")])),
        ("a version", json!([get("1", "/v1.0/users")])),
        ("an unknown method", json!([{ "id": "1", "method": "FETCH", "url": "/users" }])),
        ("a body without its type", json!([{ "id": "1", "method": "POST", "url": "/users", "body": {} }])),
        (
            "a dependency on nobody",
            json!([{ "id": "1", "method": "GET", "url": "/users", "dependsOn": ["2"] }]),
        ),
        ("a circle", json!([{ "id": "1", "method": "GET", "url": "/users", "dependsOn": ["1"] }])),
        (
            "a header that is none",
            json!([{ "id": "1", "method": "GET", "url": "/users", "headers": { "a b": "x" } }]),
        ),
    ] {
        let (status, body) = batch(&served, requests).await;
        assert_eq!((status, &body["error"]["code"]), (400, &json!("BadRequest")), "{what}");
    }
    let twenty: Vec<Value> = (0..20).map(|number| get(&number.to_string(), "/users?$top=1")).collect();
    assert_eq!(batch(&served, json!(twenty)).await.0, 200);
    let counters = served.world.counters();
    assert_eq!((counters.of(Route::Batch), counters.batched[&Route::UsersList]), (12, 20));
}

#[tokio::test]
async fn parts_have_their_own_headers_status_and_dependencies() {
    let served = Served::graph(graph_with(&["ann@x.example"], &["Team"])).await;
    let filter = "/users?$count=true&$select=id&$filter=endsWith(mail,'@x.example')";
    let (status, body) = batch(
        &served,
        json!([
            { "id": "a", "method": "GET", "url": filter, "headers": { "ConsistencyLevel": "eventual" } },
            get("b", filter),
            { "id": "c", "method": "GET", "url": "/groups?$select=id", "dependsOn": ["b"] },
            { "id": "d", "method": "GET", "url": "/groups?$select=id", "dependsOn": ["a"] },
            get("e", "/users/ann@x.example/$batch"),
            { "id": "f", "method": "POST", "url": "/$batch", "headers": { "Content-Type": "application/json" },
              "body": { "requests": [] } },
        ]),
    )
    .await;
    assert_eq!(status, 200);
    let statuses: Vec<u64> =
        ["a", "b", "c", "d", "e", "f"].iter().map(|id| part(&body, id)["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 400, 424, 200, 400, 400]);
    assert_eq!(part(&body, "a")["body"]["@odata.count"], 1);
    assert!(part(&body, "a")["headers"]["Content-Type"].as_str().unwrap().starts_with("application/json"));
    // Not in the order of the requests.
    assert_ne!(body["responses"][0]["id"], "a");
}

#[tokio::test]
async fn a_throttled_part_has_its_own_wait_and_a_knob_makes_the_whole_424() {
    let served = Served::graph(graph_with(&["ann@x.example"], &["Team"])).await;
    let fault = || {
        let trouble = Trouble::Status { status: 429, retry_after: Some("3".to_owned()) };
        served.world.fault(Fault::next(Route::User, trouble));
    };
    let requests = json!([get("1", "/users/ann@x.example"), get("2", "/groups")]);
    fault();
    let (status, body) = batch(&served, requests.clone()).await;
    assert_eq!((status, &part(&body, "1")["status"]), (200, &json!(429)));
    assert_eq!(part(&body, "1")["headers"]["Retry-After"], "3");
    assert_eq!(part(&body, "1")["body"]["error"]["code"], "TooManyRequests");
    assert_eq!(part(&body, "2")["status"], 200);
    served.world.turn("throttled_batch_status=424").unwrap();
    fault();
    let (status, body) = batch(&served, requests).await;
    assert_eq!((status, &part(&body, "2")["status"]), (424, &json!(200)));
}

#[tokio::test]
async fn every_answer_tells_its_cost_and_the_counters_add_them_up() {
    let size = Size { users: 40, groups: 3, memberships_per_user: 1 };
    let served = Served::graph(World::new(Flavour::Graph, size, 1, morning())).await;
    let group = served.world.snapshot().groups.keys().next().unwrap().clone();
    let cost = async |target: &str| {
        let answer = served.send(target).await.unwrap();
        answer.headers()["x-ms-resource-unit"].to_str().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(cost("/v1.0/users").await, 2);
    assert_eq!(cost("/v1.0/users?$select=id").await, 1);
    assert_eq!(cost(&format!("/v1.0/groups/{group}/transitiveMembers")).await, 5);
    assert_eq!(cost("/v1.0/users/delta?$select=id").await, 1);
    let part = format!("/groups/{group}/members");
    let (_, body) = batch(&served, json!([get("1", &part), get("2", &part)])).await;
    assert_eq!(self::part(&body, "1")["headers"]["x-ms-resource-unit"], "3");
    let counters = served.world.counters();
    assert_eq!(counters.units[&Route::Members], 6);
    assert_eq!(counters.units_total(), 2 + 1 + 5 + 1 + 6);
    let shown = served.ok("/_control/counters").await;
    assert_eq!(shown["units"]["transitive_members"], 5);
}

#[tokio::test]
async fn an_app_over_its_limit_is_told_before_and_refused_after() {
    let served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    served.world.set_clock(morning());
    served.world.turn("resource_units=10").unwrap();
    let share = async || {
        let answer = served.send("/v1.0/users").await.unwrap();
        let share = answer.headers().get("x-ms-throttle-limit-percentage");
        (answer.status().as_u16(), share.map(|share| share.to_str().unwrap().to_owned()))
    };
    for _ in 0..3 {
        assert_eq!(share().await, (200, None));
    }
    assert_eq!(share().await, (200, Some("0.80".to_owned())));
    assert_eq!(share().await, (200, Some("1.00".to_owned())));
    assert_eq!(share().await, (429, Some("1.20".to_owned())));

    let refused = served.send("/v1.0/users").await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "10.000");
    assert_eq!(refused.headers()["x-ms-throttle-information"], "ResourceUnitLimitExceeded");
    let scope = refused.headers()["x-ms-throttle-scope"].to_str().unwrap().to_owned();
    assert!(scope.starts_with("Tenant_Application/ReadWrite/"), "{scope}");
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "TooManyRequests");
    assert_eq!(body["error"]["innerError"]["status"], "429");

    // What was refused counts too.
    assert_eq!(share().await, (429, Some("1.60".to_owned())));
    let wait = async |form: &str| {
        served.world.turn(&format!("retry_after={form}")).unwrap();
        let answer = served.send("/v1.0/users").await.unwrap();
        answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned())
    };
    assert_eq!(wait("integer").await.as_deref(), Some("10"));
    assert_eq!(wait("date").await.as_deref(), Some("Mon, 02 Mar 2026 08:00:10 GMT"));
    assert_eq!(wait("absent").await, None);
    served.world.set_clock("2026-03-02T08:00:10Z".parse().unwrap());
    assert_eq!(share().await, (200, None));
    served.world.turn("resource_units=null").unwrap();
    served.world.turn("tenant_size=S").unwrap();
    assert_eq!(share().await.0, 200);
}
