//! Who has the application: directly, or as a direct member of a group that is assigned to it.

use std::collections::BTreeSet;

use super::Flavour;
use super::directory::Assignment;
use super::directory::Directory;
use super::directory::Principal;
use super::directory::Role;

/// Graph's app roles of the simulated application: id, value, display name. The first is the default access,
/// which a service principal does not list (graph.md section 5.7).
pub(super) const ROLES: &[(&str, &str, &str)] = &[
    ("00000000-0000-0000-0000-000000000000", "", "Default Access"),
    ("5b0f5a1e-7c4d-4f0e-9a51-3a1f6e0d2c01", "User", "User"),
    ("c2a9d8b4-1e6f-4a7b-8d3c-90e5f7a6b402", "Admin", "Administrator"),
];

impl Directory {
    /// The rows of one principal.
    pub(super) fn rows_of(&self, principal: Principal) -> impl Iterator<Item = (Role, &Assignment)> {
        self.assignments.range((principal, Role::MIN)..=(principal, Role::MAX)).map(|(key, row)| (key.1, row))
    }

    pub(super) fn is_assigned(&self, principal: Principal) -> bool {
        self.rows_of(principal).next().is_some()
    }

    pub(super) fn id_of(&self, principal: Principal) -> &str {
        match principal {
            Principal::User(person) => &self.person(person).id,
            Principal::Group(group) => &self.group(group).id,
            Principal::Other(other) => &self.others[other as usize].id,
        }
    }

    pub(super) fn name_of(&self, principal: Principal) -> &str {
        match principal {
            Principal::User(person) => &self.person(person).display_name,
            Principal::Group(group) => &self.group(group).name,
            Principal::Other(other) => self.others[other as usize].name,
        }
    }

    /// Whether the directory shows the object at all.
    pub(super) fn is_live(&self, principal: Principal) -> bool {
        match principal {
            Principal::User(person) => self.person(person).live(),
            Principal::Group(group) => self.group(group).live(),
            Principal::Other(_) => true,
        }
    }

    /// The live groups that are assigned to the application, by Okta's priority: the newest comes first.
    pub(super) fn assigned_groups(&self) -> Vec<u32> {
        let mut rows: Vec<(u32, u32)> = self
            .assignments
            .range((Principal::Group(0), Role::MIN)..=(Principal::Group(u32::MAX), Role::MAX))
            .filter_map(|(&(principal, _), row)| match principal {
                Principal::Group(group) if self.group(group).live() => Some((row.order, group)),
                _ => None,
            })
            .collect();
        rows.sort_unstable_by(|one, other| other.cmp(one));
        let mut seen = BTreeSet::new();
        rows.into_iter().map(|(_, group)| group).filter(|&group| seen.insert(group)).collect()
    }

    /// The live assigned groups that have the person as a direct member.
    pub(super) fn assigned_groups_of(&self, person: u32) -> impl Iterator<Item = u32> {
        let groups = self.person(person).groups.iter().copied();
        groups.filter(|&group| self.group(group).live() && self.is_assigned(Principal::Group(group)))
    }

    /// Whether the person holds the application, disabled or not.
    pub(super) fn has_app(&self, person: u32) -> bool {
        self.person(person).live()
            && (self.is_assigned(Principal::User(person)) || self.assigned_groups_of(person).next().is_some())
    }

    /// Whether a target should show the person as active.
    pub(super) fn is_active(&self, person: u32) -> bool {
        self.has_app(person) && self.person(person).status.enabled() && self.org.grants(person)
    }

    /// Every group that the principal belongs to, over any number of levels; a circle ends.
    pub(super) fn ancestors(&self, principal: Principal) -> BTreeSet<u32> {
        let mut open: Vec<u32> = match principal {
            Principal::User(person) => self.person(person).groups.clone(),
            Principal::Group(group) => self.group(group).parents.clone(),
            Principal::Other(_) => Vec::new(),
        };
        let mut found = BTreeSet::new();
        while let Some(group) = open.pop() {
            if self.group(group).live() && found.insert(group) {
                open.extend(&self.group(group).parents);
            }
        }
        found
    }

    /// Everything inside a group, over any number of levels: people, nested groups and the rest, each once.
    pub(super) fn descendants(&self, group: u32) -> BTreeSet<Principal> {
        let mut open = vec![group];
        let mut found = BTreeSet::new();
        while let Some(group) = open.pop() {
            for &member in self.group(group).members.iter().filter(|&&member| self.is_live(member)) {
                let is_new = found.insert(member);
                if let (true, Principal::Group(child)) = (is_new, member) {
                    open.push(child);
                }
            }
        }
        found
    }

    /// Whether a deactivated person still holds the login: in Okta until the record is deleted.
    pub(super) fn deletion_frees_login(&self) -> bool {
        self.flavour == Flavour::Graph
    }
}
