//! Exemptions: decisions of a person that changes are not made, for a while.

use serde::Serialize;

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
