//! What keeps a job from its rhythm: a pause that a person set, a quarantine, and the restart that ends them.

use rusqlite::Transaction;
use rusqlite::params;
use serde::Deserialize;
use serde::Serialize;

use super::ByHand;
use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::by_hand::record;
use super::escrow::Retry;
use super::escrow::make_due;
use super::jobs::FORGET_WATERMARKS;
use super::journal::forget_resource;
use super::promote::EDGE;
use super::values::json;
use crate::model::LinkId;
use crate::plan::Quarantine;

/// A person's decision that a job rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// In seconds; `None`: until somebody resumes it.
    pub until: Option<i64>,
    pub who: String,
    pub reason: String,
    pub at: i64,
}

impl Paused {
    /// Whether it is in force.
    pub fn holds(&self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What a restart begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restart {
    /// What failed is due in the next cycle.
    pub escrow: bool,
    /// Everything is read anew.
    pub watermark: bool,
    pub quarantine: bool,
    /// What was ours is matched anew, as the policy says.
    pub links: bool,
}

/// What a restart found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restarted {
    pub escrow: u64,
    pub links: u64,
    /// Links that stay, because another job shares what this one owns.
    pub shared: u64,
    pub quarantine: bool,
}

/// Links that a restart takes away: all but those whose resource this job owns and another shares.
const OURS: &str = "l.job = ?1 AND (l.resource IS NOT NULL OR l.pinned IS NOT NULL)";
const SHARED: &str = "l.origin IS NOT 'joined'
    AND EXISTS (SELECT 1 FROM links o WHERE o.resource = l.resource AND o.job <> l.job)";

impl Store {
    /// Lets a job rest; a cycle that runs ends between two changes.
    pub async fn pause(&self, job: JobId, until: Option<i64>, by: ByHand) -> Result<(), StoreError> {
        self.write(move |tx| {
            let paused = Paused { until, who: by.who.clone(), reason: by.reason.clone(), at: by.now_second };
            tx.execute("UPDATE jobs SET paused = ?2 WHERE id = ?1", params![job.0, json(&paused)?])?;
            let end = until.map(|until| format!(" until {until}")).unwrap_or_default();
            record(tx, job, &by, &format!("pause{end}"))
        })
        .await
    }

    /// Ends a pause. Whether there was one.
    pub async fn resume(&self, job: JobId, by: ByHand) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let sql = "UPDATE jobs SET paused = NULL WHERE id = ?1 AND paused IS NOT NULL";
            let was = tx.execute(sql, [job.0])? > 0;
            if was {
                record(tx, job, &by, "resume")?;
            }
            Ok(was)
        })
        .await
    }

    /// What a cycle, or a probe, made of the quarantine.
    pub async fn note_quarantine(
        &self,
        job: JobId,
        quarantine: Option<Quarantine>,
        failed_cycles: u32,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let quarantine = quarantine.as_ref().map(json).transpose()?;
            tx.execute(
                "UPDATE jobs SET quarantine = ?2, failed_cycles = ?3 WHERE id = ?1",
                params![job.0, quarantine, failed_cycles],
            )
            .map(drop)
        })
        .await
    }

    /// Begins anew what is named. Nothing is asked of source or target, and nothing is removed from it.
    pub async fn restart(&self, job: JobId, what: Restart, by: ByHand) -> Result<Restarted, StoreError> {
        self.write(move |tx| {
            let mut restarted = Restarted::default();
            if what.escrow {
                restarted.escrow = make_due(tx, job, &Retry::All)?;
            }
            if what.watermark {
                tx.execute(FORGET_WATERMARKS, [job.0])?;
            }
            if what.quarantine {
                let sql = "UPDATE jobs SET quarantine = NULL, failed_cycles = 0 WHERE id = ?1 AND quarantine IS NOT NULL";
                restarted.quarantine = tx.execute(sql, [job.0])? > 0;
            }
            if what.links {
                (restarted.links, restarted.shared) = forget_links(tx, job)?;
            }
            record(tx, job, &by, &format!("restart{}", what.words()))?;
            Ok(restarted)
        })
        .await
    }

    /// How many links a restart would take away.
    pub async fn links_to_forget(&self, job: JobId) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM links l WHERE {OURS} AND NOT ({SHARED})");
        self.read(move |db| db.query_row(&sql, [job.0], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs))
            .await
    }
}

impl Restart {
    fn words(self) -> String {
        let named = [
            (self.escrow, " escrow"),
            (self.watermark, " watermark"),
            (self.quarantine, " quarantine"),
            (self.links, " links"),
        ];
        named.into_iter().filter(|(on, _)| *on).map(|(_, word)| word).collect()
    }
}

/// As `link unlink` does for one.
fn forget_links(tx: &Transaction<'_>, job: JobId) -> Sql<(u64, u64)> {
    let mut rows = tx.prepare(&format!("SELECT l.id, {SHARED} FROM links l WHERE {OURS} ORDER BY l.id"))?;
    let found = rows.query_map([job.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(i64, bool)> = found.collect::<Sql<_>>()?;
    let mut forgotten = 0;
    for (link, _) in found.iter().filter(|(_, shared)| !shared) {
        forget_resource(tx, LinkId(*link))?;
        tx.prepare_cached(
            "UPDATE links SET pinned = NULL, lost_at = NULL, dirty = dirty | ?2 WHERE id = ?1",
        )?
        .execute(params![link, EDGE])?;
        forgotten += 1;
    }
    Ok((forgotten, found.len() as u64 - forgotten))
}
