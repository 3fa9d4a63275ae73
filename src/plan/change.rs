//! A plan as values: a header, and a sorted stream of changes, each with its cause and its verdict.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::Cause;
use super::CauseId;
use super::Discovery;
use super::DriftFold;
use super::DueDeletion;
use super::Exemption;
use super::Undone;
use crate::model::Finding;
use crate::model::SourceId;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// One change of one link, one team edge or one reference. Sorted by class, then by team, then by source id.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    pub class: Class,
    pub kind: Kind,
    /// The person or the group that changes; for a membership, the team.
    pub source: SourceId,
    /// What a person calls it: userName or displayName as the source shows it.
    pub name: String,
    pub act: Act,
    pub cause: CauseId,
    pub proof: Proof,
    pub verdict: Verdict,
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Act {
    Create {
        attributes: Attributes,
    },
    /// Matching found exactly one resource: it becomes ours, and is made equal.
    Link {
        resource: ResourceId,
        by: String,
        edits: Vec<Edit>,
    },
    Update {
        edits: Vec<Edit>,
    },
    Deactivate,
    /// Only let go: this other job wants it still, so nothing is sent.
    Release {
        job: String,
    },
    Reactivate {
        edits: Vec<Edit>,
    },
    Delete,
    AddMember {
        person: SourceId,
        person_name: String,
    },
    RemoveMember {
        person: SourceId,
        person_name: String,
    },
    /// An attribute of a person names another one (`manager`).
    Refer {
        path: String,
        /// What people call who is meant now in the target, and who is to be; `None`: nobody.
        old: Option<String>,
        new: Option<String>,
    },
}

/// One attribute, before and after. `None` is unassigned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    pub path: String,
    pub old: Option<Value>,
    pub new: Option<Value>,
}

/// The classes that limits speak of (P13), in the order in which they are written: what releases a unique
/// value comes before what takes one, people come before teams, additions before removals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// `userName` or the work e-mail changes.
    Rename,
    Create,
    Update,
    Reactivate,
    AddMembers,
    RemoveMembers,
    /// References between people, once all accounts are there.
    References,
    Deactivate,
    Delete,
    DeleteTeams,
}

impl Class {
    pub const ALL: [Class; 10] = [
        Class::Rename,
        Class::Create,
        Class::Update,
        Class::Reactivate,
        Class::AddMembers,
        Class::RemoveMembers,
        Class::References,
        Class::Deactivate,
        Class::Delete,
        Class::DeleteTeams,
    ];

    /// The word used in settings, state and reports.
    pub fn word(self) -> &'static str {
        match self {
            Class::Rename => "rename",
            Class::Create => "create",
            Class::Update => "update",
            Class::Reactivate => "reactivate",
            Class::AddMembers => "add_members",
            Class::RemoveMembers => "remove_members",
            Class::References => "references",
            Class::Deactivate => "deactivate",
            Class::Delete => "delete",
            Class::DeleteTeams => "delete_teams",
        }
    }

    /// Whether it takes something away from somebody.
    pub fn removes(self) -> bool {
        matches!(self, Class::RemoveMembers | Class::Deactivate | Class::Delete | Class::DeleteTeams)
    }
}

/// How we know: an event said so, or something was missing from a complete read and a witness has to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    Event,
    Absence,
}

/// What limits, mode and policy say of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "hold")]
pub enum Verdict {
    Go,
    /// Waits for a person or for proof.
    Held(Hold),
    /// Waits for another object (a member that has no account yet); nothing to decide.
    Waiting(String),
    /// Failed before and is tried again later; the text says why and when.
    Escrow(String),
}

/// Why a change is held, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub kind: HoldKind,
    /// A whole sentence that names the setting or the command.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// The job's mode is `observe`.
    Observe,
    /// The job's mode is `approve`.
    Approval,
    /// Its class is over its limit, or its cause tripped another class.
    Limit,
    /// No witness confirmed the absence yet.
    Unwitnessed,
    /// The witness says that it is still there.
    Disagrees,
    /// It is gone, and no event of the source's own log says why.
    Unexplained,
    /// Matching found several, or one of somebody else, or no answer.
    Matching,
    /// Matching found one that only a person may make ours.
    Adoption,
    /// Taken for somebody who came back, or for a team that goes on under a new id.
    Relink,
    /// The account of somebody who left has to be renamed out of the way.
    Retire,
    /// Many accounts or teams of ours are gone from the target at once.
    Anchors,
    /// The unique value belongs to somebody else.
    Uniqueness,
    /// On the target's `protect` list.
    Protected,
    /// The action is switched off.
    Action,
    /// A required value is missing.
    Mapping,
    /// Time alone would cause it, and the clock is not believed.
    Clock,
    /// It may be another target than the pinned one.
    Identity,
    /// The source selects nobody any more.
    Empty,
    /// It was rejected before, and the exemption has ended.
    Rejected,
    /// A person decided that it is not made, for a while; it is not planned.
    Exempt,
    /// A saved plan is applied, and does not show it.
    Plan,
    /// Somebody else deactivated the account in the target.
    Shut,
}

/// What a job may do (design: modes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Observe,
    Approve,
    Write,
}

/// Counts of one class and kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub go: u64,
    pub held: u64,
    pub waiting: u64,
    pub escrow: u64,
}

impl Tally {
    pub fn total(&self) -> u64 {
        self.go + self.held + self.waiting + self.escrow
    }
}

/// What stands above a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Header {
    pub job: String,
    pub source: String,
    pub target: String,
    pub mode: Mode,
    /// Links that are active in the target now.
    pub active: u64,
    /// Links that the rules want to be active.
    pub desired: u64,
    pub counts: BTreeMap<Class, BTreeMap<Kind, Tally>>,
    /// Causes with how many changes each explains, the largest first.
    pub causes: Vec<(Cause, Tally)>,
    /// Accounts whose deletion is still to come, the next first; many are cut.
    pub deletions: Vec<DueDeletion>,
    /// How many there are.
    pub deletions_total: u64,
    /// What a person decided not to have done, for a while.
    pub exemptions: Vec<Exemption>,
    /// What a person undid, and what stays as it was for a while.
    pub undone: Vec<Undone>,
    /// Since when a cause holds something, in seconds since 1970; what the last cycle did not see is not here.
    pub held_since: BTreeMap<CauseId, i64>,
    /// When this was looked at.
    pub at_second: i64,
    /// What the last verification of the target found and only reports, folded.
    pub drift: Vec<DriftFold>,
    /// Whose the accounts and teams of the target are; of a dry run that reads everything.
    pub discovery: Option<Discovery>,
    /// Facts that are no change: members left out of a team because they are out of scope, and the like.
    pub notes: Vec<String>,
    /// What a look at the wanted people and teams found; of a dry run alone.
    pub findings: Vec<Finding>,
    /// blake3 of the sorted stream, 16 hex digits: equal plans have equal digests (P8).
    pub digest: String,
}
