//! The golden scenarios of graph.md section 11, each from the simulated tenant to the workspace.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use rosterd::model::GroupPick;
use rosterd::plan::Class;
use rosterd::plan::Limits;
use rosterd::plan::People;
use rosterd::plan::Selection;
use rosterd::simulators::Assigned;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::World;

use super::schedules::granted;
use super::schedules::meant;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;
use super::site::long_ago;

/// Where each golden scenario is played: the test, and the file that holds it.
const SCENARIOS: [(&str, &str, &str); 12] = [
    (
        "250-user first round",
        "two_hundred_and_fifty_people_come_on_two_pages",
        include_str!("graph_scenarios.rs"),
    ),
    ("12 000-member group", "a_group_of_twelve_thousand_is_read_whole", include_str!("graph_scenarios.rs")),
    ("UPN swap within one round", "two_people_swap_their_user_names", include_str!("links.rs")),
    ("re-created with the same UPN", "a_recycled_address_is_another_person", include_str!("links.rs")),
    ("restore without delta entry", "who_comes_back_without_a_word", include_str!("graph_bugs.rs")),
    ("group rename", "a_rename_keeps_the_link", include_str!("links.rs")),
    ("nested cycle A in B in A", "two_groups_in_each_other_end", include_str!("graph_scenarios.rs")),
    ("assignment with two roles", "who_has_two_roles_has_one_account", include_str!("graph_scenarios.rs")),
    ("guest", "a_guest_is_known_by_the_address_at_home", include_str!("graph_scenarios.rs")),
    ("disabled before first sync", "somebody_disabled_is_never_created", include_str!("leavers.rs")),
    (
        "token expired after 8 days",
        "after_eight_days_everything_is_read_anew",
        include_str!("graph_scenarios.rs"),
    ),
    ("mass removal guard", "a_mass_removal_is_held_whole", include_str!("graph_scenarios.rs")),
];

#[test]
fn every_golden_scenario_has_its_test() {
    for (scenario, test, file) in SCENARIOS {
        assert!(file.contains(&format!("async fn {test}")), "{scenario}: there is no test {test}");
    }
}

fn surname(who: &str, value: &str) -> Change {
    Change::Set { who: login(who), property: "surname".to_owned(), value: value.into() }
}

#[tokio::test]
async fn two_hundred_and_fifty_people_come_on_two_pages() {
    let size = Size { users: 250, groups: 5, memberships_per_user: 1 };
    let world = World::seeded(Flavour::Graph, size, Assigned::Most, 7, long_ago());
    world.turn("page_size=200").expect("a knob");
    let mut site = Site::start(world).await;
    site.cycle().await;
    assert_eq!(site.world.counters().of(Route::UsersList), 2);
    site.equals().await;
    assert_eq!(site.cycle().await.written(), 0);
}

/// The feed shows it in slices (graph.md section 6.3), which come back whole, and a change of one member is one write.
#[tokio::test]
async fn a_group_of_twelve_thousand_is_read_whole() {
    let size = Size { users: 14_000, groups: 1, memberships_per_user: 1 };
    let world = World::seeded(Flavour::Graph, size, Assigned::Most, 3, long_ago());
    let groups = world.snapshot().groups.into_iter();
    let (group, _) = groups.max_by_key(|(_, group)| group.members.len()).expect("a group");
    // It may have been assigned already.
    world.change(Change::Assign { principal: group.clone(), role: None }).ok();
    let mut site = Site::start(world).await;
    site.cycle().await;
    assert!(site.world.counters().of(Route::GroupsDelta) >= 3, "it came in slices");
    let members = site.world.snapshot().groups.remove(&group).expect("the group").members;
    assert!(members.len() >= 12_000, "{} are not disabled", members.len());
    assert!(granted(&site).await == meant(&site), "everybody is in the team");
    let member = members.into_iter().next().expect("a member");
    site.change(Change::Leave { group, member });
    let record = site.cycle().await;
    assert_eq!(record.done.get(&Class::RemoveMembers), Some(&1), "{:?}", record.done);
    assert!(record.written() <= 2, "{:?}: who has it otherwise stays", record.done);
    assert!(granted(&site).await == meant(&site));
}

#[tokio::test]
async fn two_groups_in_each_other_end() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    for (group, member) in [("Sales", "Kitchen"), ("Kitchen", "Sales")] {
        site.change(Change::Join { group: group.to_owned(), member: member.to_owned() });
    }
    let nested = || Selection {
        groups: vec![GroupPick::Name("Sales".to_owned())],
        nested: true,
        ..Selection::default()
    };
    site.rules.scope.users = nested();
    site.rules.scope.teams = nested();
    site.cycle().await;
    assert_eq!(site.accounts().await, ["Ann", "Bo", "Fay"].map(login));
    assert_eq!(site.team("Sales").await, ["Ann", "Bo", "Fay"]);
    assert_eq!(site.cycle().await.written(), 0);
    site.change(Change::Leave { group: "Sales".to_owned(), member: "Kitchen".to_owned() });
    site.cycle().await;
    assert_eq!(
        site.team("Sales").await,
        ["Ann", "Bo"],
        "Kitchen still holds Sales, which gives nobody anything"
    );
}

#[tokio::test]
async fn who_has_two_roles_has_one_account() {
    let world = World::empty(Flavour::Graph, long_ago());
    for given in ["Di", "Ed"] {
        hire(&world, given, &[], false);
    }
    let role = |role: &str| Change::Assign { principal: login("Di"), role: Some(role.to_owned()) };
    for name in ["Admin", "User"] {
        world.change(role(name)).expect("a role");
    }
    world.change(Change::Assign { principal: login("Ed"), role: None }).expect("an assignment");
    let mut site = Site::start(world).await;
    let record = site.cycle().await;
    assert_eq!(record.done, BTreeMap::from([(Class::Create, 2)]));
    site.equals().await;
    assert_eq!(site.cycle().await.written(), 0);
    site.change(Change::Unassign { principal: login("Di") });
    let record = site.cycle().await;
    assert_eq!(record.done, BTreeMap::from([(Class::Deactivate, 1)]), "both rows are gone");
    site.change(role("User"));
    let record = site.cycle().await;
    assert_eq!(record.done, BTreeMap::from([(Class::Reactivate, 1)]), "one row is enough");
    site.equals().await;
}

/// Graph reference, section 10: `ann_home.example#EXT#@tenant` is `ann@home.example`; mail can be null.
#[tokio::test]
async fn a_guest_is_known_by_the_address_at_home() {
    let world = acme(Flavour::Graph);
    let guest = Hire {
        login: "gia_home.example#EXT#@acme.example".to_owned(),
        given_name: Some("Gia".to_owned()),
        surname: Some("Roe".to_owned()),
        mail: Some("gia@home.example".to_owned()),
        guest: true,
        assigned: true,
        groups: vec!["Sales".to_owned()],
        ..Hire::default()
    };
    world.change(Change::Hire(guest)).expect("a guest");
    let mut site = Site::start(world).await;
    site.cycle().await;
    site.equals().await;
    assert!(site.accounts().await.contains(&"gia@home.example".to_owned()));
    assert_eq!(site.team("Sales").await, ["Ann", "Bo", "Gia"]);

    site.rules.people = People { guests: false, ..People::default() };
    site.cycle().await;
    assert_eq!(site.team("Sales").await, ["Ann", "Bo"], "where the settings keep guests out");
}

/// The feeds' tokens live seven days (graph.md section 6.5): that they are void is no deletion of anybody.
#[tokio::test]
async fn after_eight_days_everything_is_read_anew() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.cycle().await;
    let listing = site.listing().await;
    site.now += SignedDuration::from_hours(8 * 24);
    let record = site.cycle().await;
    for read in ["users", "groups"] {
        let note = format!("the watermark of `{read}` had expired; it was read from the start");
        assert!(record.notes.contains(&note), "{:?}", record.notes);
    }
    assert_eq!((record.written(), record.held), (0, 0));
    assert_eq!(site.listing().await, listing);

    // What happened while nobody looked is found: also who left, of whom a new first round says nothing.
    site.change(surname("Ann", "Holm"));
    site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
    site.change(Change::Purge { who: login("Di") });
    hire(&site.world, "Zoe", &["Support"], false);
    site.now += SignedDuration::from_hours(8 * 24);
    site.cycle().await;
    site.equals().await;
    assert_eq!(site.cycle().await.written(), 0);
}

/// The default limits: 10 of 100 people may be deactivated in a cycle, and no class is cut into slices (P13).
#[tokio::test]
async fn a_mass_removal_is_held_whole() {
    let world = acme(Flavour::Graph);
    let temps = Change::CreateGroup { name: "Temps".to_owned(), id: None, assigned: true };
    world.change(temps).expect("a group");
    for number in 0..60 {
        let groups: &[&str] = if number < 20 { &["Temps"] } else { &[] };
        hire(&world, &format!("P{number}"), groups, number >= 20);
    }
    let mut site = Site::start(world).await;
    site.limits = Limits::default();
    site.cycle().await;
    site.equals().await;
    let active = site.accounts().await;

    site.change(Change::Unassign { principal: "Temps".to_owned() });
    site.change(surname("Ann", "Holm"));
    for _ in 0..2 {
        let record = site.cycle().await;
        assert_eq!(record.done.get(&Class::Deactivate), None);
        assert!(record.held >= 20, "{} are held", record.held);
        assert_eq!(site.accounts().await, active, "nobody was deactivated");
    }
    let left = site.left().await;
    let held = left.iter().filter(|line| line.contains(" deactivate (held: ")).count();
    assert_eq!(held, 20, "{left:#?}");
    assert!(
        !site.differences().await.iter().any(|line| line.contains("surname")),
        "what is harmless goes on"
    );

    site.limits.classes.insert(Class::Deactivate, rosterd::plan::Limit { count: 100, percent: 100 });
    site.limits.classes.insert(Class::RemoveMembers, rosterd::plan::Limit { count: 100, percent: 100 });
    site.cycle().await;
    site.equals().await;
}
