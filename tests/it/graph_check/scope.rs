//! What a check says of the scope: groups and filters.

use serde_json::json;

use rosterd::model::GroupPick;
use rosterd::model::List;
use rosterd::model::SourceId;

use super::CONSENT;
use super::about;
use super::lines;
use super::sound;
use crate::graph_tenant::failure;

#[tokio::test]
async fn groups_of_the_scope_are_found_missing_or_ambiguous() {
    let named = |filter: &str| format!("GET /groups?$filter={filter}&$select=id&$top=999");
    let sales = named("displayName%20eq%20%27Sales%27");
    let twins = named("displayName%20eq%20%27R%26D%27");
    let nobody = named("displayName%20eq%20%27O%27%27Hara%27");
    let app = named("startswith%28displayName%2C%27app-%27%29");
    let two = json!({"value": [{"id": "g1"}, {"id": "g2"}]});
    let look = "?$select=id,displayName,visibility";
    let graph = sound(|graph| {
        graph
            .on(&sales, 200, json!({"value": [{"id": "g1"}]}))
            .on(&twins, 200, two.clone())
            .on(&nobody, 200, json!({"value": []}))
            .on(&app, 200, two)
            .on(&format!("GET /groups/g1{look}"), 200, json!({"id": "g1", "displayName": "Sales"}))
            .on(
                &format!("GET /groups/g2{look}"),
                200,
                json!({"id": "g2", "displayName": "Board", "visibility": "HiddenMembership"}),
            )
            .on(&format!("GET /groups/g3{look}"), 404, failure("Request_ResourceNotFound"))
    })
    .await;
    let told = lines(&graph, |settings| {
        let name = |text: &str| GroupPick::Name(text.to_owned());
        let by_id = |text: &str| GroupPick::Id(SourceId(text.to_owned()));
        settings.picks =
            vec![name("Sales"), name("R&D"), name("O'Hara"), GroupPick::Prefix("app-".to_owned())];
        settings.picks.extend([by_id("g1"), by_id("g2"), by_id("g3")]);
    })
    .await;
    assert_eq!(
        about(&told, "scope"),
        [
            "Ok scope: name:Sales: 1 group",
            "Warning scope: name:R&D: 2 groups are called so, and all of them count | names are not unique; choose one \
             by id:ID if only that one is meant",
            "Warning scope: name:O'Hara: no group is called so | compare it with Groups in the admin center; case does \
             not matter, spaces do",
            "Ok scope: prefix:app-: 2 groups",
            "Ok scope: id:g1 is Sales",
            &format!(
                "Warning scope: id:g2 (Board) hides its members | add the application permission Member.Read.Hidden \
                 {CONSENT}"
            ),
            "Error scope: id:g3: the tenant has no such group | copy its Object ID from Groups, or take it out of the \
             scope",
        ]
    );
}

#[tokio::test]
async fn filters_of_the_scope_are_tried() {
    let sales = "GET /users?$filter=department%20eq%20%27Sales%27&$select=id&$top=1";
    let nobody = "GET /users?$filter=department%20eq%20%27X%27&$select=id&$top=1";
    let not = "GET /users?$filter=department%20ne%20%27X%27&$select=id&$top=1&$count=true";
    let bad = "GET /groups?$filter=name%20eq%20%27X%27&$select=id&$top=1";
    let graph = sound(|graph| {
        graph
            .on(sales, 200, json!({"value": [{"id": "u1"}]}))
            .on(nobody, 200, json!({"value": []}))
            .on(not, 200, json!({"value": [{"id": "u1"}]}))
            .on(bad, 400, failure("Request_BadRequest"))
            .on(&format!("{bad}&$count=true"), 400, failure("Request_BadRequest"))
    })
    .await;
    let told = lines(&graph, |settings| {
        let users = ["department eq 'Sales'", "department eq 'X'", "department ne 'X'"];
        settings.lists = users.iter().map(|filter| List::UserFilter((*filter).to_owned())).collect();
        settings.lists.push(List::GroupFilter("name eq 'X'".to_owned()));
    })
    .await;
    assert_eq!(
        about(&told, "scope"),
        [
            "Ok scope: filter department eq 'Sales' selects users",
            "Warning scope: filter department eq 'X' selects no users | compare its values with the directory; it may \
             be right, and nobody is there yet",
            "Ok scope: filter department ne 'X' selects users",
            "Error scope: filter name eq 'X': Graph does not take it (Request_BadRequest: x) | write it as Graph's \
             $filter takes it, such as department eq 'Sales'",
        ]
    );
}
