//! The simulated world: people, groups, memberships, assignments to one application, and the log of changes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::Flavour;
use super::events::Event;
use super::okta::Org;
use super::random::Random;

/// How long Graph's recycle bin keeps what was deleted (graph.md section 5.9).
pub(super) const DELETED_ITEMS_DAYS: i64 = 30;

/// What can be a member of a group or be assigned to the application. The number is an index; objects are never
/// taken out of their vectors, so an index stays good for ever and a listing can go on from the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Principal {
    User(u32),
    Group(u32),
    /// A device or a service principal: there to be skipped by clients.
    Other(u32),
}

/// Okta's user statuses (okta.md section 6.1). Graph knows only whether an account is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Staged,
    Provisioned,
    Active,
    Recovery,
    PasswordExpired,
    LockedOut,
    Suspended,
    Deprovisioned,
}

impl Status {
    /// Whether the account may be used; what `active` becomes in a target (okta.md section 6.1).
    pub(super) fn enabled(self) -> bool {
        !matches!(self, Status::Staged | Status::Suspended | Status::Deprovisioned)
    }
}

/// Where an object is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Live,
    /// In Graph's recycle bin; a deactivated user of Okta.
    Deleted(Timestamp),
    /// Gone for good. The record stays, so that the change log can name it.
    Purged,
}

#[derive(Clone)]
pub(super) struct Person {
    pub(super) id: Box<str>,
    /// User principal name or Okta login.
    pub(super) login: Box<str>,
    pub(super) mail: Option<Box<str>>,
    pub(super) given_name: Option<Box<str>>,
    pub(super) surname: Option<Box<str>>,
    pub(super) display_name: Box<str>,
    pub(super) guest: bool,
    pub(super) status: Status,
    pub(super) life: Life,
    pub(super) manager: Option<u32>,
    /// Whom a manager that was taken away was, for the delta feed.
    pub(super) manager_before: Option<u32>,
    /// Everything else, by Graph's property names (`department`, `jobTitle`, …).
    pub(super) attributes: BTreeMap<Box<str>, Value>,
    /// Properties that once had a value: delta shows them as null, never-set ones not at all (graph.md 6.2).
    pub(super) cleared: BTreeSet<Box<str>>,
    pub(super) groups: Vec<u32>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) status_changed: Timestamp,
}

impl Person {
    pub(super) fn live(&self) -> bool {
        self.life == Life::Live
    }
}

#[derive(Clone)]
pub(super) struct Group {
    pub(super) id: Box<str>,
    pub(super) name: Box<str>,
    pub(super) description: Option<Box<str>>,
    /// Everything else, by Graph's property names (`visibility`, `groupTypes`, …).
    pub(super) attributes: BTreeMap<Box<str>, Value>,
    /// Okta's `Everyone`: its members come by themselves.
    pub(super) built_in: bool,
    pub(super) life: Life,
    pub(super) members: BTreeSet<Principal>,
    /// The groups that this group is a member of.
    pub(super) parents: Vec<u32>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) membership_updated: Timestamp,
}

impl Group {
    pub(super) fn live(&self) -> bool {
        self.life == Life::Live
    }
}

/// A device or service principal.
#[derive(Clone)]
pub(super) struct Other {
    pub(super) id: Box<str>,
    /// The last part of `#microsoft.graph.…`.
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
}

/// One row that gives a principal a role of the application.
#[derive(Clone)]
pub(super) struct Assignment {
    pub(super) id: Box<str>,
    pub(super) created: Timestamp,
    /// Counts up; Okta's priority is its reverse (the group assigned last comes first, okta/013 of the corpus).
    pub(super) order: u32,
}

/// Index into `roles::ROLES`; Okta uses the first only.
pub(super) type Role = u8;

/// The whole world of one tenant or org.
pub(super) struct Directory {
    pub(super) flavour: Flavour,
    pub(super) people: Vec<Person>,
    pub(super) groups: Vec<Group>,
    pub(super) others: Vec<Other>,
    pub(super) assignments: BTreeMap<(Principal, Role), Assignment>,
    pub(super) app_enabled: bool,
    /// Everything that happened since the seed; a delta token is a length of this log.
    pub(super) log: Vec<Event>,
    pub(super) random: Random,
    /// Okta alone.
    pub(super) org: Org,
    /// What sits in Graph's recycle bin and since when. Restored and purged objects may still be named.
    pub(super) bin: BTreeSet<(Timestamp, Principal)>,
    /// Days until what sits in the bin is purged; `None` keeps it for ever.
    pub(super) keeps_deleted_days: Option<i64>,
    people_by_id: HashMap<Box<str>, u32>,
    groups_by_id: HashMap<Box<str>, u32>,
    /// By login in lower case; whoever holds it now.
    logins: HashMap<String, u32>,
    assigned_so_far: u32,
}

impl Directory {
    pub(super) fn new(flavour: Flavour, seed: u64) -> Self {
        Directory {
            flavour,
            people: Vec::new(),
            groups: Vec::new(),
            others: Vec::new(),
            assignments: BTreeMap::new(),
            app_enabled: true,
            log: Vec::new(),
            random: Random::new(seed),
            org: Org::default(),
            bin: BTreeSet::new(),
            keeps_deleted_days: (flavour == Flavour::Graph).then_some(DELETED_ITEMS_DAYS),
            people_by_id: HashMap::new(),
            groups_by_id: HashMap::new(),
            logins: HashMap::new(),
            assigned_so_far: 0,
        }
    }

    /// The same directory once more, for Graph: what Okta alone has stays behind.
    pub(super) fn copy(&self) -> Directory {
        Directory {
            flavour: self.flavour,
            people: self.people.clone(),
            groups: self.groups.clone(),
            others: self.others.clone(),
            assignments: self.assignments.clone(),
            app_enabled: self.app_enabled,
            log: self.log.clone(),
            random: self.random.clone(),
            org: Org::default(),
            bin: self.bin.clone(),
            keeps_deleted_days: self.keeps_deleted_days,
            people_by_id: self.people_by_id.clone(),
            groups_by_id: self.groups_by_id.clone(),
            logins: self.logins.clone(),
            assigned_so_far: self.assigned_so_far,
        }
    }

    pub(super) fn person(&self, index: u32) -> &Person {
        &self.people[index as usize]
    }

    pub(super) fn person_mut(&mut self, index: u32) -> &mut Person {
        &mut self.people[index as usize]
    }

    pub(super) fn group(&self, index: u32) -> &Group {
        &self.groups[index as usize]
    }

    pub(super) fn group_mut(&mut self, index: u32) -> &mut Group {
        &mut self.groups[index as usize]
    }

    pub(super) fn person_by_id(&self, id: &str) -> Option<u32> {
        self.people_by_id.get(id).copied()
    }

    pub(super) fn person_by_login(&self, login: &str) -> Option<u32> {
        self.logins.get(&login.to_lowercase()).copied()
    }

    pub(super) fn group_by_id(&self, id: &str) -> Option<u32> {
        self.groups_by_id.get(id).copied()
    }

    /// The live group of that name, where there is exactly one beside what Okta's pushes have made of it.
    pub(super) fn group_by_name(&self, name: &str) -> Option<u32> {
        let mut hits = (0..self.groups.len() as u32).filter(|&index| {
            let group = self.group(index);
            group.live() && &*group.name == name && !self.org.is_mirror(index)
        });
        let only = hits.next()?;
        hits.next().is_none().then_some(only)
    }

    pub(super) fn knows_id(&self, id: &str) -> bool {
        self.people_by_id.contains_key(id) || self.groups_by_id.contains_key(id)
    }

    pub(super) fn new_id(&mut self, okta_prefix: &str) -> Box<str> {
        match self.flavour {
            Flavour::Graph => self.random.guid(),
            Flavour::Okta => self.random.okta_id(okta_prefix),
        }
    }

    pub(super) fn add_person(&mut self, person: Person) -> u32 {
        let index = self.people.len() as u32;
        self.people_by_id.insert(person.id.clone(), index);
        self.logins.insert(person.login.to_lowercase(), index);
        self.people.push(person);
        index
    }

    pub(super) fn add_group(&mut self, group: Group) -> u32 {
        let index = self.groups.len() as u32;
        self.groups_by_id.insert(group.id.clone(), index);
        self.groups.push(group);
        index
    }

    /// Gives the login to the person; whoever held it before has to have been asked.
    pub(super) fn take_login(&mut self, person: u32, login: &str) {
        self.logins.insert(login.to_lowercase(), person);
        self.person_mut(person).login = login.into();
    }

    /// The login is free again; the record still shows it.
    pub(super) fn release_login(&mut self, person: u32) {
        let login = self.person(person).login.to_lowercase();
        if self.logins.get(&login) == Some(&person) {
            self.logins.remove(&login);
        }
    }

    /// Adds an edge; false where it was there already.
    pub(super) fn join(&mut self, group: u32, member: Principal) -> bool {
        if !self.group_mut(group).members.insert(member) {
            return false;
        }
        match member {
            Principal::User(person) => self.person_mut(person).groups.push(group),
            Principal::Group(child) => self.group_mut(child).parents.push(group),
            Principal::Other(_) => {}
        }
        true
    }

    /// Takes an edge away; false where there was none.
    pub(super) fn leave(&mut self, group: u32, member: Principal) -> bool {
        if !self.group_mut(group).members.remove(&member) {
            return false;
        }
        match member {
            Principal::User(person) => self.person_mut(person).groups.retain(|&held| held != group),
            Principal::Group(child) => self.group_mut(child).parents.retain(|&held| held != group),
            Principal::Other(_) => {}
        }
        true
    }

    /// Members came or went.
    pub(super) fn membership_changed(&mut self, group: u32, now: Timestamp) {
        let before = std::mem::replace(&mut self.group_mut(group).membership_updated, now);
        if self.flavour == Flavour::Okta {
            self.org.remember_membership(group, before);
        }
    }

    pub(super) fn members_who_are_people(&self, group: u32) -> impl Iterator<Item = u32> {
        self.group(group).members.iter().filter_map(|member| match member {
            Principal::User(person) => Some(*person),
            _ => None,
        })
    }

    /// Adds an assignment; false where it was there already.
    pub(super) fn assign(&mut self, principal: Principal, role: Role, now: Timestamp) -> bool {
        if self.assignments.contains_key(&(principal, role)) {
            return false;
        }
        let id = self.random.alphanumeric(43).into();
        let order = self.assigned_so_far;
        self.assigned_so_far += 1;
        self.assignments.insert((principal, role), Assignment { id, created: now, order });
        true
    }
}
