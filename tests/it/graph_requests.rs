//! What a cycle asks of Graph, counted by the simulated tenant: docs/graph-source.md has the formula.

use std::collections::VecDeque;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;
use url::Url;

use rosterd::client::Secret;
use rosterd::model::Reading;
use rosterd::model::Watermarks;
use rosterd::simulators;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::World;
use rosterd::sources::Source;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;
use rosterd::sources::graph::GroupsNeed;

use crate::graph_tenant::id;
use crate::graph_tenant::whole;

const USERS: usize = 10_000;
const GROUPS: usize = 100;
const MEMBERSHIPS: usize = 5;

/// Rows of a list, objects and links of a delta page, parts of a batch, ids of a stream.
const ROWS: usize = 999;
const LINKS: usize = 500;
const PARTS: usize = 20;
const IDS: usize = 50;

struct Tenant {
    world: World,
    source: GraphSource,
    watermarks: Watermarks,
    _stop: DropGuard,
}

impl Tenant {
    async fn start(change: impl FnOnce(&World, &mut GraphSettings)) -> Tenant {
        let size = Size { users: USERS, groups: GROUPS, memberships_per_user: MEMBERSHIPS };
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let world = World::new(Flavour::Graph, size, 7, now);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(simulators::serve(world.clone(), listener, stop.clone()));
        let secret = Secret::new(simulators::CLIENT_SECRET);
        let mut settings = GraphSettings::new(simulators::TENANT, simulators::CLIENT_ID, secret);
        settings.authority = root.clone();
        settings.root = root;
        settings.app = Some(id(simulators::GRAPH_APP_ID));
        change(&world, &mut settings);
        let source = GraphSource::new(settings).unwrap();
        Tenant { world, source, watermarks: Watermarks::new(), _stop: stop.drop_guard() }
    }

    /// Every read to its end, as a cycle does it; the requests by route.
    async fn cycle(&mut self) -> Asked {
        self.world.reset_counters();
        let before = self.source.requests();
        let reads = self.source.reads(&self.watermarks, Reading::Incremental, Timestamp::UNIX_EPOCH);
        let mut open: VecDeque<_> = reads.into();
        while let Some(read) = open.pop_front() {
            let name = read.name.clone();
            let read = whole(&self.source, read).await.unwrap();
            open.extend(read.further);
            self.watermarks.extend(read.watermark.map(|watermark| (name, watermark)));
        }
        let counters = self.world.counters();
        let of = |route| counters.of(route) as usize;
        Asked {
            assignments: of(Route::Assignments),
            users_delta: of(Route::UsersDelta),
            bin: of(Route::DeletedItems),
            users: of(Route::UsersList),
            groups_delta: of(Route::GroupsDelta),
            batches: of(Route::Batch),
            all: (self.source.requests() - before) as usize,
        }
    }

    fn assigned_rows(&self) -> usize {
        let snapshot = self.world.snapshot();
        // Whoever is assigned directly, and the groups; nobody has two rows in a seeded directory.
        snapshot.people.len() + GROUPS
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Asked {
    assignments: usize,
    users_delta: usize,
    bin: usize,
    users: usize,
    groups_delta: usize,
    batches: usize,
    all: usize,
}

impl Asked {
    fn sum(&self) -> usize {
        self.assignments + self.users_delta + self.bin + self.users + self.groups_delta + self.batches
    }
}

/// The unfiltered feed of groups.
#[tokio::test]
async fn a_first_load_a_quiet_cycle_and_fifty_changes_cost_the_least_that_they_can() {
    let mut tenant = Tenant::start(|_, _| {}).await;
    let most_rows = tenant.assigned_rows().div_ceil(ROWS);
    let first = tenant.cycle().await;
    println!("{first:?}");
    assert_eq!(first.sum(), first.all, "nothing else is asked");
    assert!(first.assignments <= most_rows, "{first:?}");
    assert_eq!((first.users_delta, first.bin, first.users, first.batches), (1, 1, USERS.div_ceil(ROWS), 0));
    assert!(first.groups_delta <= (USERS * MEMBERSHIPS).div_ceil(LINKS), "{first:?}");

    let quiet = tenant.cycle().await;
    let expected = Asked { users_delta: 1, groups_delta: 1, users: 0, bin: 0, batches: 0, ..first };
    assert_eq!(quiet, Asked { all: first.assignments + 2, ..expected });

    let people: Vec<String> = tenant.world.snapshot().people.keys().take(50).cloned().collect();
    for (number, who) in people.iter().enumerate() {
        let (property, value) = ("department".to_owned(), serde_json::json!(format!("D{number}")));
        tenant.world.change(Change::Set { who: who.clone(), property, value }).unwrap();
    }
    let changed = tenant.cycle().await;
    assert_eq!(changed, Asked { batches: 50_usize.div_ceil(PARTS), all: quiet.all + 3, ..quiet });
}

/// A scope that names its groups by ids pays for these alone.
#[tokio::test]
async fn chosen_groups_cost_a_request_for_each_fifty() {
    let mut tenant = Tenant::start(|world, settings| {
        let groups = world.snapshot().groups.keys().map(|group| id(group)).collect();
        settings.app = None;
        settings.groups = GroupsNeed::Ids(groups);
    })
    .await;
    let groups = tenant.world.snapshot().groups.len();
    let first = tenant.cycle().await;
    assert_eq!((first.assignments, first.users_delta, first.batches), (0, 1, 0));
    let quiet = tenant.cycle().await;
    assert_eq!((quiet.groups_delta, quiet.all), (groups.div_ceil(IDS), 1 + groups.div_ceil(IDS)));
}

/// Where nobody is in scope through a group, no group is read.
#[tokio::test]
async fn everybody_costs_the_list_and_then_one_request() {
    let mut tenant = Tenant::start(|_, settings| {
        settings.app = None;
        settings.groups = GroupsNeed::Ids([].into());
    })
    .await;
    assert_eq!(tenant.cycle().await.all, 2 + USERS.div_ceil(ROWS));
    assert_eq!(tenant.cycle().await.all, 1);
}
