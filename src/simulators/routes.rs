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
    /// Graph alone: managed identity of a virtual machine, and of a machine with the Arc agent.
    Imds,
    Arc,
    /// App registrations of Graph.
    Applications,
    TransitiveMemberOf,
    GetByIds,
    Extensions,
    /// Nothing that the service knows.
    Unknown,
}

impl Route {
    /// Where tokens come from: a fault for any route does not mean these.
    pub(super) fn is_sign_in(self) -> bool {
        matches!(self, Route::Token | Route::Imds | Route::Arc)
    }
}

/// Requests since the start or the last reset, by kind. What stands inside a `$batch` is counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub requests: BTreeMap<Route, u64>,
    pub batched: BTreeMap<Route, u64>,
    /// What Graph charged for them, in resource units (graph.md section 7).
    #[serde(default)]
    pub units: BTreeMap<Route, u64>,
}

impl Counters {
    /// HTTP requests of one kind.
    pub fn of(&self, route: Route) -> u64 {
        self.requests.get(&route).copied().unwrap_or(0)
    }

    /// What all requests together were charged.
    pub fn units_total(&self) -> u64 {
        self.units.values().sum()
    }

    /// All HTTP requests; a batch is one.
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }
}
