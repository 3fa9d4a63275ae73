//! Queries at the root of the service (RFC 7644 section 3.4.2.1): all resource types at once.

use rosterd::scim::Dialect;
use serde_json::json;

use super::Served;

#[tokio::test]
async fn a_query_at_the_root_finds_users_and_groups_alike() {
    let served = Served::start(Dialect::Strict).await;
    let user = |name: &str| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "displayName": name});
    let ann = served.made("/Users", user("Sales")).await;
    let bob = served.made("/Users", user("bob")).await;
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Sales"});
    let team = served.made("/Groups", group).await;
    let all = [ann.as_str(), bob.as_str(), team.as_str()];
    assert_eq!(served.ids("/").await, all);
    assert_eq!(served.ids("?filter=displayName%20eq%20%22sales%22").await, [all[0], all[2]]);
    // An attribute that a type does not have has no value there.
    assert_eq!(served.ids("/?filter=userName%20eq%20%22bob%22").await, [all[1]]);
    assert_eq!(served.ids("/?filter=meta.resourceType%20eq%20%22Group%22").await, [all[2]]);
    assert_eq!(served.ids("/?startIndex=2&count=1").await, [all[1]]);
    assert_eq!(served.ids("/?startIndex=3&count=5").await, [all[2]]);
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "displayName pr", "startIndex": 2, "count": 2, "attributes": ["displayName"],
    });
    let got = served.call("POST", "/.search", Some(search)).await.body;
    assert_eq!(got["totalResults"], 3);
    assert_eq!(got["Resources"][1]["id"], json!(team));
    assert_eq!(got["Resources"][1].get("meta"), None);
    assert_eq!(served.call("GET", "/?filter=(", None).await.refusal(), "400 invalidFilter");
}
