//! Weeks of arbitrary days: whatever happens in whatever order, the workspace ends as the directory says.
//! `ROSTERD_TEST_WEEKS=100` plays a hundred of them.

use std::sync::Arc;

use rosterd::model::Reading;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;

use super::both;
use super::shaky::Mishap;
use super::shaky::Shaky;
use super::site::Pages;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;

const DAYS: u32 = 25;

/// Dice that fall the same way every time (a linear congruential generator, Knuth's MMIX constants).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// Ids of everybody and every group that there ever was.
pub struct Cast {
    people: Vec<String>,
    groups: Vec<String>,
    hired: usize,
}

impl Cast {
    pub fn new(site: &Site) -> Cast {
        let ids = |names: &[&str]| names.iter().map(|name| site.id(name)).collect();
        let people = ["Ann", "Bo", "Cy", "Di", "Ed", "Fay"].map(login);
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        Cast { people: ids(&people), groups: ids(&["Sales", "Support", "Kitchen"]), hired: 0 }
    }

    /// One thing that happens; what cannot happen now does not.
    pub fn happens(&mut self, site: &Site, dice: &mut Dice) -> String {
        let who = dice.one(&self.people);
        let (group, to) = (dice.one(&self.groups), dice.one(&self.groups));
        let number = dice.below(1_000_000);
        let change = match dice.below(16) {
            0 => return self.hires(site, dice),
            1 => Change::Set { who, property: "surname".to_owned(), value: format!("S{number}").into() },
            2 => Change::Rename {
                who,
                login: Some(format!("p{number}@acme.example")),
                mail: Some(format!("p{number}@acme.example")),
                given_name: None,
                surname: None,
                display_name: None,
            },
            3 | 4 => Change::Disable { who },
            5 => Change::Enable { who },
            6 => Change::SoftDelete { who },
            7 => Change::Restore { who },
            8 if number.is_multiple_of(4) => Change::Purge { who },
            8 | 9 => Change::Join { group, member: who },
            10 => Change::Leave { group, member: who },
            11 => Change::Move { who, from: group, to },
            12 => Change::Assign { principal: dice.one(&[who, group]), role: None },
            13 => Change::Unassign { principal: dice.one(&[who, group]) },
            14 => Change::RenameGroup { group, name: format!("Team {number}") },
            _ if number.is_multiple_of(5) => Change::DeleteGroup { group },
            _ => Change::RestoreGroup { group },
        };
        let told = format!("{change:?}");
        let happened = site.world.change(change).is_ok();
        if happened { told } else { String::new() }
    }

    /// Two people who have an account swap their names. It is all that happens that day: an account that is switched
    /// off keeps its name, and whoever is given it then is another person, and waits.
    fn swap(&self, site: &Site, dice: &mut Dice) -> String {
        let active: Vec<String> = site.world.snapshot().people.into_keys().collect();
        if active.len() < 2 {
            return String::new();
        }
        let (one, other) = (dice.one(&active), dice.one(&active));
        if one != other {
            site.change(Change::SwapLogins { one: one.clone(), other: other.clone() });
        }
        format!("{one} and {other} swap")
    }

    fn hires(&mut self, site: &Site, dice: &mut Dice) -> String {
        self.hired += 1;
        let name = format!("New{}", self.hired);
        let group = dice.one(&self.groups);
        let live = site.world.snapshot().groups.contains_key(&group);
        let groups: &[&str] = if live { &[&group] } else { &[] };
        hire(&site.world, &name, groups, dice.below(2) == 0);
        self.people.push(site.id(&login(&name)));
        format!("{name} starts")
    }
}

/// Now and then the source is down, or has forgotten us; crashes come on top.
fn weather(flavour: Flavour, dice: &mut Dice) -> Option<Fault> {
    let down = Trouble::Status { status: 503, retry_after: None };
    let expired = Trouble::ExpireDelta { status: 410 };
    match (dice.below(8), flavour) {
        (0, Flavour::Graph) => Some(Fault::always(Route::UsersDelta, down)),
        (0, Flavour::Okta) => Some(Fault::always(Route::AppGroups, down)),
        (1, Flavour::Graph) => Some(Fault::next(Route::UsersDelta, expired)),
        (2, Flavour::Graph) => Some(Fault::next(Route::GroupsDelta, expired)),
        _ => None,
    }
}

async fn weeks(flavour: Flavour, seed: u64) {
    let mut dice = Dice(seed);
    let world = acme(flavour);
    // People to whom nothing happens: without anybody who is known to be there no witness counts.
    let staff = Change::CreateGroup { name: "Staff".to_owned(), id: None, assigned: true };
    world.change(staff).expect("a group");
    for given in ["Pia", "Quin"] {
        hire(&world, given, &["Staff"], true);
    }
    let mut site = Site::with_pages(world, Pages::Small).await;
    let mut cast = Cast::new(&site);
    site.cycle().await;
    let mut diary = Vec::new();
    // A cycle has failed, and there is something to catch up with.
    let mut behind = false;
    for day in 0..DAYS {
        let swap = !behind && dice.below(6) == 0;
        let weather = if swap { None } else { weather(flavour, &mut dice) };
        if swap {
            diary.push(format!("day {day}: {}", cast.swap(&site, &mut dice)));
        } else {
            for _ in 0..dice.below(5) {
                diary.push(format!("day {day}: {}", cast.happens(&site, &mut dice)));
            }
        }
        let reading = if dice.below(6) == 0 { Reading::Full } else { Reading::Incremental };
        diary.push(format!("day {day}: {reading:?}, {weather:?}"));
        weather.into_iter().for_each(|fault| site.world.fault(fault));
        let crash = !swap && dice.below(5) == 0;
        if crash {
            let mishap = dice.one(&Mishap::ALL);
            diary.push(format!("day {day}: {mishap:?}"));
            site.target = Arc::new(Shaky::new(site.workspace(), |_| true, mishap));
        }
        let outcome = site.try_cycle(reading).await;
        site.world.clear_faults();
        if crash {
            site.restart();
        }
        diary.push(format!("day {day}: {:?}", outcome.as_ref().map(|record| &record.done)));
        behind = crash || outcome.is_err();
        if behind {
            continue;
        }
        let (differences, left) = (site.differences().await, site.left().await);
        assert!(differences.is_empty(), "seed {seed}: {differences:#?}\n{left:#?}\n{diary:#?}");
        assert!(left.is_empty(), "seed {seed}: {left:#?}\n{diary:#?}");
    }
    site.cycle().await;
    site.equals().await;
    assert_eq!(site.cycle().await.written(), 0, "seed {seed}");
    assert_eq!(site.open_entries().await, 0, "seed {seed}");
}

both! {
    async fn the_workspace_follows_the_directory(flavour) {
        let seeds = std::env::var("ROSTERD_TEST_WEEKS").ok().and_then(|text| text.parse().ok());
        for seed in 1..=seeds.unwrap_or(3) {
            weeks(flavour, seed).await;
        }
    }
}
