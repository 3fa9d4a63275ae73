//! The three snapshots of a link: what the source showed, what our rules make of it, what the target took.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use super::SourceAttributes;
use super::Standing;
use crate::scim::Attributes;
use crate::scim::ResourceId;

/// Our own number of a link: the key inside the state, never shown to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(pub i64);

/// What the source last showed of an object.
#[derive(Clone, PartialEq)]
pub struct Seen {
    pub standing: Standing,
    pub attributes: SourceAttributes,
}

/// Shows the standing only (P11).
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seen({:?})", self.standing)
    }
}

/// What our rules make of it. Policy has already spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Desired {
    Active(Attributes),
    /// A person keeps data and loses access; a team keeps its name and loses its members.
    Inactive,
    /// To be deleted; only where a setting says so (P16).
    Absent,
    /// Policy "leave": not ours to change any more.
    Unmanaged,
}

/// What the target last accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    Absent,
    Active(Accepted),
    Inactive(Accepted),
}

impl Applied {
    pub fn accepted(&self) -> Option<&Accepted> {
        match self {
            Applied::Absent => None,
            Applied::Active(accepted) | Applied::Inactive(accepted) => Some(accepted),
        }
    }
}

/// A resource of the target that we own, as sent and as shown: a service that normalises values does not
/// drift for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub resource: ResourceId,
    pub sent: Attributes,
    pub shown: Attributes,
    pub origin: Origin,
}

/// How a resource came to be ours (P6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Created,
    Adopted,
    /// Another job owns it and writes its attributes; this one keeps it active and adds its memberships.
    Joined,
}
