//! What an event of the System Log says of people, groups and assignments (okta.md section 4). Pure.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

use super::listed;
use crate::model::SourceEvent;

/// Event types that are asked for: each changes who is somewhere, or how somebody stands.
pub(super) const TYPES: [&str; 20] = [
    "application.user_membership.add",
    "application.user_membership.remove",
    "application.user_membership.revoke",
    "application.user_membership.deprovision",
    "application.user_membership.restore",
    "group.application_assignment.add",
    "group.application_assignment.remove",
    "group.user_membership.add",
    "group.user_membership.remove",
    "group.lifecycle.create",
    "group.lifecycle.delete",
    "app.user_management",
    "user.lifecycle.activate",
    "user.lifecycle.reactivate",
    "user.lifecycle.deactivate",
    "user.lifecycle.suspend",
    "user.lifecycle.unsuspend",
    "user.lifecycle.delete.initiated",
    "user.lifecycle.delete.completed",
    "user.account.update_profile",
];

/// `eventType eq "…" or …`, for the types of the list.
pub(super) fn filter() -> String {
    let types: Vec<String> = TYPES.iter().map(|name| format!("eventType eq \"{name}\"")).collect();
    types.join(" or ")
}

/// A row of `GET /logs`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Event {
    pub uuid: String,
    pub published: Timestamp,
    #[serde(rename = "eventType")]
    pub kind: String,
    pub outcome: Option<Outcome>,
    pub actor: Option<Actor>,
    pub target: Option<Vec<Target>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Outcome {
    pub result: Option<String>,
}

/// Who did it.
#[derive(Clone, Deserialize)]
pub(super) struct Actor {
    pub id: Option<String>,
    #[serde(rename = "displayName")]
    pub name: Option<String>,
}

/// A person's name is no part of it (P11).
impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Target {
    pub id: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// What can come and go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// A user's assignment to our application.
    Assignment(String),
    /// A group's assignment to our application.
    AppGroup(String),
    Member {
        group: String,
        user: String,
    },
    Group(String),
    /// A user's record: only deletion ends it.
    User(String),
    /// A user's right to sign in: deactivation ends it, and every assignment with it.
    Standing(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Came,
    Left,
}

impl Event {
    fn succeeded(&self) -> bool {
        self.outcome.as_ref().and_then(|outcome| outcome.result.as_deref()) == Some("SUCCESS")
    }

    /// Targets are told apart by their type; their order means nothing.
    fn targets(&self, kind: &str) -> impl Iterator<Item = &str> {
        let all = self.target.iter().flatten();
        all.filter(move |target| target.kind.as_deref() == Some(kind))
            .filter_map(|target| target.id.as_deref())
    }

    /// As evidence of a removal.
    fn told(&self) -> SourceEvent {
        let actor = self.actor.as_ref();
        SourceEvent {
            id: self.uuid.clone(),
            kind: self.kind.clone(),
            at: Some(self.published.to_string()),
            actor_id: actor.and_then(|actor| actor.id.clone()),
            actor_name: actor.and_then(|actor| actor.name.clone()),
        }
    }

    fn turn(&self) -> Option<Turn> {
        let last = self.kind.rsplit('.').next().unwrap_or_default();
        match last {
            "add" | "restore" | "create" | "activate" | "reactivate" => Some(Turn::Came),
            "remove" | "revoke" | "deprovision" | "delete" | "completed" | "deactivate" => Some(Turn::Left),
            _ => None,
        }
    }

    /// What came or went by this event, seen from our application.
    fn turns(&self, app: &str) -> Vec<(Subject, Turn)> {
        let Some(turn) = self.turn() else { return Vec::new() };
        let ours = || self.targets("AppInstance").any(|id| id == app);
        let users = || self.targets("User").map(str::to_owned);
        let groups = || self.targets("UserGroup").map(str::to_owned);
        let member = |group: String| users().map(move |user| Subject::Member { group: group.clone(), user });
        let subjects: Vec<Subject> = match self.kind.as_str() {
            kind if kind.starts_with("application.user_membership.") && ours() => {
                users().map(Subject::Assignment).collect()
            }
            kind if kind.starts_with("group.application_assignment.") && ours() => {
                groups().map(Subject::AppGroup).collect()
            }
            kind if kind.starts_with("group.user_membership.") => groups().flat_map(member).collect(),
            kind if kind.starts_with("group.lifecycle.") => groups().map(Subject::Group).collect(),
            "user.lifecycle.delete.completed" => users().map(Subject::User).collect(),
            kind if kind.starts_with("user.lifecycle.") => users().map(Subject::Standing).collect(),
            _ => Vec::new(),
        };
        subjects.into_iter().map(|subject| (subject, turn)).collect()
    }
}

/// What the log has told: hints of what to read again, and the newest word on who came and who went.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// 64 bits of each id: an event that is delivered twice counts once.
    known: BTreeSet<u64>,
    newest: BTreeMap<Subject, (Timestamp, Turn)>,
    /// The events by which what went last has gone.
    left: BTreeMap<Subject, SourceEvent>,
    /// Groups whose members may be others now.
    pub groups: BTreeSet<String>,
    /// Users whose profile or status may be another one now.
    pub people: BTreeSet<String>,
}

impl Heard {
    /// Takes one event; answers what was deleted by it, for good. Only what succeeded happened, and events come in
    /// the order in which Okta stored them, so that an older one may come later.
    pub fn take(&mut self, event: &Event, app: &str) -> Option<Subject> {
        if !event.succeeded() || !self.known.insert(listed::bits(&event.uuid)) {
            return None;
        }
        self.hint(event);
        let mut deleted = None;
        for (subject, turn) in event.turns(app) {
            let newest = self.newest.entry(subject.clone()).or_insert((event.published, turn));
            if event.published >= newest.0 {
                *newest = (event.published, turn);
                match turn {
                    Turn::Left => drop(self.left.insert(subject.clone(), event.told())),
                    Turn::Came => drop(self.left.remove(&subject)),
                }
            }
            if turn == Turn::Left && matches!(subject, Subject::Group(_) | Subject::User(_)) {
                deleted = Some(subject);
            }
        }
        deleted
    }

    fn hint(&mut self, event: &Event) {
        let moves = event.kind.starts_with("group.user_membership.") || event.kind == "app.user_management";
        if moves {
            self.groups.extend(event.targets("UserGroup").map(str::to_owned));
        }
        if event.kind.starts_with("user.") {
            self.people.extend(event.targets("User").map(str::to_owned));
        }
    }

    /// The event by which one of these went, where that is the newest word on it.
    pub fn explains(&self, subjects: &[Subject]) -> Option<SourceEvent> {
        subjects.iter().find_map(|subject| self.left.get(subject).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(uuid: &str, second: &str, kind: &str, result: &str, targets: &[(&str, &str)]) -> Event {
        let targets: Vec<_> = targets.iter().map(|(kind, id)| json!({"id": id, "type": kind})).collect();
        serde_json::from_value(json!({"uuid": uuid, "published": format!("2026-03-02T10:00:{second}.123Z"),
            "eventType": kind, "outcome": {"result": result, "reason": null}, "target": targets}))
        .unwrap()
    }

    const REMOVE: &str = "application.user_membership.remove";
    const OF_ANN: &[(&str, &str)] = &[("AppUser", "0ua1"), ("AppInstance", "0oa1"), ("User", "00u1")];

    fn heard(events: &[Event]) -> Heard {
        let mut heard = Heard::default();
        events.iter().for_each(|event| drop(heard.take(event, "0oa1")));
        heard
    }

    fn ann() -> [Subject; 1] {
        [Subject::Assignment("00u1".into())]
    }

    #[test]
    fn an_assignment_that_was_removed_is_explained() {
        assert!(heard(&[event("a", "01", REMOVE, "SUCCESS", OF_ANN)]).explains(&ann()).is_some());
    }

    #[test]
    fn what_failed_or_concerns_another_application_explains_nothing() {
        for result in ["FAILURE", "SKIPPED", "ALLOW", "DENY", "CHALLENGE", "UNKNOWN"] {
            assert!(
                heard(&[event("a", "01", REMOVE, result, OF_ANN)]).explains(&ann()).is_none(),
                "{result}"
            );
        }
        let other = [("AppInstance", "0oa2"), ("User", "00u1")];
        assert!(heard(&[event("a", "01", REMOVE, "SUCCESS", &other)]).explains(&ann()).is_none());
    }

    #[test]
    fn the_newest_word_counts_in_whatever_order_it_comes() {
        let removed = event("a", "01", REMOVE, "SUCCESS", OF_ANN);
        let again = event("b", "02", "application.user_membership.add", "SUCCESS", OF_ANN);
        assert!(heard(&[removed.clone(), again.clone()]).explains(&ann()).is_none());
        assert!(heard(&[again, removed]).explains(&ann()).is_none());
    }

    #[test]
    fn an_event_that_comes_twice_is_one() {
        let deleted = event("a", "01", "user.lifecycle.delete.completed", "SUCCESS", &[("User", "00u1")]);
        let mut heard = Heard::default();
        assert_eq!(heard.take(&deleted, "0oa1"), Some(Subject::User("00u1".into())));
        assert_eq!(heard.take(&deleted, "0oa1"), None);
    }

    #[test]
    fn only_a_completed_deletion_deletes() {
        let initiated = event("a", "01", "user.lifecycle.delete.initiated", "SUCCESS", &[("User", "00u1")]);
        assert_eq!(Heard::default().take(&initiated, "0oa1"), None);
        let group = event("b", "01", "group.lifecycle.delete", "SUCCESS", &[("UserGroup", "00g1")]);
        assert_eq!(Heard::default().take(&group, "0oa1"), Some(Subject::Group("00g1".into())));
    }

    #[test]
    fn members_and_profiles_are_hints_of_what_to_read_again() {
        let heard = heard(&[
            event(
                "a",
                "01",
                "group.user_membership.add",
                "SUCCESS",
                &[("UserGroup", "00g1"), ("User", "00u1")],
            ),
            event("b", "02", "user.lifecycle.suspend", "SUCCESS", &[("User", "00u2")]),
        ]);
        assert_eq!(heard.groups, BTreeSet::from(["00g1".to_owned()]));
        assert_eq!(heard.people, BTreeSet::from(["00u2".to_owned()]));
    }

    #[test]
    fn the_filter_names_every_type_once() {
        let types: BTreeSet<&str> = TYPES.into_iter().collect();
        assert_eq!(types.len(), TYPES.len());
        assert!(filter().starts_with("eventType eq \"application.user_membership.add\" or eventType eq "));
    }
}
