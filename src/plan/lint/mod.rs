//! What can be said of a plan before the target says it: what it would refuse, what would surprise people, and what
//! creating them costs. People and teams come one by one; what is kept of them is little.

mod circles;
mod tally;

pub use circles::circles;

use std::collections::BTreeSet;

use serde_json::Value;

use super::Class;
use crate::model::Finding;
use crate::model::Grade;
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
        let required = demands.required.iter().chain(rows).map(|path| (*path).to_owned());
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
        for list in self.demands.single {
            let values: usize = person
                .wanted
                .iter()
                .filter(|(path, _)| path.starts_with(list))
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

    /// What is to be said, warnings first; each once, with some of whom it is true.
    pub fn findings(self, standing: Standing, circles: &[Vec<String>]) -> Vec<Finding> {
        let mut said = Vec::new();
        let mut warn = |subject: &str, text: String, cure: &str| {
            let grade = if cure.is_empty() { Grade::Ok } else { Grade::Warning };
            said.push(Finding { grade, subject: subject.to_owned(), text, cure: cure.to_owned() });
        };
        if let Some(shared) = self.addresses.told("address", "people") {
            warn(
                "addresses",
                shared,
                "give each person an address of their own in the source, or leave one out of scope",
            );
        }
        if let Some(shared) = self.names.told("team name", "groups") {
            warn(
                "team names",
                shared,
                "name one differently: [jobs.NAME.teams.\"id:…\"] name = \"…\", or set team_names = \"suffix\"",
            );
        }
        for (path, missing) in self.required.iter().zip(&self.missing) {
            if let Some(whom) = missing.told("person", "people") {
                let text = format!("the target wants `{path}`, and {whom} would have none");
                warn("required", text, "fill it in the source, or give the mapping row a default");
            }
        }
        if let Some(whom) = self.odd_mail.told("value that is no address", "values that are no addresses") {
            warn("e-mail", whom, "correct it in the source, or map another attribute");
        }
        if let Some(whom) = self.odd_letters.told("value", "values") {
            let text = format!("{whom} begins or ends with a blank, or has an unprintable character");
            warn(
                "values",
                text,
                "correct it in the source, or map it through an expression such as StripSpaces",
            );
        }
        if let Some(whom) = self.unequal.told("person", "people") {
            let text =
                format!("the target wants userName and work e-mail to be equal; they differ for {whom}");
            warn("user names", text, "map both from one attribute");
        }
        if let Some(whom) = self.several.told("list", "lists") {
            warn("lists", format!("the target keeps one value of {whom} with more"), "map one value only");
        }
        if let (Some(whom), Some(most)) = (self.large.told("team", "teams"), self.demands.team_members_max) {
            let text = format!("the target takes at most {most} members a team, and {whom} would have more");
            warn("team size", text, "divide the group, or leave it out of scope.teams");
        }
        for circle in circles {
            let text = format!("groups contain each other in a circle: {}", circle.join(" → "));
            warn(
                "circles",
                text,
                "take one of them out of the other in the source; who is in scope is right all the same",
            );
        }
        if let Some(whom) = self.guests.told("guest", "guests") {
            let cure = "if guests should have no account: [jobs.NAME.scope.users] guests = false";
            warn("guests", format!("{whom} would be active in the target"), cure);
        }
        if let Some(whom) = self.in_no_team.told("person", "people").filter(|_| self.demands.access_by_team) {
            let text = format!("access hangs on teams there, and {whom} would be in none");
            warn("teams", text, "add the groups that give access to scope.teams");
        }
        let after = (standing.active + self.made + self.back).saturating_sub(standing.leaving);
        if self.made + self.back > 0 || self.demands.seats.is_some_and(|seats| after > seats) {
            let text = format!(
                "{} active now, {} new, {} active again, {} leaving: {after} in all",
                standing.active, self.made, self.back, standing.leaving
            );
            match self.demands.seats {
                Some(seats) if after > seats => warn(
                    "seats",
                    format!("{text}, of {seats} seats"),
                    "buy more, or narrow scope.users; the number is [targets.NAME.scim] seats",
                ),
                Some(seats) => warn("seats", format!("{text}, of {seats} seats"), ""),
                None => warn("seats", text, ""),
            }
        }
        if self.made > 0 && self.demands.invites {
            warn(
                "invitations",
                format!("{} will get an invitation by mail", counted(self.made, "person", "people")),
                "",
            );
        }
        let unknown: Vec<&String> = self.new_domains.difference(&self.known_domains).collect();
        let telling = self.demands.verified_domains || !self.known_domains.is_empty();
        if telling && !unknown.is_empty() {
            let text = format!("not seen in the target yet: {}", tally::some(&unknown, unknown.len() as u64));
            let cure = if self.demands.verified_domains {
                "verify them in the service, else their people are created and cannot sign in"
            } else {
                ""
            };
            warn("mail domains", text, cure);
        }
        said.sort_by_key(|finding| std::cmp::Reverse(finding.grade));
        said
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
