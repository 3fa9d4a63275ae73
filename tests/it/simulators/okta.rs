//! Okta: paging, app users, groups, limits (okta.md).

use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

use super::SMALL;
use super::Served;
use super::ids;
use super::join;
use super::link;
use super::morning;
use super::okta_with;
use super::own;
use super::row;

#[tokio::test]
async fn okta_pages_by_link_headers_and_knows_its_own_cursors_only() {
    let served = Served::okta(World::new(Flavour::Okta, SMALL, 1, morning())).await;
    let target = format!("/api/v1/apps/{OKTA_APP_ID}/users?limit=20&expand=user");
    let answer = served.send(&target).await.unwrap();
    assert_eq!(answer.headers().get_all("link").iter().count(), 2);
    assert_eq!(
        link(&answer, "self").unwrap(),
        format!("{}/api/v1/apps/{OKTA_APP_ID}/users?expand=user&limit=20", served.base)
    );
    assert!(link(&answer, "next").unwrap().contains("?after="));
    for name in
        ["x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", "x-okta-request-id", "date"]
    {
        assert!(answer.headers().contains_key(name), "{name}");
    }
    let rows = served.pages(&target).await;
    let snapshot = served.world.snapshot();
    let enabled = ["ACTIVE", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT"];
    let active: Vec<Value> = rows
        .into_iter()
        .filter(|row| enabled.contains(&row["_embedded"]["user"]["status"].as_str().unwrap()))
        .collect();
    assert_eq!(ids(&active), snapshot.people.keys().cloned().collect());

    let (status, body) = served.get(&format!("/api/v1/apps/{OKTA_APP_ID}/users?after=00uMadeUp")).await;
    assert_eq!((status, &body["errorCode"]), (400, &json!("E0000029")));
    assert_eq!(body["errorCauses"], json!([{ "errorSummary": "Invalid cursor." }]));
    let (status, body) = served.get(&format!("/api/v1/apps/{OKTA_APP_ID}/users?filter=x")).await;
    assert_eq!((status, &body["errorCode"]), (400, &json!("E0000031")));
}

#[tokio::test]
async fn an_app_user_is_there_once_directly_or_by_a_group() {
    let world = okta_with(&["ann@x.example", "bob@x.example", "cy@x.example"], &["Team"]);
    join(&world, "Team", "ann@x.example");
    join(&world, "Team", "bob@x.example");
    for principal in ["Team", "ann@x.example"] {
        world.change(Change::Assign { principal: own(principal), role: None }).unwrap();
    }
    let served = Served::okta(world).await;
    let [ann, bob, cy] =
        ["ann@x.example", "bob@x.example", "cy@x.example"].map(|login| served.world.id_of(login).unwrap());
    let rows = served.pages(&format!("/api/v1/apps/{OKTA_APP_ID}/users")).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(row(&rows, &ann)["scope"], "USER");
    assert_eq!(
        (&row(&rows, &bob)["scope"], &row(&rows, &bob)["_links"]["group"]["name"]),
        (&json!("GROUP"), &json!("Team"))
    );
    assert_eq!(row(&rows, &bob)["credentials"], json!({ "userName": "bob@x.example" }));
    assert!(row(&rows, &bob).get("_embedded").is_none());
    served.ok(&format!("/api/v1/apps/{OKTA_APP_ID}/users/{ann}?expand=user")).await;
    let (status, body) = served.get(&format!("/api/v1/apps/{OKTA_APP_ID}/users/{cy}")).await;
    assert_eq!((status, &body["errorCode"]), (404, &json!("E0000007")));

    let groups = served.pages(&format!("/api/v1/apps/{OKTA_APP_ID}/groups?expand=group")).await;
    assert_eq!(
        (&groups[0]["priority"], &groups[0]["_embedded"]["group"]["profile"]["name"]),
        (&json!(0), &json!("Team"))
    );
}

#[tokio::test]
async fn a_deactivated_user_stays_in_groups_and_gets_only_the_group_assignment_back() {
    let world = okta_with(&["ann@x.example", "bob@x.example"], &["Team"]);
    join(&world, "Team", "ann@x.example");
    for principal in ["Team", "bob@x.example"] {
        world.change(Change::Assign { principal: own(principal), role: None }).unwrap();
    }
    let served = Served::okta(world).await;
    let [ann, bob] = ["ann@x.example", "bob@x.example"].map(|login| served.world.id_of(login).unwrap());
    for who in [&ann, &bob] {
        served.world.change(Change::SoftDelete { who: who.clone() }).unwrap();
    }
    let users = format!("/api/v1/apps/{OKTA_APP_ID}/users");
    assert_eq!(served.pages(&users).await, Vec::<Value>::new());
    let team = served.world.id_of("Team").unwrap();
    let members = served.pages(&format!("/api/v1/groups/{team}/users")).await;
    assert_eq!(row(&members, &ann)["status"], "DEPROVISIONED");
    assert_eq!(served.ok(&format!("/api/v1/users/{ann}")).await["status"], "DEPROVISIONED");
    for who in [&ann, &bob] {
        served.world.change(Change::Restore { who: who.clone() }).unwrap();
    }
    assert_eq!(ids(&served.pages(&users).await), BTreeSet::from([ann.clone()]));
    served.world.change(Change::Purge { who: ann.clone() }).unwrap();
    let (status, body) = served.get(&format!("/api/v1/users/{ann}")).await;
    assert_eq!(status, 404);
    assert_eq!(body["errorSummary"], format!("Not found: Resource not found: {ann} (User)"));
}

#[tokio::test]
async fn membership_changes_move_one_timestamp_and_renames_the_other() {
    let world = okta_with(&["ann@x.example"], &["Team"]);
    let served = Served::okta(world).await;
    served.world.set_clock("2026-03-02T09:00:00.7Z".parse().unwrap());
    join(&served.world, "Team", "ann@x.example");
    let team = format!("/api/v1/groups/{}", served.world.id_of("Team").unwrap());
    let joined = served.ok(&team).await;
    assert_eq!(joined["lastMembershipUpdated"], "2026-03-02T09:00:00.000Z");
    assert_eq!(joined["lastUpdated"], joined["created"]);
    served.world.set_clock("2026-03-02T10:00:00Z".parse().unwrap());
    served.world.change(Change::RenameGroup { group: own("Team"), name: own("Crew") }).unwrap();
    let renamed = served.ok(&team).await;
    assert_eq!(renamed["lastUpdated"], "2026-03-02T10:00:00.000Z");
    assert_eq!(renamed["lastMembershipUpdated"], joined["lastMembershipUpdated"]);
    let found = served.send("/api/v1/groups?q=cre").await.unwrap();
    assert!(!found.headers().contains_key("link"));
    assert_eq!(found.json::<Vec<Value>>().await.unwrap().len(), 1);
}

#[tokio::test]
async fn okta_refuses_a_wrong_token_and_an_exhausted_bucket() {
    let mut served = Served::okta(okta_with(&[], &[])).await;
    let mut knobs = served.world.knobs();
    knobs.okta.rate_limit = 2;
    served.world.set_knobs(knobs);
    served.world.set_clock(morning());
    served.ok("/api/v1/groups").await;
    served.ok("/api/v1/groups").await;
    let answer = served.send("/api/v1/groups").await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["x-rate-limit-remaining"], "0");
    assert!(!answer.headers().contains_key("retry-after"));
    let reset: i64 = answer.headers()["x-rate-limit-reset"].to_str().unwrap().parse().unwrap();
    assert_eq!(reset, morning().as_second() + 60);
    assert_eq!(answer.json::<Value>().await.unwrap()["errorCode"], "E0000047");

    served.credentials = own("SSWS wrong");
    let (status, body) = served.get("/api/v1/users").await;
    assert_eq!((status, &body["errorCode"]), (401, &json!("E0000011")));
}

#[tokio::test]
async fn groups_are_found_by_filter_and_search_and_a_page_above_the_limit_is_cut_or_refused() {
    let served = Served::okta(okta_with(&["ann@x.example"], &["app-one", "app-two", "other"])).await;
    let count = async |target: &str| served.pages(target).await.len();
    assert_eq!(count("/api/v1/groups?limit=1").await, 3);
    assert_eq!(count("/api/v1/groups?search=profile.name sw \"app-\"&limit=1").await, 2);
    assert_eq!(count("/api/v1/groups?filter=lastUpdated gt \"2030-01-01T00:00:00.000Z\"").await, 0);
    let (status, body) = served.get("/api/v1/groups?filter=a eq \"b\"&search=c eq \"d\"").await;
    assert_eq!((status, &body["errorCode"]), (400, &json!("E0000033")));

    let answer = served.send("/api/v1/users?limit=1000").await.unwrap();
    assert!(link(&answer, "self").unwrap().ends_with("?limit=200"));
    let mut knobs = served.world.knobs();
    knobs.okta.refuse_high_limit = true;
    served.world.set_knobs(knobs);
    assert_eq!(served.get("/api/v1/users?limit=1000").await.0, 400);
}
