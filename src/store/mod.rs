//! SQLite: links and watermarks, journal, directory rows, migrations. The only door to rusqlite.
//!
//! Functions are named for what they do, not for tables, and each public one is one transaction. SQL runs on a
//! blocking thread, through `Store::write` and `Store::read`.

mod absence;
mod approvals;
mod database;
mod directory;
mod edges;
mod jobs;
mod journal;
mod links;
mod migrate;
mod pending;
mod promote;
mod staging;
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
pub use directory::Resource;
pub use directory::Write;
pub use directory::WriteAct;
pub use directory::Written;
pub use edges::DirtyEdge;
pub use edges::EdgeCause;
pub use edges::EdgeDecision;
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
pub use links::DirtyLink;
pub use pending::Adopt;
pub use pending::LinkVerdict;
pub use pending::PendingEdge;
pub use pending::PendingLink;
pub use promote::Promoted;
pub use staging::Staging;
pub use tokens::NewToken;
pub use tokens::Token;
pub use unique::Claim;

use std::path::PathBuf;

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the state database {} failed", path.display())]
    Sqlite {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// The file is from a later version of rosterd.
    #[error(
        "the state database {} was written by a newer rosterd (schema {have}, this one knows {know}); install that version again",
        path.display()
    )]
    Newer { path: PathBuf, have: usize, know: usize },
    /// A schema step differs from the one that was run.
    #[error("schema step {step} of {} is not the one that this rosterd has; restore a backup", path.display())]
    Edited { path: PathBuf, step: &'static str },
    #[error("{} cannot keep a write-ahead log (got journal mode `{mode}`); move the state to a local disk", path.display())]
    NoWal { path: PathBuf, mode: String },
    #[error("the state directory {} cannot be used", path.display())]
    Directory {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// Somebody else has the lease.
    #[error("{what} is in use by another rosterd; wait until it has finished, or stop it")]
    Busy { what: String },
    /// A value in the database cannot be read.
    #[error("{place} holds what cannot be read: {what}; restore a backup")]
    Damaged { place: String, what: String },
    #[error("the operating system gave no random bytes")]
    Randomness,
    #[error("the task that ran the query ended early")]
    Stopped,
}

/// Inside `store` errors are plain SQLite ones; the door adds which file failed.
type Sql<T> = rusqlite::Result<T>;
