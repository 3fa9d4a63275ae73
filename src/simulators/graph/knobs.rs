//! Graph's knobs, each with the section of graph.md that it stands for.

use serde::Deserialize;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphKnobs {
    /// A restored user gives no delta entry where `$select` was sent (graph.md section 6.4, 6), and the groups
    /// that the user belongs to give none either (UNCONFIRMED; a client that read them while the user was deleted
    /// then learns of the membership only from a list).
    pub silent_restore: bool,
    /// Assignment rows of soft-deleted principals stay visible (UNCONFIRMED, graph.md section 5.8).
    pub rows_of_deleted: bool,
    /// Days until a delta token expires.
    pub delta_token_days: i64,
}

impl Default for GraphKnobs {
    fn default() -> Self {
        GraphKnobs { silent_restore: false, rows_of_deleted: false, delta_token_days: 7 }
    }
}
