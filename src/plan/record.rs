//! What a cycle did, as it is kept, shown and sent.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::Class;
use super::Mode;
use super::Quarantine;
use super::Tally;
use crate::scim::Kind;

/// One cycle of a job, ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleRecord {
    pub job: String,
    pub cycle: i64,
    /// Seconds since 1970, as everywhere in the state.
    pub started_second: i64,
    pub ended_second: i64,
    pub mode: Mode,
    /// Only this team was written, because somebody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<String>,
    /// Nothing was read: what this cycle had written was put back, because somebody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<i64>,
    /// Everything was read anew.
    pub full: bool,
    /// It was read anew after the changes, to see what they had missed.
    #[serde(default)]
    pub verified: bool,
    /// Objects and memberships that the changes had missed.
    #[serde(default)]
    pub repaired: u64,
    /// The target was compared with what it had accepted.
    #[serde(default)]
    pub target_verified: bool,
    /// What it shows otherwise and is only reported, and what is put right.
    #[serde(default)]
    pub drift: u64,
    #[serde(default)]
    pub drift_repaired: u64,
    /// The plan's digest, before anything was written.
    pub digest: String,
    /// The plan by class and kind.
    pub planned: BTreeMap<Class, BTreeMap<Kind, Tally>>,
    /// Changes that were written, and those that failed.
    pub done: BTreeMap<Class, u64>,
    pub failed: BTreeMap<Class, u64>,
    /// Still held when the cycle ended; a witness may have held some that were planned to go.
    pub held: u64,
    pub waiting: u64,
    pub escrow: u64,
    pub active: u64,
    /// What the reads changed in `seen`.
    pub objects_changed: u64,
    pub edges_changed: u64,
    pub missing: u64,
    pub source_requests: u64,
    pub target_requests: u64,
    pub notes: Vec<String>,
    /// Why the cycle ended early; what was done before stands.
    pub error: Option<String>,
    /// The job is in quarantine after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
}

impl CycleRecord {
    pub fn written(&self) -> u64 {
        self.done.values().sum()
    }

    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }
}
