//! Graph: what is refused, and with which words (graph.md sections 4, 5 and 6.1).

use rosterd::simulators::Flavour;
use rosterd::simulators::GRAPH_APP_OBJECT_ID;
use rosterd::simulators::OversizedTop;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;

use super::SMALL;
use super::Served;
use super::morning;

/// With `ConsistencyLevel: eventual`.
pub(super) async fn eventually(served: &Served, target: &str) -> (u16, Value) {
    let request = served.http.get(served.url(target)).header("authorization", &served.credentials);
    let answer = request.header("ConsistencyLevel", "eventual").send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn served() -> Served {
    Served::graph(World::new(Flavour::Graph, SMALL, 1, morning())).await
}

async fn expect(served: &Served, target: &str, status: u16, code: &str, message: &str) {
    let (shown, body) = served.get(target).await;
    let error = &body["error"];
    assert_eq!((shown, error["code"].as_str()), (status, Some(code)), "{target}: {body}");
    assert!(error["message"].as_str().unwrap().contains(message), "{target}: {body}");
}

#[tokio::test]
async fn options_that_a_route_does_not_have_are_refused() {
    let served = served().await;
    let id = served.world.id_of("siobhan.o'brien@acme.example").unwrap();
    let group = served.world.snapshot().groups.keys().next().unwrap().clone();
    let assigned = format!("/v1.0/servicePrincipals/{GRAPH_APP_OBJECT_ID}/appRoleAssignedTo");
    for (target, message) in [
        ("/v1.0/users?$skip=5", "Unrecognized query argument specified: '$skip'."),
        ("/v1.0/users?select=id", "Unrecognized query argument specified: 'select'."),
        ("/v1.0/users?$select=id&$select=mail", "Query option '$select' was specified more than once."),
        ("/v1.0/users?$top=0", "Invalid page size specified: '0'. Must be between 1 and 999 inclusive."),
        (
            "/v1.0/users?$top=1000",
            "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.",
        ),
        ("/v1.0/users?$count=true", "$count is not currently supported."),
        ("/v1.0/users/$count", "$count is not currently supported."),
        ("/v1.0/users?$search=\"displayName:a\"", "special request header: 'ConsistencyLevel: eventual'"),
        ("/v1.0/users/delta?$top=5", "Unrecognized query argument specified: '$top'."),
        ("/v1.0/users/delta?$orderby=displayName", "Unrecognized query argument specified: '$orderby'."),
        ("/v1.0/users/delta?$expand=manager", "Unrecognized query argument specified: '$expand'."),
        ("/v1.0/groups/delta?$search=\"displayName:a\"", "Unrecognized query argument specified: '$search'."),
        ("/v1.0/users/delta?$filter=displayName eq 'a'", "a delta query filters by id only"),
        ("/v1.0/directory/deletedItems", "The type of the deleted items has to be given"),
        (&format!("/v1.0/users/{id}?$top=5"), "Unrecognized query argument specified: '$top'."),
        (&format!("/v1.0/groups/{group}/members?$expand=manager"), "Unrecognized query argument"),
        (&format!("{assigned}?$orderby=id"), "Unrecognized query argument specified: '$orderby'."),
        (
            &format!("{assigned}?$filter=principalType eq 'User'"),
            "Invalid filter clause principalType: System.String",
        ),
        (
            &format!("{assigned}?$filter=principalId eq '{id}'"),
            "Invalid filter clause principalId: System.String",
        ),
    ] {
        expect(&served, target, 400, "Request_BadRequest", message).await;
    }
    served.ok(&format!("{assigned}?$filter=startswith(principalDisplayName,'A')")).await;
    let link = served.rows("/v1.0/users/delta?$select=id").await.1.unwrap();
    expect(&served, &format!("{link}&$select=id"), 400, "Request_BadRequest", "together with a delta token")
        .await;
}

#[tokio::test]
async fn properties_that_do_not_exist_or_live_elsewhere_are_refused() {
    let served = served().await;
    let unknown = "Could not find a property named 'shoeSize' on type 'microsoft.graph.user'.";
    expect(&served, "/v1.0/users?$select=shoeSize", 400, "BadRequest", unknown).await;
    expect(&served, "/v1.0/users?$select=extension_1", 400, "BadRequest", "extension_1").await;
    let elsewhere = "This operation target is not yet supported.";
    expect(&served, "/v1.0/users/?$select=skills", 501, "NotImplemented", elsewhere).await;
    expect(&served, "/v1.0/users/delta?$select=mailboxSettings", 501, "NotImplemented", elsewhere).await;
    let expand = "Expand is not allowed for this property.";
    expect(&served, "/v1.0/users?$expand=photo", 400, "ExpandNotSupported", expand).await;
    served.ok("/v1.0/users?$select=extension_0123456789abcdef0123456789abcdef_costCenter").await;
}

/// Section 5.12: D is answered without the parameters, A with them alone, - never.
#[tokio::test]
async fn filters_are_gated_by_property_and_operator() {
    let served = served().await;
    let (default, advanced, never) = ("D", "A", "-");
    for (collection, filter, support) in [
        ("users", "accountEnabled eq true", default),
        ("users", "accountEnabled ne true", advanced),
        ("users", "accountEnabled ge true", advanced),
        ("users", "accountEnabled in (true)", default),
        ("users", "accountEnabled eq null", never),
        ("users", "accountEnabled eq 'true'", never),
        ("users", "startswith(city,'A')", default),
        ("users", "city le 'A'", never),
        ("users", "city eq null", advanced),
        ("users", "companyName eq 'A'", advanced),
        ("users", "not (department eq 'A')", advanced),
        ("users", "department ge 'A'", default),
        ("users", "createdDateTime ge 2026-01-01T00:00:00Z", default),
        ("users", "createdDateTime ge '2026-01-01T00:00:00Z'", never),
        ("users", "userType eq 'Guest'", default),
        ("users", "userType eq null", advanced),
        ("users", "startswith(userType,'G')", never),
        ("users", "displayName ge 'A'", never),
        ("users", "employeeId le '7'", advanced),
        ("users", "not (employeeId eq '7')", never),
        ("users", "startswith(jobTitle,'A')", never),
        ("users", "jobTitle le 'B'", default),
        ("users", "endsWith(mail,'@acme.example')", advanced),
        ("users", "endsWith(userPrincipalName,'x')", advanced),
        ("users", "endsWith(displayName,'x')", never),
        ("users", "mail eq null", never),
        ("users", "mobilePhone eq '1'", advanced),
        ("users", "onPremisesExtensionAttributes/extensionAttribute1 eq 'x'", advanced),
        ("users", "startswith(onPremisesExtensionAttributes/extensionAttribute1,'x')", never),
        ("users", "onPremisesSyncEnabled eq true", default),
        ("users", "proxyAddresses/any(p:startswith(p,'smtp:x'))", default),
        ("users", "NOT(proxyAddresses/any(p:startswith(p,'smtp:x')))", advanced),
        ("users", "proxyAddresses/any(p:endsWith(p,'x'))", advanced),
        ("users", "proxyAddresses eq 'x'", never),
        ("users", "otherMails/$count eq 0", advanced),
        ("users", "identities/any(i:i/issuer eq 'x' and i/issuerAssignedId eq 'y')", default),
        ("users", "identities/any(i:i/issuer eq 'x')", never),
        ("users", "contains(displayName,'x')", never),
        ("users", "displayName gt 'x'", never),
        ("users", "aboutMe eq 'x'", never),
        ("groups", "displayName eq 'X'", default),
        ("groups", "displayName in ('A','B')", default),
        ("groups", "id in ('A','B')", default),
        ("groups", "securityEnabled eq true", default),
        ("groups", "groupTypes/any(c:c eq 'Unified')", default),
        ("groups", "NOT groupTypes/any(c:c eq 'Unified')", advanced),
        ("groups", "displayName ne 'X'", advanced),
        ("groups", "endsWith(displayName,'X')", advanced),
        ("groups", "visibility eq 'Public'", never),
    ] {
        let plain = served.get(&format!("/v1.0/{collection}?$filter={filter}")).await;
        let with = eventually(&served, &format!("/v1.0/{collection}?$filter={filter}&$count=true")).await;
        let shown = match (plain.0, with.0) {
            (200, 200) => default,
            (400, 200) => advanced,
            (400, 400) => never,
            other => panic!("{filter}: {other:?}"),
        };
        assert_eq!(shown, support, "{filter}: {plain:?} {with:?}");
        // The header alone is not enough.
        if support == advanced {
            assert_eq!(eventually(&served, &format!("/v1.0/{collection}?$filter={filter}")).await.0, 400);
        }
    }
    let message = "Operator 'endsWith' is not supported because the required parameters might be missing. Try adding \
                   $count=true query parameter and ConsistencyLevel:eventual header.";
    expect(&served, "/v1.0/users?$filter=endsWith(mail,'x')", 400, "Request_UnsupportedQuery", message).await;
    let message =
        "Unsupported or invalid query filter clause specified for property 'aboutMe' of resource 'User'.";
    expect(&served, "/v1.0/users?$filter=aboutMe eq 'x'", 400, "Request_UnsupportedQuery", message).await;
}

#[tokio::test]
async fn long_deep_and_sorted_questions_are_gated_too() {
    let served = served().await;
    let or = |count: usize| vec!["displayName eq 'A'"; count].join(" or ");
    served.ok(&format!("/v1.0/groups?$filter={}", or(15))).await;
    let message = "Too many child clauses specified in search filter expression containing 'OR' operators: 16. \
                   Max allowed: 15";
    expect(&served, &format!("/v1.0/groups?$filter={}", or(16)), 400, "Request_BadRequest", message).await;
    let list = vec!["'A'"; 16].join(",");
    expect(&served, &format!("/v1.0/groups?$filter=id in ({list})"), 400, "Request_BadRequest", message)
        .await;
    assert_eq!(eventually(&served, &format!("/v1.0/groups?$count=true&$filter={}", or(16))).await.0, 200);

    let deep = "displayName eq 'A' or (mail eq 'B' and (city eq 'C' or (state eq 'D' and surname eq 'E')))";
    expect(&served, &format!("/v1.0/users?$filter={deep}"), 400, "Request_BadRequest", "nested too deeply")
        .await;

    served.ok("/v1.0/users?$orderby=displayName").await;
    let needs = "required parameters might be missing";
    for target in
        ["/v1.0/users?$orderby=createdDateTime", "/v1.0/users?$orderby=displayName&$filter=city eq 'A'"]
    {
        expect(&served, target, 400, "Request_UnsupportedQuery", needs).await;
        assert_eq!(eventually(&served, &format!("{target}&$count=true")).await.0, 200, "{target}");
    }
    expect(&served, "/v1.0/groups?$orderby=mail", 400, "Request_UnsupportedQuery", "Unsupported sort").await;

    let (status, body) = eventually(&served, "/v1.0/users?$count=true&$expand=manager($select=id)").await;
    assert_eq!(status, 400, "{body}");
    expect(&served, "/v1.0/users?$expand=manager($levels=2)", 400, "Request_UnsupportedQuery", needs).await;
    let levels = "/v1.0/users?$count=true&$expand=manager($levels=2;$select=id)";
    assert_eq!(eventually(&served, levels).await.0, 200);

    let long = format!("/v1.0/users?$count=true&$filter=displayName eq '{}'", "x".repeat(2048));
    assert_eq!(eventually(&served, &long).await.0, 400);
    assert_eq!(served.get(&long.replace("$count=true&", "")).await.0, 200);
}

#[tokio::test]
async fn a_delta_filter_takes_fifty_ids() {
    let served = served().await;
    let ids = |count: usize| vec!["id eq '00000000-0000-4000-8000-000000000001'"; count].join(" or ");
    served.ok(&format!("/v1.0/groups/delta?$filter={}", ids(50))).await;
    let target = format!("/v1.0/groups/delta?$filter={}", ids(51));
    expect(&served, &target, 400, "Request_BadRequest", "Too many ids in the filter: 51. Max allowed: 50")
        .await;
}

#[tokio::test]
async fn knobs_ignore_options_cap_pages_and_tell_cases_apart() {
    let served = served().await;
    let mut knobs = served.world.knobs();
    knobs.graph.ignore_options = true;
    knobs.graph.oversized_top = OversizedTop::Capped;
    knobs.graph.case_sensitive_filters = true;
    served.world.set_knobs(knobs.clone());
    assert_eq!(served.ok("/v1.0/users?$skip=50").await["value"].as_array().unwrap().len(), 59);
    assert_eq!(served.ok("/v1.0/users?$top=5000").await["value"].as_array().unwrap().len(), 59);
    let named = "/v1.0/users?$filter=userPrincipalName eq 'SIOBHAN.O''BRIEN@acme.example'";
    assert_eq!(served.ok(named).await["value"], json!([]));
    knobs.graph.case_sensitive_filters = false;
    served.world.set_knobs(knobs);
    assert_eq!(served.ok(named).await["value"].as_array().unwrap().len(), 1);
}
