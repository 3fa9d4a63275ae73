//! SQLite: links and watermarks, journal, directory rows, migrations. The only door to rusqlite.
//!
//! Functions are named for what they do, not for tables, and each public one is one transaction. SQL runs on a
//! blocking thread, through `Store::write` and `Store::read`.

mod absence;
mod approvals;
mod database;
mod directory;
mod edges;
mod error;
mod jobs;
mod journal;
mod left_out;
mod links;
mod migrate;
mod pending;
mod policy;
mod promote;
mod references;
mod rights;
mod staging;
mod teams;
mod tokens;
mod unique;
mod values;

pub use absence::LeftOver;
pub use approvals::Approve;
pub use database::Lease;
pub use database::Store;
pub use directory::Author;
pub use directory::Counts;
pub use directory::ListQuery;
pub use directory::Listing;
pub use directory::Owner;
pub use directory::Resource;
pub use directory::Write;
pub use directory::WriteAct;
pub use directory::Written;
pub use edges::DirtyEdge;
pub use edges::EdgeCause;
pub use edges::EdgeDecision;
pub use error::StoreError;
pub use jobs::CycleId;
pub use jobs::CycleRow;
pub use jobs::JobId;
pub use jobs::JobState;
pub use journal::After;
pub use journal::Ended;
pub use journal::EntryId;
pub use journal::Intent;
pub use journal::LogFilter;
pub use journal::LogRow;
pub use journal::OpenEntry;
pub use left_out::LeftOut;
pub use links::DirtyLink;
pub use pending::Adopt;
pub use pending::LinkVerdict;
pub use pending::PendingEdge;
pub use pending::PendingLink;
pub use policy::OtherOwners;
pub use policy::Policy;
pub use policy::Unique;
pub use promote::Promoted;
pub use references::PendingReference;
pub use references::Waits;
pub use rights::Rights;
pub use staging::Staging;
pub use teams::Member;
pub use teams::PushState;
pub use teams::Team;
pub use tokens::NewToken;
pub use tokens::Token;
pub use tokens::TokenWish;
pub use unique::Claim;

/// Inside `store` errors are plain SQLite ones; the door adds which file failed.
type Sql<T> = rusqlite::Result<T>;
