//! Drift: what the target shows otherwise than it last accepted, and what the policy makes of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::Cause;
use super::CauseKind;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::Origin;
use crate::model::SourceId;
use crate::scim;
use crate::scim::Kind;
use crate::scim::same_value;

/// What is said of an account's activity, as a path.
const ACTIVE: &str = "active";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// An attribute that we sent has another value.
    Changed,
    /// Somebody else took the activity away, or gave it back.
    Deactivated,
    Reactivated,
    /// The account or the team is there no more.
    Gone,
    /// Somebody whom we made a member is none.
    LostMember,
    /// Members whom we did not add, in a team that we created, or in one that we took over.
    Stranger,
    Foreign,
}

impl DriftKind {
    /// `deactivated by somebody else`, for reports.
    pub fn told(self) -> &'static str {
        match self {
            DriftKind::Changed => "changed by somebody else",
            DriftKind::Deactivated => "deactivated by somebody else",
            DriftKind::Reactivated => "reactivated by somebody else",
            DriftKind::Gone => "gone from the target",
            DriftKind::LostMember => "member taken out by somebody else",
            DriftKind::Stranger => "stranger in a team that was created here",
            DriftKind::Foreign => "foreign member of a team that was taken over",
        }
    }
}

/// What is done about drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDrift {
    #[default]
    Report,
    Repair,
    Leave,
}

/// The policy of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftRules {
    pub users: OnDrift,
    pub teams: OnDrift,
    /// Members that we added and that are gone.
    pub members: OnDrift,
    /// Members that we did not add, in teams that we created.
    pub strangers: OnDrift,
    /// The same in teams that we took over (P6).
    pub foreign: OnDrift,
    /// By path, before what holds for users and teams.
    pub attributes: BTreeMap<String, OnDrift>,
    /// Accounts and teams asked for one by one in a verification, because no list shows them.
    pub lookups: u64,
    /// Of each sort that account discovery finds so many are named in the JSON of a plan.
    pub discovered: u64,
}

impl Default for DriftRules {
    fn default() -> DriftRules {
        DriftRules {
            users: OnDrift::Report,
            teams: OnDrift::Report,
            members: OnDrift::Report,
            strangers: OnDrift::Report,
            foreign: OnDrift::Report,
            attributes: BTreeMap::new(),
            lookups: 10_000,
            discovered: 1_000,
        }
    }
}

impl DriftRules {
    pub fn policy(&self, of: Kind, kind: DriftKind, path: &str) -> OnDrift {
        let whole = match of {
            Kind::User => self.users,
            Kind::Group => self.teams,
        };
        match kind {
            DriftKind::Changed => self.attributes.get(path).copied().unwrap_or(whole),
            DriftKind::Deactivated | DriftKind::Reactivated => {
                self.attributes.get(ACTIVE).copied().unwrap_or(whole)
            }
            DriftKind::Gone => whole,
            DriftKind::LostMember => self.members,
            DriftKind::Stranger => self.strangers,
            DriftKind::Foreign => self.foreign,
        }
    }
}

/// One difference. It carries people's values, so it has no `Debug` (P11).
#[derive(Clone, PartialEq)]
pub struct Drift {
    pub kind: DriftKind,
    /// Of a changed attribute.
    pub path: String,
    /// What the target showed when it accepted.
    pub past: Option<Value>,
    pub found: Option<Value>,
}

/// What is compared.
pub struct Sighting<'a> {
    pub of: Kind,
    pub applied: &'a Applied,
    /// Whether the rules want it active.
    pub wanted: bool,
    /// Another job wants the resource active, whatever became of it here.
    pub wanted_elsewhere: bool,
    pub active: bool,
    pub body: &'a Value,
}

/// What a resource shows otherwise than when it was accepted: only what we sent is looked at, and compared is what the
/// target then made of it, so that a service that normalises does not drift (SCIM reference, O6).
pub fn compare(sighting: &Sighting<'_>) -> Vec<Drift> {
    let (accepted, was_active) = match sighting.applied {
        Applied::Absent => return Vec::new(),
        Applied::Active(accepted) => (accepted, true),
        Applied::Inactive(accepted) => (accepted, false),
    };
    let mut drift = Vec::new();
    let activity = match (was_active, sighting.active) {
        _ if sighting.of == Kind::Group => None,
        (true, false) => Some(DriftKind::Deactivated),
        (false, true) if !sighting.wanted_elsewhere => Some(DriftKind::Reactivated),
        _ => None,
    };
    if let Some(kind) = activity {
        let value = |active: bool| Some(Value::Bool(active));
        let (past, found) = (value(was_active), value(sighting.active));
        drift.push(Drift { kind, path: ACTIVE.to_owned(), past, found });
    }
    drift.extend(changed(accepted, sighting.body));
    drift
}

/// What another job owns has its attributes from there.
fn changed(accepted: &Accepted, body: &Value) -> Vec<Drift> {
    if accepted.origin == Origin::Joined {
        return Vec::new();
    }
    let now = scim::shown(body, accepted.sent.0.keys());
    let differs = |path: &String| {
        let (past, found) = (accepted.shown.get(path).cloned(), now.get(path).cloned());
        let (a, b) = (past.as_ref().unwrap_or(&Value::Null), found.as_ref().unwrap_or(&Value::Null));
        let same = same_value(path, a, b);
        (!same).then(|| Drift { kind: DriftKind::Changed, path: path.clone(), past, found })
    };
    accepted.sent.0.keys().filter(|path| *path != ACTIVE).filter_map(differs).collect()
}

/// What is put right has a cause of its own kind: its subjects are what was found, so that equal ones fold (P13).
pub fn cause_of_drift(subjects: &[String]) -> Cause {
    let name = |subject: &String| subject.rsplit(':').next().unwrap_or(subject).to_owned();
    Cause {
        kind: CauseKind::Drift,
        subjects: subjects.iter().cloned().map(SourceId).collect(),
        names: subjects.iter().map(name).collect(),
        rules: String::new(),
    }
}

impl Drift {
    /// What of a cause it is.
    pub fn subject(&self) -> String {
        match self.kind {
            DriftKind::Changed => self.path.clone(),
            kind => kind.told().to_owned(),
        }
    }
}

/// Equal differences of one verification, folded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DriftFold {
    pub drift: DriftKind,
    pub kind: Kind,
    pub path: String,
    pub count: u64,
    /// What some of them are called.
    pub examples: Vec<String>,
}

impl DriftFold {
    /// `title changed by somebody else: 12 users, among them ann@x.example`.
    pub fn sentence(&self) -> String {
        let path = match self.drift {
            DriftKind::Changed => format!("{} ", self.path),
            _ => String::new(),
        };
        let many = if self.count == 1 { "" } else { "s" };
        let what = match (self.drift, self.kind) {
            (DriftKind::LostMember | DriftKind::Stranger | DriftKind::Foreign, _) => "membership",
            (_, Kind::User) => "account",
            (_, Kind::Group) => "team",
        };
        let among = if self.examples.len() as u64 == self.count { "" } else { "among them " };
        let examples = self.examples.join(", ");
        format!("{path}{}: {} {what}{many}, {among}{examples}", self.drift.told(), self.count)
    }
}

/// One difference as `explain` tells it.
#[derive(Clone, Serialize)]
pub struct DriftStory {
    pub drift: DriftKind,
    pub path: String,
    pub past: Option<Value>,
    pub found: Option<Value>,
    /// When it was found.
    pub at_second: i64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::Attributes;
    use crate::scim::ResourceId;

    fn accepted(origin: Origin) -> Accepted {
        let sent = [("userName", json!("Ann@X.example")), ("title", json!("Boss")), ("nickName", json!("A"))];
        let shown = [("userName", json!("ann@x.example")), ("title", json!("Boss"))];
        let set = |pairs: &[(&str, Value)]| -> Attributes {
            pairs.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect()
        };
        Accepted { resource: ResourceId("r1".to_owned()), sent: set(&sent), shown: set(&shown), origin }
    }

    fn found(applied: &Applied, active: bool, body: Value, wanted_elsewhere: bool) -> String {
        let of = Sighting { of: Kind::User, applied, wanted: true, wanted_elsewhere, active, body: &body };
        let line = |drift: &Drift| format!("{:?} {}", drift.kind, drift.path);
        compare(&of).iter().map(line).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_was_sent_is_compared_with_what_was_shown_then() {
        let is = Applied::Active(accepted(Origin::Created));
        let same = json!({"userName": "ANN@x.example", "title": "Boss", "department": "set by others"});
        assert_eq!(found(&is, true, same, false), "", "normalised, dropped and never sent");
        let other = json!({"userName": "ann@x.example", "title": "Chief"});
        assert_eq!(found(&is, true, other, false), "Changed title");
        assert_eq!(found(&is, true, json!({"userName": "ann@x.example"}), false), "Changed title");
        let set = json!({"userName": "ann@x.example", "title": "Boss", "nickName": "Annie"});
        assert_eq!(found(&is, true, set.clone(), false), "Changed nickName");
        let joined = Applied::Active(accepted(Origin::Joined));
        assert_eq!(found(&joined, true, set, false), "", "its owner writes attributes");
    }

    #[test]
    fn activity_is_compared_with_what_we_made_it() {
        let body = || json!({"userName": "ann@x.example", "title": "Boss"});
        let (on, off) =
            (Applied::Active(accepted(Origin::Created)), Applied::Inactive(accepted(Origin::Created)));
        assert_eq!(found(&on, false, body(), false), "Deactivated active");
        assert_eq!(found(&off, true, body(), false), "Reactivated active");
        assert_eq!(found(&off, true, body(), true), "", "another job keeps it active");
        assert_eq!(found(&off, false, body(), false), "");
        assert_eq!(found(&Applied::Absent, true, body(), false), "");
    }

    #[test]
    fn an_attribute_has_its_own_policy_before_that_of_its_kind() {
        let attributes = [("title", OnDrift::Leave), ("active", OnDrift::Repair)];
        let attributes = attributes.map(|(path, policy)| (path.to_owned(), policy)).into();
        let rules = DriftRules { attributes, teams: OnDrift::Repair, ..DriftRules::default() };
        let of = |of, kind, path| rules.policy(of, kind, path);
        assert_eq!(of(Kind::User, DriftKind::Changed, "title"), OnDrift::Leave);
        assert_eq!(of(Kind::User, DriftKind::Changed, "userName"), OnDrift::Report);
        assert_eq!(of(Kind::User, DriftKind::Deactivated, "active"), OnDrift::Repair);
        assert_eq!(of(Kind::User, DriftKind::Gone, ""), OnDrift::Report);
        assert_eq!(of(Kind::Group, DriftKind::Changed, "displayName"), OnDrift::Repair);
        assert_eq!(of(Kind::Group, DriftKind::Foreign, ""), OnDrift::Report);
    }
}
