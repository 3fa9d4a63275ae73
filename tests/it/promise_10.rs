//! P10: an incremental cycle costs what changed, beyond the lists for which a source has no feed. Counted, never timed:
//! requests to source and target, entries of the journal, pages of the state file that are written; with 0, 1 and 10 changes,
//! in a directory of 200 people and in one of 2,000.
//!
//! What a quiet cycle costs under every knob: `end_to_end/graph_knobs.rs`, `okta_knobs.rs`. Figures of 100,000 people:
//! ARCHITECTURE.md, section 7.

use std::collections::BTreeMap;

use rosterd::plan::Class;
use rosterd::plan::CycleRecord;
use rosterd::simulators::Assigned;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::World;
use rosterd::store::LogFilter;

use crate::end_to_end::site::Site;
use crate::end_to_end::site::long_ago;

const SMALL: usize = 200;
const LARGE: usize = 2_000;
const CHANGES: [usize; 3] = [0, 1, 10];
/// A page of the state file, with its head in the write-ahead log.
const FRAME: u64 = 4_096 + 24;
/// How many more pages a change may touch where a directory is ten times as large: its trees are a level deeper.
const DEEPER: u64 = 12;

/// What one cycle cost.
#[derive(Debug)]
struct Cost {
    /// By kind, without the lists that have no feed; a batch is one.
    requests: BTreeMap<Route, u64>,
    /// What was asked within batches.
    batched: BTreeMap<Route, u64>,
    /// Pages of those lists.
    lists: u64,
    pages: u64,
    entries: usize,
    written: u64,
}

/// Lists that a source gives in whole only (design, P10).
fn without_feed(flavour: Flavour) -> &'static [Route] {
    match flavour {
        Flavour::Graph => &[Route::Assignments],
        Flavour::Okta => &[Route::AppUsers, Route::AppGroups],
    }
}

async fn company(flavour: Flavour, people: usize) -> Site {
    let size = Size { users: people, groups: 10, memberships_per_user: 2 };
    let world = World::seeded(flavour, size, Assigned::Most, 7, long_ago());
    for n in 0..10 {
        let hire = Hire::assigned(&format!("someone{n}@acme.example"), "Some", "One");
        world.change(Change::Hire(hire)).expect("a new person");
    }
    let mut site = Site::start(world).await;
    site.cycle().await;
    // What the first reading left to look at once more.
    site.cycle().await;
    site
}

/// Ten people whom the test knows; each cycle renames some of them.
fn rename(site: &Site, people: usize, round: usize) {
    for n in 0..people {
        let who = site.id(&format!("someone{n}@acme.example"));
        let (property, value) = ("surname".to_owned(), format!("Round{round}").into());
        site.change(Change::Set { who, property, value });
    }
}

async fn entries(site: &Site) -> usize {
    let filter = LogFilter { limit: 1_000_000, ..LogFilter::default() };
    site.store.log(filter).await.expect("a log").len()
}

/// Empties the write-ahead log, so that what is in it afterwards is what was written since.
fn checkpoint(site: &Site) {
    let state = rusqlite::Connection::open(site.state_file()).expect("the state");
    let busy: i64 =
        state.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).expect("a checkpoint");
    assert_eq!(busy, 0, "nobody reads meanwhile");
}

fn pages(site: &Site) -> u64 {
    let log = site.state_file().with_extension("db-wal");
    std::fs::metadata(log).map_or(0, |file| file.len() / FRAME)
}

async fn cost(site: &mut Site, changes: usize, round: usize) -> Cost {
    rename(site, changes, round);
    let before = entries(site).await;
    checkpoint(site);
    site.world.reset_counters();
    let record: CycleRecord = site.cycle().await;
    let pages = pages(site);
    let counters = site.world.counters();
    let mut requests = counters.requests;
    // By the time that passed, not by what changed.
    requests.remove(&Route::Token);
    let lists = without_feed(site.world.flavour()).iter().filter_map(|route| requests.remove(route)).sum();
    assert_eq!(record.failures(), 0);
    assert_eq!(record.written(), changes as u64, "{:?}", record.done);
    if changes > 0 {
        assert_eq!(record.done, BTreeMap::from([(Class::Update, changes as u64)]));
    }
    Cost {
        requests,
        batched: counters.batched,
        lists,
        pages,
        entries: entries(site).await - before,
        written: record.written(),
    }
}

async fn costs_what_changed(flavour: Flavour) {
    let (mut small, mut large) = (company(flavour, SMALL).await, company(flavour, LARGE).await);
    let mut quiet = None;
    for (round, changes) in CHANGES.into_iter().enumerate() {
        let (few, many) = (cost(&mut small, changes, round).await, cost(&mut large, changes, round).await);
        println!("{flavour:?}, {changes} changes: {few:?} {many:?}");
        let what = format!("{flavour:?}, {changes} changes: {few:?} of {SMALL}, {many:?} of {LARGE}");
        assert_eq!((&few.requests, &few.batched), (&many.requests, &many.batched), "{what}");
        assert_eq!((few.entries, many.entries), (changes, changes), "{what}");
        assert_eq!(few.written, many.written, "{what}");
        assert!(many.pages <= few.pages + DEEPER * (1 + changes as u64), "{what}");
        // The lists grow by their pages alone.
        assert!(many.lists <= few.lists * 10, "{what}");
        let (quiet_requests, quiet_pages) = *quiet.get_or_insert((total(&many), many.pages));
        assert!(
            total(&many) <= quiet_requests + changes as u64,
            "at most a request for each who changed: {what}"
        );
        assert!(many.pages <= quiet_pages + 40 * changes as u64, "{what}");
    }
}

fn total(cost: &Cost) -> u64 {
    cost.requests.values().sum()
}

#[tokio::test]
async fn a_cycle_over_graph_costs_what_changed_whatever_the_size_of_the_tenant() {
    costs_what_changed(Flavour::Graph).await;
}

#[tokio::test]
async fn a_cycle_over_okta_costs_what_changed_whatever_the_size_of_the_org() {
    costs_what_changed(Flavour::Okta).await;
}

/// A change in one team reads and writes nothing of the others, and nothing of its own members who stay.
#[tokio::test]
async fn one_who_leaves_a_team_costs_one_write_whatever_the_size_of_the_team() {
    for people in [SMALL, LARGE] {
        let size = Size { users: people, groups: 2, memberships_per_user: 2 };
        let world = World::seeded(Flavour::Graph, size, Assigned::Most, 7, long_ago());
        world
            .change(Change::CreateGroup { name: "Everybody".to_owned(), id: None, assigned: true })
            .expect("a group");
        let everybody: Vec<String> = world.snapshot().people.into_keys().collect();
        for member in &everybody {
            world
                .change(Change::Join { group: "Everybody".to_owned(), member: member.clone() })
                .expect("a member");
        }
        let mut site = Site::start(world).await;
        site.cycle().await;
        site.cycle().await;
        for (change, class) in [
            (
                Change::Leave { group: "Everybody".to_owned(), member: everybody[0].clone() },
                Class::RemoveMembers,
            ),
            (Change::Join { group: "Everybody".to_owned(), member: everybody[0].clone() }, Class::AddMembers),
        ] {
            site.change(change);
            let before = entries(&site).await;
            checkpoint(&site);
            site.world.reset_counters();
            let record = site.cycle().await;
            let (requests, pages) = (site.world.counters().requests, pages(&site));
            println!("{people} people, {class:?}: {requests:?}, {pages} pages");
            assert_eq!(record.done, BTreeMap::from([(class, 1)]), "{people}");
            assert_eq!(entries(&site).await - before, 1, "{people}");
            assert_eq!(requests.get(&Route::GroupsDelta), Some(&1), "{people}: {requests:?}");
            assert_eq!(requests.get(&Route::Members), None, "{people}: {requests:?}");
            assert!(pages < 80, "{people}: {pages} pages");
        }
    }
}
