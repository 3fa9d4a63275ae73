//! Bulk over HTTP (RFC 7644 section 3.7): references ahead and in circles, errors, versions, limits.

use rosterd::scim::Dialect;
use rosterd::server::Limits;
use rosterd::server::Settings;
use serde_json::Value;
use serde_json::json;

use super::Got;
use super::Served;

fn request(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations })
}

fn statuses(got: &Got) -> Vec<&str> {
    assert_eq!(got.status, 200, "{got:?}");
    assert_eq!(got.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
    let operations = got.body["Operations"].as_array().expect("operations");
    operations.iter().map(|operation| operation["status"].as_str().expect("a text")).collect()
}

/// The id at the end of an operation's location.
fn id(got: &Got, at: usize) -> String {
    let location = got.body["Operations"][at]["location"].as_str().expect("a location");
    location.rsplit('/').next().expect("an id").to_owned()
}

#[tokio::test]
async fn a_bulk_request_makes_a_team_and_the_people_that_it_names_ahead() {
    let served = Served::start(Dialect::Tolerant).await;
    let operations = json!([
        {"method": "POST", "path": "/Groups", "bulkId": "team",
         "data": {"displayName": "Sales", "members": [{"value": "bulkId:ann"}, {"value": "bulkId:bob"}]}},
        {"method": "POST", "path": "/Users", "bulkId": "ann", "data": {"userName": "ann"}},
        {"method": "POST", "path": "/Users", "bulkId": "bob", "data": {"userName": "bob",
         "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:ann"}}}},
        {"method": "PATCH", "path": "/Users/bulkId:ann", "data":
         [{"op": "replace", "path": "title", "value": "Boss"}]},
    ]);
    let got = served.call("POST", "/Bulk", Some(request(operations))).await;
    assert_eq!(statuses(&got), ["201", "201", "201", "200"]);
    assert_eq!(got.body["Operations"][0]["bulkId"], "team");
    assert_eq!(got.body["Operations"][3]["version"], "W/\"2\"");
    let team = served.call("GET", &format!("/Groups/{}", id(&got, 0)), None).await.body;
    let mut members: Vec<&str> = team["members"]
        .as_array()
        .expect("members")
        .iter()
        .filter_map(|member| member["value"].as_str())
        .collect();
    members.sort_unstable();
    let (ann, bob) = (id(&got, 1), id(&got, 2));
    let mut expected = vec![ann.as_str(), bob.as_str()];
    expected.sort_unstable();
    assert_eq!(members, expected);
    let shown = served.call("GET", &format!("/Users/{bob}"), None).await.body;
    assert_eq!(
        shown["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["manager"]["value"],
        json!(ann)
    );
    assert_eq!(got.body["Operations"][1]["location"], format!("{}/scim/v2/Users/{ann}", served.root));
}

#[tokio::test]
async fn two_teams_that_are_members_of_each_other_are_made_in_one_request() {
    let served = Served::start(Dialect::Strict).await;
    let core = "urn:ietf:params:scim:schemas:core:2.0:Group";
    let team = |own: &str, other: &str| {
        json!({"method": "POST", "path": "/Groups", "bulkId": own, "data": {
            "schemas": [core], "displayName": own, "members": [{"value": format!("bulkId:{other}")}]}})
    };
    let got = served.call("POST", "/Bulk", Some(request(json!([team("a", "b"), team("b", "a")])))).await;
    assert_eq!(statuses(&got), ["201", "201"], "{got:?}");
    for (own, other) in [(0, 1), (1, 0)] {
        let shown = served.call("GET", &format!("/Groups/{}", id(&got, own)), None).await.body;
        assert_eq!(shown["members"][0]["value"], json!(id(&got, other)));
        assert_eq!(shown["members"][1], Value::Null);
    }
}

#[tokio::test]
async fn one_operation_that_fails_does_not_fail_the_others_unless_it_is_asked_for() {
    let served = Served::start(Dialect::Tolerant).await;
    let post = |id: &str, name: &str| json!({"method": "POST", "path": "/Users", "bulkId": id, "data": { "userName": name }});
    let operations = json!([post("a", "ann"), post("b", "ANN"), post("c", "cyd")]);
    let got = served.call("POST", "/Bulk", Some(request(operations))).await;
    assert_eq!(statuses(&got), ["201", "409", "201"]);
    let failed = &got.body["Operations"][1];
    assert_eq!(failed.get("location"), None);
    assert_eq!(failed["response"]["scimType"], "uniqueness");
    assert_eq!(failed["response"]["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));

    let mut stopping = request(json!([post("d", "ann"), post("e", "eve")]));
    stopping["failOnErrors"] = 1.into();
    let got = served.call("POST", "/Bulk", Some(stopping)).await;
    assert_eq!(statuses(&got), ["409"], "the rest is left out");
    assert_eq!(served.ids("/Users?filter=userName%20eq%20%22eve%22").await, [""; 0]);
}

#[tokio::test]
async fn the_version_of_a_bulk_operation_is_its_if_match() {
    let served = Served::start(Dialect::Tolerant).await;
    let ann = served.made("/Users", json!({"userName": "ann"})).await;
    let path = format!("/Users/{ann}");
    let operations = json!([
        {"method": "PATCH", "path": path, "version": "W/\"7\"", "data": {"Operations": [
            {"op": "replace", "path": "title", "value": "x"}]}},
        {"method": "PUT", "path": path, "version": "W/\"1\"", "data": {"userName": "ann", "title": "y"}},
        {"method": "DELETE", "path": path, "version": "W/\"1\""},
        {"method": "DELETE", "path": path, "version": "W/\"2\""},
    ]);
    let got = served.call("POST", "/Bulk", Some(request(operations))).await;
    assert_eq!(statuses(&got), ["412", "200", "412", "204"]);
}

#[tokio::test]
async fn too_many_operations_or_bytes_are_413_with_the_limit_and_its_setting() {
    let limits = Limits { bulk_operations: 2, bulk_bytes: 2000, ..Limits::default() };
    let served = Served::with(Dialect::Strict, Settings { limits, ..Settings::default() }).await;
    let post = |id: usize| json!({"method": "POST", "path": "/Users", "bulkId": id.to_string(), "data": {}});
    let many: Vec<Value> = (0..3).map(post).collect();
    let got = served.call("POST", "/Bulk", Some(request(json!(many)))).await;
    assert_eq!(got.refusal(), "413");
    assert_eq!(
        got.body["detail"],
        "more than 2 operations in one bulk request (setting scim.bulk_operations)"
    );
    let got = served.call("POST", "/Bulk", Some(request(json!(["x".repeat(2000)])))).await;
    assert_eq!(got.refusal(), "413");
    assert_eq!(got.body["detail"], "the body is larger than 2000 bytes (setting scim.bulk_bytes)");
}
