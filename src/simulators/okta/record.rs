//! Makes a change in an org: the change itself, the jobs that run after it, and the entries of the System Log.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::Timestamp;

use super::super::changes::Change;
use super::super::changes::ChangeError;
use super::super::directory::Directory;
use super::super::directory::Principal;
use super::super::directory::Status;
use super::super::events::Event;
use super::OktaKnobs;
use super::log::Cause;
use super::log::Subject;
use super::org::Job;
use super::org::Names;

/// What has to be known from before a change.
struct Before {
    /// People whose row the change may give or take, with whether they had the application.
    people: Vec<(u32, bool, Status, Option<Names>)>,
    events: usize,
    app_enabled: bool,
}

pub(in super::super) fn change(
    directory: &mut Directory,
    knobs: &OktaKnobs,
    change: Change,
    now: Timestamp,
) -> Result<(), ChangeError> {
    if let Change::Okta { what } = change {
        return directory.change_org(knobs, what, now);
    }
    let before = Before::of(directory, &change);
    directory.change(change.clone(), now)?;
    let mut record = Record { directory, knobs, now };
    let fresh = record.directory.log[before.events..].to_vec();
    record.tell_events(&fresh, &before);
    record.tell_assignment(&change, before.app_enabled);
    record.settle_rows(&change, &fresh, &before);
    Ok(())
}

impl Before {
    fn of(directory: &Directory, change: &Change) -> Before {
        let people = concerned(directory, change).into_iter().map(|index| {
            let person = directory.person(index);
            let names = Names {
                login: person.login.clone(),
                mail: person.mail.clone(),
                given_name: person.given_name.clone(),
                surname: person.surname.clone(),
            };
            let one =
                matches!(change, Change::Rename { .. } | Change::Set { .. } | Change::SwapLogins { .. });
            (index, directory.has_app(index), person.status, one.then_some(names))
        });
        Before { people: people.collect(), events: directory.log.len(), app_enabled: directory.app_enabled }
    }

    fn status(&self, person: u32) -> Option<Status> {
        self.people.iter().find(|(known, ..)| *known == person).map(|(_, _, status, _)| *status)
    }
}

/// Everybody whom a change may concern. Who is hired is known only afterwards.
fn concerned(directory: &Directory, change: &Change) -> BTreeSet<u32> {
    let names: Vec<&str> = match change {
        Change::Assign { principal, .. } | Change::Unassign { principal } => vec![principal],
        Change::DeleteGroup { group } | Change::PurgeGroup { group } => vec![group],
        Change::Join { member, .. } | Change::Leave { member, .. } => vec![member],
        Change::SwapLogins { one, other } => vec![one, other],
        Change::Rehire { login, .. } => vec![login],
        Change::Rename { who, .. }
        | Change::Set { who, .. }
        | Change::SetManager { who, .. }
        | Change::Disable { who }
        | Change::Enable { who }
        | Change::SetStatus { who, .. }
        | Change::SoftDelete { who }
        | Change::Restore { who }
        | Change::Purge { who }
        | Change::Move { who, .. } => vec![who],
        _ => Vec::new(),
    };
    let mut people = BTreeSet::new();
    for principal in names.into_iter().filter_map(|name| directory.find_principal(name).ok()) {
        match principal {
            Principal::User(person) => _ = people.insert(person),
            Principal::Group(group) => people.extend(directory.members_who_are_people(group)),
            Principal::Other(_) => {}
        }
    }
    people
}

struct Record<'a> {
    directory: &'a mut Directory,
    knobs: &'a OktaKnobs,
    now: Timestamp,
}

impl Record<'_> {
    fn tell(&mut self, kind: &'static str, subjects: &[Subject]) {
        self.directory.org.log.write(self.knobs, self.now, kind, Cause::Administrator, subjects);
    }

    fn tell_events(&mut self, events: &[Event], before: &Before) {
        let purged = events.iter().any(|event| matches!(event, Event::PersonPurged(_)));
        for event in events {
            match event {
                Event::PersonCreated(person) => {
                    self.tell("user.lifecycle.create", &[Subject::User(*person)]);
                    self.tell("user.lifecycle.activate", &[Subject::User(*person)]);
                }
                Event::PersonChanged(person, properties) => self.tell_person(*person, properties, before),
                Event::PersonDeleted(person) => {
                    self.tell("user.lifecycle.deactivate", &[Subject::User(*person)]);
                }
                Event::PersonRestored(person) => {
                    self.tell("user.lifecycle.reactivate", &[Subject::User(*person)]);
                    self.tell("user.lifecycle.activate", &[Subject::User(*person)]);
                }
                Event::PersonPurged(person) => {
                    self.tell("user.lifecycle.delete.initiated", &[Subject::User(*person)]);
                    self.tell("user.lifecycle.delete.completed", &[Subject::User(*person)]);
                }
                Event::GroupCreated(group) => self.tell("group.lifecycle.create", &[Subject::Group(*group)]),
                Event::GroupChanged(group, _) => self.tell("group.profile.update", &[Subject::Group(*group)]),
                Event::GroupPurged(group) => self.group_is_gone(*group),
                Event::MemberAdded(group, Principal::User(person)) => {
                    self.tell_member(*group, *person, "group.user_membership.add");
                }
                // Deleting a user gives no entry for each of the groups (okta.md section 4).
                Event::MemberRemoved(group, Principal::User(_)) if purged => self.lost_by_deletion(*group),
                Event::MemberRemoved(group, Principal::User(person)) => {
                    self.tell_member(*group, *person, "group.user_membership.remove");
                }
                _ => {}
            }
        }
    }

    fn tell_person(&mut self, person: u32, properties: &[Box<str>], before: &Before) {
        let user = Subject::User(person);
        let changed = |name: &str| properties.iter().any(|property| &**property == name);
        if changed("accountEnabled") {
            let was = before.status(person).unwrap_or(Status::Active);
            return self.tell(status_event(was, self.directory.person(person).status), &[user]);
        }
        self.tell("user.account.update_profile", &[user]);
        if changed("mail") {
            self.tell("user.account.update_primary_email", &[user]);
        }
        if changed("userPrincipalName") && self.directory.has_app(person) {
            self.tell(
                "application.user_membership.change_username",
                &[Subject::AppUser(person), Subject::App, user],
            );
        }
    }

    /// Who is in the built-in group of everybody is not told; of imported groups the import tells.
    fn tell_member(&mut self, group: u32, person: u32, kind: &'static str) {
        let imported = self.directory.org.groups.get(&group).is_some_and(|facts| facts.source.is_some());
        let kind = if imported { "app.user_management" } else { kind };
        if !self.directory.group(group).built_in {
            self.tell(kind, &[Subject::User(person), Subject::Group(group)]);
        }
    }

    fn lost_by_deletion(&mut self, group: u32) {
        if self.knobs.deletion_moves_membership {
            self.directory.membership_changed(group, self.now);
        }
    }

    /// Its members are not listed.
    fn group_is_gone(&mut self, group: u32) {
        self.tell("group.lifecycle.delete", &[Subject::Group(group)]);
        let facts = self.directory.org.groups.entry(group).or_default();
        facts.deleted = Some(self.now);
    }

    fn tell_assignment(&mut self, change: &Change, was_enabled: bool) {
        let found = |directory: &Directory, name: &str| match directory.find_principal(name) {
            Ok(Principal::Group(group)) => Some(group),
            _ => None,
        };
        let told = match change {
            Change::Assign { principal, .. } => {
                found(self.directory, principal).map(|group| ("group.application_assignment.add", group))
            }
            Change::Unassign { principal } => {
                found(self.directory, principal).map(|group| ("group.application_assignment.remove", group))
            }
            Change::CreateGroup { assigned: true, .. } => {
                let newest = self.directory.groups.len().checked_sub(1);
                newest.map(|group| ("group.application_assignment.add", group as u32))
            }
            _ => None,
        };
        if let Some((kind, group)) = told {
            self.tell(kind, &[Subject::Group(group), Subject::App]);
        }
        match (was_enabled, self.directory.app_enabled) {
            (true, false) => self.tell("application.lifecycle.deactivate", &[Subject::App]),
            (false, true) => self.tell("application.lifecycle.activate", &[Subject::App]),
            _ => {}
        }
    }

    /// Rows come and go by jobs where a group or a deactivation is the cause (okta.md sections 6.1 and 11).
    fn settle_rows(&mut self, change: &Change, events: &[Event], before: &Before) {
        let hired = events.iter().filter_map(|event| match event {
            Event::PersonCreated(person) => Some((*person, false, None)),
            _ => None,
        });
        let known = before.people.iter().map(|(person, had, _, names)| (*person, *had, names.clone()));
        for (person, had, names) in known.chain(hired).collect::<Vec<_>>() {
            self.settle_row(change, person, had, names);
        }
    }

    fn settle_row(&mut self, change: &Change, person: u32, had: bool, names: Option<Names>) {
        let has = self.directory.has_app(person);
        if had && has {
            if let Some(names) = names {
                self.directory.org.as_assigned.entry(person).or_insert(names);
            }
            return;
        }
        if had == has {
            return;
        }
        self.directory.org.as_assigned.remove(&person);
        let (seconds, cause) = self.delay(change, person);
        let ends = match seconds {
            // An inactive application keeps its rows.
            None => Timestamp::MAX,
            Some(seconds) => {
                self.now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
            }
        };
        if ends > self.now {
            let shown = self
                .directory
                .org
                .jobs
                .get(&person)
                .filter(|job| job.ends > self.now)
                .map_or(had, |job| job.shown);
            self.directory.org.jobs.insert(person, Job { ends, shown });
        } else {
            self.directory.org.jobs.remove(&person);
        }
        if ends < Timestamp::MAX {
            let provisions = self.directory.org.app.provisioning_since.is_some();
            let row = [Subject::AppUser(person), Subject::App, Subject::User(person)];
            let kind =
                if has { "application.user_membership.add" } else { "application.user_membership.remove" };
            let log = &mut self.directory.org.log;
            log.write(self.knobs, ends, kind, cause, &row);
            if provisions {
                log.write(self.knobs, ends, provisioning(has), Cause::Job, &row);
            }
        }
        if !has {
            self.directory.org.rows.remove(&person);
        }
    }

    /// Seconds until the row follows, `None` for never.
    fn delay(&self, change: &Change, person: u32) -> (Option<i64>, Cause) {
        let directly = |name: &str| self.directory.find_principal(name) == Ok(Principal::User(person));
        match change {
            Change::SoftDelete { .. } if !self.directory.app_enabled => (None, Cause::Job),
            Change::SoftDelete { .. } => (Some(self.knobs.deactivation_seconds), Cause::Job),
            Change::Assign { principal, .. } | Change::Unassign { principal } if directly(principal) => {
                (Some(0), Cause::Administrator)
            }
            Change::Hire(hire) if hire.assigned => (Some(0), Cause::Administrator),
            Change::Rehire { .. } | Change::Purge { .. } => (Some(0), Cause::Administrator),
            _ => (Some(self.knobs.job_seconds), Cause::Job),
        }
    }
}

/// What Okta's own provisioning does after a row came or went.
fn provisioning(has: bool) -> &'static str {
    if has { "application.provision.user.push" } else { "application.provision.user.deactivate" }
}

fn status_event(was: Status, is: Status) -> &'static str {
    match (was, is) {
        (_, Status::Suspended) => "user.lifecycle.suspend",
        (Status::Suspended, _) => "user.lifecycle.unsuspend",
        (_, Status::LockedOut) => "user.account.lock",
        (Status::LockedOut, _) => "user.account.unlock",
        (_, Status::Recovery) => "user.account.reset_password",
        (_, Status::PasswordExpired) => "user.account.expire_password",
        _ => "user.lifecycle.activate",
    }
}
