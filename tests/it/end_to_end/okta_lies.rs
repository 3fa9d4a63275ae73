//! Answers of Okta that are not true, or not yet: roles that were lost or narrowed, jobs and indexes that lag, statuses
//! that nobody knows. Each removes nobody who should stay.

use std::collections::BTreeMap;

use rosterd::model::Reading;
use rosterd::plan::Class;
use rosterd::simulators::AppProfiles;
use rosterd::simulators::AppStatus;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::OktaChange;
use rosterd::simulators::OktaKnobs;
use rosterd::simulators::OktaRole;

use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;

fn turn(site: &Site, with: impl FnOnce(&mut OktaKnobs)) {
    let mut knobs = site.world.knobs();
    with(&mut knobs.okta);
    site.world.set_knobs(knobs);
}

fn okta(site: &Site, what: OktaChange) {
    site.change(Change::Okta { what });
}

/// The site after its first cycle, with the knobs turned before it.
async fn begun(with: impl FnOnce(&mut OktaKnobs)) -> Site {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    turn(&site, with);
    site.cycle().await;
    site.equals().await;
    site
}

/// A cycle that ends early with this text, and leaves everything as it was.
async fn ends(site: &mut Site, text: &str) {
    let listing = site.listing().await;
    for reading in [Reading::Incremental, Reading::Full] {
        let error = site.try_cycle(reading).await.expect_err("the cycle ends");
        assert!(error.contains(text), "{error}");
        assert_eq!(site.listing().await, listing);
    }
}

#[tokio::test]
async fn a_role_that_was_lost_removes_nobody() {
    let mut site = begun(|_| {}).await;
    turn(&site, |knobs| knobs.role = OktaRole::Lost);
    ends(&mut site, "Read-only Administrator").await;
    turn(&site, |knobs| knobs.role = OktaRole::Full);
    let record = site.cycle().await;
    assert_eq!((record.written(), record.held), (0, 0));
}

#[tokio::test]
async fn a_token_whose_maker_left_removes_nobody() {
    let mut site = begun(|_| {}).await;
    turn(&site, |knobs| knobs.token_creator_active = false);
    ends(&mut site, "make a new API token").await;
}

/// A complete 200 with fewer rows, 404s that lie, and a canary that sings: only the log tells.
#[tokio::test]
async fn a_role_that_was_narrowed_hides_people_and_removes_nobody() {
    let mut site = begun(|_| {}).await;
    let listing = site.listing().await;
    turn(&site, |knobs| knobs.hidden = vec![login("Ann"), login("Di")]);
    for _ in 0..3 {
        let record = site.full_cycle().await;
        assert!(record.missing > 0 || record.held > 0);
        assert_eq!(site.listing().await, listing);
        let left = site.left().await;
        assert!(!left.is_empty());
        let unexplained = |line: &String| line.contains("disappeared without event");
        assert!(left.iter().any(unexplained), "{left:#?}");
    }
    turn(&site, |knobs| knobs.hidden = Vec::new());
    let record = site.full_cycle().await;
    assert_eq!((record.written(), record.held), (0, 0), "{:#?}", site.left().await);
}

#[tokio::test]
async fn a_role_that_was_narrowed_to_other_groups_empties_no_team() {
    let mut site = begun(|_| {}).await;
    let listing = site.listing().await;
    turn(&site, |knobs| knobs.hidden = vec!["Sales".to_owned()]);
    for _ in 0..3 {
        site.full_cycle().await;
        assert_eq!(site.listing().await, listing);
    }
    turn(&site, |knobs| knobs.hidden = Vec::new());
    let record = site.full_cycle().await;
    assert_eq!((record.written(), record.held), (0, 0), "{:#?}", site.left().await);
}

#[tokio::test]
async fn a_removal_that_the_log_does_not_tell_is_held() {
    let mut site = begun(|_| {}).await;
    turn(&site, |knobs| knobs.silent_events = vec!["*".to_owned()]);
    site.change(Change::Unassign { principal: login("Di") });
    let listing = site.listing().await;
    for _ in 0..3 {
        assert_eq!(site.cycle().await.held, 1);
        assert_eq!(site.listing().await, listing);
    }
    assert!(site.left().await[0].contains("disappeared without event"), "{:?}", site.left().await);
}

#[tokio::test]
async fn a_log_that_is_late_delays_a_removal_and_no_more() {
    let mut site = begun(|knobs| knobs.log_latency_seconds = 3_600).await;
    for who in ["Di", "Ed"] {
        site.change(Change::Unassign { principal: login(who) });
    }
    site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
    for _ in 0..4 {
        site.cycle().await;
    }
    site.equals().await;
    assert_eq!(site.left().await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_row_that_lingers_after_the_deactivation_does_not_keep_anybody() {
    let mut site = begun(|knobs| knobs.deactivation_seconds = 7_200).await;
    site.change(Change::SoftDelete { who: login("Di") });
    assert_eq!(site.cycle().await.done, BTreeMap::from([(Class::Deactivate, 1)]));
    for _ in 0..4 {
        let record = site.cycle().await;
        assert_eq!((record.written(), record.held), (0, 0), "{:#?}", site.left().await);
    }
}

#[tokio::test]
async fn members_whose_rows_are_not_made_yet_are_pending_and_no_error() {
    let mut site = begun(|knobs| knobs.job_seconds = 3_600).await;
    site.change(Change::Join { group: "Sales".to_owned(), member: login("Fay") });
    let record = site.cycle().await;
    assert_eq!((record.failures(), record.written()), (0, 0));
    for _ in 0..2 {
        site.cycle().await;
    }
    assert_eq!(site.team("Sales").await, ["Ann", "Bo", "Fay"]);
}

#[tokio::test]
async fn what_okta_makes_of_its_own_provisioning_removes_nobody() {
    let mut site = begun(|_| {}).await;
    let features = Some(vec!["PUSH_NEW_USERS".to_owned()]);
    okta(&site, OktaChange::SetApp { status: None, features, implicit_assignment: None, label: None });
    hire(&site.world, "Zoe", &[], true);
    site.cycle().await;
    site.equals().await;
    for (status, state) in [
        ("STAGED", "ERROR"),
        ("PROVISIONED", "SYNCHRONIZED"),
        ("PENDING", "SYNCING"),
        ("IMPLICIT", "DISABLED"),
    ] {
        let (status, sync_state) = (Some(status.to_owned()), Some(state.to_owned()));
        let who = login("Di");
        okta(
            &site,
            OktaChange::SetAppUser {
                who,
                status,
                sync_state,
                external_id: None,
                credentials: None,
                profile: None,
            },
        );
        let record = site.cycle().await;
        assert_eq!((record.written(), record.held), (0, 0), "{state}");
    }
}

#[tokio::test]
async fn a_status_that_nobody_knows_keeps_who_is_there_and_brings_nobody() {
    let mut site = begun(|_| {}).await;
    hire(&site.world, "Zoe", &[], true);
    for name in ["Di", "Zoe"] {
        let (who, status) = (login(name), Some("FROZEN".to_owned()));
        okta(
            &site,
            OktaChange::SetAppUser {
                who,
                status,
                sync_state: None,
                external_id: None,
                credentials: None,
                profile: None,
            },
        );
    }
    for _ in 0..2 {
        let record = site.full_cycle().await;
        assert_eq!((record.written(), record.held), (0, 0), "{:#?}", site.left().await);
        assert!(record.notes.iter().any(|note| note.contains("`FROZEN` is not known")), "{:?}", record.notes);
    }
    for name in ["Di", "Zoe"] {
        okta(&site, OktaChange::ResetAppUser { who: login(name) });
    }
    site.cycle().await;
    site.equals().await;
}

#[tokio::test]
async fn a_status_that_is_no_assignment_is_evidence_of_its_own() {
    for status in ["INACTIVE", "REVOKED", "UNASSIGNED", "IMPORTED", "MATCHED", "SUSPENDED", "DEPROVISIONED"] {
        let mut site = begun(|_| {}).await;
        let (who, status) = (login("Di"), Some(status.to_owned()));
        okta(
            &site,
            OktaChange::SetAppUser {
                who,
                status,
                sync_state: None,
                external_id: None,
                credentials: None,
                profile: None,
            },
        );
        assert_eq!(site.cycle().await.done, BTreeMap::from([(Class::Deactivate, 1)]));
    }
}

#[tokio::test]
async fn how_a_row_names_its_scope_and_group_decides_nothing() {
    let mut site = begun(|_| {}).await;
    turn(&site, |knobs| {
        knobs.group_scope_wins = true;
        knobs.no_group_link = true;
        knobs.first_priority = 1;
    });
    let record = site.full_cycle().await;
    assert_eq!((record.written(), record.held), (0, 0));
}

#[tokio::test]
async fn a_time_stamp_that_lags_hides_no_change_of_members() {
    let mut site = begun(|knobs| knobs.membership_lag_seconds = 10).await;
    turn(&site, |knobs| knobs.silent_events = vec!["group.user_membership.add".to_owned()]);
    // Ten seconds before the cycle: the group shows the old time, the next cycle the new one.
    site.world.set_clock(site.now - jiff::SignedDuration::from_secs(5));
    site.change(Change::Join { group: "Sales".to_owned(), member: login("Di") });
    site.cycle().await;
    site.cycle().await;
    site.equals().await;
}

#[tokio::test]
async fn profiles_of_the_application_that_went_stale_are_not_the_persons() {
    let mut site = begun(|knobs| knobs.app_profiles = AppProfiles::AsAssigned).await;
    let (who, property, value) = (login("Di"), "surname".to_owned(), "Holm".into());
    site.change(Change::Set { who, property, value });
    assert_eq!(site.cycle().await.written(), 1, "the name comes from the person's own profile");
}

#[tokio::test]
async fn an_application_that_is_gone_or_admits_everybody_ends_the_cycle() {
    let set = |status, implicit_assignment| OktaChange::SetApp {
        status,
        features: None,
        implicit_assignment,
        label: None,
    };
    for (what, text) in [
        (set(Some(AppStatus::Inactive), None), "is INACTIVE"),
        (set(Some(AppStatus::Deleted), None), "is DELETED"),
        (set(Some(AppStatus::Missing), None), "is not there"),
        (set(None, Some(true)), "admits everybody without assignment"),
    ] {
        let mut site = begun(|_| {}).await;
        okta(&site, what);
        ends(&mut site, text).await;
    }
}

#[tokio::test]
async fn an_imported_group_of_the_same_name_is_another_team() {
    let mut site = begun(|_| {}).await;
    let id: String = "00gImportedSales00001".chars().take(20).collect();
    okta(&site, OktaChange::ImportGroup { name: "Sales".to_owned(), id: Some(id.clone()), source: None });
    site.change(Change::Assign { principal: id, role: None });
    let record = site.cycle().await;
    assert_eq!((record.failures(), record.done.get(&Class::Update)), (0, None), "{:?}", record.done);
}

/// One of everything that the reference names.
#[tokio::test]
async fn an_org_full_of_oddities_is_read_and_stays_as_it_is() {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    okta(&site, OktaChange::AddOddities);
    site.cycle().await;
    let listing = site.listing().await;
    for _ in 0..2 {
        assert_eq!(site.full_cycle().await.written(), 0, "{:#?}", site.left().await);
    }
    assert_eq!(site.listing().await, listing);
}
