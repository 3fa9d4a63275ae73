//! Shelf of wire-compatible directories for `rosterd demo`, `rosterd simulate` and the tests.
//!
//! | service | room | routes |
//! |---|---|---|
//! | Microsoft Graph and its token endpoint | `graph` | `/{tenant}/oauth2/v2.0/token`, `/v1.0/…` |
//! | Okta | `okta` | `/oauth2/v1/token`, `/api/v1/…` |
//! | the control interface of both | `control` | `/_control/…` |
//!
//! The contract: a service is a function of the world and a request (`respond`), apart from any HTTP library; it
//! reads the directory and never changes it, save for Okta's group push mappings. Changes come through
//! [`World::change`] or the control interface. What goes wrong on purpose is a [`Fault`]; what a real service does in one of several ways is one of the
//! [`Knobs`].
//!
//! The control interface is for the same machine: `serve` answers it to loopback addresses only.
//!
//! | request | body, answer |
//! |---|---|
//! | `POST /_control/changes` | a list of [`Change`]; `{"done": n}`, or 409 with the index and reason of the first that failed |
//! | `GET /_control/snapshot` | a [`Snapshot`] |
//! | `GET`, `POST`, `DELETE /_control/faults` | a list of [`Fault`], or of words such as `users_delta@2=503`: shown, added, cleared |
//! | `GET`, `PUT`, `PATCH /_control/knobs` | the [`Knobs`] of the service; `PUT` sets the named ones and the others to their defaults, `PATCH` leaves the others |
//! | `GET`, `DELETE /_control/counters` | the [`Counters`]: shown, reset |
//! | `GET`, `PUT /_control/clock` | `{"now": "2026-03-01T10:00:00Z"}`; setting it stops the clock there, `{"speed": 60}` lets it run so many times as fast |

mod access;
mod apply;
mod changes;
mod control;
mod day;
mod directory;
mod events;
mod exchange;
mod fault_text;
mod faults;
mod graph;
mod jws;
mod knobs;
mod names;
mod nearest;
mod okta;
mod people;
mod random;
mod replicas;
mod routes;
mod seed;
mod serve;
mod teams;
mod world;

pub use changes::Change;
pub use changes::ChangeError;
pub use changes::Hire;
pub use day::demo_day;
pub use directory::Status;
pub use fault_text::FaultTextError;
pub use faults::Fault;
pub use faults::Trouble;
pub use graph::AssertionClock;
pub use graph::CLIENT_ID;
pub use graph::CLIENT_SECRET;
pub use graph::Federated;
pub use graph::GRAPH_APP_ID;
pub use graph::GRAPH_APP_OBJECT_ID;
pub use graph::GraphKnobs;
pub use graph::InnerError;
pub use graph::OversizedTop;
pub use graph::RetryAfter;
pub use graph::TENANT;
pub use graph::TenantSize;
pub use knobs::KnobError;
pub use knobs::Knobs;
pub use okta::API_TOKEN;
pub use okta::AppProfiles;
pub use okta::AppStatus;
pub use okta::Credentials as OktaCredentials;
pub use okta::OKTA_APP_ID;
pub use okta::OKTA_CLIENT_ID;
pub use okta::OKTA_CLIENT_KEY;
pub use okta::OKTA_CLIENT_KID;
pub use okta::OktaChange;
pub use okta::OktaKnobs;
pub use okta::OrgKind;
pub use okta::PushFeature;
pub use okta::PushStatus;
pub use okta::Role as OktaRole;
pub use routes::Counters;
pub use routes::Route;
pub use seed::DOMAIN;
pub use serve::serve;
pub use world::ExpectedGroup;
pub use world::ExpectedPerson;
pub use world::Snapshot;
pub use world::World;

/// Which service is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Graph,
    Okta,
}

/// How large a seeded directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub users: usize,
    pub groups: usize,
    pub memberships_per_user: usize,
}

/// Who has the application in a seeded directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// Everybody, directly; no group is assigned, nobody is disabled, nothing is nested: for benchmarks.
    Everyone,
    /// About nine of ten, half of whom could be through one of the assigned groups only.
    Most,
}

impl Assigned {
    /// The size from which on `World::new` takes a directory for a benchmark.
    pub const EVERYONE_FROM: usize = 50_000;

    fn for_size(size: Size) -> Assigned {
        if size.users >= Assigned::EVERYONE_FROM { Assigned::Everyone } else { Assigned::Most }
    }
}
