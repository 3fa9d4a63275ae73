//! Okta's knobs, each with the section of okta.md that it stands for.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::credentials;

/// How the simulated org behaves where okta.md leaves it open or knows of several ways, and what its administrators
/// have switched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OktaKnobs {
    /// Requests a minute for each bucket; more are answered 429.
    pub rate_limit: u32,
    /// `limit` above the maximum is refused instead of cut (UNCONFIRMED, okta.md section 15).
    pub refuse_high_limit: bool,

    /// The administrator who made the API token still is one; else the token is dead (okta.md section 2.1).
    pub token_creator_active: bool,
    /// Days without a call after which the API token is dead.
    pub token_idle_days: i64,
    /// The request comes from outside the token's network zone: 401 or 403 (UNCONFIRMED which).
    pub outside_network: Option<u16>,

    /// The public keys of the service app, as JWKs (okta.md section 2.2).
    pub service_keys: Vec<Value>,
    /// The scopes that the service app was granted.
    pub granted_scopes: Vec<String>,
    /// Scopes that were granted and not consented to.
    pub unconsented_scopes: Vec<String>,
    /// The application of the client id is an API Services app.
    pub service_app: bool,
    /// How an unknown client id is refused: 401, by some orgs 400.
    pub unknown_client_status: u16,
    /// Tokens are bound to a key of the client (okta.md section 2.3).
    pub dpop: bool,
    /// A nonce is good for this long, and two more such times after it was replaced.
    pub dpop_nonce_hours: i64,
    /// The API asks for a nonce as well, with this status (400 or 401); recorded orgs do not.
    pub dpop_nonce_of_api: Option<u16>,

    pub role: Role,
    /// Ids, logins and names that the narrowed role does not see: lists leave them out, single reads answer 404.
    pub hidden: Vec<String>,
    /// Of all people and groups, so many in a hundred are hidden in the same way.
    pub hidden_percent: u8,

    /// Minutes after which a cursor is refused; none where absent (UNCONFIRMED).
    pub cursor_minutes: Option<i64>,
    /// Rates of okta.md section 7; where absent, `rate_limit` holds for every bucket.
    pub org_kind: Option<OrgKind>,
    /// The token's share of each bucket of `org_kind`.
    pub token_share_percent: u32,
    /// Requests in flight at once; more are answered 429 with a limit of 0. 0 is no limit.
    pub concurrency: u32,

    /// Seconds in which reads show the old `lastMembershipUpdated` (okta.md section 5.2).
    pub membership_lag_seconds: i64,
    /// Seconds in which a search neither finds what is new nor has forgotten what was deleted.
    pub search_lag_seconds: i64,
    /// Seconds from the change of a group to the rows of the application.
    pub job_seconds: i64,
    /// Seconds in which the row of a deactivated user lingers.
    pub deactivation_seconds: i64,
    /// The application's profile follows the user, or stays as it was at assignment (okta.md section 5.3).
    pub app_profiles: AppProfiles,
    /// Who is assigned directly and by a group has the scope GROUP (UNCONFIRMED).
    pub group_scope_wins: bool,
    /// Rows by a group do not name it (UNCONFIRMED).
    pub no_group_link: bool,
    /// The priority of the first group: 0 or 1, both were seen.
    pub first_priority: usize,
    /// Deleting a user moves `lastMembershipUpdated` of the groups (UNCONFIRMED).
    pub deletion_moves_membership: bool,
    /// Editing the application's profile of a user moves the user's `lastUpdated` (UNCONFIRMED).
    pub app_profile_moves_user: bool,

    /// Every third event is persisted so many seconds after it happened.
    pub log_latency_seconds: i64,
    /// Event types that happen without an entry in the log; `*` is all of them.
    pub silent_events: Vec<String>,

    pub push: PushFeature,
    /// Push mappings are created with 201 and deleted with 204, as documented, instead of 200, as recorded.
    pub push_as_documented: bool,
}

/// What the role of the token's owner, or of the service app, allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Full,
    /// Lists are 200 and empty, single reads 403 (okta.md section 2.2).
    Lost,
}

/// The columns of the table in okta.md section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrgKind {
    Integrator,
    OneApp,
    Enterprise,
    Workforce,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppProfiles {
    #[default]
    Live,
    AsAssigned,
}

/// How group push mappings answer; what an org without the feature says is UNCONFIRMED.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushFeature {
    #[default]
    On,
    /// 401 E0000015.
    Unauthorized,
    /// 404 E0000007.
    NotFound,
}

impl Default for OktaKnobs {
    fn default() -> Self {
        OktaKnobs {
            // Far above what a client does in a minute: throttling is asked for, never met by accident.
            rate_limit: 100_000,
            refuse_high_limit: false,
            token_creator_active: true,
            token_idle_days: 30,
            outside_network: None,
            service_keys: vec![credentials::public_key()],
            granted_scopes: credentials::READ_SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
            unconsented_scopes: Vec::new(),
            service_app: true,
            unknown_client_status: 401,
            dpop: false,
            dpop_nonce_hours: 24,
            dpop_nonce_of_api: None,
            role: Role::Full,
            hidden: Vec::new(),
            hidden_percent: 0,
            cursor_minutes: None,
            org_kind: None,
            token_share_percent: 50,
            concurrency: 0,
            membership_lag_seconds: 0,
            search_lag_seconds: 0,
            job_seconds: 0,
            deactivation_seconds: 0,
            app_profiles: AppProfiles::Live,
            group_scope_wins: false,
            no_group_link: false,
            first_priority: 0,
            deletion_moves_membership: false,
            app_profile_moves_user: false,
            log_latency_seconds: 0,
            silent_events: Vec::new(),
            push: PushFeature::On,
            push_as_documented: false,
        }
    }
}
