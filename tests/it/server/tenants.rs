//! Where the RFC leaves a choice each tenant is served in its own way (setting `scim.tenants`).

use std::collections::BTreeMap;

use rosterd::scim::Dialect;
use rosterd::server::GroupPatch;
use rosterd::server::IfMatch;
use rosterd::server::Settings;
use rosterd::server::Tenant;
use serde_json::json;

use super::Served;
use super::patch;

async fn served(tenant: Tenant) -> Served {
    let tenants = BTreeMap::from([("push".to_owned(), tenant)]);
    Served::with(Dialect::Tolerant, Settings { tenants, ..Settings::default() }).await
}

#[tokio::test]
async fn a_patch_of_a_group_is_answered_with_the_group_where_the_tenant_wants_it() {
    let served = served(Tenant { group_patch: GroupPatch::Group, ..Tenant::default() }).await;
    let team = format!("/Groups/{}", served.made("/Groups", json!({"displayName": "Sales"})).await);
    let renamed = patch(json!([{"op": "replace", "path": "displayName", "value": "EMEA"}]));
    let got = served.call("PATCH", &team, renamed.clone()).await;
    assert_eq!((got.status, &got.body["displayName"]), (200, &json!("EMEA")));
    let other = served.token(|wish| wish.tenant = "entra".to_owned()).await;
    let theirs = served.call_as(&other, "POST", "/Groups", Some(json!({"displayName": "Theirs"}))).await;
    let theirs = format!("/Groups/{}", theirs.body["id"].as_str().expect("an id"));
    assert_eq!(
        served.call_as(&other, "PATCH", &theirs, renamed).await.status,
        204,
        "another tenant, another way"
    );
}

#[tokio::test]
async fn a_tenant_may_leave_out_quotes_where_that_is_wanted() {
    let lax = served(Tenant { unquoted_filters: true, ..Tenant::default() }).await;
    let strict = served(Tenant::default()).await;
    for (served, expected) in [(&lax, "200"), (&strict, "400 invalidFilter")] {
        served.made("/Users", json!({"userName": "ann", "externalId": "jyoung"})).await;
        let got = served.call("GET", "/Users?filter=externalId%20eq%20jyoung", None).await;
        match got.status {
            200 => assert_eq!((expected, &got.body["totalResults"]), ("200", &json!(1))),
            _ => assert_eq!(got.refusal(), expected),
        }
    }
}

#[tokio::test]
async fn a_tenant_that_must_name_versions_is_told_so() {
    let served = served(Tenant { if_match: IfMatch::Required, ..Tenant::default() }).await;
    let ann = format!("/Users/{}", served.made("/Users", json!({"userName": "ann"})).await);
    let title = || patch(json!([{"op": "replace", "path": "title", "value": "x"}]));
    for (method, body) in [("PATCH", title()), ("PUT", Some(json!({"userName": "ann"}))), ("DELETE", None)] {
        let got = served.call(method, &ann, body).await;
        assert_eq!(got.refusal(), "428", "{method}");
        assert_eq!(got.body["detail"], "If-Match is missing (setting scim.tenants.push.if_match)");
    }
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "DELETE", "path": ann}]});
    let got = served.call("POST", "/Bulk", Some(bulk)).await;
    assert_eq!(got.body["Operations"][0]["status"], "428");
    let headers = [("authorization", format!("Bearer {}", served.token)), ("if-match", "W/\"1\"".to_owned())];
    let path = format!("/scim/v2{ann}");
    let got = served.raw("PATCH", &path, &headers, title().map(|body| body.to_string())).await;
    assert_eq!(got.status, 200);
}
