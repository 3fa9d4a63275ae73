//! Exemptions: decisions of a person that changes are not made, or were undone, for a while.

use serde::Serialize;

use super::CauseId;
use super::Class;

/// Changes that one decision exempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exemption {
    pub class: Class,
    pub who: String,
    pub reason: String,
    /// When it was decided, in seconds since 1970.
    pub at_second: i64,
    /// When it ends; then the changes come back as held.
    pub until_second: i64,
    pub changes: u64,
    /// One of those whom it is about, as people call them.
    pub name: String,
}

/// What one decision undid, and what is kept as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// The cycle that was undone.
    pub cycle: i64,
    /// By this name `approve` ends it.
    pub cause: CauseId,
    pub who: String,
    pub reason: String,
    pub at_second: i64,
    /// When it ends; then what the rules want comes back as held.
    pub until_second: i64,
    /// People, teams and memberships.
    pub objects: u64,
    /// One of those whom it is about, as people call them.
    pub name: String,
}
