//! Whatever a service makes of what it is sent, and whatever its lists are like: a verification finds no drift where nobody
//! else wrote, and loses nobody.

use std::sync::Arc;

use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::model::Reading;
use rosterd::plan::CycleRecord;
use rosterd::plan::OnDrift;
use rosterd::scim::profiles::Profile;
use tokio_util::sync::CancellationToken;

use super::life::DAYS;
use super::life::Life;
use super::life::Size;
use super::row::Row;
use super::rows;
use super::serve::Service;

const SIZE: Size = Size { people: 30, teams: 4, joiners: 0 };

async fn verify(life: &mut Life) -> CycleRecord {
    let (stop, now) = (CancellationToken::new(), life.stage.now());
    let clock = move || now;
    let reading = Reading::Incremental;
    let how = How { reading, verify: true, now, clock: &clock, watch: &|_| {}, stop: &stop };
    let record = cycle::run(&life.stage.job(), &life.stage.store, how).await.expect("a cycle");
    life.stage.second += 2_400;
    record
}

async fn finds_nothing(row: Row, profile: &str) {
    let service = Service::start(row).await;
    let profile = Profile::named(profile).expect("a profile");
    let mut life = Life::of(Arc::new(service.target(profile)), SIZE).await;
    life.stage.drift.users = OnDrift::Repair;
    life.stage.drift.teams = OnDrift::Repair;
    life.stage.drift.members = OnDrift::Repair;
    for (day, happens) in &DAYS[..3] {
        happens(&mut life);
        life.settle().await.unwrap_or_else(|left| panic!("{} {day}: {left}", row.name));
        let record = verify(&mut life).await;
        assert!(record.target_verified);
        let found = (record.drift, record.drift_repaired, record.written(), record.failures());
        assert_eq!(found, (0, 0, 0, 0), "{} {day}: {:?}", row.name, record.notes);
        life.settle().await.unwrap_or_else(|left| panic!("{} {day}, verified: {left}", row.name));
    }
}

#[tokio::test]
async fn a_service_that_normalises_drops_or_hides_what_it_is_sent_does_not_drift() {
    for row in [
        rows::RFC_7644,
        rows::CERBY,
        rows::CONFIGCAT,
        rows::AWS,
        rows::ATLASSIAN,
        rows::SNOWFLAKE,
        rows::HCP_TERRAFORM,
        rows::SCIMMY,
    ] {
        finds_nothing(row, row.profile).await;
    }
}

/// Snowflake shows one user who does not exist, and says that this is all: with the standard profile the list is believed
/// to be whole.
#[tokio::test]
async fn a_list_that_shows_nobody_of_ours_and_claims_to_be_whole_loses_nobody() {
    finds_nothing(rows::SNOWFLAKE, "standard").await;
}
