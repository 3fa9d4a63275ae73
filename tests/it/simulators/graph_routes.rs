//! Graph: listings, casts, counts, questions with a body and the recycle bin (graph.md section 5).

use rosterd::simulators::CLIENT_ID;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::GRAPH_APP_ID;
use rosterd::simulators::GRAPH_APP_OBJECT_ID;
use rosterd::simulators::Hire;
use rosterd::simulators::Size;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::fill;
use super::graph_refusals::eventually;
use super::graph_with;
use super::ids;
use super::join;
use super::morning;
use super::own;
use super::row;

async fn text(served: &Served, target: &str) -> (String, String) {
    let request = served.http.get(served.url(target)).header("authorization", &served.credentials);
    let answer = request.header("ConsistencyLevel", "eventual").send().await.unwrap();
    let form = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (form, answer.text().await.unwrap())
}

fn set(world: &World, who: &str, property: &str, value: Value) {
    world.change(Change::Set { who: own(who), property: own(property), value }).unwrap();
}

fn set_group(world: &World, group: &str, property: &str, value: Value) {
    world.change(Change::SetGroup { group: own(group), property: own(property), value }).unwrap();
}

#[tokio::test]
async fn users_are_sorted_searched_and_counted() {
    let served = Served::graph(graph_with(&["b@x.example", "c@x.example", "a@x.example"], &[])).await;
    for (who, name) in
        [("a@x.example", "Zoe Adams"), ("b@x.example", "Mia Berg"), ("c@x.example", "Adam Cole")]
    {
        set(&served.world, who, "displayName", json!(name));
    }
    let names = |body: &Value| -> Vec<String> {
        let rows = body["value"].as_array().unwrap().iter();
        rows.map(|row| row["displayName"].as_str().unwrap().to_owned()).collect()
    };
    let (rows, _) = served.rows("/v1.0/users?$orderby=displayName&$top=2").await;
    let sorted: Vec<&str> = rows.iter().map(|row| row["displayName"].as_str().unwrap()).collect();
    assert_eq!(sorted, ["Adam Cole", "Mia Berg", "Zoe Adams"]);
    let descending = served.ok("/v1.0/users?$orderby=userPrincipalName desc").await;
    assert_eq!(names(&descending), ["Adam Cole", "Mia Berg", "Zoe Adams"]);
    // Display names are searched by word.
    let (_, found) = eventually(&served, "/v1.0/users?$search=\"displayName:ada\"&$count=true").await;
    assert_eq!((names(&found).len(), &found["@odata.count"]), (2, &json!(2)));
    let both = "/v1.0/users?$search=\"displayName:ada\" AND \"mail:a@\"";
    assert_eq!(names(&eventually(&served, both).await.1), ["Zoe Adams"]);
    assert_eq!(text(&served, "/v1.0/users/$count").await, (own("text/plain"), own("3")));
    let filtered = "/v1.0/users/$count?$filter=startswith(displayName,'Z')";
    assert_eq!(text(&served, filtered).await.1, "1");
}

#[tokio::test]
async fn members_are_cast_counted_and_filtered() {
    let world = graph_with(&["ann@x.example", "bob@x.example"], &["Outer", "Inner"]);
    join(&world, "Outer", "Inner");
    join(&world, "Outer", "ann@x.example");
    join(&world, "Inner", "bob@x.example");
    let served = Served::graph(world).await;
    let [outer, inner, ann, bob] =
        ["Outer", "Inner", "ann@x.example", "bob@x.example"].map(|name| served.world.id_of(name).unwrap());
    let path = format!("/v1.0/groups/{outer}");

    let plain = served.ok(&format!("{path}/members?$select=id,displayName,userPrincipalName")).await;
    let rows = plain["value"].as_array().unwrap();
    assert_eq!(row(rows, &ann)["@odata.type"], "#microsoft.graph.user");
    assert_eq!(
        *row(rows, &inner),
        json!({ "@odata.type": "#microsoft.graph.group", "id": inner,
                                          "displayName": "Inner", "userPrincipalName": null })
    );

    let (_, cast) =
        eventually(&served, &format!("{path}/members/microsoft.graph.user?$select=id&$count=true")).await;
    assert_eq!(cast["@odata.context"], format!("{}/v1.0/$metadata#users(id)", served.base));
    assert_eq!((&cast["@odata.count"], &cast["value"]), (&json!(1), &json!([{ "id": ann }])));
    let (_, deep) =
        eventually(&served, &format!("{path}/transitiveMembers/microsoft.graph.user?$count=true")).await;
    assert_eq!(ids(deep["value"].as_array().unwrap()), [ann.clone(), bob.clone()].into());
    let groups = served.ok(&format!("{path}/transitiveMembers/microsoft.graph.group")).await;
    assert_eq!(ids(groups["value"].as_array().unwrap()), [inner.clone()].into());
    assert_eq!(text(&served, &format!("{path}/members/$count")).await.1, "2");
    assert_eq!(text(&served, &format!("{path}/transitiveMembers/$count")).await.1, "3");
    assert_eq!(text(&served, &format!("{path}/members/microsoft.graph.user/$count")).await.1, "1");

    let filter = format!("{path}/members/microsoft.graph.user?$filter=startswith(mail,'ann')");
    assert_eq!(served.get(&filter).await.0, 400);
    let (status, found) = eventually(&served, &format!("{filter}&$count=true")).await;
    assert_eq!((status, found["value"].as_array().unwrap().len()), (200, 1));
    let sorted = format!("{path}/members?$orderby=displayName desc&$count=true&$top=1");
    let (_, first) = eventually(&served, &sorted).await;
    assert_eq!(first["value"][0]["id"], inner);
    let (_, second) = eventually(&served, first["@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!(second["value"][0]["id"], ann);
    assert_eq!(served.get(&format!("{path}/members/microsoft.graph.tea")).await.0, 400);

    // Who is in what, upwards.
    let above = served.ok(&format!("/v1.0/users/{bob}/transitiveMemberOf?$select=id")).await;
    assert_eq!(ids(above["value"].as_array().unwrap()), [inner.clone(), outer.clone()].into());
    let direct = served.ok(&format!("/v1.0/groups/{inner}/memberOf?$select=id")).await;
    assert_eq!(ids(direct["value"].as_array().unwrap()), [outer.clone()].into());
}

#[tokio::test]
async fn a_knob_refuses_every_cast_without_the_header() {
    let served = Served::graph(graph_with(&[], &["Team"])).await;
    let team = served.world.id_of("Team").unwrap();
    let target = format!("/v1.0/groups/{team}/members/microsoft.graph.user");
    served.ok(&target).await;
    served.world.turn("cast_needs_header=true").unwrap();
    assert_eq!(served.get(&target).await.1["error"]["code"], "Request_UnsupportedQuery");
    assert_eq!(eventually(&served, &target).await.0, 200);
}

#[tokio::test]
async fn expansions_show_managers_and_at_most_twenty_members() {
    let world = graph_with(&["ann@x.example", "bob@x.example", "cid@x.example"], &["Team"]);
    for (who, manager) in [("ann@x.example", "bob@x.example"), ("bob@x.example", "cid@x.example")] {
        world.change(Change::SetManager { who: own(who), manager: Some(own(manager)) }).unwrap();
    }
    let more: Vec<String> = (0..25).map(|number| format!("p{number}@x.example")).collect();
    fill(&world, &more.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    more.iter().for_each(|login| join(&world, "Team", login));
    let served = Served::graph(world).await;
    let [ann, bob, cid] =
        ["ann", "bob", "cid"].map(|who| served.world.id_of(&format!("{who}@x.example")).unwrap());
    let one = served.ok(&format!("/v1.0/users/{ann}?$select=id&$expand=manager($select=id)")).await;
    assert_eq!(one["manager"], json!({ "@odata.type": "#microsoft.graph.user", "id": bob }));
    let levels = format!("/v1.0/users/{ann}?$select=id&$count=true&$expand=manager($levels=max;$select=id)");
    let (_, chain) = eventually(&served, &levels).await;
    assert_eq!(chain["manager"]["manager"]["id"], cid);
    let missing = served.get(&format!("/v1.0/users/{cid}/manager")).await;
    assert_eq!((missing.0, &missing.1["error"]["code"]), (404, &json!("Request_ResourceNotFound")));

    let team = served.world.id_of("Team").unwrap();
    let expanded = served.ok(&format!("/v1.0/groups/{team}?$expand=members($select=id)")).await;
    assert_eq!(expanded["members"].as_array().unwrap().len(), 20);
    assert_eq!(expanded.get("members@odata.nextLink"), None);
}

#[tokio::test]
async fn questions_with_a_body_have_their_bounds() {
    let world = graph_with(&["ann@x.example"], &["Outer", "Inner"]);
    join(&world, "Outer", "Inner");
    join(&world, "Inner", "ann@x.example");
    set(&world, "ann@x.example", "extension_0123456789abcdef0123456789abcdef_costCenter", json!("7"));
    let served = Served::graph(world).await;
    let [ann, outer, inner] =
        ["ann@x.example", "Outer", "Inner"].map(|name| served.world.id_of(name).unwrap());
    for path in [
        format!("/v1.0/users/{ann}"),
        format!("/v1.0/directoryObjects/{ann}"),
        format!("/v1.0/groups/{inner}"),
    ] {
        let question = json!({ "groupIds": [outer] });
        let (status, body) = served.post(&format!("{path}/checkMemberGroups"), &question).await;
        assert_eq!((status, &body["value"]), (200, &json!([outer])), "{path}");
    }
    let check = |ids: Value| json!({ "groupIds": ids });
    let path = format!("/v1.0/users/{ann}/checkMemberGroups");
    assert_eq!(served.post(&path, &check(json!(vec![outer.as_str(); 21]))).await.0, 400);
    assert_eq!(served.post(&path, &check(json!([outer, "tea"]))).await.0, 400);

    let by_ids = "/v1.0/directoryObjects/getByIds";
    let unknown = "00000000-0000-4000-8000-00000000dead";
    let (_, found) = served.post(by_ids, &json!({ "ids": [ann, unknown, outer], "types": ["user"] })).await;
    let rows = found["value"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["@odata.type"]), (1, &json!("#microsoft.graph.user")));
    // Without $select a user is reduced.
    assert_eq!((rows[0].get("surname"), &rows[0]["displayName"]), (None, &json!("Ann Lee")));
    let (_, found) = served.post(&format!("{by_ids}?$select=id,surname"), &json!({ "ids": [ann] })).await;
    assert_eq!(found["value"][0]["surname"], "Lee");
    assert_eq!(served.post(by_ids, &json!({ "ids": vec![ann.as_str(); 1001] })).await.0, 400);
    assert_eq!(served.post(by_ids, &json!({ "ids": [ann], "types": ["tea"] })).await.0, 400);

    let (_, known) = served.post("/v1.0/directoryObjects/getAvailableExtensionProperties", &json!({})).await;
    assert_eq!(
        known["value"],
        json!([{ "name": "extension_0123456789abcdef0123456789abcdef_costCenter", "appDisplayName": "",
                 "dataType": "String", "isMultiValued": false, "isSyncedFromOnPremises": false,
                 "targetObjects": ["User"] }])
    );
    let synced = json!({ "isSyncedFromOnPremises": true });
    let (_, known) = served.post("/v1.0/directoryObjects/getAvailableExtensionProperties", &synced).await;
    assert_eq!(known["value"], json!([]));
}

#[tokio::test]
async fn the_recycle_bin_is_listed_by_type_and_found_by_id() {
    let world = graph_with(&["ann@x.example", "bob@x.example"], &["Team"]);
    let [ann, team] = ["ann@x.example", "Team"].map(|name| world.id_of(name).unwrap());
    world.change(Change::SoftDelete { who: ann.clone() }).unwrap();
    world.change(Change::DeleteGroup { group: team.clone() }).unwrap();
    let served = Served::graph(world).await;
    let users =
        served.ok("/v1.0/directory/deletedItems/microsoft.graph.user?$select=id,userPrincipalName").await;
    let prefixed = format!("{}ann@x.example", ann.replace('-', ""));
    assert_eq!(users["value"], json!([{ "id": ann, "userPrincipalName": prefixed }]));
    served.world.turn("deleted_name_prefix=false").unwrap();
    let users =
        served.ok("/v1.0/directory/deletedItems/microsoft.graph.user?$select=userPrincipalName").await;
    assert_eq!(users["value"], json!([{ "userPrincipalName": "ann@x.example" }]));
    let groups = served.ok("/v1.0/directory/deletedItems/microsoft.graph.group").await;
    assert_eq!(ids(groups["value"].as_array().unwrap()), [team.clone()].into());
    assert!(groups["value"][0]["deletedDateTime"].is_string());
    assert_eq!(
        served.ok("/v1.0/directory/deletedItems/microsoft.graph.application").await["value"],
        json!([])
    );
    assert_eq!(served.get("/v1.0/directory/deletedItems/microsoft.graph.tea").await.0, 400);
    served.ok(&format!("/v1.0/directory/deletedItems/{ann}?$select=id")).await;
    let live = served.world.id_of("bob@x.example").unwrap();
    assert_eq!(served.get(&format!("/v1.0/directory/deletedItems/{live}")).await.0, 404);
    let sorted = "/v1.0/directory/deletedItems/microsoft.graph.user?$orderby=deletedDateTime";
    assert_eq!(served.get(sorted).await.0, 400);
    assert_eq!(eventually(&served, &format!("{sorted}&$count=true")).await.0, 200);
}

#[tokio::test]
async fn applications_and_their_principals_are_found_by_either_key() {
    let served = Served::graph(graph_with(&[], &[])).await;
    for target in [
        format!("/v1.0/servicePrincipals(appId='{GRAPH_APP_ID}')?$select=id,appRoles"),
        format!("/v1.0/servicePrincipals/{GRAPH_APP_OBJECT_ID}"),
        format!("/v1.0/servicePrincipals(appId='{CLIENT_ID}')"),
    ] {
        served.ok(&target).await;
    }
    let found =
        served.ok(&format!("/v1.0/servicePrincipals?$filter=appId eq '{GRAPH_APP_ID}'&$select=id")).await;
    assert_eq!(found["value"], json!([{ "id": GRAPH_APP_OBJECT_ID }]));
    served.world.turn("secret_expires=2026-04-01T00:00:00Z").unwrap();
    let select = "$select=passwordCredentials,keyCredentials";
    let registration = served.ok(&format!("/v1.0/applications(appId='{CLIENT_ID}')?{select}")).await;
    assert_eq!(registration["passwordCredentials"][0]["endDateTime"], "2026-04-01T00:00:00Z");
    assert_eq!(registration["keyCredentials"], json!([]));
}

#[tokio::test]
async fn what_an_administrator_set_shows_in_users_and_groups() {
    let served = Served::graph(graph_with(&["ann@x.example"], &["Team"])).await;
    let world = &served.world;
    set(world, "ann@x.example", "onPremisesExtensionAttributes", json!({ "extensionAttribute3": "x" }));
    set(world, "ann@x.example", "userType", json!("Guest"));
    set(world, "ann@x.example", "externalUserState", json!("PendingAcceptance"));
    set_group(world, "Team", "groupTypes", json!(["Unified"]));
    set_group(world, "Team", "visibility", json!("Private"));
    let user = served
        .ok("/v1.0/users/ann@x.example?$select=userType,externalUserState,onPremisesExtensionAttributes")
        .await;
    assert_eq!(
        (&user["userType"], &user["externalUserState"]),
        (&json!("Guest"), &json!("PendingAcceptance"))
    );
    let attributes = user["onPremisesExtensionAttributes"].as_object().unwrap();
    assert_eq!((attributes.len(), &attributes["extensionAttribute3"]), (15, &json!("x")));
    let unified = served.ok("/v1.0/groups?$filter=groupTypes/any(c:c eq 'Unified')&$select=visibility").await;
    assert_eq!(unified["value"], json!([{ "visibility": "Private" }]));
}

/// A page of a large tenant costs what a page costs.
#[tokio::test]
async fn a_first_page_of_a_hundred_thousand_people_does_not_wait_for_the_rest() {
    let size = Size { users: 100_000, groups: 20, memberships_per_user: 2 };
    let served = Served::graph(World::new(Flavour::Graph, size, 1, morning())).await;
    let began = std::time::Instant::now();
    let page = served.ok("/v1.0/users?$top=999&$select=id,displayName,mail").await;
    assert_eq!(page["value"].as_array().unwrap().len(), 999);
    let round = served.ok("/v1.0/users/delta?$select=id,displayName,mail").await;
    assert_eq!(round["value"].as_array().unwrap().len(), 200);
    // Far above what it takes, so that a busy machine is no reason to fail.
    assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_hire_shows_at_once_in_every_listing() {
    let served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    served.world.change(Change::Hire(Hire::assigned("new@x.example", "New", "One"))).unwrap();
    let (rows, _) = served.rows("/v1.0/users?$select=id,mail").await;
    assert_eq!(rows.len(), 2);
}
