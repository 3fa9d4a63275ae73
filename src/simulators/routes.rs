//! The kinds of request that counters and faults tell apart, and what was counted.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

/// A kind of request, of either service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    Token,
    Organization,
    /// Graph's service principal, Okta's application.
    App,
    /// Graph `appRoleAssignedTo`.
    Assignments,
    /// Okta `/apps/{id}/users`.
    AppUsers,
    AppUser,
    /// Okta `/apps/{id}/groups`.
    AppGroups,
    AppGroup,
    UsersList,
    UsersDelta,
    User,
    Manager,
    UserAssignments,
    CheckMemberGroups,
    /// The groups that somebody is directly in.
    MemberOf,
    GroupsList,
    GroupsDelta,
    Group,
    GroupAssignments,
    /// Direct members of one group.
    Members,
    TransitiveMembers,
    DeletedItems,
    Batch,
    /// From here on Okta alone.
    AppsList,
    PushMappings,
    PushMapping,
    GroupApps,
    UserGroups,
    AppLinks,
    GroupRules,
    Schema,
    Mappings,
    Mapping,
    ApiToken,
    Logs,
    /// Nothing that the service knows.
    Unknown,
}

/// Requests since the start or the last reset, by kind. What stands inside a `$batch` is counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub requests: BTreeMap<Route, u64>,
    pub batched: BTreeMap<Route, u64>,
}

impl Counters {
    /// HTTP requests of one kind.
    pub fn of(&self, route: Route) -> u64 {
        self.requests.get(&route).copied().unwrap_or(0)
    }

    /// All HTTP requests; a batch is one.
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }
}
