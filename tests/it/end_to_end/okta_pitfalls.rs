//! The pitfalls of Okta (okta.md section 11), row by row, from the simulated org to the workspace.

use std::collections::BTreeMap;

use rosterd::model::GroupPick;
use rosterd::plan::Class;
use rosterd::plan::Rehire;
use rosterd::plan::Selection;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Status;
use rosterd::simulators::Trouble;
use rosterd::sources::okta::Treatment;

use super::site::Pages;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;

async fn begun() -> Site {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    site.cycle().await;
    site.equals().await;
    site
}

/// A site whose teams are chosen by name, and not because they are assigned.
pub fn choose(site: &mut Site, names: &[&str]) {
    let picks: Vec<GroupPick> = names.iter().map(|name| GroupPick::Name((*name).to_owned())).collect();
    site.rules.scope.teams = Selection { groups: picks.clone(), ..Selection::default() };
    site.okta(|settings| {
        settings.assigned_teams = false;
        *settings = settings.clone().with_groups(picks).expect("picks");
    });
}

#[tokio::test]
async fn deactivated_people_stay_in_their_groups_and_leave_the_teams() {
    let mut site = begun().await;
    site.change(Change::SoftDelete { who: login("Ann") });
    let record = site.cycle().await;
    assert_eq!(record.done, BTreeMap::from([(Class::RemoveMembers, 2), (Class::Deactivate, 1)]));
    assert_eq!(
        (site.team("Sales").await, site.team("Support").await),
        (vec!["Bo".to_owned()], vec!["Cy".to_owned()])
    );
    assert_eq!(site.full_cycle().await.written(), 0, "the group still shows her");
}

#[tokio::test]
async fn members_without_the_application_are_in_no_team() {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    site.change(Change::Join { group: "Kitchen".to_owned(), member: login("Di") });
    choose(&mut site, &["Kitchen"]);
    site.cycle().await;
    assert_eq!(site.team("Kitchen").await, ["Di"], "Fay cooks, and does not have the application");
    assert!(!site.accounts().await.contains(&login("Fay")));
}

#[tokio::test]
async fn staged_people_who_are_assigned_are_a_matter_of_policy() {
    for (treatment, expected) in [(Treatment::Inactive, false), (Treatment::Active, true)] {
        let mut site = Site::start(acme(Flavour::Okta)).await;
        site.change(Change::SetStatus { who: login("Di"), status: Status::Staged });
        site.okta(|settings| settings.statuses.staged = treatment);
        site.cycle().await;
        assert_eq!(site.accounts().await.contains(&login("Di")), expected, "{treatment:?}");
    }
}

#[tokio::test]
async fn suspended_people_are_a_matter_of_policy() {
    for (treatment, expected) in [(Treatment::Inactive, 1), (Treatment::Active, 0)] {
        let mut site = begun().await;
        site.okta(|settings| settings.statuses.suspended = treatment);
        site.change(Change::Disable { who: login("Di") });
        assert_eq!(site.cycle().await.written(), expected, "{treatment:?}");
    }
}

/// No row of the simulated org has an `externalId`, and none was provisioned: nobody has to click "Provision User".
#[tokio::test]
async fn who_was_assigned_before_provisioning_was_enabled_is_read_like_everybody() {
    let site = begun().await;
    assert_eq!(site.accounts().await, ["Ann", "Bo", "Cy", "Di", "Ed"].map(login));
}

#[tokio::test]
async fn teams_and_removals_do_not_follow_from_how_somebody_came_by_the_application() {
    let mut site = begun().await;
    // From a group alone to a direct row as well, and back.
    site.change(Change::Assign { principal: login("Ann"), role: None });
    assert_eq!(site.cycle().await.written(), 0);
    site.change(Change::Unassign { principal: login("Ann") });
    assert_eq!(site.cycle().await.written(), 0);
    // From one of her groups to none, the other keeps her.
    site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
    assert_eq!(site.cycle().await.done, BTreeMap::from([(Class::RemoveMembers, 1)]));
    site.equals().await;
}

#[tokio::test]
async fn next_links_with_their_quirks_are_walked_to_the_end() {
    for trouble in [Trouble::OneLinkHeader, Trouble::LoseExpand] {
        let world = acme(Flavour::Okta);
        for number in 0..40 {
            hire(&world, &format!("P{number}"), &["Sales"], true);
        }
        let mut site = Site::with_pages(world, Pages::Small).await;
        for route in [Route::AppUsers, Route::AppGroups, Route::Members] {
            site.world.fault(Fault::always(route, trouble.clone()));
        }
        let record = site.cycle().await;
        assert_eq!(record.notes, Vec::<String>::new(), "{trouble:?}");
        site.equals().await;
    }
}

#[tokio::test]
async fn a_heavy_page_is_asked_for_in_smaller_ones() {
    for status in [500, 502, 504] {
        let mut site = Site::start(acme(Flavour::Okta)).await;
        for route in [Route::AppUsers, Route::Members] {
            let trouble = Trouble::Status { status, retry_after: None };
            site.world.fault(Fault { times: Some(1), ..Fault::next(route, trouble) });
        }
        site.cycle().await;
        site.equals().await;
    }
}

/// The large group of the table, in small: 1,200 members on 400 pages.
#[tokio::test]
async fn a_large_group_is_read_page_by_page() {
    let world = acme(Flavour::Okta);
    for number in 0..1_200 {
        hire(&world, &format!("P{number}"), &["Sales"], false);
    }
    let mut site = Site::with_pages(world, Pages::Small).await;
    site.cycle().await;
    assert!(site.world.counters().of(Route::Members) >= 400);
    site.equals().await;
}

#[tokio::test]
async fn a_search_that_is_away_is_done_over_all_groups() {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    choose(&mut site, &["Sales"]);
    site.world.fault(Fault::next(Route::GroupsList, Trouble::Status { status: 400, retry_after: None }));
    let record = site.cycle().await;
    assert!(
        record.notes.iter().any(|note| note.contains("all groups are listed instead")),
        "{:?}",
        record.notes
    );
    assert_eq!(site.team("Sales").await, ["Ann", "Bo"]);
}

/// A change around the last read is looked at again, whatever second it happened in.
#[tokio::test]
async fn a_change_in_the_minutes_around_the_last_read_is_seen_by_the_next() {
    let mut site = begun().await;
    site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
    site.cycle().await;
    site.world.set_clock(site.now - jiff::SignedDuration::from_mins(40) - jiff::SignedDuration::from_secs(5));
    site.change(Change::Join { group: "Sales".to_owned(), member: login("Ann") });
    site.cycle().await;
    site.equals().await;
}

#[tokio::test]
async fn groups_of_one_name_are_two_teams_by_their_ids() {
    let mut site = begun().await;
    let change = Change::CreateGroup { name: "Sales".to_owned(), id: None, assigned: true };
    site.change(change);
    let record = site.cycle().await;
    assert_eq!(record.failures(), 0);
    assert_eq!(
        record.done.get(&Class::Update),
        None,
        "the first team is not taken for the second: {:?}",
        record.done
    );
}

#[tokio::test]
async fn names_of_any_kind_are_teams_and_stand_in_no_address() {
    let names = [
        "a/b?c=d&e#f".to_owned(),
        r#"say "hi", \\ and <b>"#.to_owned(),
        "Zoë, Łódź and 東京".to_owned(),
        "x".repeat(255),
    ];
    let world = acme(Flavour::Okta);
    for name in &names {
        let change = Change::CreateGroup { name: name.clone(), id: None, assigned: true };
        world.change(change).expect("a group");
        world.change(Change::Join { group: name.clone(), member: login("Di") }).expect("a member");
    }
    let mut site = Site::start(world).await;
    site.cycle().await;
    site.equals().await;
    for name in &names {
        assert_eq!(site.team(name).await, ["Di"]);
    }
    // Chosen by name they are found as well: the text is escaped where it is searched for.
    let mut chosen = Site::start(acme(Flavour::Okta)).await;
    for name in &names {
        chosen.change(Change::CreateGroup { name: name.clone(), id: None, assigned: false });
        chosen.change(Change::Join { group: name.clone(), member: login("Di") });
    }
    choose(&mut chosen, &names.each_ref().map(String::as_str));
    chosen.cycle().await;
    for name in &names {
        assert_eq!(chosen.team(name).await, ["Di"]);
    }
}

#[tokio::test]
async fn a_renamed_group_is_the_same_team() {
    let mut site = begun().await;
    site.change(Change::RenameGroup { group: "Sales".to_owned(), name: "Sellers".to_owned() });
    assert_eq!(site.cycle().await.written(), 1);
    assert_eq!(site.team("Sellers").await, ["Ann", "Bo"]);
}

/// A chosen name that a group does not bear any more: no list shows the group, and its team is not kept for ever.
#[tokio::test]
async fn a_group_that_is_renamed_out_of_its_rule_leaves_the_scope() {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    choose(&mut site, &["Sales"]);
    site.cycle().await;
    assert_eq!(site.team("Sales").await, ["Ann", "Bo"]);
    site.change(Change::RenameGroup { group: "Sales".to_owned(), name: "Sellers".to_owned() });
    let record = site.cycle().await;
    assert_eq!(record.done.get(&Class::RemoveMembers), Some(&2), "{:#?}", site.left().await);
    assert_eq!(site.cycle().await.written(), 0);
}

#[tokio::test]
async fn a_group_that_is_deleted_and_made_again_is_another_team() {
    for chosen in [false, true] {
        let mut site = Site::start(acme(Flavour::Okta)).await;
        site.rules.rehire = Rehire::New;
        if chosen {
            choose(&mut site, &["Sales"]);
        }
        site.cycle().await;
        site.change(Change::DeleteGroup { group: "Sales".to_owned() });
        let change = Change::CreateGroup { name: "Sales".to_owned(), id: None, assigned: !chosen };
        site.change(change);
        site.change(Change::Join { group: "Sales".to_owned(), member: login("Di") });
        let record = site.cycle().await;
        assert_eq!(record.done.get(&Class::RemoveMembers), Some(&2), "{chosen}: {:#?}", site.left().await);
        assert_eq!(site.cycle().await.done.get(&Class::RemoveMembers), None);
    }
}

#[tokio::test]
async fn a_person_who_is_deleted_and_made_again_is_another_person() {
    let mut site = begun().await;
    site.change(Change::Rehire { login: login("Di"), id: None });
    let record = site.cycle().await;
    assert_eq!(record.done, BTreeMap::from([(Class::Deactivate, 1)]));
    assert_eq!(site.left().await.len(), 1, "the new one is held, as the address belongs to the old one");
}

#[tokio::test]
async fn a_profile_is_seen_though_no_group_moves() {
    let mut site = begun().await;
    let (who, property, value) = (login("Ann"), "surname".to_owned(), "Holm".into());
    site.change(Change::Set { who, property, value });
    site.world.reset_counters();
    assert_eq!(site.cycle().await.written(), 1);
    assert_eq!(site.world.counters().of(Route::Members), 0);
    site.equals().await;
}

#[tokio::test]
async fn the_groups_of_a_user_are_not_asked_for() {
    let mut site = begun().await;
    site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
    site.cycle().await;
    site.full_cycle().await;
    let counters = site.world.counters();
    assert_eq!((counters.of(Route::UserGroups), counters.of(Route::MemberOf)), (0, 0));
}

#[tokio::test]
async fn a_list_that_misses_somebody_once_removes_nobody() {
    for route in [Route::AppUsers, Route::Members] {
        let mut site = begun().await;
        let listing = site.listing().await;
        site.world.fault(Fault::next(route, Trouble::Empty));
        site.full_cycle().await;
        assert_eq!(site.listing().await, listing, "{route:?}");
        let record = site.cycle().await;
        assert_eq!((record.written(), record.held), (0, 0), "{route:?}");
    }
}

#[tokio::test]
async fn a_witness_that_fails_once_removes_nobody_and_is_asked_again() {
    let mut site = begun().await;
    site.change(Change::Unassign { principal: login("Di") });
    site.world.fault(Fault::nth(Route::AppUser, 2, Trouble::Status { status: 500, retry_after: None }));
    site.cycle().await;
    site.cycle().await;
    site.equals().await;
}

#[tokio::test]
async fn names_and_addresses_keep_their_letters_and_are_matched_without_case() {
    let mut site = begun().await;
    hire(&site.world, "Zoë", &[], true);
    site.cycle().await;
    site.equals().await;
    assert!(site.accounts().await.contains(&"zoë@acme.example".to_owned()), "{:?}", site.accounts().await);
}

#[tokio::test]
async fn an_application_that_is_switched_off_ends_the_cycle_and_removes_nobody() {
    let mut site = begun().await;
    let listing = site.listing().await;
    site.change(Change::SetApp { enabled: false });
    let error = site.try_cycle(rosterd::model::Reading::Incremental).await.expect_err("the cycle ends");
    assert!(error.contains("is INACTIVE; activate it in the admin console"), "{error}");
    assert_eq!(site.listing().await, listing);
    site.change(Change::SetApp { enabled: true });
    assert_eq!(site.cycle().await.written(), 0);
}

#[tokio::test]
async fn a_value_that_is_null_empty_or_missing_is_none() {
    let mut site = begun().await;
    for value in [serde_json::Value::Null, serde_json::json!("")] {
        let (who, property) = (login("Di"), "department".to_owned());
        site.change(Change::Set { who, property, value });
        assert_eq!(site.cycle().await.written(), 0);
    }
}

#[tokio::test]
async fn attributes_of_any_type_are_read() {
    let mut site = begun().await;
    for value in [serde_json::json!(["a", "b"]), serde_json::json!(7), serde_json::json!(true)] {
        let (who, property) = (login("Di"), "division".to_owned());
        site.change(Change::Set { who, property, value: value.clone() });
        let record = site.cycle().await;
        assert_eq!(record.objects_changed, 1, "{value}");
        assert_eq!(record.failures(), 0);
    }
}

/// The setting `scope.teams.assigned_to` alone reads what it needs: no groups where teams come from picks.
#[tokio::test]
async fn groups_that_become_no_teams_are_not_read() {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    choose(&mut site, &["Kitchen"]);
    site.cycle().await;
    let counters = site.world.counters();
    assert_eq!((counters.of(Route::AppGroups), counters.of(Route::Members)), (0, 1));
}
