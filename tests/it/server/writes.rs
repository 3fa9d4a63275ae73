//! Creating, replacing, patching and deleting over HTTP: bodies, headers, versions.

use rosterd::scim::Dialect;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::patch;

#[tokio::test]
async fn a_user_is_created_read_replaced_patched_and_deleted() {
    let served = Served::start(Dialect::Strict).await;
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let sent = json!({"schemas": [core], "USERNAME": "ann", "emails": [{"type": "work", "value": "a@x"}]});
    let made = served.call("POST", "/Users", Some(sent)).await;
    let location = format!("{}/scim/v2/Users/r0", served.root);
    assert_eq!(
        (made.status, made.header("location"), made.header("etag")),
        (201, location.as_str(), "W/\"1\"")
    );
    let expected = json!({
        "schemas": [core], "id": "r0", "userName": "ann", "active": true,
        "emails": [{"type": "work", "value": "a@x"}],
        "meta": {
            "resourceType": "User", "location": location, "version": "W/\"1\"",
            "created": made.body["meta"]["created"], "lastModified": made.body["meta"]["created"],
        },
    });
    assert_eq!(made.body, expected);
    assert_eq!(served.call("GET", "/Users/r0", None).await.body, expected);

    let again = served.call("PUT", "/Users/r0", Some(expected.clone())).await;
    assert_eq!((again.status, &again.body), (200, &expected), "a PUT of what was read changes nothing");
    let put = json!({"schemas": [core], "userName": "ann", "active": true, "title": "Boss"});
    let replaced = served.call("PUT", "/Users/r0", Some(put)).await;
    assert_eq!((replaced.body.get("emails"), &replaced.body["title"]), (None, &json!("Boss")));
    assert_eq!(replaced.header("etag"), "W/\"2\"");

    let operations = json!([{"op": "replace", "path": "active", "value": false}]);
    let patched = served.call("PATCH", "/Users/r0?attributes=active", patch(operations)).await;
    assert_eq!(
        (patched.status, patched.body),
        (200, json!({"schemas": [core], "id": "r0", "active": false}))
    );

    assert_eq!(served.call("DELETE", "/Users/r0", None).await.status, 204);
    assert_eq!(served.call("DELETE", "/Users/r0", None).await.refusal(), "404");
    assert_eq!(served.call("PUT", "/Users/r0", Some(expected)).await.refusal(), "404", "PUT never creates");
}

#[tokio::test]
async fn a_patch_that_fails_at_its_last_operation_changes_nothing() {
    let served = Served::start(Dialect::Strict).await;
    let core = "urn:ietf:params:scim:schemas:core:2.0:Group";
    let ann = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann"});
    let ann = served.made("/Users", ann).await;
    let team = served.made("/Groups", json!({"schemas": [core], "displayName": "Sales"})).await;
    let operations = json!([
        {"op": "add", "path": "members", "value": [{ "value": ann }]},
        {"op": "replace", "path": "displayName", "value": "Other"},
        {"op": "replace", "path": "shoeSize", "value": 9},
    ]);
    let before = served.call("GET", &format!("/Groups/{team}"), None).await.body;
    let got = served.call("PATCH", &format!("/Groups/{team}"), patch(operations)).await;
    assert_eq!(got.refusal(), "400 invalidPath");
    let unknown = json!([
        {"op": "add", "path": "members", "value": [{ "value": ann }]},
        {"op": "add", "path": "members", "value": [{"value": "nobody"}]},
    ]);
    let got = served.call("PATCH", &format!("/Groups/{team}"), patch(unknown)).await;
    assert_eq!(got.refusal(), "400 invalidValue");
    assert_eq!(served.call("GET", &format!("/Groups/{team}"), None).await.body, before);
}

#[tokio::test]
async fn a_conflict_names_the_attribute_and_nobody_else() {
    let served = Served::start(Dialect::Tolerant).await;
    served.made("/Users", json!({"userName": "Ann"})).await;
    let bob = served.made("/Users", json!({"userName": "bob"})).await;
    let post = served.call("POST", "/Users", Some(json!({"userName": "ANN"}))).await;
    assert_eq!(post.refusal(), "409 uniqueness");
    assert_eq!(post.body["detail"], "another resource has this userName");
    let operations = json!([{"op": "replace", "path": "userName", "value": "aNN"}]);
    let got = served.call("PATCH", &format!("/Users/{bob}"), patch(operations)).await;
    assert_eq!(got.refusal(), "409 uniqueness");
}

#[tokio::test]
async fn versions_guard_writes_and_spare_reads() {
    let served = Served::start(Dialect::Tolerant).await;
    let ann = served.made("/Users", json!({"userName": "ann"})).await;
    let path = format!("/scim/v2/Users/{ann}");
    let call = async |method: &str, header: &'static str, tag: &str, body: Option<Value>| {
        let headers = [("authorization", format!("Bearer {}", served.token)), (header, tag.to_owned())];
        served.raw(method, &path, &headers, body.map(|body| body.to_string())).await
    };
    let title = |title: &str| patch(json!([{"op": "replace", "path": "title", "value": title}]));
    assert_eq!(call("PATCH", "if-match", "W/\"1\"", title("A")).await.status, 200);
    assert_eq!(call("PATCH", "if-match", "W/\"1\"", title("B")).await.refusal(), "412");
    assert_eq!(call("PATCH", "if-match", "\"1\", \"2\"", title("B")).await.status, 200);
    assert_eq!(call("PATCH", "if-match", "*", title("C")).await.status, 200);
    assert_eq!(call("DELETE", "if-match", "W/\"1\"", None).await.refusal(), "412");
    let known = call("GET", "if-none-match", "W/\"4\"", None).await;
    assert_eq!((known.status, known.body, known.headers.get("etag").is_some()), (304, Value::Null, true));
    assert_eq!(call("PATCH", "if-match", "W/\"4\"", title("C")).await.header("etag"), "W/\"4\"", "no change");
}

#[tokio::test]
async fn members_are_changed_one_by_one_and_seen_from_both_sides() {
    let served = Served::start(Dialect::Tolerant).await;
    let ann = served.made("/Users", json!({"userName": "ann", "displayName": "Ann Lee"})).await;
    let bob = served.made("/Users", json!({"userName": "bob"})).await;
    let team = json!({"displayName": "Sales", "members": [{ "value": ann }, { "value": "nobody" }]});
    let team = served.made("/Groups", team).await;
    let path = format!("/Groups/{team}");
    let operations = json!([
        {"op": "Add", "path": "members", "value": [{"$ref": null, "value": bob}]},
        {"op": "Remove", "path": "members", "value": [{"$ref": null, "value": ann}]},
    ]);
    let got = served.call("PATCH", &path, patch(operations)).await;
    assert_eq!((got.status, got.body, got.headers.get("etag").is_some()), (204, Value::Null, true));
    let shown = served.call("GET", &path, None).await.body;
    let reference = format!("{}/scim/v2/Users/{bob}", served.root);
    let expected = json!([{"value": bob, "$ref": reference, "type": "User"}]);
    assert_eq!(shown["members"], expected);
    let named = served.call("GET", &format!("{path}?attributes=members.display"), None).await.body;
    assert_eq!(named["members"], json!([{"display": "bob"}]), "the names of members are shown on request");
    let groups = served.call("GET", &format!("/Users/{bob}"), None).await.body["groups"].clone();
    assert_eq!(groups[0]["value"], json!(team));
    assert_eq!(groups[0]["display"], "Sales");
    let without = served.call("GET", &format!("{path}?excludedAttributes=members"), None).await.body;
    assert_eq!((without.get("members"), &without["displayName"]), (None, &json!("Sales")));
    let filter =
        format!("/Groups?filter=id%20eq%20%22{team}%22%20and%20members%20eq%20%22{bob}%22&attributes=id");
    assert_eq!(served.ids(&filter).await, [team.as_str()]);
    assert_eq!(served.call("DELETE", &format!("/Users/{bob}"), None).await.status, 204);
    assert_eq!(served.call("GET", &path, None).await.body.get("members"), None);
}

#[tokio::test]
async fn eight_clients_that_create_the_same_user_get_one() {
    let served = Served::start(Dialect::Tolerant).await;
    let posts = (0..8).map(|_| served.call("POST", "/Users", Some(json!({"userName": "ann"}))));
    let mut statuses: Vec<u16> =
        futures_util::future::join_all(posts).await.into_iter().map(|got| got.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}
