//! Shelf of places where changes go, behind the one door of the SCIM core: `ServiceProvider`.
//!
//! | target | room |
//! |---|---|
//! | embedded workspace (our own SCIM directory) | `workspace` |
//! | remote SCIM 2.0 service | `remote` |

pub mod remote;
pub mod workspace;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde_json::Value;

use crate::model::Finding;
use crate::model::Lesson;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::profiles::Demands;
use crate::scim::profiles::Profile;

/// A month: services change, and to learn anew costs one refused request.
pub const LEARNED_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// A SCIM service as the cycle writes to it. Every call takes many and answers in the same order: an embedded
/// target does them in one transaction, a remote one with bounded concurrency.
pub trait ServiceProvider: Send + Sync {
    /// Which service this is, pinned at the first cycle (P15): its URL, or the id of the workspace.
    fn identity(&self) -> String;

    /// All resources whose attribute equals the value, under the attribute's own case rule. The answers were
    /// checked: a service that ignores filters does not turn into matches.
    fn find<'a>(&'a self, lookups: &'a [Lookup]) -> BoxFuture<'a, Result<Vec<Vec<Found>>, TargetError>>;

    /// The resources by id; `None` where the service says there is none.
    fn get<'a>(
        &'a self,
        ids: &'a [(Kind, ResourceId)],
    ) -> BoxFuture<'a, Result<Vec<Option<Found>>, TargetError>>;

    /// All resources of a kind, page by page, groups without their members; no resource comes twice. The end
    /// comes once, and last.
    fn list(&self, kind: Kind) -> BoxStream<'_, Result<Listed, TargetError>>;

    /// The members of a team; `None` where the service does not show members or has no such team.
    fn members<'a>(
        &'a self,
        team: &'a ResourceId,
    ) -> BoxFuture<'a, Result<Option<Vec<ResourceId>>, TargetError>>;

    /// Which of these people are in the team; `None` where the service cannot tell.
    fn members_among<'a>(
        &'a self,
        team: &'a ResourceId,
        people: &'a [ResourceId],
    ) -> BoxFuture<'a, Result<Option<Vec<bool>>, TargetError>> {
        async move {
            let members = self.members(team).await?;
            Ok(members.map(|members| people.iter().map(|person| members.contains(person)).collect()))
        }
        .boxed()
    }

    /// Carries the operations out, in order where they touch the same resource. One outcome each.
    /// An error means that the service as a whole cannot be used; outcomes not yet known are then unknown.
    fn apply<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, TargetError>>;

    /// So long after it was sent a write may still be carried out although nobody waits for its answer any more.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// Discovery by reads alone, for `rosterd check`.
    fn check(&self) -> BoxFuture<'_, Vec<Finding>>;

    /// What the service is known to ask of those whom it is sent.
    fn demands(&self) -> Demands {
        Profile::standard().demands()
    }

    /// What was learned of the service before, as far as it still counts, in place of what was known until now. A new
    /// cycle begins with it.
    fn recall(&self, _: &[Lesson]) {}

    /// What was learned since the last call.
    fn lessons(&self) -> Vec<Lesson> {
        Vec::new()
    }

    /// How long what was learned counts.
    fn learned_for(&self) -> Duration {
        LEARNED_FOR
    }

    /// How many operations one call of `apply` should carry.
    fn batch(&self) -> usize;

    /// Requests sent so far (0 for an embedded target).
    fn requests(&self) -> u64;

    /// What time it is there, by its newest answer; `None` where it shows none, or none that is new (P17).
    fn time(&self) -> Option<Timestamp> {
        None
    }
}

/// Find resources by one attribute (`eq`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    pub kind: Kind,
    /// A SCIM path: `userName`, `externalId`, `displayName`, `emails[type eq "work"].value`.
    pub path: String,
    pub value: String,
}

/// A piece of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Listed {
    /// Resources that no page before it showed.
    Page(Vec<Found>),
    /// There is no more. Who was not shown is not there only where nothing is said here: why the list may not be whole.
    End { partial: Option<String> },
}

/// One resource as the target shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub id: ResourceId,
    pub kind: Kind,
    /// `false` only where the target says so.
    pub active: bool,
    /// The resource, whole, as JSON (RFC 7643); members may be left out.
    pub body: Value,
    /// Why a job may not take it over: somebody else owns it, and what to do about that.
    pub bars: Option<String>,
}

/// One write. Ids are the target's; values are by SCIM path.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    Create {
        kind: Kind,
        attributes: Attributes,
    },
    /// Sets each path to its value; `null` unassigns. `active` is a path like any other. What is added goes to what
    /// the resource has there already, and takes nothing away.
    Patch {
        kind: Kind,
        id: ResourceId,
        set: Vec<(String, Value)>,
        add: Vec<(String, Value)>,
    },
    Delete {
        kind: Kind,
        id: ResourceId,
    },
    /// Adds before it removes; members that are not named stay as they are (P6).
    Members {
        team: ResourceId,
        add: Vec<ResourceId>,
        remove: Vec<ResourceId>,
    },
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done; the resource as the target shows it now, where it shows it.
    Done { id: ResourceId, shown: Option<Value> },
    /// The target has it already, or another resource has the unique value (409).
    Conflict { detail: String },
    /// No resource has this id (404). For a `Delete` this counts as done and is reported as `Done`.
    Missing,
    /// The target will not do it; the text is its own, masked and shortened.
    Refused { status: u16, detail: String },
    /// Not done, and worth trying in the next cycle (throttled, 5xx); with the answer's status, where there was an answer.
    Later { status: Option<u16>, detail: String },
    /// Sent, and no answer came: it may or may not have been done. Settled by asking, never by repeating (P5).
    Unknown { detail: String },
}

/// The target as a whole cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Credentials or rights: a person has to act.
    #[error("{what}; {cure}")]
    Refused { what: String, cure: String },
    /// Down or out of retries: the next cycle tries again.
    #[error("{what}")]
    Unavailable { what: String },
    /// It answers, and not as a SCIM service does: no request can go well.
    #[error("{what}; check the url of the target, and its profile, with `rosterd check`")]
    NotScim { what: String },
    /// Our own store under an embedded workspace.
    #[error("the workspace's store failed")]
    Store(#[from] crate::store::StoreError),
}
