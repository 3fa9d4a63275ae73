//! The reported bugs of graph.md section 6.7, a test a row: whatever the service leaves out or says twice, nobody is
//! wrongly removed, and the daily verification finds what the feeds kept back.

use std::time::Duration;

use jiff::SignedDuration;
use rosterd::plan::CycleRecord;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;

use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;

/// Acme and a group of four whose pages are two rows long.
fn company(knobs: &[&str]) -> World {
    let world = acme(Flavour::Graph);
    let staff = Change::CreateGroup { name: "Staff".to_owned(), id: None, assigned: true };
    world.change(staff).expect("a group");
    for given in ["Pia", "Quin", "Rob", "Sue"] {
        hire(&world, given, &["Staff"], false);
    }
    for knob in knobs {
        world.turn(knob).expect("a knob");
    }
    world
}

async fn begun(knobs: &[&str]) -> Site {
    let mut site = Site::start(company(knobs)).await;
    site.verify = Some(Duration::from_secs(24 * 60 * 60));
    site.cycle().await;
    site.equals().await;
    site
}

/// The verification of the next day, after which everything is as it should be and stays so.
async fn verified(site: &mut Site) -> CycleRecord {
    site.now += SignedDuration::from_hours(24);
    let record = site.cycle().await;
    assert!(record.verified);
    site.equals().await;
    assert_eq!(site.cycle().await.written(), 0);
    record
}

fn set(who: &str, property: &str, value: serde_json::Value) -> Change {
    Change::Set { who: login(who), property: property.to_owned(), value }
}

/// docs 1000: a next link is answered 404 `UnknownError`.
#[tokio::test]
async fn a_page_that_is_lost_is_read_again() {
    let mut site = begun(&["page_size=2"]).await;
    site.change(set("Ann", "surname", "Holm".into()));
    site.change(Change::Leave { group: "Staff".to_owned(), member: login("Rob") });
    for who in ["Bo", "Cy", "Di"] {
        site.change(set(who, "surname", "Roe".into()));
    }
    site.world.fault(Fault { nth: 2, ..Fault::next(Route::UsersDelta, Trouble::LosePage) });
    site.cycle().await;
    site.world.clear_faults();
    site.equals().await;
    for route in [Route::UsersList, Route::GroupsDelta] {
        site.world.fault(Fault { nth: 2, ..Fault::next(route, Trouble::LosePage) });
    }
    site.full_cycle().await;
    assert_eq!(site.world.faults(), [], "pages were lost");
    site.equals().await;
}

/// contrib 7311: the round of groups begins again and again where members are selected. Nothing of it is taken, and
/// nobody is removed.
#[tokio::test]
async fn a_round_of_groups_that_never_ends_is_not_taken() {
    let mut site = begun(&[]).await;
    let (listing, seen) = (site.listing().await, site.seen());
    site.change(Change::Leave { group: "Staff".to_owned(), member: login("Rob") });
    site.world.turn("endless_groups_delta=true").expect("a knob");
    let error = site.cycle_fails().await;
    assert!(error.contains("the pages of `groups` turn in a circle; nothing was taken from it"), "{error}");
    assert_eq!(site.listing().await, listing);
    assert!(site.seen() == seen, "watermarks and seen move together (P4)");
    site.world.turn("endless_groups_delta=false").expect("a knob");
    site.cycle().await;
    site.equals().await;
}

/// docs 4498, 7115, 18628: a deleted user gives no entry.
#[tokio::test]
async fn a_deletion_without_a_word_is_found_by_the_verification() {
    let mut site = begun(&["silent_deletions=true"]).await;
    site.change(Change::SoftDelete { who: login("Rob") });
    site.change(Change::Purge { who: login("Sue") });
    site.cycle().await;
    assert_eq!(site.team("Support").await, ["Ann", "Cy"], "nobody else is touched");
    verified(&mut site).await;
}

/// docs 14708: a purged member gives no `members@delta`; who is in a team follows from who there is.
#[tokio::test]
async fn a_purged_member_without_a_word_leaves_the_team() {
    let mut site = begun(&["silent_member_purges=true"]).await;
    site.change(Change::Purge { who: login("Rob") });
    site.cycle().await;
    site.equals().await;
    assert_eq!(site.team("Staff").await, ["Pia", "Quin", "Sue"]);
    verified(&mut site).await;
}

/// docs 6651: who left before it is a removed member of a first round.
#[tokio::test]
async fn members_who_left_before_the_first_round_are_no_trouble() {
    let world = company(&["removed_members_in_first_round=true", "removed_in_first_round=true"]);
    world.change(Change::Leave { group: "Staff".to_owned(), member: login("Rob") }).expect("a change");
    world.change(Change::Purge { who: login("Sue") }).expect("a change");
    world.change(Change::DeleteGroup { group: "Kitchen".to_owned() }).expect("a change");
    let mut site = Site::start(world).await;
    site.verify = Some(Duration::from_secs(24 * 60 * 60));
    site.cycle().await;
    site.equals().await;
    assert_eq!(site.team("Staff").await, ["Pia", "Quin"]);
    verified(&mut site).await;
    // A member who had left is back before the feed starts over.
    site.change(Change::Join { group: "Staff".to_owned(), member: login("Rob") });
    site.world.turn("delta_generation=1").expect("a knob");
    site.cycle().await;
    assert_eq!(site.team("Staff").await, ["Pia", "Quin", "Rob"]);
    site.equals().await;
}

/// docs 5821: a restored user gives no entry where `$select` was sent.
#[tokio::test]
async fn who_comes_back_without_a_word_is_found_by_the_verification() {
    let mut site = begun(&["silent_restore=true"]).await;
    let rob = site.id(&login("Rob"));
    site.change(Change::SoftDelete { who: rob.clone() });
    site.cycle().await;
    site.equals().await;
    assert_eq!(site.team("Staff").await, ["Pia", "Quin", "Sue"]);
    site.change(Change::Restore { who: rob });
    site.cycle().await;
    verified(&mut site).await;
    assert_eq!(site.team("Staff").await, ["Pia", "Quin", "Rob", "Sue"]);
}

/// docs 15842, contrib 7935, graph-explorer 4018: `accountEnabled` or `manager` is missing on later pages. What is
/// missing is not false: nobody is switched off, and who was stays so.
#[tokio::test]
async fn what_later_pages_leave_out_is_asked_for() {
    let world = company(&["page_size=2", "forgotten_on_later_pages=accountEnabled,manager"]);
    for who in ["Bo", "Di", "Pia", "Rob"] {
        let manager = Change::SetManager { who: login(who), manager: Some(login("Ann")) };
        world.change(manager).expect("a manager");
    }
    world.change(Change::Disable { who: login("Sue") }).expect("a change");
    let mut site = Site::start(world).await;
    site.verify = Some(Duration::from_secs(24 * 60 * 60));
    site.cycle().await;
    site.equals().await;
    for who in ["Ann", "Bo", "Cy", "Di", "Ed", "Pia", "Quin", "Rob"] {
        site.change(set(who, "surname", "Holm".into()));
    }
    site.change(Change::Disable { who: login("Rob") });
    site.change(Change::Enable { who: login("Sue") });
    site.cycle().await;
    site.equals().await;
    verified(&mut site).await;
}

/// docs 4946: null properties are missing from delta items. What is cleared ends as where they are shown.
#[tokio::test]
async fn a_cleared_value_that_is_left_out_is_cleared() {
    let mut listings = Vec::new();
    for knobs in [&[][..], &["omit_nulls=true"]] {
        let mut site = begun(knobs).await;
        site.change(set("Di", "department", "Baking".into()));
        site.cycle().await;
        site.change(set("Ann", "surname", serde_json::Value::Null));
        site.change(set("Di", "department", serde_json::Value::Null));
        site.change(set("Ann", "mail", serde_json::Value::Null));
        site.cycle().await;
        assert_eq!(site.cycle().await.written(), 0, "{knobs:?}");
        listings.push(site.listing().await);
    }
    assert_eq!(listings[0], listings[1]);
}

/// msgraph-sdk-java 368, -dotnet 2254: `Directory_ExpiredPageToken` while paging.
#[tokio::test]
async fn a_page_token_that_expires_begins_its_list_again() {
    let mut site = begun(&["page_size=2"]).await;
    let listing = site.listing().await;
    for route in [Route::UsersList, Route::GroupsDelta, Route::Assignments] {
        site.world.fault(Fault { nth: 2, ..Fault::next(route, Trouble::ExpirePage) });
    }
    let record = site.full_cycle().await;
    assert_eq!(site.world.faults(), [], "three tokens expired");
    assert_eq!((record.written(), record.held), (0, 0));
    assert_eq!(site.listing().await, listing);
}

/// msgraph-sdk-dotnet 3102: the SDK drops `members@delta`. We parse it: who comes and goes is known from the feed alone.
#[tokio::test]
async fn members_of_a_round_are_taken() {
    let mut site = begun(&[]).await;
    site.world.reset_counters();
    site.change(Change::Leave { group: "Staff".to_owned(), member: login("Rob") });
    site.change(Change::Join { group: "Staff".to_owned(), member: login("Ann") });
    let record = site.cycle().await;
    assert!(!record.verified && !record.full);
    assert_eq!(site.world.counters().of(Route::Members), 0, "no list of members was asked for");
    assert_eq!(site.team("Staff").await, ["Ann", "Pia", "Quin", "Sue"]);
    site.equals().await;
}
