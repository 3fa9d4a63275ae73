//! SQLite: links and watermarks, journal, directory rows, migrations. The only door to rusqlite.
//!
//! Functions are named for what they do, not for tables, and each public one is one transaction. SQL runs on a
//! blocking thread, through `Store::write` and `Store::read`.

mod database;
mod migrate;

pub use database::Lease;
pub use database::Store;

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
    #[error("the task that ran the query ended early")]
    Stopped,
}

/// Inside `store` errors are plain SQLite ones; the door adds which file failed.
type Sql<T> = rusqlite::Result<T>;
