//! The schema, step by step: numbered files of `state/`, embedded in the binary, run once each.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::TransactionBehavior;
use rusqlite::params;

use super::StoreError;

/// Append only: a step that was run is never edited.
const STEPS: &[(&str, &str)] = &[
    ("0001_engine", include_str!("../../state/0001_engine.sql")),
    ("0002_directory", include_str!("../../state/0002_directory.sql")),
    ("0003_trust", include_str!("../../state/0003_trust.sql")),
    ("0004_left_out", include_str!("../../state/0004_left_out.sql")),
    ("0005_service", include_str!("../../state/0005_service.sql")),
    ("0006_references", include_str!("../../state/0006_references.sql")),
    ("0007_matching", include_str!("../../state/0007_matching.sql")),
    ("0008_leavers", include_str!("../../state/0008_leavers.sql")),
    ("0009_on_create", include_str!("../../state/0009_on_create.sql")),
    ("0010_settling", include_str!("../../state/0010_settling.sql")),
    ("0011_escrow", include_str!("../../state/0011_escrow.sql")),
    ("0012_learned", include_str!("../../state/0012_learned.sql")),
    ("0013_plan_order", include_str!("../../state/0013_plan_order.sql")),
    ("0014_upgrade", include_str!("../../state/0014_upgrade.sql")),
    ("0015_exemptions", include_str!("../../state/0015_exemptions.sql")),
    ("0016_held", include_str!("../../state/0016_held.sql")),
    ("0017_identity", include_str!("../../state/0017_identity.sql")),
    ("0018_undo", include_str!("../../state/0018_undo.sql")),
    ("0019_drift", include_str!("../../state/0019_drift.sql")),
    ("0020_settings", include_str!("../../state/0020_settings.sql")),
    ("0021_passing", include_str!("../../state/0021_passing.sql")),
];

const MEMORY: &str = "CREATE TABLE IF NOT EXISTS schema_steps (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL) STRICT";

/// Brings the schema up to date; refuses a file of a newer version and one whose steps differ from ours.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let named = |error| StoreError::sqlite(path, &error);
    let have: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(named)?;
    let have = usize::try_from(have).unwrap_or(usize::MAX);
    if have > STEPS.len() {
        return Err(StoreError::Newer { path: path.to_owned(), have, know: STEPS.len() });
    }
    for (number, (name, sql)) in STEPS.iter().enumerate() {
        let hash = blake3::hash(sql.as_bytes()).to_hex();
        if number < have {
            let was: String = connection
                .query_row("SELECT hash FROM schema_steps WHERE number = ?1", [number as i64], |row| {
                    row.get(0)
                })
                .map_err(named)?;
            if was != hash.as_str() {
                return Err(StoreError::Edited { path: path.to_owned(), step: name });
            }
            continue;
        }
        let mut step = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
            transaction.execute_batch(MEMORY)?;
            transaction.execute_batch(sql)?;
            transaction.execute(
                "INSERT INTO schema_steps VALUES (?1, ?2, ?3)",
                params![number as i64, name, hash.as_str()],
            )?;
            transaction.pragma_update(None, "user_version", number as i64 + 1)?;
            transaction.commit()
        };
        step().map_err(named)?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An empty state in memory.
    pub fn database() -> Connection {
        let mut db = Connection::open_in_memory().expect("a database");
        crate::store::functions::register(&db).expect("the functions");
        migrate(&mut db, Path::new(":memory:")).expect("the schema");
        db
    }

    /// How SQLite would run a statement, one line a step.
    pub fn steps(db: &Connection, sql: &str) -> String {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().expect("a plan") {
            steps.push(row.get::<_, String>(3).expect("a step"));
        }
        steps.join("\n")
    }
}
