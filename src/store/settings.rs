//! Under which settings everything is decided: a version is kept once a digest, when something first happens under it.
//!
//! The connection that writes carries the settings of its process in a temporary table, so that whoever records something
//! in a transaction finds them there.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;

use super::Sql;
use super::Store;
use super::StoreError;

/// Digits of a digest.
const DIGITS: usize = 16;
/// How exact `last` is.
const LAST_SECONDS: i64 = 3600;

/// One version of the merged settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsVersion {
    pub digest: String,
    /// Lines of TOML, as `config show` prints them, without where each comes from.
    pub text: String,
    /// When something was first and last done under it; the latter to the hour.
    pub first_second: i64,
    pub last_second: i64,
}

impl SettingsVersion {
    /// What a version is called: a hash of its text.
    pub fn digest_of(text: &str) -> String {
        blake3::hash(text.as_bytes()).to_hex()[..DIGITS].to_owned()
    }
}

/// Makes the place where a connection carries its settings.
pub(super) fn prepare(connection: &Connection) -> Sql<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS running_under(digest TEXT NOT NULL, text TEXT NOT NULL)",
    )
}

/// The connection works under these settings from now on.
pub(super) fn take(connection: &Connection, text: &str) -> Sql<()> {
    connection.execute("DELETE FROM temp.running_under", [])?;
    let with = params![SettingsVersion::digest_of(text), text];
    connection.execute("INSERT INTO temp.running_under VALUES (?1, ?2)", with).map(drop)
}

/// The digest of the settings that the transaction works under, which are kept with it. `None` where nobody said them.
pub(super) fn current(db: &Connection, now_second: i64) -> Sql<Option<String>> {
    let digest: Option<String> = db
        .prepare_cached("SELECT digest FROM temp.running_under")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(digest) = digest else { return Ok(None) };
    let last: Option<i64> = db
        .prepare_cached("SELECT last FROM settings_versions WHERE digest = ?1")?
        .query_row([&digest], |row| row.get(0))
        .optional()?;
    if last.is_none_or(|last| last <= now_second - LAST_SECONDS) {
        db.prepare_cached(
            "INSERT INTO settings_versions SELECT digest, text, ?1, ?1 FROM temp.running_under WHERE true
             ON CONFLICT DO UPDATE SET last = max(last, excluded.last), first = min(first, excluded.first)",
        )?
        .execute([now_second])?;
    }
    Ok(Some(digest))
}

const SELECT: &str = "SELECT digest, text, first, last FROM settings_versions";

fn version(row: &Row<'_>) -> Sql<SettingsVersion> {
    let (digest, text) = (row.get(0)?, row.get(1)?);
    Ok(SettingsVersion { digest, text, first_second: row.get(2)?, last_second: row.get(3)? })
}

impl Store {
    /// Every version that is kept, the oldest first.
    pub async fn settings_versions(&self) -> Result<Vec<SettingsVersion>, StoreError> {
        self.read(|db| {
            // Two of one second come in the order of their cycles.
            let mut rows = db.prepare_cached(&format!(
                "{SELECT} v ORDER BY first, (SELECT min(id) FROM cycles c WHERE c.settings = v.digest), digest"
            ))?;
            rows.query_map([], version)?.collect()
        })
        .await
    }

    /// The digest of the settings under which something was last recorded by then: a cycle, a push or a decision.
    pub async fn settings_at(&self, at_second: i64) -> Result<Option<String>, StoreError> {
        self.read(move |db| {
            db.prepare_cached(
                "SELECT settings FROM (
                   SELECT * FROM (SELECT started AS at, settings FROM cycles
                                   WHERE settings IS NOT NULL AND started <= ?1 ORDER BY id DESC LIMIT 1)
                   UNION ALL
                   SELECT * FROM (SELECT at, settings FROM journal
                                   WHERE settings IS NOT NULL AND at <= ?1 ORDER BY id DESC LIMIT 1))
                 ORDER BY at DESC LIMIT 1",
            )?
            .query_row([at_second], |row| row.get(0))
            .optional()
        })
        .await
    }
}
