//! RFC 7643/7644 as values: resources, attribute paths, filters, patches. Pure.

mod attributes;
pub mod profiles;

pub use attributes::Attributes;

use serde::Deserialize;
use serde::Serialize;

/// The two resource types that are provisioned (RFC 7643 sections 4.1 and 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    User,
    Group,
}

impl Kind {
    /// The word used in state, settings and reports.
    pub fn word(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Group => "group",
        }
    }

    /// The endpoint of the resource type (RFC 7644 section 3.2), with its leading slash.
    pub fn endpoint(self) -> &'static str {
        match self {
            Kind::User => "/Users",
            Kind::Group => "/Groups",
        }
    }
}

/// The id that a service gave to a resource: opaque, stable, compared exactly (RFC 7643 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(pub String);

impl std::fmt::Display for ResourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
