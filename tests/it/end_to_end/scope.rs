//! Who is in scope: through groups, through groups within groups, and not any more.

use std::collections::BTreeMap;

use rosterd::model::GroupPick;
use rosterd::plan::Class;
use rosterd::plan::Selection;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::World;

use super::both;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;
use super::site::long_ago;

both! {
    async fn who_loses_one_of_two_groups_stays_and_who_loses_both_goes(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
        let record = site.cycle().await;
        assert_eq!(record.done, BTreeMap::from([(Class::RemoveMembers, 1)]));
        site.equals().await;
        assert!(site.accounts().await.contains(&login("Ann")));
        site.change(Change::Leave { group: "Support".to_owned(), member: login("Ann") });
        let record = site.cycle().await;
        assert_eq!(record.done, BTreeMap::from([(Class::RemoveMembers, 1), (Class::Deactivate, 1)]));
        site.equals().await;
        assert!(site.accounts().await.contains(&"ann@acme.example inactive".to_owned()));
    }

    async fn who_loses_both_groups_at_once_goes(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        for group in ["Sales", "Support"] {
            site.change(Change::Leave { group: group.to_owned(), member: login("Ann") });
        }
        site.cycle().await;
        site.equals().await;
        assert!(site.accounts().await.contains(&"ann@acme.example inactive".to_owned()));
    }

    async fn a_group_that_loses_its_assignment_takes_those_along_who_had_no_other(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        site.change(Change::Unassign { principal: "Sales".to_owned() });
        site.cycle().await;
        site.equals().await;
        assert!(site.accounts().await.contains(&"bo@acme.example inactive".to_owned()));
        assert!(site.accounts().await.contains(&login("Ann")), "she is in Support as well");
        site.change(Change::Assign { principal: "Sales".to_owned(), role: None });
        site.cycle().await;
        site.equals().await;
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn a_deleted_group_takes_those_along_who_had_no_other(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        site.change(Change::DeleteGroup { group: "Sales".to_owned() });
        site.cycle().await;
        site.equals().await;
        assert!(site.accounts().await.contains(&"bo@acme.example inactive".to_owned()));
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn a_group_without_members_becomes_an_empty_team(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        for who in ["Ann", "Bo"] {
            site.change(Change::Leave { group: "Sales".to_owned(), member: login(who) });
        }
        site.cycle().await;
        site.equals().await;
        assert_eq!(site.team("Sales").await, [] as [&str; 0]);
    }

    /// Design P2: one question about her, and one about somebody who is known to be there.
    async fn an_ordinary_unassignment_is_confirmed_by_its_witness_and_applied(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        site.cycle().await;
        site.change(Change::Unassign { principal: login("Di") });
        site.world.reset_counters();
        let record = site.cycle().await;
        assert_eq!(record.done, BTreeMap::from([(Class::Deactivate, 1)]));
        site.equals().await;
        let counters = site.world.counters();
        match flavour {
            Flavour::Graph => assert_eq!(counters.batched.get(&Route::UserAssignments), Some(&2)),
            Flavour::Okta => assert_eq!(counters.of(Route::AppUser), 2),
        }
    }
}

/// Whoever has the application otherwise does not count. (Okta's chosen groups have a file of their own.)
#[tokio::test]
async fn a_chosen_group_brings_its_members_in() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    let sales = || Selection { groups: vec![GroupPick::Name("Sales".to_owned())], ..Selection::default() };
    site.rules.scope.users = sales();
    site.rules.scope.teams = sales();
    site.cycle().await;
    assert_eq!(site.accounts().await, ["ann@acme.example", "bo@acme.example"]);
    assert_eq!(site.team("Sales").await, ["Ann", "Bo"]);
    site.change(Change::SoftDelete { who: login("Bo") });
    site.cycle().await;
    assert_eq!(site.accounts().await, ["ann@acme.example", "bo@acme.example inactive"]);
    assert_eq!(site.team("Sales").await, ["Ann"]);
}

/// Groups that contain each other are walked once (Graph; Okta's groups hold people only).
#[tokio::test]
async fn circles_of_groups_end() {
    let world = World::empty(Flavour::Graph, long_ago());
    for name in ["Top", "Middle", "Low"] {
        let change = Change::CreateGroup { name: name.to_owned(), id: None, assigned: false };
        world.change(change).expect("a group");
    }
    for (given, group) in [("Ann", "Top"), ("Bo", "Middle"), ("Cy", "Low")] {
        hire(&world, given, &[group], false);
    }
    hire(&world, "Di", &[], true);
    let mut site = Site::start(world).await;
    let join =
        |group: &str, member: &str| Change::Join { group: group.to_owned(), member: member.to_owned() };
    for (group, member) in [("Top", "Middle"), ("Middle", "Low"), ("Low", "Top")] {
        site.change(join(group, member));
    }
    let nested = || Selection {
        groups: vec![GroupPick::Name("Top".to_owned())],
        nested: true,
        ..Selection::default()
    };
    site.rules.scope.users = nested();
    site.rules.scope.teams = nested();
    site.cycle().await;
    assert_eq!(site.accounts().await, ["ann@acme.example", "bo@acme.example", "cy@acme.example"]);
    assert_eq!(site.team("Top").await, ["Ann", "Bo", "Cy"]);
    site.change(Change::Leave { group: "Middle".to_owned(), member: "Low".to_owned() });
    site.cycle().await;
    assert_eq!(
        site.accounts().await,
        ["ann@acme.example", "bo@acme.example", "cy@acme.example inactive"],
        "who was below the lowest group has left"
    );
    assert_eq!(site.team("Top").await, ["Ann", "Bo"]);
    site.change(join("Middle", "Low"));
    site.cycle().await;
    assert_eq!(site.team("Top").await, ["Ann", "Bo", "Cy"]);
    assert_eq!(site.cycle().await.written(), 0);
}
