//! What a cycle of Okta costs, in requests: the formula of okta.md section 12, counted by the simulated org.
//!
//! | cycle | requests |
//! |---|---|
//! | full | `1 + ⌈U/500⌉ + ⌈G/200⌉ + Σ max(1, ⌈m/200⌉)` |
//! | later | `1 + ⌈U/500⌉ + ⌈G/200⌉ + Σ max(1, ⌈m/200⌉)` over the groups that changed or have their turn of the day |
//! | each | the log: its pages, and an empty one |
//! | each removal | one question, and one a cycle for the canary |

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use rosterd::client::Secret;
use rosterd::model::Container;
use rosterd::model::Reading;
use rosterd::model::SourceId;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::simulators::API_TOKEN;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::Route;
use rosterd::simulators::World;
use rosterd::simulators::serve;
use rosterd::sources::Source;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use super::okta_org::pull;

const PEOPLE: u64 = 10_000;
const GROUPS: u64 = 500;
/// The first group has so many members more than the others, who are 20 each.
const LARGE: u64 = 1_000;

/// A large org, read from cycle to cycle without a target.
struct Town {
    world: World,
    source: OktaSource,
    marks: Watermarks,
    now: Timestamp,
    _stop: DropGuard,
}

fn login(number: u64) -> String {
    format!("p{number}@acme.example")
}

fn group(number: u64) -> String {
    format!("Team {number}")
}

fn start() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().expect("a time")
}

fn hired(number: u64) -> Change {
    let mut hire = Hire::assigned(&login(number), "P", "Lee");
    hire.groups = vec![group(number % GROUPS)];
    if number < LARGE && !number.is_multiple_of(GROUPS) {
        hire.groups.push(group(0));
    }
    Change::Hire(hire)
}

impl Town {
    async fn start() -> Town {
        let world = World::empty(Flavour::Okta, start() - SignedDuration::from_hours(48));
        world.set_clock(start() - SignedDuration::from_hours(48));
        let change = |change| world.change(change).expect("a change");
        for number in 0..GROUPS {
            change(Change::CreateGroup { name: group(number), id: None, assigned: true });
        }
        (0..PEOPLE).for_each(|number| change(hired(number)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let host = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        tokio::spawn(serve(world.clone(), listener, stop.clone()));
        let mut settings =
            OktaSettings::new(&host, Secret::new(API_TOKEN), OKTA_APP_ID).expect("good settings");
        settings.backoff = Duration::from_millis(1);
        // The daily verification is counted by a test of its own.
        settings.member_reread = Duration::from_secs(365 * 24 * 3600);
        let source = OktaSource::new(settings).expect("a source");
        Town { world, source, marks: Watermarks::new(), now: start(), _stop: stop.drop_guard() }
    }

    /// The requests of one cycle's reading, by kind.
    async fn read(&mut self, reading: Reading) -> BTreeMap<Route, u64> {
        self.world.set_clock(self.now);
        self.world.reset_counters();
        let pulled =
            pull(&self.source, self.source.reads(&self.marks, reading, self.now)).await.expect("whole");
        self.marks.extend(pulled.watermarks);
        self.now += SignedDuration::from_mins(40);
        self.world.set_clock(self.now - SignedDuration::from_mins(20));
        self.world.counters().requests
    }

    fn change(&self, change: Change) {
        self.world.change(change).expect("a change");
    }
}

fn pages(rows: u64, size: u64) -> u64 {
    rows.div_ceil(size).max(1)
}

/// The application and the lists, and so many pages of members.
fn least(members: u64) -> BTreeMap<Route, u64> {
    let lists =
        [(Route::App, 1), (Route::AppUsers, pages(PEOPLE, 500)), (Route::AppGroups, pages(GROUPS, 200))];
    lists.into_iter().chain((members > 0).then_some((Route::Members, members))).collect()
}

/// Without the log, which is asked as often as it has something to tell.
fn lists(mut requests: BTreeMap<Route, u64>) -> BTreeMap<Route, u64> {
    let log = requests.remove(&Route::Logs).unwrap_or_default();
    assert!(log <= 2, "{log} requests to the log");
    requests.remove(&Route::Unknown);
    requests
}

#[tokio::test]
async fn a_full_a_quiet_and_a_busy_cycle_cost_what_the_formula_says() {
    let mut town = Town::start().await;
    // 20 members and the 998 who joined the large group besides.
    let large = PEOPLE / GROUPS + LARGE - 2;
    let members = GROUPS - 1 + pages(large, 200);
    assert_eq!(lists(town.read(Reading::Incremental).await), least(members), "full: 1 + 20 + 3 + 499 + 6");
    assert_eq!(lists(town.read(Reading::Incremental).await), least(0), "quiet: 1 + 20 + 3");

    // Fifty changes: renamed, hired, moved, unassigned. Ten groups have other members for it.
    for number in 0..20 {
        let surname = Some("Holm".to_owned());
        town.change(Change::Rename {
            who: login(1_000 + number),
            login: None,
            mail: None,
            given_name: None,
            surname,
            display_name: None,
        });
    }
    for number in 0..10 {
        let mut hire = Hire::assigned(&login(PEOPLE + number), "New", "Lee");
        hire.groups = Vec::new();
        town.change(Change::Hire(hire));
        town.change(Change::Join { group: group(100 + number), member: login(2_000 + number) });
        // In no assigned group any more, and not assigned: their own group has lost a member as well.
        town.change(Change::SoftDelete { who: login(3_000 + number) });
    }
    let busy = lists(town.read(Reading::Incremental).await);
    assert_eq!(busy, least(10), "50 changes: 1 + 20 + 3 + 10");

    // Each removal is asked for once; those who are still there, once.
    town.world.reset_counters();
    let held = |who: u64| WitnessQuestion::Held {
        container: Container::App(SourceId(OKTA_APP_ID.to_owned())),
        principal: SourceId(town.world.id_of(&login(who)).expect("a person")),
        kind: Kind::User,
    };
    let questions: Vec<WitnessQuestion> = (0..10).map(|number| held(3_000 + number)).collect();
    let answers = town.source.witness(&questions).await.expect("answers");
    assert!(answers.iter().all(|answer| matches!(answer, WitnessAnswer::Absent(_))), "{answers:?}");
    assert_eq!(town.world.counters().of(Route::AppUser), 10);
    assert!(town.world.counters().total() <= 10, "{:?}", town.world.counters());

    assert_eq!(
        lists(town.read(Reading::Full).await),
        least(members),
        "full again, with as many people as before"
    );
}
