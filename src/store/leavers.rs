//! Accounts that are still to be deleted, and the clock that says when.

use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::promote::TIME;
use super::values::word;
use crate::model::LinkId;
use crate::model::SourceId;
use crate::plan;
use crate::plan::ClockSeen;
use crate::plan::Doubt;
use crate::plan::DueDeletion;
use crate::plan::Theirs;

impl Store {
    /// What the clock is worth now, and marks those whose time has come. Where it went back, everybody who was
    /// decided with a time is decided again.
    pub async fn look_at_clock(
        &self,
        job: JobId,
        now: i64,
        theirs: Option<Theirs>,
        jump_max_seconds: i64,
    ) -> Result<Option<Doubt>, StoreError> {
        self.write(move |tx| {
            let sql = "SELECT clock, clock_last, clock_jumped FROM jobs WHERE id = ?1";
            let seen = tx.query_row(sql, [job.0], |row| {
                Ok(ClockSeen { believed: row.get(0)?, last: row.get(1)?, jumped: row.get(2)? })
            })?;
            let look = plan::look_at_clock(seen, now, theirs, jump_max_seconds);
            let ClockSeen { believed, last, jumped } = look.seen;
            let sql = "UPDATE jobs SET clock = ?2, clock_last = ?3, clock_jumped = ?4 WHERE id = ?1";
            tx.execute(sql, params![job.0, believed, last, jumped])?;
            let until = if look.went_back { i64::MAX } else { now };
            let sql = "UPDATE links SET dirty = dirty | ?3 WHERE job = ?1 AND decide_at <= ?2";
            tx.execute(sql, params![job.0, until, TIME])?;
            Ok(look.doubt)
        })
        .await
    }

    /// The next accounts to be deleted, and how many there are.
    pub async fn due_deletions(
        &self,
        job: JobId,
        limit: usize,
    ) -> Result<(Vec<DueDeletion>, u64), StoreError> {
        self.read(move |db| {
            let sql = format!("SELECT count(*) FROM links WHERE {TO_COME}");
            let total: i64 = db.query_row(&sql, [job.0], |row| row.get(0))?;
            let sql = format!(
                "SELECT source_id, coalesce(json_extract(sent, '$.userName'), source_id), left_by, delete_at FROM links
                  WHERE {TO_COME} ORDER BY delete_at, source_id LIMIT ?2"
            );
            let mut rows = db.prepare_cached(&sql)?;
            let found = rows.query_map(params![job.0, limit as i64], due_deletion)?.collect::<Sql<_>>()?;
            Ok((found, total.unsigned_abs()))
        })
        .await
    }
}

/// Those whose time has come are in the plan.
const TO_COME: &str = "job = ?1 AND delete_at IS NOT NULL AND desired IS NOT 'absent'";

fn due_deletion(row: &Row<'_>) -> Sql<DueDeletion> {
    Ok(DueDeletion {
        source: SourceId(row.get(0)?),
        name: row.get(1)?,
        by: word(row, 2)?,
        at_second: row.get(3)?,
    })
}

/// The time to wait counts from when the account was deactivated, however long that was held.
pub(super) fn wait_from(tx: &Transaction<'_>, link: LinkId, now: i64) -> Sql<()> {
    let sql = "UPDATE links SET delete_at = delete_at + (?2 - left_at), left_at = ?2
                WHERE id = ?1 AND delete_at IS NOT NULL AND left_at < ?2";
    tx.prepare_cached(sql)?.execute(params![link.0, now]).map(drop)
}
