//! What is held, folded by cause: since when, and when it was announced last.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::pending::count;
use super::values::parsed_or_none;
use super::values::text;
use super::values::word;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::HoldKind;

/// One cause that holds changes, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCause {
    pub cause: CauseId,
    pub kind: HoldKind,
    /// `group Sales lost its assignment`.
    pub sentence: String,
    pub changes: u64,
    /// When a cycle held it first.
    pub since_second: i64,
}

/// Everything that is held, save for what a job that only observes holds.
const HELD: &str = "WITH held(cause, kind) AS (
    SELECT coalesce(match_cause, cause), json_extract(hold, '$.kind') FROM links
     WHERE job = ?1 AND class IS NOT NULL AND hold IS NOT NULL AND exempt <> 1
    UNION ALL SELECT cause, json_extract(hold, '$.kind') FROM team_edges
     WHERE job = ?1 AND desired <> applied AND hold IS NOT NULL AND cause IS NOT NULL AND exempt <> 1
    UNION ALL SELECT cause, json_extract(hold, '$.kind') FROM person_references
     WHERE job = ?1 AND pending = 1 AND hold IS NOT NULL AND exempt <> 1)
  SELECT h.cause, h.kind, c.cause, count(*) FROM held h LEFT JOIN causes c ON c.job = ?1 AND c.id = h.cause
   WHERE h.kind NOT IN ('observe', 'exempt') AND h.cause IS NOT NULL GROUP BY h.cause, h.kind";

impl Store {
    /// Notes what began and what ceased to be held.
    pub async fn note_held(&self, job: JobId, now: i64) -> Result<(), StoreError> {
        let changed = self.read(move |db| Ok(now_held(db, job, now)? != known(db, job)?)).await?;
        if !changed {
            return Ok(());
        }
        self.write(move |tx| {
            let (held, known) = (now_held(tx, job, now)?, known(tx, job)?);
            for (cause, kind) in known.keys().filter(|key| !held.contains_key(*key)) {
                let sql = "DELETE FROM held_causes WHERE job = ?1 AND cause = ?2 AND kind = ?3";
                tx.prepare_cached(sql)?.execute(params![job.0, cause.0, text(kind)?])?;
            }
            for ((cause, kind), since) in held.iter().filter(|(key, _)| !known.contains_key(*key)) {
                let sql = "INSERT INTO held_causes(job, cause, kind, since) VALUES (?1, ?2, ?3, ?4)";
                tx.prepare_cached(sql)?.execute(params![job.0, cause.0, text(kind)?, since])?;
            }
            Ok(())
        })
        .await
    }

    /// What is held now, the largest first.
    pub async fn held_causes(&self, job: JobId, now: i64) -> Result<Vec<HeldCause>, StoreError> {
        self.read(move |db| held_causes(db, job, now)).await
    }

    /// What of it was not announced since then; it counts as announced from now on.
    pub async fn announce_held(
        &self,
        job: JobId,
        told_before_second: i64,
        now: i64,
    ) -> Result<Vec<HeldCause>, StoreError> {
        self.write(move |tx| {
            let mut told = tx.prepare_cached(
                "UPDATE held_causes SET told = ?5 WHERE job = ?1 AND cause = ?2 AND kind = ?3
                    AND (told IS NULL OR told <= ?4 OR told > ?5)",
            )?;
            let mut due = Vec::new();
            for held in held_causes(tx, job, now)? {
                let with = params![job.0, held.cause.0, text(&held.kind)?, told_before_second, now];
                if told.execute(with)? > 0 {
                    due.push(held);
                }
            }
            Ok(due)
        })
        .await
    }
}

type Since = BTreeMap<(CauseId, HoldKind), i64>;

fn known(db: &Connection, job: JobId) -> Sql<Since> {
    let mut rows = db.prepare_cached("SELECT cause, kind, since FROM held_causes WHERE job = ?1")?;
    rows.query_map([job.0], |row| Ok(((CauseId(row.get(0)?), word(row, 1)?), row.get(2)?)))?.collect()
}

/// With since when, as far as it is known: what is not, is held since now.
fn now_held(db: &Connection, job: JobId, now: i64) -> Sql<Since> {
    let held = held_causes(db, job, now)?;
    Ok(held.into_iter().map(|held| ((held.cause, held.kind), held.since_second)).collect())
}

fn held_causes(db: &Connection, job: JobId, now: i64) -> Sql<Vec<HeldCause>> {
    let known = known(db, job)?;
    let mut rows = db.prepare_cached(HELD)?;
    let held = rows.query_map([job.0], |row| {
        let (cause, kind) = (CauseId(row.get(0)?), word(row, 1)?);
        let told: Option<Cause> = parsed_or_none(row, 2)?;
        let since_second = known.get(&(cause.clone(), kind)).copied().unwrap_or(now);
        let sentence = told.map_or_else(|| cause.0.clone(), |cause| cause.sentence());
        Ok(HeldCause { cause, kind, sentence, changes: count(row, 3)?, since_second })
    })?;
    let mut held = held.collect::<Sql<Vec<HeldCause>>>()?;
    held.sort_by(|a, b| b.changes.cmp(&a.changes).then_with(|| a.cause.cmp(&b.cause)));
    Ok(held)
}
