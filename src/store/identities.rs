//! What a cycle found in place of the pinned source or target, and a person's word that it is meant (P15).

use rusqlite::Connection;
use rusqlite::params;
use serde::Deserialize;
use serde::Serialize;

use super::Decider;
use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::decisions::Decision;
use super::decisions::decided;
use super::values::json;
use super::values::parsed_or_none;
use super::values::word;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// Another source or target than the pinned one, as a cycle saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundIdentity {
    /// `None`: the pinned one.
    pub source: Option<String>,
    /// `None`: the pinned one, though it may hold nothing of ours any more.
    pub target: Option<String>,
    /// How many of the accounts and teams that it was asked for it knows.
    pub known: u64,
    pub asked: u64,
}

impl FoundIdentity {
    /// The target holds nothing of ours: what was there has to be matched anew.
    pub fn has_lost_all(&self) -> bool {
        self.asked > 0 && self.known == 0
    }
}

impl Store {
    /// A sample of what the job has in its target, the oldest first.
    pub async fn known_resources(
        &self,
        job: JobId,
        limit: usize,
    ) -> Result<Vec<(Kind, ResourceId)>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT kind, resource FROM links WHERE job = ?1 AND kind IN ('user', 'group') AND resource IS NOT NULL
                    AND applied <> 'absent' AND lost_at IS NULL ORDER BY id LIMIT ?2",
            )?;
            rows.query_map(params![job.0, limit as i64], |row| Ok((word(row, 0)?, ResourceId(row.get(1)?))))?
                .collect()
        })
        .await
    }

    /// Whether something would be created, or taken away.
    pub async fn creates_or_removes(&self, job: JobId) -> Result<bool, StoreError> {
        self.read(move |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM links WHERE job = ?1 AND exempt <> 1
                                       AND class IN ('create', 'deactivate', 'delete', 'delete_teams'))
                           OR EXISTS (SELECT 1 FROM team_edges WHERE job = ?1 AND desired < applied AND exempt <> 1)";
            db.query_row(sql, [job.0], |row| row.get(0))
        })
        .await
    }

    /// What is there in place of what is pinned; `None`: what is pinned.
    pub async fn note_found(&self, job: JobId, found: Option<FoundIdentity>) -> Result<(), StoreError> {
        self.write(move |tx| {
            let found = found.as_ref().map(json).transpose()?;
            let sql = "UPDATE jobs SET found = ?2 WHERE id = ?1 AND found IS NOT ?2";
            tx.execute(sql, params![job.0, found]).map(drop)
        })
        .await
    }

    pub async fn found_identity(&self, job: JobId) -> Result<Option<FoundIdentity>, StoreError> {
        self.read(move |db| found(db, job)).await
    }

    /// What the last cycle found is pinned from now on. A source is read anew as a whole; what is not in the target any
    /// more is asked for, one by one, and matched anew. Returns what was taken; `None`: there was nothing to decide.
    pub async fn take_identity(&self, job: JobId, by: &Decider) -> Result<Option<FoundIdentity>, StoreError> {
        let by = by.clone();
        self.write(move |tx| {
            let Some(found) = found(tx, job)? else { return Ok(None) };
            tx.execute(
                "UPDATE jobs SET source_identity = coalesce(?2, source_identity),
                        target_identity = coalesce(?3, target_identity), found = NULL WHERE id = ?1",
                params![job.0, found.source, found.target],
            )?;
            if found.source.is_some() {
                tx.execute("DELETE FROM watermarks WHERE job = ?1", [job.0])?;
            }
            if found.has_lost_all() {
                let sql = "UPDATE links SET lost_at = ?2 WHERE job = ?1 AND resource IS NOT NULL";
                tx.execute(sql, params![job.0, by.now_second])?;
            }
            let what = format!("identity {}", json(&found)?);
            let decision =
                Decision { what: &what, who: &by.who, reason: &by.reason, now_second: by.now_second };
            decided(tx, job, &decision)?;
            Ok(Some(found))
        })
        .await
    }
}

fn found(db: &Connection, job: JobId) -> Sql<Option<FoundIdentity>> {
    db.query_row("SELECT found FROM jobs WHERE id = ?1", [job.0], |row| parsed_or_none(row, 0))
}
