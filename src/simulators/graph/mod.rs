//! Microsoft Graph v1.0, its token endpoint and the agents of managed identities, as far as graph.md describes them:
//! from a request to an answer.

mod aadsts;
mod access;
mod apps;
mod assertion;
mod assignments;
mod batch;
mod bearer;
mod call;
mod certificate;
mod deleted;
mod delta;
mod errors;
mod expand;
mod filter;
mod filter_match;
mod filter_rules;
mod groups;
mod groups_delta;
mod identity;
mod knobs;
mod listing;
mod members;
mod options;
mod person;
mod questions;
mod search;
mod service;
mod spoil;
mod token;
mod units;
mod users;
mod users_delta;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use knobs::AssertionClock;
pub use knobs::Federated;
pub use knobs::GraphKnobs;
pub use knobs::InnerError;
pub use knobs::OversizedTop;
pub use knobs::RetryAfter;
pub use knobs::TenantSize;
pub(super) use service::respond;

use super::directory::Directory;
use super::exchange::Answer;
use super::exchange::Request;

/// The simulated tenant.
pub const TENANT: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
/// The app registration that reads.
pub const CLIENT_ID: &str = "22222222-aaaa-4bbb-8ccc-000000000002";
/// Its secret. Public, since nothing but a simulator takes it.
pub const CLIENT_SECRET: &str = "simulated-secret~not.a.secret";
/// The object id of its service principal.
const CLIENT_OBJECT_ID: &str = "55555555-aaaa-4bbb-8ccc-000000000005";
/// The application that people are assigned to (its `appId`).
pub const GRAPH_APP_ID: &str = "33333333-aaaa-4bbb-8ccc-000000000003";
/// The object id of its service principal.
pub const GRAPH_APP_OBJECT_ID: &str = "44444444-aaaa-4bbb-8ccc-000000000004";
/// Its name.
pub(super) const APP_NAME: &str = "Acme Workspace";

/// An answer, or the error that stands in its place; both are sent.
type Reply = Result<Answer, Answer>;

/// What a route sees.
struct View<'a> {
    directory: &'a Directory,
    knobs: &'a GraphKnobs,
    now: Timestamp,
    request: &'a Request,
    /// Permissions of the token; none while it is being asked for.
    granted: BTreeSet<String>,
}

impl View<'_> {
    /// `{root}/v1.0/$metadata#…`
    fn context(&self, of: &str) -> String {
        format!("{}/v1.0/$metadata#{of}", self.request.base)
    }
}

/// What the service remembers between requests besides the directory.
#[derive(Default)]
pub(super) struct Memory {
    window: units::Window,
    /// `jti` of the assertions that were taken.
    assertions: BTreeSet<String>,
    /// What the Arc agent wrote last, and how often it wrote.
    arc_key: Option<String>,
    arc_keys: u32,
}
