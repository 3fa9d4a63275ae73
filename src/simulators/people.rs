//! Changes to people: hired, renamed, disabled, deleted, restored, hired again.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::Flavour;
use super::changes::ChangeError;
use super::changes::Hire;
use super::directory::Directory;
use super::directory::Life;
use super::directory::Person;
use super::directory::Principal;
use super::directory::Status;
use super::events::Event;

type Done = Result<(), ChangeError>;

/// Properties that are computed or have a change of their own.
const NOT_SETTABLE: &[&str] = &[
    "id",
    "accountEnabled",
    "createdDateTime",
    "creationType",
    "deletedDateTime",
    "mailNickname",
    "manager",
    "userPrincipalName",
];

impl Directory {
    pub(super) fn hire(&mut self, hire: Hire, now: Timestamp) -> Done {
        if self.person_by_login(&hire.login).is_some() {
            return Err(ChangeError::LoginTaken);
        }
        let groups =
            hire.groups.iter().map(|group| self.find_group(group)).collect::<Result<Vec<u32>, _>>()?;
        self.require(groups.iter().all(|&group| self.group(group).live()), "joining")?;
        let id = self.given_or_new_id(hire.id.as_deref(), "00u")?;
        let person = self.add_person(new_person(&hire, id, self.flavour, now));
        self.log.push(Event::PersonCreated(person));
        let everyone = (0..self.groups.len() as u32).filter(|&group| self.group(group).built_in);
        for group in groups.into_iter().chain(everyone.collect::<Vec<_>>()) {
            if self.join(group, Principal::User(person)) {
                self.membership_changed(group, now);
                self.log.push(Event::MemberAdded(group, Principal::User(person)));
            }
        }
        if hire.assigned {
            self.assign(Principal::User(person), 0, now);
        }
        Ok(())
    }

    pub(super) fn rehire(&mut self, login: &str, id: Option<String>, now: Timestamp) -> Done {
        let old = (0..self.people.len() as u32)
            .rev()
            .find(|&person| self.person(person).login.to_lowercase() == login.to_lowercase())
            .ok_or(ChangeError::NotFound { what: "person" })?;
        let known = self.person(old);
        let hire = Hire {
            login: login.to_owned(),
            id,
            given_name: known.given_name.as_deref().map(str::to_owned),
            surname: known.surname.as_deref().map(str::to_owned),
            display_name: Some(known.display_name.to_string()),
            mail: known.mail.as_deref().map(str::to_owned),
            guest: known.guest,
            assigned: true,
            ..Hire::default()
        };
        if known.life != Life::Purged {
            let id = known.id.to_string();
            self.purge(&id, now)?;
        }
        self.hire(hire, now)
    }

    pub(super) fn given_or_new_id(
        &mut self,
        given: Option<&str>,
        okta_prefix: &str,
    ) -> Result<Box<str>, ChangeError> {
        let Some(id) = given else { return Ok(self.new_id(okta_prefix)) };
        let well_formed = match self.flavour {
            Flavour::Graph => is_guid(id),
            Flavour::Okta => {
                id.len() == 20
                    && id.starts_with(okta_prefix)
                    && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }
        };
        if well_formed && !self.knows_id(id) { Ok(id.into()) } else { Err(ChangeError::BadId) }
    }

    pub(super) fn set_login(&mut self, who: u32, login: &str, now: Timestamp) -> Done {
        self.require(self.person(who).live(), "renaming")?;
        if self.person_by_login(login).is_some_and(|holder| holder != who) {
            return Err(ChangeError::LoginTaken);
        }
        self.release_login(who);
        self.take_login(who, login);
        self.touch(who, &["userPrincipalName", "mailNickname"], now);
        Ok(())
    }

    pub(super) fn swap_logins(&mut self, one: &str, other: &str, now: Timestamp) -> Done {
        let (one, other) = (self.find_person(one)?, self.find_person(other)?);
        self.require(self.person(one).live() && self.person(other).live(), "renaming")?;
        let (first, second) = (self.person(one).login.clone(), self.person(other).login.clone());
        self.take_login(one, &second);
        self.take_login(other, &first);
        let mail = self.person_mut(one).mail.take();
        let mail = std::mem::replace(&mut self.person_mut(other).mail, mail);
        self.person_mut(one).mail = mail;
        for person in [one, other] {
            self.touch(person, &["userPrincipalName", "mailNickname", "mail", "proxyAddresses"], now);
        }
        Ok(())
    }

    /// Sets or (with null) clears a property.
    pub(super) fn set(&mut self, who: u32, property: &str, value: Value, now: Timestamp) -> Done {
        self.require(self.person(who).live(), "changing a property")?;
        if NOT_SETTABLE.contains(&property) {
            let cure = "it has a change of its own or is computed";
            return Err(ChangeError::BadProperty { property: property.to_owned(), cure });
        }
        if self.flavour == Flavour::Okta && property == "mail" && value.is_null() {
            let cure = "every user of Okta has an address";
            return Err(ChangeError::BadProperty { property: property.to_owned(), cure });
        }
        let person = self.person_mut(who);
        let had_value = match property {
            "mail" => person.mail.is_some(),
            "givenName" => person.given_name.is_some(),
            "surname" => person.surname.is_some(),
            _ => person.attributes.contains_key(property),
        };
        match (property, text_or_null(&value)) {
            ("mail", Some(text)) => person.mail = text,
            ("givenName", Some(text)) => person.given_name = text,
            ("surname", Some(text)) => person.surname = text,
            ("displayName", Some(Some(text))) => person.display_name = text,
            ("mail" | "givenName" | "surname" | "displayName", _) => {
                let cure = "give a text (or null, where it may be cleared)";
                return Err(ChangeError::BadProperty { property: property.to_owned(), cure });
            }
            (_, Some(None)) => {
                person.attributes.remove(property);
            }
            _ => {
                person.attributes.insert(property.into(), value.clone());
            }
        }
        if value.is_null() && had_value {
            person.cleared.insert(property.into());
        }
        match property {
            "mail" => self.touch(who, &["mail", "proxyAddresses"], now),
            _ => self.touch(who, &[property], now),
        }
        Ok(())
    }

    pub(super) fn set_manager(&mut self, who: &str, manager: Option<&str>, now: Timestamp) -> Done {
        let who = self.find_person(who)?;
        let manager = manager.map(|manager| self.find_person(manager)).transpose()?;
        let person = self.person_mut(who);
        person.manager_before = person.manager;
        person.manager = manager;
        self.touch(who, &["manager"], now);
        Ok(())
    }

    pub(super) fn set_status(&mut self, who: &str, status: Status, now: Timestamp) -> Done {
        let who = self.find_person(who)?;
        self.require(self.person(who).live(), "changing the status")?;
        let person = self.person_mut(who);
        if person.status == status {
            return Err(ChangeError::WrongState { what: "entering the same status" });
        }
        person.status = status;
        person.status_changed = now;
        self.touch(who, &["accountEnabled"], now);
        Ok(())
    }

    pub(super) fn set_okta_status(&mut self, who: &str, status: Status, now: Timestamp) -> Done {
        if self.flavour == Flavour::Graph {
            return Err(ChangeError::Unsupported { what: "an Okta status" });
        }
        self.require(status != Status::Deprovisioned, "DEPROVISIONED without soft_delete")?;
        self.set_status(who, status, now)
    }

    pub(super) fn soft_delete(&mut self, who: &str, now: Timestamp) -> Done {
        let who = self.find_person(who)?;
        self.require(self.person(who).live(), "deleting")?;
        if self.deletion_frees_login() {
            self.release_login(who);
        } else {
            // Okta takes the individual assignment away and keeps the memberships (okta.md section 6.1).
            self.drop_assignments(Principal::User(who));
            self.person_mut(who).status = Status::Deprovisioned;
        }
        let person = self.person_mut(who);
        person.life = Life::Deleted(now);
        (person.updated, person.status_changed) = (now, now);
        self.bin.insert((now, Principal::User(who)));
        self.log.push(Event::PersonDeleted(who));
        Ok(())
    }

    pub(super) fn restore(&mut self, who: &str, now: Timestamp) -> Done {
        let who = self.find_person(who)?;
        self.require(self.is_deleted(who), "restoring")?;
        let login = self.person(who).login.clone();
        if self.person_by_login(&login).is_some_and(|holder| holder != who) {
            return Err(ChangeError::LoginTaken);
        }
        self.take_login(who, &login);
        let person = self.person_mut(who);
        person.life = Life::Live;
        if person.status == Status::Deprovisioned {
            person.status = Status::Provisioned;
        }
        (person.updated, person.status_changed) = (now, now);
        self.log.push(Event::PersonRestored(who));
        for group in self.person(who).groups.clone() {
            self.log.push(Event::MemberRestored(group, Principal::User(who)));
        }
        Ok(())
    }

    pub(super) fn purge(&mut self, who: &str, now: Timestamp) -> Done {
        let who = self.find_person(who)?;
        self.require(self.person(who).life != Life::Purged, "purging")?;
        self.release_login(who);
        self.drop_assignments(Principal::User(who));
        self.log.push(Event::PersonPurged(who));
        for group in self.person(who).groups.clone() {
            // Whether a deletion bumps Okta's lastMembershipUpdated is UNCONFIRMED; not bumping it is harsher.
            self.leave(group, Principal::User(who));
            self.log.push(Event::MemberRemoved(group, Principal::User(who)));
        }
        let person = self.person_mut(who);
        person.life = Life::Purged;
        person.updated = now;
        Ok(())
    }

    fn touch(&mut self, who: u32, properties: &[&str], now: Timestamp) {
        self.person_mut(who).updated = now;
        self.log.push(Event::PersonChanged(who, properties.iter().map(|&name| name.into()).collect()));
    }
}

/// A record as `hire` describes it. Okta demands an address: where there is none it is the login.
pub(super) fn new_person(hire: &Hire, id: Box<str>, flavour: Flavour, now: Timestamp) -> Person {
    let names = [hire.given_name.as_deref(), hire.surname.as_deref()];
    let joined = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let display_name = match &hire.display_name {
        Some(name) => name.as_str().into(),
        None if joined.is_empty() => hire.login.as_str().into(),
        None => joined.into(),
    };
    let mail = hire.mail.as_deref().or((flavour == Flavour::Okta).then_some(&hire.login));
    Person {
        id,
        login: hire.login.as_str().into(),
        mail: mail.map(Into::into),
        given_name: hire.given_name.as_deref().map(Into::into),
        surname: hire.surname.as_deref().map(Into::into),
        display_name,
        guest: hire.guest,
        status: Status::Active,
        life: Life::Live,
        manager: None,
        manager_before: None,
        attributes: hire
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.clone()))
            .collect::<BTreeMap<_, _>>(),
        cleared: BTreeSet::new(),
        groups: Vec::new(),
        created: now,
        updated: now,
        status_changed: now,
    }
}

/// `Some(None)` is null, `None` is neither text nor null.
fn text_or_null(value: &Value) -> Option<Option<Box<str>>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.as_str().into())),
        _ => None,
    }
}

/// 8-4-4-4-12 hexadecimal digits.
pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
