//! Everything that is known of one person or group of a job, step by step: what `explain` shows.

use serde::Serialize;
use serde_json::Value;

use super::DriftStory;
use super::Edit;
use super::Exemption;
use super::Undone;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// One object of the source, from the selection to what is planned. It carries people's values, so it has no `Debug`
/// (P11): whoever asks for it is the administrator.
#[derive(Clone, Serialize)]
pub struct Explanation {
    pub job: String,
    pub kind: Kind,
    pub source: SourceId,
    pub name: String,
    pub link: Linked,
    /// Selection, policy, every clause of the filters, standing, and what follows, in this order.
    pub scope: Vec<String>,
    /// How the target was, or would be, asked whether it has this one already.
    pub matching: Vec<String>,
    pub attributes: Vec<AttributeStory>,
    /// Of a person the teams, of a team the number of its members.
    pub teams: Vec<TeamStory>,
    pub planned: Option<PlannedStory>,
    /// What the target showed otherwise, when it was last verified.
    pub drift: Vec<DriftStory>,
    /// What a person decided not to have done, for a while.
    pub exemptions: Vec<Exemption>,
    /// What a person undid, and what stays as it was for a while.
    pub undone: Vec<Undone>,
    /// Newest first.
    pub history: Vec<HistoryStory>,
    /// Commands that go on from here.
    pub next: Vec<String>,
}

/// How the two sides are paired.
#[derive(Clone, Serialize)]
pub struct Linked {
    /// `active`, `inactive`, `absent`, `unmanaged`; `None`: not decided yet.
    pub desired: Option<String>,
    /// `active`, `inactive`, `absent`.
    pub applied: String,
    pub resource: Option<ResourceId>,
    /// `created`, `adopted`, `joined`.
    pub origin: Option<String>,
    /// Other jobs that have a link to the same resource.
    pub shared_with: Vec<String>,
    /// That one of them which owns it.
    pub owner: Option<String>,
    /// The job that owned it has let it go, and none has taken it on.
    pub ownerless: bool,
}

/// One target attribute, from the source to what the target shows.
#[derive(Clone, Serialize)]
pub struct AttributeStory {
    pub target: String,
    pub from: String,
    /// What the mapping gives now.
    pub wanted: Option<Value>,
    pub sent: Option<Value>,
    pub shown: Option<Value>,
    /// What that comes to: `as it is`, `would be written`, …
    pub verdict: String,
}

/// One team.
#[derive(Clone, Serialize)]
pub struct TeamStory {
    pub team: String,
    pub wanted: bool,
    pub applied: bool,
    pub verdict: String,
}

/// The change that waits.
#[derive(Clone, Serialize)]
pub struct PlannedStory {
    pub class: String,
    pub cause: String,
    pub cause_id: String,
    /// `goes in the next cycle`, or what holds it.
    pub verdict: String,
}

/// One entry of the journal.
#[derive(Clone, Serialize)]
pub struct HistoryStory {
    pub at_second: i64,
    pub class: String,
    pub outcome: String,
    pub cause: Option<String>,
    pub edits: Vec<Edit>,
    pub detail: Option<String>,
}
