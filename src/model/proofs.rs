//! The evidence of a removal as fields: what was read, what a witness was asked and said, which event tells of it.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// How a removal was confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proofs {
    /// What showed the absence, or the removal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub coverage: Vec<Shown>,
    /// What a witness was asked, and what it said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub witness: Vec<Testified>,
}

/// What of the source showed it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shown {
    /// `users`, `assignments of APPLICATION`, `members of GROUP`.
    pub collection: String,
    /// `full`: a complete read did not show it any more; `event`: the source said that it is gone, or it was read
    /// whole and fell out of scope.
    pub by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Full,
    Event,
}

/// One question to the witness, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Testified {
    pub question: String,
    pub answer: String,
    /// By which the service knows the requests (Graph `request-id`, Okta `X-Okta-Request-Id`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_ids: Vec<String>,
    /// What the source's own log tells of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<SourceEvent>,
}

/// What proves an answer of the witness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeardOf {
    pub request_ids: Vec<String>,
    pub event: Option<SourceEvent>,
}

/// One event of a source's own log.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEvent {
    pub id: String,
    /// `user.lifecycle.deactivate`
    pub kind: String,
    /// When it happened, as the source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Who did it, by the source's id and name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
}

/// Without the actor, who is a person (P11).
impl fmt::Debug for SourceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceEvent").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}
