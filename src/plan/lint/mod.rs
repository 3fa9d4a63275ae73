//! What can be said of a plan before the target says it: what it would refuse, what would surprise people, and what
//! creating them costs. People and teams come one by one; what is kept of them is little.

mod circles;
mod say;
mod semantics;
mod tally;

pub use circles::circles;
pub use semantics::semantics;

use std::collections::BTreeSet;

use serde_json::Value;

use super::Class;
use crate::model::SourceId;
use crate::scim::Attributes;
use crate::scim::profiles::Demands;
use tally::Some5;
use tally::Twice;

/// Where the address of a person is looked for besides `userName`.
const WORK_EMAIL: &str = "emails[type eq \"work\"].value";

/// Somebody who is wanted active.
#[derive(Clone, Debug)]
pub struct Person<'a> {
    pub source: &'a SourceId,
    pub wanted: &'a Attributes,
    /// The source calls him a guest.
    pub guest: bool,
    /// He has an account in the target already.
    pub applied: bool,
    /// What is pending of him; `None` where nothing is.
    pub pending: Option<Class>,
    /// The teams that he is wanted in.
    pub teams: u64,
}

/// A team that is wanted.
#[derive(Clone, Debug)]
pub struct Team<'a> {
    pub source: &'a SourceId,
    pub name: &'a str,
    /// Those who are wanted in it.
    pub members: u64,
}

/// Whoever leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Active accounts now.
    pub active: u64,
    /// Deactivations and deletions of people that are pending.
    pub leaving: u64,
}

/// What was seen of people and teams so far.
pub struct Lint {
    demands: Demands,
    /// What the service wants of a user, by its profile and by the rows of the mapping.
    required: BTreeSet<String>,
    addresses: Twice,
    names: Twice,
    guests: Some5,
    missing: Vec<Some5>,
    odd_mail: Some5,
    odd_letters: Some5,
    unequal: Some5,
    several: Some5,
    in_no_team: Some5,
    large: Some5,
    made: u64,
    back: u64,
    known_domains: BTreeSet<String>,
    new_domains: BTreeSet<String>,
}

impl Lint {
    /// `rows`: the target attributes that the mapping marks as required.
    pub fn new(demands: Demands, rows: &[&str]) -> Lint {
        let required =
            demands.required.iter().map(String::as_str).chain(rows.iter().copied()).map(str::to_owned);
        // Whoever is looked at is wanted active, which is no value of the mapping.
        let required: BTreeSet<String> = required.filter(|path| path != "active").collect();
        Lint {
            demands,
            addresses: Twice::default(),
            names: Twice::default(),
            guests: Some5::default(),
            missing: vec![Some5::default(); required.len()],
            required,
            odd_mail: Some5::default(),
            odd_letters: Some5::default(),
            unequal: Some5::default(),
            several: Some5::default(),
            in_no_team: Some5::default(),
            large: Some5::default(),
            made: 0,
            back: 0,
            known_domains: BTreeSet::new(),
            new_domains: BTreeSet::new(),
        }
    }

    pub fn person(&mut self, person: &Person<'_>) {
        let called = person.wanted.text("userName").unwrap_or(&person.source.0);
        let mail = person.wanted.text(WORK_EMAIL).or_else(|| address(called));
        for address in BTreeSet::from_iter(mail.into_iter().chain([called]).map(crate::scim::fold)) {
            self.addresses.see(address, person.source);
        }
        match person.pending {
            Some(Class::Create) => self.made += 1,
            Some(Class::Reactivate) => self.back += 1,
            _ => {}
        }
        if person.guest {
            self.guests.add(called);
        }
        for (path, missing) in self.required.iter().zip(&mut self.missing) {
            if person.wanted.get(path).is_none_or(Value::is_null) {
                missing.add(called);
            }
        }
        self.values(person, called);
        if person.teams == 0 {
            self.in_no_team.add(called);
        }
        if let Some(domain) = mail.and_then(domain) {
            if person.applied { &mut self.known_domains } else { &mut self.new_domains }.insert(domain);
        }
    }

    fn values(&mut self, person: &Person<'_>, called: &str) {
        for (path, value) in person.wanted.iter() {
            for text in texts(value) {
                if text.chars().any(char::is_control) || text.trim() != text {
                    self.odd_letters.add(&format!("{called} ({path})"));
                }
                if path.starts_with("emails") && address(text).is_none() {
                    self.odd_mail.add(&format!("{called} ({path})"));
                }
            }
        }
        let mail = person.wanted.text(WORK_EMAIL);
        if self.demands.user_name_is_email && mail.is_some_and(|mail| !mail.eq_ignore_ascii_case(called)) {
            self.unequal.add(called);
        }
        for list in &self.demands.single {
            let values: usize = person
                .wanted
                .iter()
                .filter(|(path, _)| path.starts_with(list.as_str()))
                .map(|(_, value)| value.as_array().map_or(1, Vec::len))
                .sum();
            if values > 1 {
                self.several.add(&format!("{called} ({list})"));
            }
        }
    }

    pub fn team(&mut self, team: &Team<'_>) {
        self.names.see(crate::scim::fold(team.name), team.source);
        if self.demands.team_members_max.is_some_and(|most| team.members > most) {
            self.large.add(&format!("{} ({})", team.name, team.members));
        }
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The text, where it looks like a mail address: something, one `@`, and a domain without blanks.
fn address(text: &str) -> Option<&str> {
    let (name, domain) = text.split_once('@')?;
    let sound = !name.is_empty() && !domain.is_empty() && !domain.contains(['@', ' ']) && !name.contains(' ');
    sound.then_some(text)
}

fn domain(address: &str) -> Option<String> {
    address.split_once('@').map(|(_, domain)| domain.to_ascii_lowercase())
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
