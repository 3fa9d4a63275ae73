//! What an org knows beyond people, groups and assignments: its application, rows, pushes, rules, jobs and log.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;

use super::super::directory::Directory;
use super::super::directory::Life;
use super::changes::AppStatus;
use super::changes::Credentials;
use super::changes::PushStatus;
use super::log::SystemLog;

/// Old values of `lastMembershipUpdated` that are kept of a group: more than a lag of seconds can show.
const TIMES_MAX: usize = 16;

#[derive(Default)]
pub(in super::super) struct Org {
    pub(super) app: App,
    /// By person, where a row shows something special.
    pub(super) rows: BTreeMap<u32, Row>,
    /// By person: the profile at assignment, kept from the first edit after it.
    pub(super) as_assigned: BTreeMap<u32, Names>,
    /// By person: rows that a job has not caught up with.
    pub(super) jobs: BTreeMap<u32, Job>,
    /// By group, where it is special.
    pub(super) groups: BTreeMap<u32, GroupFacts>,
    pub(super) rules: Vec<Rule>,
    pub(super) pushes: Vec<Push>,
    pub(super) log: SystemLog,
}

#[derive(Default)]
pub(super) struct App {
    /// `Active` and `Inactive` are the directory's `app_enabled`.
    pub(super) status: AppStatus,
    pub(super) features: Vec<String>,
    pub(super) implicit_assignment: bool,
    pub(super) label: Option<String>,
    pub(super) updated: Option<Timestamp>,
    /// Okta's own provisioning is on since then.
    pub(super) provisioning_since: Option<Timestamp>,
}

#[derive(Default)]
pub(super) struct Row {
    pub(super) status: Option<String>,
    pub(super) sync_state: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) credentials: Option<Credentials>,
    pub(super) profile: Option<Value>,
    pub(super) updated: Option<Timestamp>,
    pub(super) status_changed: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) login: Box<str>,
    pub(super) mail: Option<Box<str>>,
    pub(super) given_name: Option<Box<str>>,
    pub(super) surname: Option<Box<str>>,
}

/// Until its end, the row is there or not as it was before.
pub(super) struct Job {
    pub(super) ends: Timestamp,
    pub(super) shown: bool,
}

#[derive(Default)]
pub(super) struct GroupFacts {
    /// An `APP_GROUP`, with the application that it comes from.
    pub(super) source: Option<String>,
    /// The group whose members it mirrors: it is the target of a push.
    pub(super) mirrors: Option<u32>,
    /// Of its assignment to the application.
    pub(super) profile: Option<Value>,
    /// What `lastMembershipUpdated` was before, oldest first.
    pub(super) times: Vec<Timestamp>,
    pub(super) deleted: Option<Timestamp>,
}

pub(super) struct Rule {
    pub(super) id: Box<str>,
    pub(super) name: String,
    pub(super) expression: String,
    pub(super) group: u32,
    pub(super) created: Timestamp,
}

pub(super) struct Push {
    pub(super) id: Box<str>,
    pub(super) source: u32,
    pub(super) target: u32,
    pub(super) status: PushStatus,
    pub(super) error: Option<String>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) pushed: Option<Timestamp>,
}

impl Org {
    /// Statuses of a row that give access (okta.md section 6.2); an unknown one keeps what was.
    pub(in super::super) fn grants(&self, person: u32) -> bool {
        let status = self.rows.get(&person).and_then(|row| row.status.as_deref());
        !matches!(
            status,
            Some(
                "IMPORTED"
                    | "MATCHED"
                    | "INACTIVE"
                    | "SUSPENDED"
                    | "DEPROVISIONED"
                    | "REVOKED"
                    | "UNASSIGNED"
            )
        )
    }

    /// Keeps the value that reads go on showing for a while.
    pub(in super::super) fn remember_membership(&mut self, group: u32, before: Timestamp) {
        let times = &mut self.groups.entry(group).or_default().times;
        if times.len() == TIMES_MAX {
            times.remove(0);
        }
        times.push(before);
    }

    /// Whether the group is the target of a push.
    pub(in super::super) fn is_mirror(&self, group: u32) -> bool {
        self.groups.get(&group).is_some_and(|facts| facts.mirrors.is_some())
    }

    pub(super) fn push_of(&self, source: u32) -> Option<usize> {
        self.pushes.iter().position(|push| push.source == source)
    }
}

impl Directory {
    /// Whether the application lists the person: as it follows from the directory, or as before while a job runs.
    pub(super) fn has_row(&self, person: u32, now: Timestamp) -> bool {
        match self.org.jobs.get(&person) {
            Some(job) if job.ends > now => job.shown && self.person(person).life != Life::Purged,
            _ => self.has_app(person),
        }
    }

    /// `lastMembershipUpdated` as a read shows it: changes of the last `lag` seconds are not in it yet.
    pub(super) fn shown_membership(&self, group: u32, lag: i64, now: Timestamp) -> Timestamp {
        let current = self.group(group).membership_updated;
        let settled = now.checked_sub(SignedDuration::from_secs(lag)).unwrap_or(Timestamp::MIN);
        if current <= settled || lag == 0 {
            return current;
        }
        let Some(facts) = self.org.groups.get(&group) else { return current };
        let old = facts.times.iter().rev().find(|time| **time <= settled);
        old.or(facts.times.first()).copied().unwrap_or(current)
    }
}
