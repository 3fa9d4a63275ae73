//! The whole life of a company: people and teams arrive, change, leave, come back and are deleted. It comes from a
//! file, goes through the engine, and after each day the service is compared with the file.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use rosterd::model::Reading;
use rosterd::plan::Class;
use rosterd::plan::Limit;
use rosterd::targets::ServiceProvider;
use serde_json::Value;

use super::filter;
use crate::support::directory::Group;
use crate::support::directory::Person;
use crate::support::story::Stage;

/// Cycles within which a day's changes have arrived.
const CYCLES_MAX: usize = 4;

/// How large the company is.
#[derive(Clone, Copy)]
pub struct Size {
    pub people: usize,
    pub teams: usize,
    /// Who join one team later, all at once.
    pub joiners: usize,
}

pub struct Life {
    pub stage: Stage,
    size: Size,
    /// Whose account should be inactive.
    inactive: BTreeMap<String, Person>,
    /// Whose account should be deleted.
    deleted: BTreeMap<String, Person>,
}

/// One day: what it is called, and what happens.
pub type Day = (&'static str, fn(&mut Life));

pub const HIRED_AGAIN: &str = "are hired again";

/// In this order.
pub const DAYS: [Day; 8] = [
    ("arrive", Life::arrive),
    ("change", Life::change),
    ("leave", Life::leave),
    ("return", Life::come_back),
    ("grow", Life::grow),
    ("shrink", Life::shrink),
    ("delete", Life::delete),
    (HIRED_AGAIN, Life::hire_again),
];

/// A user or a team as the source means it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    pub name: String,
    pub active: bool,
    /// What else is known of it, by path.
    pub values: BTreeMap<&'static str, String>,
    pub members: BTreeSet<String>,
}

impl Life {
    pub async fn of(target: Arc<dyn ServiceProvider>, size: Size) -> Life {
        let mut stage = Stage::new();
        stage.target = target;
        let limit = Limit { count: 1_000_000, percent: 100 };
        stage.limits.classes = Class::ALL.into_iter().map(|class| (class, limit)).collect();
        stage.limits.remove_members_team = None;
        stage.limits.target.removals = None;
        for line in [
            "row displayName displayName",
            "action delete on",
            "leavers soft_deleted delete",
            "leavers teams delete",
        ] {
            stage.command(line).await;
        }
        Life { stage, size, inactive: BTreeMap::new(), deleted: BTreeMap::new() }
    }

    /// Cycles until nothing is left to do; what is left otherwise, and what the last cycle said before.
    pub async fn settle(&mut self) -> Result<(), String> {
        let mut told = Vec::new();
        for _ in 0..CYCLES_MAX {
            let shown = self.stage.cycle(Reading::Incremental).await;
            if shown == "nothing\n" {
                return Ok(());
            }
            told.push(shown);
        }
        Err(told.concat())
    }

    /// Lets the one who is hired again have the account that is still there, inactive: nobody takes it over without
    /// being asked.
    pub async fn approve_adoption(&mut self) {
        let left = self.settle().await.expect_err("it waits for a person");
        assert!(left.contains("(held: Adoption)"), "{left}");
        self.stage.command("approve all").await;
    }

    // The days ------------------------------------------------------------------------------------------

    fn arrive(&mut self) {
        for n in 0..self.size.teams {
            let group = Group { name: format!("Team {n}"), ..Group::default() };
            self.stage.directory.groups.insert(team(n), group);
            self.stage.directory.app.insert(format!("group:{}", team(n)));
        }
        for n in 0..self.size.people {
            self.hire(n);
            self.join(n, 0);
            self.join(n, n % self.size.teams);
        }
    }

    /// New names, new values, other teams.
    fn change(&mut self) {
        self.person(1).surname = "Koch".to_owned();
        self.person(2).given = "Zoë".to_owned();
        self.person(3).address = "new.name@acme.example".to_owned();
        self.stage.directory.groups.get_mut(&team(1)).expect("a team").name = "First team".to_owned();
        self.quit(7, 1);
        self.join(7, 2);
    }

    /// One is disabled, others are in no team any more.
    fn leave(&mut self) {
        self.person(4).enabled = false;
        for n in [5, 10, 11] {
            self.quit_all(n);
        }
        for n in [4, 5, 10, 11] {
            let person = self.stage.directory.people[&id(n)].clone();
            self.inactive.insert(id(n), person);
        }
    }

    fn come_back(&mut self) {
        self.person(4).enabled = true;
        self.join(5, 0);
        self.join(5, 3);
        for n in [4, 5] {
            self.inactive.remove(&id(n));
        }
    }

    /// Far more join one team at once than one request may name.
    fn grow(&mut self) {
        for n in self.joiners() {
            self.hire(n);
            self.join(n, 0);
            self.join(n, 2);
        }
    }

    /// Far more leave it at once than one request may name.
    fn shrink(&mut self) {
        for n in self.joiners().skip(self.size.joiners / 3) {
            self.quit(n, 2);
            self.join(n, 3);
        }
    }

    /// By policy: a person into the recycle bin, a team out of scope.
    fn delete(&mut self) {
        let person = self.stage.directory.people.remove(&id(8)).expect("a person");
        self.quit_all(8);
        self.stage.directory.recycled.insert(format!("user:{}", id(8)));
        self.deleted.insert(id(8), person);
        let last = team(self.size.teams - 1);
        self.stage.directory.app.remove(&format!("group:{last}"));
    }

    fn hire_again(&mut self) {
        self.stage.directory.recycled.clear();
        let mut person = self.deleted.remove(&id(8)).expect("somebody was deleted");
        person.surname = "Again".to_owned();
        self.stage.directory.people.insert(id(8), person);
        self.join(8, 0);
    }

    // What they are made of -----------------------------------------------------------------------------

    fn joiners(&self) -> std::ops::Range<usize> {
        self.size.people..self.size.people + self.size.joiners
    }

    fn hire(&mut self, n: usize) {
        let names = ["Ann O'Neil", "Bo Ångström", "花子 田中", "Иван Петров"];
        let (given, family) = names[n % names.len()].split_once(' ').expect("two names");
        let person = Person {
            address: format!("person{n}@acme.example"),
            given: given.to_owned(),
            surname: format!("{family} {n}"),
            enabled: true,
            further: BTreeMap::new(),
        };
        self.stage.directory.people.insert(id(n), person);
    }

    fn person(&mut self, n: usize) -> &mut Person {
        self.stage.directory.people.get_mut(&id(n)).expect("a person")
    }

    fn join(&mut self, n: usize, into: usize) {
        let group = self.stage.directory.groups.get_mut(&team(into)).expect("a team");
        group.members.insert(format!("user:{}", id(n)));
    }

    fn quit(&mut self, n: usize, from: usize) {
        let group = self.stage.directory.groups.get_mut(&team(from)).expect("a team");
        group.members.remove(&format!("user:{}", id(n)));
    }

    fn quit_all(&mut self, n: usize) {
        (0..self.size.teams).for_each(|from| self.quit(n, from));
    }

    // What it means -------------------------------------------------------------------------------------

    /// Everybody who should have an account, and everybody whose account should be inactive.
    pub fn users(&self) -> Vec<Account> {
        let gone = self.inactive.iter().map(|(id, person)| account(id, person, false));
        let people = self.stage.directory.people.iter().filter(|(id, _)| !self.inactive.contains_key(*id));
        let mut users: Vec<Account> =
            people.map(|(id, person)| account(id, person, true)).chain(gone).collect();
        users.sort();
        users
    }

    /// Whose account should be deleted.
    pub fn deleted(&self) -> Vec<Account> {
        self.deleted.iter().map(|(id, person)| account(id, person, false)).collect()
    }

    pub fn teams(&self) -> Vec<Account> {
        let directory = &self.stage.directory;
        let active = |member: &str| {
            let id = member.strip_prefix("user:")?;
            let person = directory.people.get(id).filter(|_| !self.inactive.contains_key(id))?;
            Some(person.address.clone())
        };
        let mut teams: Vec<Account> = directory
            .groups
            .iter()
            .filter(|(id, _)| directory.app.contains(&format!("group:{id}")))
            .map(|(id, group)| Account {
                name: group.name.clone(),
                active: true,
                values: BTreeMap::from([("externalId", id.clone())]),
                members: group.members.iter().filter_map(|member| active(member)).collect(),
            })
            .collect();
        teams.sort();
        teams
    }
}

/// The text at a path of a resource.
pub fn value(body: &Value, path: &str) -> Option<String> {
    filter::values(body, path).first().and_then(|value| value.as_str()).map(str::to_owned)
}

/// What differs, a line each.
pub fn differences(is: &[Account], should: &[Account]) -> Vec<String> {
    let only = |these: &[Account], those: &[Account], what: &str| -> Vec<String> {
        these.iter().filter(|a| !those.contains(a)).map(|a| format!("{what} {a:?}")).collect()
    };
    [only(is, should, "is"), only(should, is, "should be")].concat()
}

fn account(id: &str, person: &Person, active: bool) -> Account {
    let values = BTreeMap::from([
        ("externalId", id.to_owned()),
        ("displayName", format!("{} {}", person.given, person.surname)),
        ("name.givenName", person.given.clone()),
        ("name.familyName", person.surname.clone()),
        ("emails[type eq \"work\"].value", person.address.clone()),
    ]);
    Account { name: person.address.clone(), active, values, members: BTreeSet::new() }
}

fn id(n: usize) -> String {
    format!("u{n:04}")
}

fn team(n: usize) -> String {
    format!("g{n:02}")
}
