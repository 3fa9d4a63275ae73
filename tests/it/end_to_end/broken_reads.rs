//! Reads that go wrong remove nobody, leave nothing behind, and the next cycle catches up (P1, P4).

use rosterd::model::Reading;
use rosterd::simulators::Assigned;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;

use super::both;
use super::site::Pages;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;
use super::site::long_ago;

/// Large enough that every listing has several pages: Okta gives 20 groups at least, Graph's feeds 999 objects
/// or 4,995 members.
fn company(flavour: Flavour) -> World {
    let groups = match flavour {
        Flavour::Graph => 1_010,
        Flavour::Okta => 72,
    };
    let size = Size { users: 40, groups, memberships_per_user: 2 };
    let world = World::seeded(flavour, size, Assigned::Most, 2, long_ago());
    // Everybody in one team, so that its members have several pages as well.
    let change = Change::CreateGroup { name: "Everybody".to_owned(), id: None, assigned: true };
    world.change(change).expect("a group");
    for given in ["Ann", "Bo", "Cy", "Di", "Ed", "Fay", "Gus", "Hal"] {
        hire(&world, given, &["Everybody"], true);
    }
    world
}

/// Every kind of request that a read makes.
fn routes(flavour: Flavour) -> &'static [Route] {
    match flavour {
        Flavour::Graph => &[Route::Assignments, Route::GroupsDelta, Route::UsersDelta, Route::UsersList],
        Flavour::Okta => &[Route::App, Route::AppUsers, Route::AppGroups, Route::Members],
    }
}

/// Those that are answered on several pages.
fn paged(flavour: Flavour) -> &'static [Route] {
    match flavour {
        Flavour::Graph => &[Route::Assignments, Route::GroupsDelta, Route::UsersList],
        Flavour::Okta => &[Route::AppUsers, Route::AppGroups, Route::Members],
    }
}

/// Somebody leaves, somebody is renamed, somebody comes: work for the cycle that does not get to it.
fn something_happens(site: &Site) {
    site.change(Change::Unassign { principal: login("Ann") });
    site.change(Change::Leave { group: "Everybody".to_owned(), member: login("Ann") });
    site.change(Change::Leave { group: "Everybody".to_owned(), member: login("Bo") });
    let (who, property, value) = (login("Cy"), "surname".to_owned(), "Holm".into());
    site.change(Change::Set { who, property, value });
    hire(&site.world, "Zoe", &["Everybody"], false);
}

/// A full cycle under this fault ends early, and nothing at all has changed. Answers what it said.
async fn fails_without_a_trace(site: &mut Site, fault: Fault) -> String {
    let (listing, seen) = (site.listing().await, site.seen());
    let what = format!("{fault:?}");
    site.world.fault(fault);
    let outcome = site.try_cycle(Reading::Full).await;
    site.world.clear_faults();
    let error = outcome.expect_err(&what);
    assert_eq!(site.listing().await, listing, "{what}: the workspace");
    assert!(site.seen() == seen, "{what}: watermarks and seen");
    error
}

both! {
    async fn a_page_that_fails_in_the_middle_leaves_nothing_behind(flavour) {
        let mut site = Site::with_pages(company(flavour), Pages::Small).await;
        site.cycle().await;
        site.equals().await;
        something_happens(&site);
        for route in routes(flavour) {
            let nth = if paged(flavour).contains(route) { 2 } else { 1 };
            let trouble = Trouble::Status { status: 503, retry_after: None };
            let fault = Fault { route: Some(*route), nth, times: None, trouble };
            let error = fails_without_a_trace(&mut site, fault).await;
            assert!(error.contains("the source could not be read"), "{route:?}: {error}");
        }
        site.cycle().await;
        site.equals().await;
    }

    async fn a_next_link_that_leads_astray_ends_the_read(flavour) {
        let mut site = Site::with_pages(company(flavour), Pages::Small).await;
        site.cycle().await;
        something_happens(&site);
        for route in paged(flavour) {
            let error = fails_without_a_trace(&mut site, Fault::always(*route, Trouble::ForeignHost)).await;
            assert!(error.contains("foreign.example"), "{route:?}: {error}");
            // In Okta the rest of the cycle goes on; a test of its own shows it.
            if flavour == Flavour::Graph {
                let error = fails_without_a_trace(&mut site, Fault::always(*route, Trouble::RepeatCursor)).await;
                assert!(error.contains("turn in a circle"), "{route:?}: {error}");
            }
        }
        site.cycle().await;
        site.equals().await;
    }

    async fn an_answer_that_cannot_be_read_ends_the_read(flavour) {
        let mut site = Site::with_pages(company(flavour), Pages::Small).await;
        site.cycle().await;
        something_happens(&site);
        for route in routes(flavour) {
            for trouble in [Trouble::Truncate, Trouble::Html { status: 200 }, Trouble::Drop] {
                fails_without_a_trace(&mut site, Fault::always(*route, trouble)).await;
            }
        }
        site.cycle().await;
        site.equals().await;
    }

    async fn a_lost_permission_removes_nobody_and_is_named(flavour) {
        let mut site = Site::with_pages(company(flavour), Pages::Small).await;
        site.cycle().await;
        something_happens(&site);
        let permissions: &[(Route, &str)] = match flavour {
            Flavour::Graph => &[
                (Route::UsersDelta, "add the application permission User.Read.All"),
                (Route::UsersList, "add the application permission User.Read.All"),
            ],
            Flavour::Okta => &[
                (Route::App, "Read-only Administrator"),
                (Route::AppUsers, "Read-only Administrator"),
                (Route::AppGroups, "Read-only Administrator"),
            ],
        };
        for (route, cure) in permissions {
            let error = fails_without_a_trace(&mut site, Fault::always(*route, Trouble::Deny)).await;
            assert!(error.contains(cure), "{route:?}: {error}");
        }
        site.cycle().await;
        site.equals().await;
    }

    async fn an_unproven_empty_answer_removes_nobody(flavour) {
        let lists: &[Route] = match flavour {
            Flavour::Graph => &[Route::Assignments, Route::GroupsDelta, Route::UsersList],
            Flavour::Okta => &[Route::AppUsers, Route::AppGroups, Route::Members],
        };
        for route in lists {
            let mut site = Site::start(acme(flavour)).await;
            site.cycle().await;
            let listing = site.listing().await;
            site.world.fault(Fault::always(*route, Trouble::Empty));
            let record = site.full_cycle().await;
            site.world.clear_faults();
            assert!(record.missing > 0, "{route:?}: the list was empty");
            assert_eq!(site.listing().await, listing, "{route:?}");
            let left = site.left().await;
            assert!(!left.is_empty(), "{route:?}: what would be removed is held");
            for line in &left {
                let kinds = ["Disagrees", "Unwitnessed", "Unexplained"];
                assert!(kinds.iter().any(|kind| line.contains(&format!("(held: {kind}: "))), "{line}");
            }
            // The list is whole again, and nobody has to look after it.
            let record = site.cycle().await;
            assert_eq!((record.written(), record.held), (0, 0), "{route:?}: {:#?}", site.left().await);
            site.equals().await;
        }
    }
}

/// A list of Okta that turns in a circle shows what it shows, and proves nothing about the rest (okta.md section 1.1).
#[tokio::test]
async fn a_list_of_okta_that_turns_in_a_circle_removes_nobody_and_the_rest_goes_on() {
    for route in paged(Flavour::Okta) {
        let mut site = Site::with_pages(company(Flavour::Okta), Pages::Small).await;
        site.cycle().await;
        site.world.fault(Fault::always(*route, Trouble::RepeatCursor));
        let record = site.full_cycle().await;
        site.world.clear_faults();
        assert!(record.notes.iter().any(|note| note.contains("turn in a circle")), "{:?}", record.notes);
        assert_eq!((record.written(), record.missing, record.held), (0, 0, 0), "{route:?}");
        something_happens(&site);
        site.cycle().await;
        site.equals().await;
    }
}

/// Members that cannot be read are unknown, not gone; the rest of the cycle goes on.
#[tokio::test]
async fn members_that_may_not_be_read_stay_and_the_rest_goes_on() {
    let mut site = Site::start(acme(Flavour::Okta)).await;
    site.cycle().await;
    site.change(Change::Leave { group: "Sales".to_owned(), member: login("Ann") });
    hire(&site.world, "Zoe", &[], true);
    site.world.fault(Fault::always(Route::Members, Trouble::Deny));
    let record = site.cycle().await;
    site.world.clear_faults();
    let told = record
        .notes
        .iter()
        .any(|note| note.contains("the members of group") && note.contains("Read-only Administrator"));
    assert!(told, "{:?}", record.notes);
    assert_eq!(site.team("Sales").await, ["Ann", "Bo"]);
    assert!(site.accounts().await.contains(&login("Zoe")));
    site.cycle().await;
    site.equals().await;
}

/// One person who cannot be read does not block the others, and is asked for again (P12).
#[tokio::test]
async fn a_changed_person_whom_graph_cannot_give_is_asked_for_again() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.cycle().await;
    for who in ["Cy", "Ed"] {
        let (who, property, value) = (login(who), "surname".to_owned(), "Holm".into());
        site.change(Change::Set { who, property, value });
    }
    let trouble = Trouble::Status { status: 500, retry_after: None };
    // One of the two, at every attempt.
    site.world.fault(Fault { route: Some(Route::User), nth: 2, times: None, trouble });
    let record = site.cycle().await;
    site.world.clear_faults();
    assert!(record.notes.iter().any(|note| note.contains("could not be read")), "{:?}", record.notes);
    assert_eq!(record.written(), 1);
    let record = site.cycle().await;
    assert_eq!(record.written(), 1);
    site.equals().await;
}

/// Without people nothing can be decided; without one of the other collections the rest goes on (P12), and nobody is
/// removed for what was not shown (P1).
#[tokio::test]
async fn a_permission_lost_for_one_collection_of_graph_stops_that_one_alone() {
    for (route, permission) in
        [(Route::Assignments, "Application.Read.All"), (Route::GroupsDelta, "GroupMember.Read.All")]
    {
        for reading in [Reading::Incremental, Reading::Full] {
            let mut site = Site::with_pages(company(Flavour::Graph), Pages::Small).await;
            site.cycle().await;
            let active = site.listing().await;
            let (who, property) = (login("Cy"), "surname".to_owned());
            site.change(Change::Set { who, property, value: "Holm".into() });
            site.world.fault(Fault::always(route, Trouble::Deny));
            let record = site.try_cycle(reading).await.expect("the rest goes on");
            let named =
                |note: &&String| note.contains(&format!("add the application permission {permission}"));
            assert_eq!(record.notes.iter().filter(named).count(), 1, "{:?}", record.notes);
            assert_eq!((record.written(), record.held), (1, 0), "{route:?}: Cy's name alone");
            assert_eq!(site.listing().await.len(), active.len());
            site.world.clear_faults();
            something_happens(&site);
            site.cycle().await;
            site.equals().await;
        }
    }
}

/// Graph forgets what it told us: everything is read anew, and nobody is removed for that (P1).
#[tokio::test]
async fn an_expired_delta_token_starts_over_without_removing_anybody() {
    for status in [400, 410] {
        for (route, read) in [(Route::UsersDelta, "users"), (Route::GroupsDelta, "groups")] {
            let mut site = Site::with_pages(company(Flavour::Graph), Pages::Small).await;
            site.cycle().await;
            let listing = site.listing().await;
            let expired = || Fault::next(route, Trouble::ExpireDelta { status });
            site.world.fault(expired());
            let record = site.cycle().await;
            assert_eq!(site.world.faults(), [], "the token was refused");
            let note = format!("the watermark of `{read}` had expired; it was read from the start");
            assert_eq!(record.notes.iter().filter(|told| **told == note).count(), 1, "{:?}", record.notes);
            assert_eq!((record.written(), record.held), (0, 0));
            assert_eq!(site.listing().await, listing);
            // What happened while nobody could tell is found all the same.
            something_happens(&site);
            site.world.fault(expired());
            site.cycle().await;
            site.equals().await;
            assert_eq!(site.cycle().await.written(), 0);
        }
    }
}
