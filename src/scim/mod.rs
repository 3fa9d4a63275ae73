//! RFC 7643/7644 as values: resources, attribute paths, filters, patches. Pure.

mod attributes;
pub mod bulk;
mod discovery;
mod edit;
mod elements;
mod error;
mod filter;
mod fold;
mod form;
mod intake;
mod keep;
mod message;
pub mod openapi;
mod patch;
mod path;
pub mod profiles;
mod projection;
mod resource;
mod same;
pub mod schema;
mod search;
mod sort;
mod tables;

pub use attributes::Attributes;
pub use discovery::BulkSupport;
pub use discovery::ServiceSupport;
pub use discovery::resource_types;
pub use discovery::schema_descriptions;
pub use discovery::service_provider_config;
pub use error::Error;
pub use error::ScimType;
pub use filter::Compare;
pub use filter::Filter;
pub use filter::FilterBounds;
pub use filter::Quotes;
pub use filter::SyntaxError;
pub use fold::fold;
pub use form::instant;
pub use intake::Incoming;
pub use intake::incoming;
pub use message::Meta;
pub use message::Related;
pub use message::cursor_response;
pub use message::list_response;
pub use message::related;
pub use message::related_name;
pub use message::type_name;
pub use patch::MembersEdit;
pub use patch::OPERATIONS_MAX;
pub use patch::Patch;
pub use path::Path;
pub use path::canonical;
pub use projection::Projection;
pub use projection::named_paths;
pub use resource::changed;
pub use resource::resource;
pub use resource::shown;
pub use resource::value_at;
pub use same::same;
pub use same::same_value;
pub use search::Page;
pub use search::PageLimits;
pub use search::Search;
pub use sort::Direction;
pub use sort::Sort;
pub use sort::SortKey;
pub use sort::sort_key;

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
    /// People before teams: the order in which they are written.
    pub const ALL: [Kind; 2] = [Kind::User, Kind::Group];

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

/// Every type of resource that the service has (RFC 7643 section 6): what is provisioned, and the access grants of
/// a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceType {
    User,
    Group,
    Grant,
}

impl ResourceType {
    pub const ALL: [ResourceType; 3] = [ResourceType::User, ResourceType::Group, ResourceType::Grant];

    /// The word used in state and logs.
    pub fn word(self) -> &'static str {
        match self {
            ResourceType::User => "user",
            ResourceType::Group => "group",
            ResourceType::Grant => "grant",
        }
    }

    /// The endpoint (RFC 7644 section 3.2), with its leading slash.
    pub fn endpoint(self) -> &'static str {
        match self {
            ResourceType::User => "/Users",
            ResourceType::Group => "/Groups",
            ResourceType::Grant => "/Grants",
        }
    }

    /// What is provisioned is of a kind; a grant is not.
    pub fn kind(self) -> Option<Kind> {
        match self {
            ResourceType::User => Some(Kind::User),
            ResourceType::Group => Some(Kind::Group),
            ResourceType::Grant => None,
        }
    }
}

impl From<Kind> for ResourceType {
    fn from(kind: Kind) -> ResourceType {
        match kind {
            Kind::User => ResourceType::User,
            Kind::Group => ResourceType::Group,
        }
    }
}

/// How a client that pushes is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Exactly the RFCs.
    Strict,
    /// The RFCs and what Entra, Okta and others really send. Takes more; what is kept and shown is the same.
    #[default]
    Tolerant,
}

impl Dialect {
    /// The word used in state and settings.
    pub fn word(self) -> &'static str {
        match self {
            Dialect::Strict => "strict",
            Dialect::Tolerant => "tolerant",
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
