//! How one person or group stood at a time: what `explain --at` shows.

use serde::Serialize;

use super::Stood;
use crate::model::SourceId;
use crate::scim::Kind;

/// One object of the source on one day. It carries people's values, so it has no `Debug` (P11).
#[derive(Clone, Serialize)]
pub struct PastStory {
    pub job: String,
    pub kind: Kind,
    pub source: SourceId,
    /// As it is called now, or its source id.
    pub name: String,
    pub at_second: i64,
    pub stood: Stood,
    /// The last entries of the journal by then, newest first.
    pub decided: Vec<PastStep>,
    /// Entries that came after it.
    pub later: u64,
    /// What is held of it still, and was then already.
    pub held: Option<String>,
    /// The last cycle that had begun by then, and how much it left held in the whole job.
    pub cycle: Option<i64>,
    pub held_in_cycle: Option<u64>,
    /// The settings in force: `rosterd config show --digest`.
    pub settings: Option<String>,
    /// What retention and erasures took, and so nobody knows.
    pub unknown: Vec<String>,
}

/// One entry of the journal.
#[derive(Clone, Serialize)]
pub struct PastStep {
    pub entry: i64,
    pub at_second: i64,
    pub class: String,
    pub team: Option<String>,
    /// `None`: none is known.
    pub outcome: Option<String>,
    pub cause: Option<String>,
    pub settings: Option<String>,
    pub cycle: Option<i64>,
}
