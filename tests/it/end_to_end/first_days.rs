//! The main job: a first cycle, a quiet one, and a day on which things happen.

use std::collections::BTreeMap;

use rosterd::cycle;
use rosterd::plan::Class;
use rosterd::simulators::Assigned;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::World;
use rosterd::simulators::demo_day;

use super::both;
use super::site::JOB;
use super::site::Pages;
use super::site::Site;
use super::site::acme;
use super::site::login;
use super::site::long_ago;

const COMPANY: Size = Size { users: 90, groups: 12, memberships_per_user: 2 };

fn company(flavour: Flavour, seed: u64) -> World {
    World::new(flavour, COMPANY, seed, long_ago())
}

both! {
    async fn the_first_cycle_makes_the_workspace_equal_the_directory(flavour) {
        let mut site = Site::with_pages(company(flavour, 7), Pages::Small).await;
        let record = site.cycle().await;
        site.equals().await;
        assert_eq!(record.failures(), 0);
        assert_eq!(record.held, 0);
        assert_eq!(record.active, site.world.snapshot().people.len() as u64);
        assert_eq!(site.plan().await, [] as [&str; 0]);
    }

    async fn a_second_cycle_writes_nothing(flavour) {
        let mut site = Site::with_pages(company(flavour, 8), Pages::Small).await;
        site.cycle().await;
        let (listing, seen) = (site.listing().await, site.seen());
        let record = site.cycle().await;
        assert_eq!((record.written(), record.failures(), record.held), (0, 0, 0));
        assert_eq!((record.objects_changed, record.edges_changed, record.missing), (0, 0, 0));
        assert_eq!(site.listing().await, listing);
        let without_watermarks = |seen: Vec<String>| -> Vec<String> {
            seen.into_iter().skip_while(|line| !line.starts_with("app ")).collect()
        };
        assert_eq!(without_watermarks(site.seen()), without_watermarks(seen));
    }

    async fn after_a_day_of_changes_the_workspace_equals_the_directory_again(flavour) {
        for seed in [3, 4, 5] {
            let mut site = Site::with_pages(company(flavour, seed), Pages::Small).await;
            site.cycle().await;
            site.equals().await;
            for (told, change) in demo_day(&site.world) {
                assert!(site.world.change(change).is_ok(), "{told}");
            }
            site.cycle().await;
            // The colleague who was given a leaver's address is another person, and waits.
            let snapshot = site.world.snapshot();
            let waits: Vec<&str> = snapshot
                .people
                .values()
                .filter(|person| person.display_name == "Robin Marsh")
                .map(|person| person.login.as_str())
                .collect();
            let [address] = waits[..] else { panic!("one newcomer: {waits:?}") };
            let left = site.left().await;
            assert_eq!(site.differences().await, [format!("{address} has no account")], "seed {seed}: {left:#?}");
            let left = site.left().await;
            let [held] = &left[..] else { panic!("one change is left: {left:#?}") };
            assert!(held.starts_with(&format!("{address} create (held: Retire: ")), "{held}");
            let record = site.cycle().await;
            assert_eq!((record.written(), record.held), (0, 1));
            assert_eq!(site.left().await, left, "the next cycle says the same");
        }
    }
}

both! {
    /// The cerby preset says that the service wants them equal; nobody is held for it.
    async fn people_whose_user_name_is_not_their_e_mail_are_told_of_ahead(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        for who in ["Ann", "Di"] {
            let value = "somewhere@else.example".into();
            site.change(Change::Set { who: login(who), property: "mail".to_owned(), value });
        }
        let record = site.cycle().await;
        assert_eq!((record.notes, record.held), (Vec::new(), 0));
        let demands = site.target.demands();
        let findings = cycle::lint(&site.store, JOB, &site.rules, demands).await.expect("the state");
        let told = findings.iter().find(|finding| finding.subject == "user names").expect("a finding");
        let both = "the target wants userName and work e-mail to be equal; they differ for 2 people (";
        assert!(told.text.starts_with(both), "{}", told.text);
    }
}

/// Design P10: two delta requests, and one page of assignments for each 999. (Everything anew would take several
/// requests of each kind.)
#[tokio::test]
async fn a_quiet_cycle_asks_graph_the_least_there_is() {
    let (users, pages) = (1_100, 2);
    let size = Size { users, groups: 1_010, memberships_per_user: 1 };
    let world = World::seeded(Flavour::Graph, size, Assigned::Everyone, 1, long_ago());
    let mut site = Site::start(world).await;
    let record = site.cycle().await;
    assert_eq!(record.done.get(&Class::Create), Some(&(users as u64)));
    site.world.reset_counters();
    let record = site.cycle().await;
    assert_eq!(record.written(), 0);
    let counters = site.world.counters();
    let least =
        BTreeMap::from([(Route::UsersDelta, 1), (Route::GroupsDelta, 1), (Route::Assignments, pages)]);
    assert_eq!(counters.requests, least);
    assert_eq!(counters.batched, BTreeMap::new());
    assert_eq!(record.source_requests, 2 + pages);
}

/// Okta has no feed: the application, its users, its groups; members only of the groups that are verified at this time
/// of the day, a 36th of them.
#[tokio::test]
async fn a_quiet_cycle_asks_okta_the_least_there_is() {
    let size = Size { users: 1_100, groups: 12, memberships_per_user: 1 };
    let world = World::seeded(Flavour::Okta, size, Assigned::Most, 1, long_ago());
    let mut site = Site::start(world).await;
    site.cycle().await;
    site.equals().await;
    site.world.reset_counters();
    let record = site.cycle().await;
    assert_eq!(record.written(), 0);
    let counters = site.world.counters();
    let verified = counters.of(Route::Members);
    assert!(verified <= 2, "{verified} of 12 groups have their turn");
    let mut least =
        BTreeMap::from([(Route::App, 1), (Route::AppUsers, 2), (Route::AppGroups, 1), (Route::Logs, 1)]);
    least.extend((verified > 0).then_some((Route::Members, verified)));
    assert_eq!(counters.requests, least);
    assert_eq!(record.source_requests, counters.total());
}
