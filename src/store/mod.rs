//! SQLite: links and watermarks, journal, directory rows, migrations. The only door to rusqlite.

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the state database failed")]
    Sqlite(#[from] rusqlite::Error),
}
