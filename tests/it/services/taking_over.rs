//! Where everybody is already there, everybody is found: nobody is made, whatever the service's lists and filters are
//! like.

use std::sync::Arc;

use rosterd::scim::Kind;
use rosterd::scim::profiles::Profile;
use serde_json::json;

use super::life::Account;
use super::life::DAYS;
use super::life::Life;
use super::life::Size;
use super::row::Row;
use super::rows;
use super::serve::Service;

const SIZE: Size = Size { people: 60, teams: 6, joiners: 0 };

/// What somebody else made of the same directory before.
fn fill(service: &Service, life: &Life) {
    let directory = &mut service.state().directory;
    for Account { name, values, .. } in life.users() {
        let user = json!({
            "userName": name, "active": true, "externalId": values["externalId"],
            "displayName": values["displayName"],
            "name": {"givenName": values["name.givenName"], "familyName": values["name.familyName"]},
            "emails": [{"type": "work", "value": name, "primary": true}],
        });
        directory.create(Kind::User, &user).expect("a user");
    }
    for Account { name, values, .. } in life.teams() {
        let team = json!({"displayName": name, "externalId": values["externalId"]});
        directory.create(Kind::Group, &team).expect("a group");
    }
}

async fn takes_over(row: Row) {
    let service = Service::start(row).await;
    let profile = Profile::named(row.profile).expect("a profile");
    let mut life = Life::of(Arc::new(service.target(profile)), SIZE).await;
    let (_, arrive) = DAYS[0];
    arrive(&mut life);
    fill(&service, &life);
    life.settle().await.unwrap_or_else(|left| panic!("{}: {left}", row.name));
    service.equals(&life, "are there");
    let state = service.state();
    let writes = ["POST Users", "POST Groups", "PATCH Users", "PUT Users", "DELETE Users", "DELETE Groups"];
    let done: Vec<&&str> = writes.iter().filter(|write| state.asked.contains_key(**write)).collect();
    assert!(done.is_empty(), "{}: {done:?}", row.name);
}

#[tokio::test]
async fn who_is_there_already_is_found_and_nobody_is_made() {
    for row in [
        rows::RFC_7644,
        rows::CERBY,
        rows::CONFIGCAT,
        rows::AWS,
        rows::ATLASSIAN,
        rows::SNOWFLAKE,
        rows::HCP_TERRAFORM,
        rows::SCIMMY,
        rows::SCIMGATEWAY,
    ] {
        takes_over(row).await;
    }
}
