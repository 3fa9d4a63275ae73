//! Why the state could not be used: what, which file, and what helps. SQLite's own texts may quote the statement.

use std::path::Path;
use std::path::PathBuf;

use rusqlite::Error;
use rusqlite::ErrorCode;

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the state database {} {what}; {cure}", path.display())]
    Sqlite { path: PathBuf, what: String, cure: &'static str },
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
    #[error("{} cannot be used; look at the path, and run this as a user who may write there", path.display())]
    Directory {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// Somebody else has the lease.
    #[error("{what} is in use by another rosterd; wait until it has finished, or stop it")]
    Busy { what: String },
    #[error("the operating system gave no random bytes; try again")]
    Randomness,
    #[error("the task that ran the query ended early; the log says why")]
    Stopped,
}

impl StoreError {
    pub(super) fn sqlite(path: &Path, error: &Error) -> StoreError {
        let (what, cure) = told(error);
        StoreError::Sqlite { path: path.to_owned(), what, cure }
    }
}

const RESTORE: &str = "restore a backup; without one move the file away, and the next cycle reads everything anew and \
                       finds the accounts again by matching";

/// What happened to the file, and what helps.
fn told(error: &Error) -> (String, &'static str) {
    let text = plain(error);
    match code(error) {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            (format!("is damaged ({text})"), RESTORE)
        }
        Some(ErrorCode::DiskFull) => (
            "cannot grow: the disk is full".to_owned(),
            "make room; nothing is lost, and the next cycle goes on",
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
            "may not be written".to_owned(),
            "run this as the user that owns the file (sudo -u rosterd rosterd …), and look at the rights of its directory",
        ),
        Some(ErrorCode::CannotOpen) => (
            "cannot be opened".to_owned(),
            "check that its directory is there and that this user may write into it (sudo -u rosterd rosterd …)",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            "was locked by another process for too long".to_owned(),
            "wait until that has ended; fuser names it",
        ),
        Some(ErrorCode::SystemIoFailure) => {
            (format!("cannot be read or written ({text})"), "look at the disk, its free space and its limits")
        }
        Some(ErrorCode::Unknown) => (
            format!("is not one that rosterd made ({text})"),
            "name another file as daemon.state, or restore a backup",
        ),
        Some(_) => (format!("failed ({text})"), RESTORE),
        None => (format!("holds what cannot be read ({text})"), RESTORE),
    }
}

fn code(error: &Error) -> Option<ErrorCode> {
    match error {
        Error::SqlInputError { error, .. } => Some(error.code),
        other => other.sqlite_error_code(),
    }
}

/// SQLite's words without the statement, and without the value that could not be converted (P11).
fn plain(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(text)) => text.clone(),
        Error::SqliteFailure(code, None) => code.to_string(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::FromSqlConversionFailure(column, kind, _) => format!("column {column}, of type {kind}"),
        Error::ToSqlConversionFailure(_) => "a value cannot be kept".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use rusqlite::types::Type;

    use super::*;

    #[test]
    fn an_error_shows_neither_its_statement_nor_the_value() {
        let sql = Connection::open_in_memory().unwrap().execute("SELECT nothing FROM 'ann@x.example'", []);
        let conversion = Error::FromSqlConversionFailure(3, Type::Text, "not a word: ann@x.example".into());
        for error in [sql.unwrap_err(), conversion] {
            let told = StoreError::sqlite(Path::new("/var/lib/s.db"), &error).to_string();
            assert!(told.starts_with("the state database /var/lib/s.db "), "{told}");
            assert!(!told.contains("SELECT") && !told.contains("not a word"), "{told}");
        }
    }
}
