//! The parts of a profile, and the words of its keys (SCIM reference, section 13.1).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use super::Names;

/// One value for users, one for groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByKind<T> {
    pub users: T,
    pub groups: T,
}

/// Whether a service does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    Yes,
    No,
    /// Nobody knows: it is tried, and what comes of it is learned (O2).
    Unknown,
}

/// What filters a service understands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterCan {
    pub ops: BTreeSet<FilterOp>,
    pub user_attrs: Names,
    pub group_attrs: Names,
    /// `members.value eq "id"` finds the groups that somebody is in.
    pub members_value: bool,
    /// The longest filter, in characters before encoding.
    pub max_length: Option<usize>,
    pub element_style: ElementStyle,
}

/// An operator of filters (RFC 7644 section 3.4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterOp {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Pr,
    Gt,
    Ge,
    Lt,
    Le,
    And,
    Or,
    Not,
}

/// How a filter asks for `emails[type eq "work"].value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElementStyle {
    /// `emails[type eq "work" and value eq "x"]` (RFC 7644 section 3.4.2.2).
    Inside,
    /// `emails[type eq "work"].value eq "x"`, which Entra sends and services that were built for it expect.
    After,
}

/// How long lists come in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paging {
    /// `startIndex` and `count` (RFC 7644 section 3.4.2.4).
    Index,
    /// `cursor` and `count` (RFC 9865).
    Cursor,
    /// All at once, whatever is asked.
    None,
}

/// `/Bulk` (RFC 7644 section 3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// `unknown`: where `rosterd check` saw that the service says so, it is tried.
    pub supported: Support,
    pub max_operations: usize,
    /// Bytes of one request.
    pub max_payload_size: usize,
}

/// What a service does with the members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// `false`: never shown, though there are some.
    pub returned: bool,
    /// How many one patch may add or remove.
    pub max_per_patch: usize,
    /// How many a new or a replaced group may have.
    pub max_per_post: usize,
    /// The whole list may be replaced. It is done only where nothing else can be, and never where it is `false`.
    pub replace_all: bool,
    /// A member is removed by the path `members[value eq "id"]` (RFC 7644 section 3.5.2.2), one operation each.
    /// `false`: by one operation with the path `members` and a list of values, as Entra sends it. A service that
    /// reads that by the letter of the RFC would empty the group, so only a profile may ask for it.
    pub value_path_remove: bool,
    /// Groups may be members.
    pub nested: bool,
}

/// The attributes that are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attrs {
    pub user: Names,
    pub group: Names,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalId {
    pub stored: bool,
    pub filterable: bool,
    /// Two resources of one kind never have the same.
    pub unique: bool,
}

/// What `active = false` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActiveSemantics {
    /// The account stays and cannot be used.
    #[default]
    Suspend,
    /// The account and its id are gone; whoever comes back is somebody new.
    DeleteIdentity,
}

/// What DELETE does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteSemantics {
    #[default]
    Delete,
    /// The account is only deactivated, though it is not shown any more.
    Deactivate,
    /// Nothing and nobody brings the account back.
    Irreversible,
}

/// How much the service takes. What is not given has no limit but its 429.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests a second, on the average.
    pub rps: Option<f64>,
    /// Requests that may come at once.
    pub burst: Option<u64>,
    /// Writes a second, where they are counted by themselves.
    pub write_rps: Option<f64>,
    pub write_burst: Option<u64>,
    /// Requests in flight at once.
    pub concurrent: Option<usize>,
}

/// How a patch says what it sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchValueStyle {
    /// One operation a path.
    Path,
    /// One `replace` without a path, its value an object of attributes. Only what a plain path names goes
    /// that way: elements of lists, and what is unassigned, keep an operation of their own.
    Pathless,
}

/// How booleans are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoolStyle {
    Native,
    /// `"True"` and `"False"`, as Entra sends them without its flag for RFC 7644.
    String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaType {
    /// RFC 7644 section 3.1.
    #[serde(rename = "application/scim+json")]
    Scim,
    #[serde(rename = "application/json")]
    Json,
}

impl MediaType {
    pub fn text(self) -> &'static str {
        match self {
            MediaType::Scim => "application/scim+json",
            MediaType::Json => "application/json",
        }
    }
}

/// What a service asks of people and teams beyond the schema, and what it costs to make somebody there. Nobody refuses
/// anything for it here: it is what can be said before the service says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demands {
    /// The values that a user must have, by path.
    pub required: Vec<String>,
    /// userName and work e-mail must be equal.
    pub user_name_is_email: bool,
    /// Whoever is made gets an invitation by mail.
    pub invites: bool,
    /// Access hangs on teams: who is in none may do nothing.
    pub access_by_team: bool,
    /// It lets nobody in whose mail domain was not verified there.
    pub verified_domains: bool,
    /// The most members of one team.
    pub team_members_max: Option<u64>,
    /// The most active users, where the operator has said how many seats were bought.
    #[serde(skip)]
    pub seats: Option<u64>,
    /// Lists of a user of which it keeps one value.
    #[serde(skip)]
    pub single: Vec<String>,
    #[serde(skip)]
    pub active_semantics: ActiveSemantics,
    #[serde(skip)]
    pub delete_semantics: DeleteSemantics,
    /// Nobody can see there who is in a team.
    #[serde(skip)]
    pub members_hidden: bool,
}
