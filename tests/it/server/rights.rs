//! What a token may do, and what it may not write (SCIM reference, section 14: S4).

use rosterd::scim::Dialect;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::patch;

async fn token(served: &Served, rights: &str, denied: &[&str]) -> String {
    let denied = denied.iter().map(|path| (*path).to_owned()).collect();
    let rights = rights.parse().expect("rights");
    served.token(|wish| (wish.rights, wish.denied) = (rights, denied)).await
}

#[tokio::test]
async fn a_token_does_only_what_its_rights_say_and_is_told_which_it_lacks() {
    let served = Served::start(Dialect::Tolerant).await;
    let ann = served.made("/Users", json!({"userName": "ann"})).await;
    let team = served.made("/Groups", json!({"displayName": "Sales"})).await;
    let (user, group) = (format!("/Users/{ann}"), format!("/Groups/{team}"));
    let title = patch(json!([{"op": "replace", "path": "title", "value": "x"}]));
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "bob"}}]});
    for (rights, method, path, body, expected) in [
        ("read", "GET", "/Users", None, "200"),
        ("read", "GET", user.as_str(), None, "200"),
        ("read", "POST", "/Users", Some(json!({"userName": "x"})), "users:write"),
        ("read", "PATCH", user.as_str(), title.clone(), "users:write"),
        ("read", "PUT", user.as_str(), Some(json!({"userName": "ann"})), "users:write"),
        ("read", "DELETE", user.as_str(), None, "users:write"),
        ("read users:write", "PATCH", user.as_str(), title.clone(), "200"),
        ("read users:write", "POST", "/Groups", Some(json!({"displayName": "x"})), "groups:write"),
        ("read users:write", "DELETE", group.as_str(), None, "groups:write"),
        ("users:write", "GET", "/Users", None, "read"),
        ("users:write", "GET", user.as_str(), None, "read"),
        ("users:write", "POST", "/Users/.search", Some(json!({})), "read"),
        ("users:write", "GET", "/", None, "read"),
        ("users:write", "GET", "/Schemas", None, "200"),
        ("read users:write groups:write", "GET", "/Grants", None, "grants:read"),
        ("read users:write groups:write", "POST", "/Grants", Some(json!({})), "grants:write"),
        ("grants:read", "GET", "/Grants", None, "200"),
        ("grants:read", "GET", "/", None, "200"),
        ("read", "POST", "/Bulk", Some(bulk), "users:write in bulk"),
    ] {
        let got = served.call_as(&token(&served, rights, &[]).await, method, path, body).await;
        let lacking =
            |body: &Value| body["detail"].as_str().unwrap_or_default().rsplit(' ').next().map(str::to_owned);
        let told = match got.status {
            403 => lacking(&got.body).unwrap_or_default(),
            200 if path == "/Bulk" => {
                let operation = &got.body["Operations"][0];
                assert_eq!(operation["status"], "403");
                format!("{} in bulk", lacking(&operation["response"]).unwrap_or_default())
            }
            status => status.to_string(),
        };
        assert_eq!(told, expected, "{rights}: {method} {path}");
    }
}

#[tokio::test]
async fn a_token_without_a_right_to_grants_is_not_shown_that_there_are_any() {
    let served = Served::start(Dialect::Strict).await;
    let types = served.call("GET", "/ResourceTypes", None).await;
    assert_eq!(types.body["totalResults"], 2);
    assert_eq!(served.call("GET", "/ResourceTypes/Grant", None).await.refusal(), "404");
    assert_eq!(
        served.call("GET", "/Schemas/urn:rosterd:params:scim:schemas:2.0:Grant", None).await.refusal(),
        "404"
    );
    let token = token(&served, "read grants:read", &[]).await;
    let types = served.call_as(&token, "GET", "/ResourceTypes", None).await;
    assert_eq!(types.body["totalResults"], 3);
}

#[tokio::test]
async fn an_attribute_that_a_token_may_not_write_is_refused_by_name_at_every_door() {
    let served = Served::start(Dialect::Tolerant).await;
    let denied =
        ["roles", "name.givenName", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"];
    let token = token(&served, "read users:write groups:write", &denied).await;
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let roles = json!([{"value": "admin"}]);
    let ann = json!({"userName": "ann", "roles": roles, "title": "Boss", "name": {"givenName": "Ann", "familyName": "Lee"}});
    let ann = served.made("/Users", ann).await;
    let path = format!("/Users/{ann}");
    let bulk = |operation: Value| {
        json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]})
    };
    for (method, at, body, named) in [
        ("POST", "/Users", json!({"userName": "x", "ROLES": roles}), "roles"),
        ("POST", "/Users", json!({"userName": "x", enterprise: {"department": "Sales"}}), denied[2]),
        ("PUT", path.as_str(), json!({"userName": "ann", "roles": [{"value": "owner"}]}), "roles"),
        ("PUT", path.as_str(), json!({"userName": "ann", "name": {"givenName": "Eve"}}), "name.givenName"),
        ("PATCH", path.as_str(), json!({"Operations": [{"op": "remove", "path": "roles"}]}), "roles"),
        (
            "PATCH",
            path.as_str(),
            json!({"Operations": [{"op": "replace", "path": "name", "value": {"familyName": "x"}}]}),
            "name.givenName",
        ),
        (
            "PATCH",
            path.as_str(),
            json!({"Operations": [{"op": "add", "value": {"title": "x", "roles": roles}}]}),
            "roles",
        ),
        ("PATCH", path.as_str(), json!({"Operations": [{"op": "remove", "path": enterprise}]}), denied[2]),
    ] {
        let got = served.call_as(&token, method, at, Some(body.clone())).await;
        assert_eq!(got.refusal(), "403", "{method} {body}");
        assert_eq!(got.body["detail"], format!("this token may not write {named}"));
        let operation = json!({"method": method, "path": at, "bulkId": "a", "data": body});
        let got = served.call_as(&token, "POST", "/Bulk", Some(bulk(operation))).await;
        assert_eq!(
            got.body["Operations"][0]["response"]["detail"],
            format!("this token may not write {named}")
        );
    }
    let shown = served.call("GET", &path, None).await.body;
    assert_eq!(
        (&shown["roles"], &shown["meta"]["version"]),
        (&roles, &json!("W/\"1\"")),
        "nothing was written"
    );
}

#[tokio::test]
async fn a_replacement_leaves_what_its_token_may_not_write_as_it_was() {
    let served = Served::start(Dialect::Tolerant).await;
    let token =
        token(&served, "read users:write groups:write", &["roles", "name.givenName", "members"]).await;
    let roles = json!([{"value": "admin"}]);
    let ann = json!({"userName": "ann", "roles": roles, "title": "Boss", "name": {"givenName": "Ann", "familyName": "Lee"}});
    let ann = served.made("/Users", ann).await;
    let path = format!("/Users/{ann}");
    let put = served
        .call_as(&token, "PUT", &path, Some(json!({"userName": "ann", "name": {"familyName": "Koch"}})))
        .await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!((&put.body["roles"], put.body.get("title")), (&roles, None), "what it may write is cleared");
    assert_eq!(put.body["name"], json!({"givenName": "Ann", "familyName": "Koch"}));
    let again = served.call_as(&token, "PUT", &path, Some(put.body.clone())).await;
    assert_eq!((again.status, &again.body), (200, &put.body), "what was shown may be sent back");

    let team = json!({"displayName": "Sales", "members": [{ "value": ann }]});
    let team = format!("/Groups/{}", served.made("/Groups", team).await);
    let renamed = served.call_as(&token, "PUT", &team, Some(json!({"displayName": "Sales EMEA"}))).await;
    assert_eq!((renamed.status, &renamed.body["members"][0]["value"]), (200, &json!(ann)), "{renamed:?}");
    let other = json!({"displayName": "Sales", "members": [{ "value": ann }, {"value": "somebody"}]});
    assert_eq!(served.call_as(&token, "PUT", &team, Some(other)).await.refusal(), "403");
    let new = json!({"displayName": "Mine", "members": [{ "value": ann }]});
    assert_eq!(served.call_as(&token, "POST", "/Groups", Some(new)).await.refusal(), "403");
}
