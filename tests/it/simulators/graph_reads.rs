//! Graph: the token endpoint, lists, members, assignments, batches and the recycle bin.

use rosterd::simulators::CLIENT_ID;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::GRAPH_APP_ID;
use rosterd::simulators::GRAPH_APP_OBJECT_ID;
use rosterd::simulators::Route;
use rosterd::simulators::TENANT;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::SMALL;
use super::Served;
use super::graph_with;
use super::ids;
use super::join;
use super::morning;
use super::own;
use super::row;

#[tokio::test]
async fn a_secret_in_the_body_or_in_basic_gives_a_token_and_a_wrong_one_aadsts7000215() {
    let served = Served::of(graph_with(&[], &[])).await;
    let right = served.token(&[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
    assert_eq!(right.status(), 200);
    let body: Value = right.json().await.unwrap();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3599)));

    let wrong = served.token(&[("client_id", CLIENT_ID), ("client_secret", "x")]).await;
    assert_eq!(wrong.status(), 401);
    let body: Value = wrong.json().await.unwrap();
    assert_eq!((&body["error"], &body["error_codes"]), (&json!("invalid_client"), &json!([7_000_215])));
    assert!(body["error_description"].as_str().unwrap().starts_with("AADSTS7000215: "));

    let url = format!("{}/{TENANT}/oauth2/v2.0/token", served.base);
    let form = [("grant_type", "client_credentials"), ("scope", "https://graph.microsoft.com/.default")];
    let basic = served.http.post(url).basic_auth(CLIENT_ID, Some(CLIENT_SECRET)).form(&form);
    assert_eq!(basic.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn without_a_living_token_graph_answers_401() {
    let mut served = Served::graph(graph_with(&[], &[])).await;
    served.world.set_clock("2026-03-02T10:00:00Z".parse().unwrap());
    let (status, body) = served.get("/v1.0/users").await;
    assert_eq!((status, &body["error"]["code"]), (401, &json!("InvalidAuthenticationToken")));
    served.credentials = "Bearer nonsense".to_owned();
    assert_eq!(served.get("/v1.0/users").await.0, 401);
}

#[tokio::test]
async fn users_come_in_pages_whose_next_link_keeps_select_and_top() {
    let served = Served::graph(World::new(Flavour::Graph, SMALL, 1, morning())).await;
    let target = "/v1.0/users?$select=id,displayName,accountEnabled&$top=25";
    let first = served.ok(target).await;
    assert_eq!(first["value"].as_array().unwrap().len(), 25);
    let context = format!("{}/v1.0/$metadata#users(id,displayName,accountEnabled)", served.base);
    assert_eq!(first["@odata.context"], context);
    let next = first["@odata.nextLink"].as_str().unwrap();
    let start =
        format!("{}/v1.0/users?$select=id,displayName,accountEnabled&$top=25&$skiptoken=", served.base);
    assert!(next.starts_with(&start), "{next}");

    let (rows, _) = served.rows(target).await;
    // One of the sixty sits in the recycle bin.
    assert_eq!((rows.len(), ids(&rows).len()), (59, 59));
    assert_eq!(
        rows[0].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["accountEnabled", "displayName", "id"]
    );
}

#[tokio::test]
async fn a_selected_property_without_value_is_null_and_an_unselected_one_absent() {
    let world = graph_with(&["ann@x.example"], &[]);
    world
        .change(Change::Set { who: own("ann@x.example"), property: own("mail"), value: Value::Null })
        .unwrap();
    let served = Served::graph(world).await;
    let id = served.world.id_of("ann@x.example").unwrap();
    let body = served.ok(&format!("/v1.0/users/{id}?$select=id,mail,department,proxyAddresses")).await;
    assert_eq!(
        (&body["mail"], &body["department"], &body["proxyAddresses"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
    let plain = served.ok("/v1.0/users/ann@x.example").await;
    assert!(plain.get("accountEnabled").is_none());
    assert_eq!(plain["businessPhones"], json!([]));
}

#[tokio::test]
async fn odd_names_are_found_when_they_are_encoded() {
    let served = Served::graph(graph_with(&["$svc@x.example", "a.b_c#EXT#@x.example"], &[])).await;
    served.ok("/v1.0/users('$svc@x.example')").await;
    served.ok("/v1.0/users/a.b_c%23EXT%23@x.example").await;
}

#[tokio::test]
async fn what_graph_does_not_know_is_400_and_whom_it_does_not_know_404() {
    let served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    for target in [
        "/v1.0/users?$skip=5",
        "/v1.0/users?select=id",
        "/v1.0/users?$select=shoeSize",
        "/v1.0/users?$top=1000",
        "/v1.0/users?$count=true",
        "/v1.0/groups/delta?$top=5",
        "/v1.0/people",
        "/v1.0/servicePrincipals/x/appRoleAssignedTo?$filter=principalType eq 'User'",
    ] {
        assert_eq!(served.get(target).await.0, 400, "{target}");
    }
    let id = "00000000-0000-4000-8000-00000000dead";
    let (status, body) = served.get(&format!("/v1.0/users/{id}")).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("Request_ResourceNotFound")));
    assert_eq!(
        body["error"]["message"],
        format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
        )
    );
    assert!(body["error"]["innerError"]["request-id"].is_string());
    assert!(body["error"]["innerError"]["date"].is_string());
}

#[tokio::test]
async fn a_group_is_found_by_name_and_by_prefix() {
    let served = Served::graph(graph_with(&[], &["O'Brien's", "app-one", "app-two", "other"])).await;
    let names = |rows: Vec<Value>| {
        rows.iter().map(|row| row["displayName"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let (rows, _) = served.rows("/v1.0/groups?$filter=displayName eq 'O''Brien''s'").await;
    assert_eq!(names(rows), BTreeSet::from([own("O'Brien's")]));
    let (rows, _) =
        served.rows("/v1.0/groups?$filter=startswith(displayName,'app-')&$select=id,displayName").await;
    assert_eq!(names(rows), BTreeSet::from([own("app-one"), own("app-two")]));
}

#[tokio::test]
async fn members_are_direct_and_of_any_type_and_nested_circles_end() {
    let world = graph_with(&["ann@x.example", "bob@x.example"], &["A", "B"]);
    join(&world, "A", "ann@x.example");
    join(&world, "A", "B");
    join(&world, "B", "bob@x.example");
    join(&world, "B", "A");
    let served = Served::graph(world).await;
    let [a, b] = ["A", "B"].map(|name| served.world.id_of(name).unwrap());
    let [ann, bob] = ["ann@x.example", "bob@x.example"].map(|login| served.world.id_of(login).unwrap());
    let (rows, _) = served.rows(&format!("/v1.0/groups/{a}/members?$select=id")).await;
    assert_eq!(ids(&rows), BTreeSet::from([ann.clone(), b.clone()]));
    assert_eq!(*row(&rows, &b), json!({ "@odata.type": "#microsoft.graph.group", "id": b }));
    let (rows, _) = served.rows(&format!("/v1.0/groups/{a}/transitiveMembers?$top=1")).await;
    assert_eq!(ids(&rows), BTreeSet::from([ann, bob.clone(), a.clone(), b.clone()]));

    // The witness is transitive; unknown groups are left out, a malformed id fails the whole question.
    let ask = format!("/v1.0/users/{bob}/checkMemberGroups");
    let stranger = "00000000-0000-4000-8000-00000000dead";
    let (status, body) = served.post(&ask, &json!({ "groupIds": [a, b, stranger] })).await;
    assert_eq!((status, body["value"].as_array().unwrap().len()), (200, 2));
    assert_eq!(served.post(&ask, &json!({ "groupIds": [a, "x"] })).await.0, 400);
}

#[tokio::test]
async fn the_service_principal_is_found_three_ways_and_lists_every_assignment() {
    let world = graph_with(&["ann@x.example", "bob@x.example"], &["Team"]);
    join(&world, "Team", "bob@x.example");
    for (principal, role) in
        [("ann@x.example", Some("User")), ("ann@x.example", Some("Admin")), ("Team", None)]
    {
        world.change(Change::Assign { principal: own(principal), role: role.map(own) }).unwrap();
    }
    let served = Served::graph(world).await;
    let filtered =
        served.ok(&format!("/v1.0/servicePrincipals?$filter=appId eq '{GRAPH_APP_ID}'&$select=id")).await;
    assert_eq!(filtered["value"], json!([{ "id": GRAPH_APP_OBJECT_ID }]));
    let keyed =
        served.ok(&format!("/v1.0/servicePrincipals(appId='{GRAPH_APP_ID}')?$select=id,appRoles")).await;
    assert_eq!(keyed["id"], GRAPH_APP_OBJECT_ID);
    assert_eq!(keyed["appRoles"].as_array().unwrap().len(), 2);

    let path = format!("/v1.0/servicePrincipals/{GRAPH_APP_OBJECT_ID}/appRoleAssignedTo");
    let (rows, _) = served.rows(&format!("{path}?$top=2")).await;
    assert_eq!(rows.len(), 3);
    let group = rows.iter().find(|row| row["principalType"] == "Group").unwrap();
    assert_eq!(group["principalDisplayName"], "Team");
    assert_eq!(group["appRoleId"], "00000000-0000-0000-0000-000000000000");
    assert_eq!(group["resourceId"], GRAPH_APP_OBJECT_ID);

    // What bob was granted comes through the group.
    let bob = served.world.id_of("bob@x.example").unwrap();
    let (rows, _) = served.rows(&format!("/v1.0/users/{bob}/appRoleAssignments")).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["principalId"], json!(served.world.id_of("Team")));
}

#[tokio::test]
async fn a_batch_answers_its_parts_one_by_one() {
    let served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    let ann = served.world.id_of("ann@x.example").unwrap();
    let batch = json!({ "requests": [
        { "id": "1", "method": "GET", "url": format!("/users/{ann}?$select=id,mail") },
        { "id": "2", "method": "GET", "url": "/users/nobody@x.example" },
        { "id": "3", "method": "POST", "url": format!("/users/{ann}/checkMemberGroups"),
          "headers": { "Content-Type": "application/json" }, "body": { "groupIds": [] } },
    ]});
    let trouble = Trouble::Status { status: 429, retry_after: Some(own("3")) };
    served.world.fault(Fault::next(Route::CheckMemberGroups, trouble));
    let (status, body) = served.post("/v1.0/$batch", &batch).await;
    assert_eq!(status, 200);
    let parts: BTreeMap<&str, &Value> = body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["id"].as_str().unwrap(), part))
        .collect();
    assert_eq!(parts["1"]["body"]["mail"], "ann@x.example");
    assert_eq!(parts["2"]["status"], 404);
    assert_eq!((&parts["3"]["status"], &parts["3"]["headers"]["Retry-After"]), (&json!(429), &json!("3")));
    assert_eq!(served.world.counters().total(), 1);

    let many: Vec<Value> =
        (0..21).map(|id| json!({ "id": id.to_string(), "method": "GET", "url": "/users" })).collect();
    assert_eq!(served.post("/v1.0/$batch", &json!({ "requests": many })).await.0, 400);
}

#[tokio::test]
async fn the_recycle_bin_tells_soft_deleted_from_purged() {
    let served = Served::graph(graph_with(&["ann@x.example"], &["Team"])).await;
    let ann = served.world.id_of("ann@x.example").unwrap();
    let bin = format!("/v1.0/directory/deletedItems/{ann}");
    assert_eq!(served.get(&bin).await.0, 404);
    served.world.change(Change::SoftDelete { who: ann.clone() }).unwrap();
    let item = served.ok(&bin).await;
    assert_eq!(item["@odata.type"], "#microsoft.graph.user");
    assert!(item["deletedDateTime"].is_string());
    let (rows, _) = served.rows("/v1.0/directory/deletedItems/microsoft.graph.user").await;
    assert_eq!(ids(&rows), BTreeSet::from([ann.clone()]));
    assert_eq!(served.get(&format!("/v1.0/users/{ann}")).await.0, 404);
    served.world.change(Change::Purge { who: ann }).unwrap();
    assert_eq!(served.get(&bin).await.0, 404);
}

#[tokio::test]
async fn rows_of_the_recycle_bin_are_hidden_or_kept_as_the_knob_says() {
    let world = graph_with(&["ann@x.example"], &[]);
    world.change(Change::Assign { principal: own("ann@x.example"), role: None }).unwrap();
    world.change(Change::SoftDelete { who: own("ann@x.example") }).unwrap();
    let served = Served::graph(world).await;
    let target = format!("/v1.0/servicePrincipals/{GRAPH_APP_OBJECT_ID}/appRoleAssignedTo");
    assert_eq!(served.rows(&target).await.0.len(), 0);
    let mut knobs = served.world.knobs();
    knobs.graph.rows_of_deleted = true;
    served.world.set_knobs(knobs);
    assert_eq!(served.rows(&target).await.0.len(), 1);
}
