//! Okta: time stamps, lags and jobs, all by the world's clock (okta.md sections 5 and 6.1).

use jiff::Timestamp;
use rosterd::simulators::Change;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::Status;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::ids;
use super::join;
use super::okta_with;
use super::own;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(super::morning().as_second() + seconds).unwrap()
}

fn users() -> String {
    format!("/api/v1/apps/{OKTA_APP_ID}/users?expand=user")
}

fn assign(world: &World, principal: &str) {
    world.change(Change::Assign { principal: own(principal), role: None }).unwrap();
}

/// What each change moves (the table of okta.md section 5.1): user, row, group, membership.
#[tokio::test]
async fn each_change_moves_the_time_stamps_of_the_table() {
    let world = okta_with(&["ann@x.example", "bob@x.example"], &["Team"]);
    world.set_clock(at(0));
    assign(&world, "ann@x.example");
    join(&world, "Team", "bob@x.example");
    let served = Served::okta(world).await;
    let (ann, team) = (served.world.id_of("ann@x.example").unwrap(), served.world.id_of("Team").unwrap());
    let stamps = async || {
        let user = served.ok(&format!("/api/v1/users/{ann}")).await;
        let row = served.ok(&format!("/api/v1/apps/{OKTA_APP_ID}/users/{ann}")).await;
        let group = served.ok(&format!("/api/v1/groups/{team}")).await;
        [
            user["lastUpdated"].clone(),
            row["lastUpdated"].clone(),
            group["lastUpdated"].clone(),
            group["lastMembershipUpdated"].clone(),
        ]
    };
    let surname = Change::Set { who: ann.clone(), property: own("surname"), value: json!("Koch") };
    let status = Change::SetStatus { who: ann.clone(), status: Status::LockedOut };
    let joined = Change::Join { group: team.clone(), member: ann.clone() };
    let left = Change::Leave { group: team.clone(), member: ann.clone() };
    let assigned = Change::Assign { principal: team.clone(), role: None };
    let renamed = Change::RenameGroup { group: team.clone(), name: own("Crew") };
    for (place, (change, moved)) in [
        (surname, [true, false, false, false]),
        (status, [true, false, false, false]),
        (joined, [false, false, false, true]),
        (left, [false, false, false, true]),
        (assigned, [false, false, false, false]),
        (renamed, [false, false, true, false]),
    ]
    .into_iter()
    .enumerate()
    {
        let before = stamps().await;
        served.world.set_clock(at(60 * (place as i64 + 1)));
        served.world.change(change.clone()).unwrap();
        let after = stamps().await;
        let now: Vec<bool> = before.iter().zip(&after).map(|(before, after)| before != after).collect();
        assert_eq!(now, moved, "{change:?}");
        assert!(after.iter().all(|stamp| stamp.as_str().unwrap().ends_with(".000Z")), "{after:?}");
    }
}

#[tokio::test]
async fn reads_show_an_old_membership_time_for_some_seconds() {
    let world = okta_with(&["ann@x.example", "bob@x.example"], &["Team"]);
    world.set_clock(at(100));
    let served = Served::okta(world).await;
    let team = served.world.id_of("Team").unwrap();
    served.world.turn("membership_lag_seconds=6").unwrap();
    let shown = async || {
        let group = served.ok(&format!("/api/v1/groups/{team}")).await;
        group["lastMembershipUpdated"].as_str().unwrap().parse::<Timestamp>().unwrap()
    };
    let before = shown().await;
    join(&served.world, "Team", "ann@x.example");
    served.world.set_clock(at(103));
    join(&served.world, "Team", "bob@x.example");
    assert_eq!(shown().await, before);
    assert_eq!(served.pages(&format!("/api/v1/groups/{team}/users")).await.len(), 2, "the members are there");
    served.world.set_clock(at(106));
    assert_eq!(shown().await, at(100));
    served.world.set_clock(at(109));
    assert_eq!(shown().await, at(103));
    let filter = "/api/v1/groups?filter=lastMembershipUpdated ge ";
    assert_eq!(served.pages(&format!("{filter}\"{}\"", at(103))).await.len(), 1);
    assert_eq!(served.pages(&format!("{filter}\"{}\"", at(104))).await.len(), 0);
}

#[tokio::test]
async fn the_rows_of_a_group_come_and_go_by_a_job() {
    let world = okta_with(&["ann@x.example", "bob@x.example"], &["Team"]);
    world.set_clock(at(0));
    world.turn("job_seconds=120").unwrap();
    join(&world, "Team", "ann@x.example");
    let served = Served::okta(world).await;
    let ann = served.world.id_of("ann@x.example").unwrap();
    let rows = async || ids(&served.pages(&users()).await);
    assign(&served.world, "Team");
    served.world.set_clock(at(119));
    assert!(rows().await.is_empty());
    served.world.set_clock(at(120));
    assert_eq!(rows().await, [ann.clone()].into());
    served.world.change(Change::Leave { group: own("Team"), member: ann.clone() }).unwrap();
    assert_eq!(rows().await, [ann.clone()].into());
    served.world.set_clock(at(240));
    assert!(rows().await.is_empty());

    assign(&served.world, "ann@x.example");
    assert_eq!(rows().await, [ann].into(), "a direct assignment needs no job");
}

#[tokio::test]
async fn the_row_of_a_deactivated_user_lingers_and_that_of_an_inactive_application_stays() {
    let world = okta_with(&["ann@x.example", "bob@x.example"], &[]);
    world.set_clock(at(0));
    world.turn("deactivation_seconds=300").unwrap();
    assign(&world, "ann@x.example");
    assign(&world, "bob@x.example");
    let served = Served::okta(world).await;
    served.world.change(Change::SoftDelete { who: own("ann@x.example") }).unwrap();
    let rows = served.pages(&users()).await;
    let lingering: Vec<&Value> =
        rows.iter().filter(|row| row["_embedded"]["user"]["status"] == "DEPROVISIONED").collect();
    assert_eq!((rows.len(), lingering.len()), (2, 1));
    assert_eq!(lingering[0]["status"], "ACTIVE");
    assert_eq!(lingering[0]["_embedded"]["user"]["transitioningToStatus"], "DEPROVISIONED");
    served.world.set_clock(at(300));
    assert_eq!(served.pages(&users()).await.len(), 1);

    served.world.change(Change::SetApp { enabled: false }).unwrap();
    served.world.change(Change::SoftDelete { who: own("bob@x.example") }).unwrap();
    served.world.set_clock(at(100_000));
    assert_eq!(served.pages(&users()).await.len(), 1);
}

#[tokio::test]
async fn a_search_learns_late_of_what_is_new_and_of_what_is_gone() {
    let world = okta_with(&[], &["Old"]);
    world.set_clock(at(100));
    world.turn("search_lag_seconds=10").unwrap();
    let served = Served::okta(world).await;
    let found = async |query: &str| {
        served.pages(&format!("/api/v1/groups?{query}=type eq \"OKTA_GROUP\"")).await.len()
    };
    served.world.change(Change::CreateGroup { name: own("New"), id: None, assigned: false }).unwrap();
    served.world.change(Change::DeleteGroup { group: own("Old") }).unwrap();
    let search = served.pages("/api/v1/groups?search=type eq \"OKTA_GROUP\"").await;
    assert_eq!(search[0]["profile"]["name"], "Old");
    assert_eq!((search.len(), found("filter").await), (1, 1));
    served.world.set_clock(at(110));
    assert_eq!(
        served.pages("/api/v1/groups?search=type eq \"OKTA_GROUP\"").await[0]["profile"]["name"],
        "New"
    );
}

#[tokio::test]
async fn knobs_decide_what_nobody_has_confirmed_of_time_stamps() {
    let world = okta_with(&["ann@x.example"], &["Team"]);
    world.set_clock(at(0));
    join(&world, "Team", "ann@x.example");
    let served = Served::okta(world).await;
    let team = served.world.id_of("Team").unwrap();
    served.world.turn("deletion_moves_membership=true").unwrap();
    served.world.set_clock(at(60));
    served.world.change(Change::Purge { who: own("ann@x.example") }).unwrap();
    let group = served.ok(&format!("/api/v1/groups/{team}")).await;
    assert_eq!(group["lastMembershipUpdated"].as_str().unwrap().parse::<Timestamp>().unwrap(), at(60));
}
