//! Teams from the group push mappings of an Okta application, from the simulated org to the workspace.

use rosterd::model::List;
use rosterd::model::SourceId;
use rosterd::plan::Class;
use rosterd::plan::Selection;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::OktaChange;
use rosterd::simulators::PushFeature;
use rosterd::simulators::PushStatus;

use super::site::Site;
use super::site::acme;
use super::site::login;

fn okta(site: &Site, what: OktaChange) {
    site.change(Change::Okta { what });
}

fn set(site: &Site, group: &str, status: PushStatus) {
    okta(site, OktaChange::SetPush { group: group.to_owned(), status, error: None });
}

fn feature(site: &Site, push: PushFeature) {
    let mut knobs = site.world.knobs();
    knobs.okta.push = push;
    site.world.set_knobs(knobs);
}

/// Sales and Kitchen are pushed; teams come from nothing else. With the id of Sales: its target bears the same name.
async fn begun() -> (Site, String) {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    let sales = site.id("Sales");
    let features = Some(vec!["GROUP_PUSH".to_owned(), "PUSH_NEW_USERS".to_owned()]);
    okta(&site, OktaChange::SetApp { status: None, features, implicit_assignment: None, label: None });
    for group in ["Sales", "Kitchen"] {
        okta(&site, OktaChange::PushGroup { group: group.to_owned(), target: None, status: None });
    }
    let pushed = List::PushMappings(SourceId(OKTA_APP_ID.to_owned())).id();
    site.rules.scope.teams = Selection { lists: vec![pushed], ..Selection::default() };
    site.okta(|settings| {
        settings.push_mappings = true;
        settings.assigned_teams = false;
    });
    site.cycle().await;
    assert_eq!(site.team("Sales").await, ["Ann", "Bo"]);
    (site, sales)
}

#[tokio::test]
async fn pushed_groups_are_teams_and_follow_their_groups() {
    let (mut site, sales) = begun().await;
    assert_eq!(site.team("Kitchen").await, [] as [&str; 0], "Fay does not have the application");
    site.change(Change::Leave { group: sales.clone(), member: login("Ann") });
    site.change(Change::RenameGroup { group: sales.clone(), name: "Sellers".to_owned() });
    site.cycle().await;
    assert_eq!(site.team("Sellers").await, ["Bo"]);
    let record = site.cycle().await;
    assert_eq!((record.written(), record.held), (0, 0));
}

#[tokio::test]
async fn a_push_that_failed_in_okta_is_a_team_all_the_same() {
    let (mut site, sales) = begun().await;
    set(&site, &sales, PushStatus::Error);
    site.change(Change::Leave { group: sales.clone(), member: login("Ann") });
    site.cycle().await;
    assert_eq!(site.team("Sales").await, ["Bo"]);
}

#[tokio::test]
async fn a_deactivated_push_leaves_the_team_as_it_is_and_an_active_one_catches_up() {
    let (mut site, sales) = begun().await;
    set(&site, &sales, PushStatus::Inactive);
    site.change(Change::Leave { group: sales.clone(), member: login("Ann") });
    site.change(Change::Join { group: sales.clone(), member: login("Di") });
    for _ in 0..2 {
        let record = site.full_cycle().await;
        assert_eq!((record.written(), record.held), (0, 0), "{:#?}", site.left().await);
        assert_eq!(site.team("Sales").await, ["Ann", "Bo"]);
    }
    set(&site, &sales, PushStatus::Active);
    site.cycle().await;
    assert_eq!(site.team("Sales").await, ["Bo", "Di"], "{:#?}", site.left().await);
}

#[tokio::test]
async fn a_mapping_that_is_gone_takes_its_team_out_of_scope() {
    let (mut site, sales) = begun().await;
    okta(&site, OktaChange::Unpush { group: sales, delete_target: false });
    let record = site.cycle().await;
    assert_eq!(record.done.get(&Class::RemoveMembers), Some(&2), "{:#?}", site.left().await);
    assert_eq!(site.cycle().await.written(), 0);
}

#[tokio::test]
async fn an_org_without_the_feature_keeps_every_team_and_says_so() {
    for push in [PushFeature::Unauthorized, PushFeature::NotFound] {
        let (mut site, _) = begun().await;
        let listing = site.listing().await;
        feature(&site, push);
        for _ in 0..2 {
            let record = site.full_cycle().await;
            assert_eq!((record.written(), record.held), (0, 0), "{push:?}: {:#?}", site.left().await);
            let told = |note: &String| note.contains("the group push mappings cannot be read");
            assert!(record.notes.iter().any(told), "{:?}", record.notes);
        }
        assert_eq!(site.listing().await, listing);
        feature(&site, PushFeature::On);
        assert_eq!(site.cycle().await.written(), 0);
    }
}
