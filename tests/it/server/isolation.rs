//! A token of one workspace sees nothing of another (SCIM reference, section 14: S2, S3).

use jiff::Timestamp;
use rosterd::scim::Dialect;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::patch;

#[tokio::test]
async fn what_belongs_to_another_workspace_is_not_there_whatever_is_asked() {
    let served = Served::start(Dialect::Strict).await;
    let user =
        |name: &str| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
    let group = |members: Value| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Sales", "members": members});
    let ann = served.made("/Users", user("ann")).await;
    let team = served.made("/Groups", group(json!([{ "value": ann }]))).await;
    let other = served.token(|wish| {
        wish.workspace = "other".to_owned();
        wish.dialect = Dialect::Strict;
    });
    let other = other.await;
    let member = patch(json!([{"op": "add", "path": "members", "value": [{ "value": ann }]}]));
    for (method, path, body) in [
        ("GET", format!("/Users/{ann}"), None),
        ("PUT", format!("/Users/{ann}"), Some(user("ann"))),
        ("PATCH", format!("/Users/{ann}"), patch(json!([{"op": "remove", "path": "title"}]))),
        ("DELETE", format!("/Users/{ann}"), None),
        ("GET", format!("/Groups/{team}"), None),
        ("PUT", format!("/Groups/{team}"), Some(group(json!([])))),
        ("PATCH", format!("/Groups/{team}"), member.clone()),
        ("DELETE", format!("/Groups/{team}"), None),
        ("GET", format!("/Users/{team}"), None),
    ] {
        let got = served.call_as(&other, method, &path, body).await;
        assert_eq!(got.refusal(), "404", "{method} {path}");
        assert_eq!(got.body["detail"], "no such resource");
    }
    let list = async |path: &str| served.call_as(&other, "GET", path, None).await;
    for path in [
        "/Users".to_owned(),
        "/Groups".to_owned(),
        "/".to_owned(),
        format!("/Users?filter=id%20eq%20%22{ann}%22"),
        format!("/Groups?filter=members%20eq%20%22{ann}%22"),
    ] {
        assert_eq!(list(&path).await.body["totalResults"], 0, "{path}");
    }
    // Somebody else's member is nobody: as an id that never was.
    let foreign = served.call_as(&other, "POST", "/Groups", Some(group(json!([{ "value": ann }])))).await;
    let unknown = served.call_as(&other, "POST", "/Groups", Some(group(json!([{"value": "nobody"}])))).await;
    let refusals = [foreign.refusal(), unknown.refusal()];
    assert_eq!(refusals, ["400 invalidValue", "400 invalidValue"]);
    let told = |got: &super::Got, id: &str| got.body["detail"].as_str().expect("a text").replace(id, "ID");
    assert_eq!(told(&foreign, &ann), told(&unknown, "nobody"));
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "DELETE", "path": format!("/Users/{ann}")},
        {"method": "PATCH", "path": format!("/Groups/{team}"), "data": member},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group(json!([{ "value": ann }]))},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("ANN")},
    ]});
    let got = served.call_as(&other, "POST", "/Bulk", Some(bulk)).await;
    let statuses: Vec<&Value> =
        got.body["Operations"].as_array().expect("operations").iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["404", "404", "400", "201"], "names are unique in their own workspace only");
    assert_eq!(
        served.call("GET", &format!("/Groups/{team}"), None).await.body["members"][0]["value"],
        json!(ann)
    );
}

#[tokio::test]
async fn no_token_and_every_wrong_one_are_answered_alike() {
    let served = Served::start(Dialect::Strict).await;
    let now = Timestamp::from_second(1_700_000_000).expect("a time");
    let revoked =
        served.store.create_token(super::wish("main", Dialect::Strict), now).await.expect("a token");
    served.store.revoke_token(&revoked.id, "test", "test", now).await.expect("a revocation");
    let expired = served.token(|wish| wish.expires = Some(now)).await;
    let id = served.token.split('_').nth(1).expect("an id");
    let mut bodies = Vec::new();
    for header in [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer    ".to_owned()),
        Some(format!("Basic {}", served.token)),
        Some(format!("Bearer {}", revoked.text)),
        Some(format!("Bearer {expired}")),
        Some(format!("Bearer rst_{id}_{}", "0".repeat(64))),
        Some(format!("Bearer rst_{id}_")),
        Some(format!("Bearer rst_000000000000_{}", "0".repeat(64))),
    ] {
        let headers: Vec<(&str, String)> =
            header.into_iter().map(|header| ("authorization", header)).collect();
        let got = served.raw("GET", "/scim/v2/Users", &headers, None).await;
        assert_eq!(got.refusal(), "401", "{headers:?}");
        assert_eq!(got.header("www-authenticate"), "Bearer realm=\"rosterd\"");
        bodies.push(got.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}
