//! The shared handle on one simulated service: its directory, its clock, its faults and its counters.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Instant;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::Assigned;
use super::Flavour;
use super::Size;
use super::changes::Change;
use super::changes::ChangeError;
use super::directory::Directory;
use super::directory::Principal;
use super::exchange::Answer;
use super::exchange::Request;
use super::faults::Fault;
use super::faults::Faults;
use super::graph;
use super::knobs::KnobError;
use super::knobs::Knobs;
use super::okta;
use super::replicas::Replicas;
use super::routes::Counters;
use super::seed::seed;

/// A simulated tenant or org. Clones share it.
#[derive(Clone)]
pub struct World {
    state: Arc<Mutex<State>>,
}

/// Shows the service and the size, not the people.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(f, "{:?} with {} people", state.directory.flavour, state.directory.people.len())
    }
}

pub(super) struct State {
    pub(super) directory: Directory,
    pub(super) faults: Faults,
    pub(super) knobs: Knobs,
    pub(super) counters: Counters,
    /// Okta's buckets: the start of the minute and the requests in it.
    pub(super) buckets: BTreeMap<&'static str, (Timestamp, u32)>,
    /// Who signed in to Okta with what.
    pub(super) sign_ins: okta::SignIns,
    /// Requests that are being answered now.
    pub(super) in_flight: u32,
    /// Copies that lag behind `directory`, where a knob asks for them.
    pub(super) replicas: Replicas,
    /// What the simulated Graph remembers.
    pub(super) graph: graph::Memory,
    /// Answers so far: request ids are made of it.
    pub(super) answered: u64,
    clock: Clock,
}

/// Runs from the given time on, so many times as fast as ours, unless it was set, or goes by somebody else's.
enum Clock {
    Running { from: Timestamp, since: Instant, speed: u32 },
    Stopped(Timestamp),
    Told(Arc<dyn Fn() -> Timestamp + Send + Sync>),
}

impl State {
    pub(super) fn now(&self) -> Timestamp {
        match &self.clock {
            Clock::Stopped(at) => *at,
            Clock::Told(told) => told(),
            Clock::Running { from, since, speed } => {
                let passed = since.elapsed().saturating_mul(*speed);
                let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
                from.saturating_add(passed).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

impl World {
    /// A seeded directory. About nine of ten people are assigned, directly or through groups; from
    /// [`Assigned::EVERYONE_FROM`] people on everybody is, directly, and no group is.
    pub fn new(flavour: Flavour, size: Size, seed: u64, now: Timestamp) -> World {
        World::seeded(flavour, size, Assigned::for_size(size), seed, now)
    }

    /// As `new`, with a say in who is assigned.
    pub fn seeded(
        flavour: Flavour,
        size: Size,
        assigned: Assigned,
        seed_number: u64,
        now: Timestamp,
    ) -> World {
        let mut directory = Directory::new(flavour, seed_number);
        seed(&mut directory, size, assigned, now);
        World::of(directory, now)
    }

    /// Nobody, no groups; the application is there.
    pub fn empty(flavour: Flavour, now: Timestamp) -> World {
        World::of(Directory::new(flavour, 1), now)
    }

    fn of(directory: Directory, now: Timestamp) -> World {
        let state = State {
            directory,
            faults: Faults::default(),
            knobs: Knobs::default(),
            counters: Counters::default(),
            buckets: BTreeMap::new(),
            sign_ins: okta::SignIns::default(),
            in_flight: 0,
            replicas: Replicas::default(),
            graph: graph::Memory::default(),
            answered: 0,
            clock: Clock::Running { from: now, since: Instant::now(), speed: 1 },
        };
        World { state: Arc::new(Mutex::new(state)) }
    }

    /// A panic while the lock was held leaves values that are still whole: every change checks before it acts.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn flavour(&self) -> Flavour {
        self.state().directory.flavour
    }

    /// Makes one change now.
    pub fn change(&self, change: Change) -> Result<(), ChangeError> {
        let mut state = self.state();
        let now = state.now();
        let State { directory, knobs, replicas, .. } = &mut *state;
        match directory.flavour {
            Flavour::Graph => {
                replicas.note(&change, now);
                directory.change(change, now)
            }
            Flavour::Okta => okta::change(directory, &knobs.okta, change, now),
        }
    }

    /// The id of whoever holds the login, or of the group with that name where there is exactly one.
    pub fn id_of(&self, login_or_name: &str) -> Option<String> {
        let state = self.state();
        let principal = state.directory.find_principal(login_or_name).ok()?;
        Some(state.directory.id_of(principal).to_owned())
    }

    /// Sets a fault behind those that wait already.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.0.push(fault);
    }

    /// The faults that still wait.
    pub fn faults(&self) -> Vec<Fault> {
        self.state().faults.0.clone()
    }

    pub fn clear_faults(&self) {
        self.state().faults.0.clear();
    }

    pub fn knobs(&self) -> Knobs {
        self.state().knobs.clone()
    }

    pub fn set_knobs(&self, knobs: Knobs) {
        let mut state = self.state();
        let state = &mut *state;
        state.knobs = knobs;
        if state.directory.flavour == Flavour::Graph {
            state.directory.keeps_deleted_days = state.knobs.graph.deleted_items_days;
            state.replicas.keep(state.knobs.graph.lags(), &state.directory);
        }
    }

    /// Turns one knob of the world's flavour, as `simulate --knob` writes it: `NAME=VALUE`.
    pub fn turn(&self, text: &str) -> Result<(), KnobError> {
        let (flavour, mut knobs) = (self.flavour(), self.knobs());
        knobs.turn(flavour, text)?;
        self.set_knobs(knobs);
        Ok(())
    }

    pub fn counters(&self) -> Counters {
        self.state().counters.clone()
    }

    pub fn reset_counters(&self) {
        self.state().counters = Counters::default();
    }

    /// The time that the service lives in: timestamps, token ages, `Date`.
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }

    /// Stops the clock at that time.
    pub fn set_clock(&self, now: Timestamp) {
        self.state().clock = Clock::Stopped(now);
    }

    /// From now on so many seconds pass in one of ours, so that a day is over in minutes.
    pub fn set_speed(&self, speed: u32) {
        let mut state = self.state();
        state.clock = Clock::Running { from: state.now(), since: Instant::now(), speed };
    }

    /// Goes by somebody else's clock, such as one that a test plays for both sides.
    pub fn go_by(&self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) {
        self.state().clock = Clock::Told(Arc::new(clock));
    }

    /// What a target should show after a cycle.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.state().directory)
    }

    /// Counts a request that is being answered, until the value is dropped.
    pub(super) fn enter(&self) -> Entered {
        self.state().in_flight += 1;
        Entered(self.clone())
    }

    pub(super) fn respond(&self, request: &Request) -> Answer {
        let mut state = self.state();
        let now = state.now();
        state.directory.purge_due(now);
        state.replicas.advance(now);
        match state.directory.flavour {
            Flavour::Graph => graph::respond(&mut state, request),
            Flavour::Okta => okta::respond(&mut state, request),
        }
    }
}

/// A request that is being answered.
pub(super) struct Entered(World);

impl Drop for Entered {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight = state.in_flight.saturating_sub(1);
    }
}

/// The people who should be active in a target, and every group with those of them who are its direct members.
/// Keys and members are source ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub people: BTreeMap<String, ExpectedPerson>,
    pub groups: BTreeMap<String, ExpectedGroup>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedPerson {
    pub login: String,
    pub mail: Option<String>,
    pub given_name: Option<String>,
    pub surname: Option<String>,
    pub display_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedGroup {
    pub name: String,
    /// The group itself is assigned to the application.
    pub assigned: bool,
    pub members: BTreeSet<String>,
}

impl Snapshot {
    /// The groups that are assigned to the application.
    pub fn teams(&self) -> impl Iterator<Item = (&String, &ExpectedGroup)> {
        self.groups.iter().filter(|(_, group)| group.assigned)
    }

    fn of(directory: &Directory) -> Snapshot {
        let active: BTreeSet<u32> =
            (0..directory.people.len() as u32).filter(|&person| directory.is_active(person)).collect();
        let id = |person: u32| directory.person(person).id.to_string();
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let people = active.iter().map(|&index| {
            let person = directory.person(index);
            let expected = ExpectedPerson {
                login: person.login.to_string(),
                mail: text(&person.mail),
                given_name: text(&person.given_name),
                surname: text(&person.surname),
                display_name: person.display_name.to_string(),
            };
            (id(index), expected)
        });
        let live = (0..directory.groups.len() as u32).filter(|&group| directory.group(group).live());
        let groups = live.map(|index| {
            let group = directory.group(index);
            let members = group.members.iter().filter_map(|member| match member {
                Principal::User(person) if active.contains(person) => Some(id(*person)),
                _ => None,
            });
            let expected = ExpectedGroup {
                name: group.name.to_string(),
                assigned: directory.is_assigned(Principal::Group(index)),
                members: members.collect(),
            };
            (group.id.to_string(), expected)
        });
        Snapshot { people: people.collect(), groups: groups.collect() }
    }
}
