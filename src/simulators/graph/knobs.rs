//! Graph's knobs, each with the section of graph.md that it stands for. The defaults are the service as it is
//! described, with every permission of section 2.9 that a source may want, and without throttling.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::super::directory::DELETED_ITEMS_DAYS;
use super::super::routes::Route;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphKnobs {
    // Listings (section 4).
    /// The largest page of any listing or round, whatever is asked for.
    pub page_size: Option<usize>,
    /// What becomes of a `$top` above 999.
    pub oversized_top: OversizedTop,
    /// Query options that a route does not support are ignored silently instead of refused.
    pub ignore_options: bool,
    /// Before every page but the first comes an empty one with a next link.
    pub empty_pages: bool,
    /// Seconds until a page token expires: 400 `Directory_ExpiredPageToken`.
    pub page_token_seconds: i64,
    /// Filters compare texts with regard to case (UNCONFIRMED 8).
    pub case_sensitive_filters: bool,
    /// A type cast without `ConsistencyLevel` is refused even where nothing else needs it (section 5.6).
    pub cast_needs_header: bool,
    // Delta rounds (section 6).
    /// The last item of a page comes again at the head of the next one, and the first item of a round twice.
    pub duplicate_items: bool,
    /// Each round begins with the items of the round before it (section 6.4, 1).
    pub replay_last_round: bool,
    /// Rounds and listings come in no order.
    pub shuffled_order: bool,
    /// Links of groups on one page; a larger group comes in slices (section 6.3).
    pub links_per_page: Option<usize>,
    /// `@removed` objects in a first round (section 6.4, 3).
    pub removed_in_first_round: bool,
    /// Members who left before it are shown as removed in a first round (docs issue 6651).
    pub removed_members_in_first_round: bool,
    /// Null properties are missing (docs issue 4946).
    pub omit_nulls: bool,
    /// Rounds are as with `Prefer: return=minimal` without being asked.
    pub always_minimal: bool,
    /// Days until a delta token expires: 400 `syncStateNotFound` (section 6.5).
    pub delta_token_days: i64,
    /// Another number makes the tokens given before it void: 410 and `Location` (section 6.5).
    pub delta_generation: u32,
    /// The code of that 410; `syncStateNotFound` or `resyncRequired`, in any case.
    pub reset_code: String,
    /// Rounds of groups with members begin again and never end (contrib issue 7311).
    pub endless_groups_delta: bool,
    /// Deleted users give no entry (docs issues 4498, 7115, 18628).
    pub silent_deletions: bool,
    /// A purged member gives no `members@delta` entry (docs issue 14708).
    pub silent_member_purges: bool,
    /// A restored user gives no delta entry where `$select` was sent (section 6.4, 6; docs issue 5821), and the
    /// groups that the user belongs to give none either (UNCONFIRMED; a client that read them while the user was
    /// deleted then learns of the membership only from a list).
    pub silent_restore: bool,
    /// Properties that are missing on the second and later pages of a round (docs issue 15842): `manager`,
    /// `accountEnabled`.
    pub forgotten_on_later_pages: BTreeSet<String>,
    /// A B2C tenant: no delta, no advanced queries.
    pub b2c: bool,
    // Time.
    /// Seconds by which a route lags behind changes.
    pub lag: BTreeMap<Route, i64>,
    /// Seconds by which whatever is asked with `ConsistencyLevel` lags.
    pub index_lag_seconds: i64,
    /// Days until what is deleted is purged; null keeps it for ever (section 5.9).
    pub deleted_items_days: Option<i64>,
    // Throttling (section 7).
    /// Resource units in a window; more are answered 429. Null is what `tenant_size` says.
    pub resource_units: Option<u32>,
    /// Limits by size: S 3500, M 5000, L 8000. Null throttles nobody.
    pub tenant_size: Option<TenantSize>,
    /// The window of the limit.
    pub window_seconds: u32,
    /// How a 429 says when to come back.
    pub retry_after: RetryAfter,
    /// The outer status of a batch with a throttled part: 200 or 424 (UNCONFIRMED 13).
    pub throttled_batch_status: u16,
    // Permissions and licence (sections 2.9 and 3).
    /// What an administrator consented to.
    pub permissions: BTreeSet<String>,
    /// A token keeps the permissions that it was minted with; otherwise a change of `permissions` counts at once.
    pub permissions_of_token: bool,
    /// P1: without it `signInActivity` is refused.
    pub premium: bool,
    /// The service principal of the client is not known yet: `Authorization_IdentityNotFound` with 401 or 403
    /// (UNCONFIRMED 15), and tokens without `oid`.
    pub identity_unknown: Option<u16>,
    /// 403 `Authorization_IdentityDisabled`.
    pub identity_disabled: bool,
    // Sign-in (section 2).
    /// `global`, `usgov-l4`, `usgov-l5` or `china`: which Graph host a scope may name besides the simulator's own.
    pub cloud: String,
    /// Seconds that an access token lives.
    pub token_seconds: i64,
    /// From then on the secret is expired: AADSTS7000222.
    pub secret_expires: Option<Timestamp>,
    /// AADSTS7000112.
    pub client_disabled: bool,
    /// Certificates of the app registration, PEM.
    pub certificates: Vec<String>,
    /// The federated credential of the app registration.
    pub federated: Federated,
    /// A `jti` is taken once only.
    pub jti_once: bool,
    /// Which clock assertions are measured by.
    pub assertion_clock: AssertionClock,
    /// How far the token endpoint's clock is ahead.
    pub clock_skew_seconds: i64,
    /// User-assigned identities of the machine, by client id; with more than one a request has to name one.
    pub identities: Vec<String>,
    /// Where the Arc agent leaves its keys; null is a machine without the agent.
    pub arc_directory: Option<String>,
    // Bodies.
    /// How the inner error of section 8 is written.
    pub inner_error: InnerError,
    /// `client-request-id` comes back (UNCONFIRMED 14).
    pub echo_client_request_id: bool,
    /// In the recycle bin a user principal name carries the object id (UNCONFIRMED 7).
    pub deleted_name_prefix: bool,
    /// Assignment rows of soft-deleted principals stay visible (UNCONFIRMED 6).
    pub rows_of_deleted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OversizedTop {
    Refused,
    Capped,
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TenantSize {
    S,
    M,
    L,
}

/// `integer` is `"3"`, `decimal` is `"2.128"`, `date` is an HTTP date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    Integer,
    Decimal,
    Absent,
    Date,
}

/// A client signs by its own clock, and a world may live in another year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssertionClock {
    Machine,
    World,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InnerError {
    /// `innerError`
    Usual,
    /// `innererror`
    LowerCase,
    Absent,
    /// With a code and an inner error of its own.
    Nested,
}

/// Whose tokens are taken instead of a secret (section 2.3). Without an issuer nobody's are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Federated {
    pub issuer: String,
    pub subject: String,
    /// Public keys or certificates of the issuer, PEM.
    pub keys: Vec<String>,
}

impl Default for GraphKnobs {
    fn default() -> Self {
        GraphKnobs {
            page_size: None,
            oversized_top: OversizedTop::Refused,
            ignore_options: false,
            empty_pages: false,
            // "Within minutes of idling" (section 4).
            page_token_seconds: 600,
            case_sensitive_filters: false,
            cast_needs_header: false,
            duplicate_items: false,
            replay_last_round: false,
            shuffled_order: false,
            links_per_page: None,
            removed_in_first_round: false,
            removed_members_in_first_round: false,
            omit_nulls: false,
            always_minimal: false,
            delta_token_days: 7,
            delta_generation: 0,
            reset_code: "syncStateNotFound".to_owned(),
            endless_groups_delta: false,
            silent_deletions: false,
            silent_member_purges: false,
            silent_restore: false,
            forgotten_on_later_pages: BTreeSet::new(),
            b2c: false,
            lag: BTreeMap::new(),
            index_lag_seconds: 0,
            deleted_items_days: Some(DELETED_ITEMS_DAYS),
            resource_units: None,
            // Throttling is asked for, never met by accident.
            tenant_size: None,
            window_seconds: 10,
            retry_after: RetryAfter::Decimal,
            throttled_batch_status: 200,
            permissions: PERMISSIONS.iter().map(|&name| name.to_owned()).collect(),
            permissions_of_token: false,
            premium: true,
            identity_unknown: None,
            identity_disabled: false,
            cloud: "global".to_owned(),
            token_seconds: 3599,
            secret_expires: None,
            client_disabled: false,
            certificates: Vec::new(),
            federated: Federated::default(),
            jti_once: false,
            assertion_clock: AssertionClock::Machine,
            clock_skew_seconds: 0,
            identities: Vec::new(),
            arc_directory: None,
            inner_error: InnerError::Usual,
            echo_client_request_id: true,
            deleted_name_prefix: true,
            rows_of_deleted: false,
        }
    }
}

const PERMISSIONS: &[&str] = &[
    "Application.Read.All",
    "Directory.Read.All",
    "Group.Read.All",
    "GroupMember.Read.All",
    "User.Read.All",
];

impl GraphKnobs {
    /// Every lag that a request may meet.
    pub(in crate::simulators) fn lags(&self) -> impl Iterator<Item = i64> {
        self.lag.values().copied().chain([self.index_lag_seconds])
    }

    /// Resource units in a window; `None` throttles nobody.
    pub(super) fn unit_limit(&self) -> Option<u32> {
        self.resource_units.or(self.tenant_size.map(|size| match size {
            TenantSize::S => 3500,
            TenantSize::M => 5000,
            TenantSize::L => 8000,
        }))
    }
}
