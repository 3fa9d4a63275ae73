//! Jobs, their cycles and watermarks: what is known of a job as a whole.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use super::Paused;
use super::Sql;
use super::Store;
use super::StoreError;
use super::decisions::Decision;
use super::decisions::decided;
use super::settings;
use super::values::parsed_or_none;
use super::values::text;
use crate::model::Watermarks;
use crate::plan::Mode;
use crate::plan::Quarantine;

/// A job's number in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobId(pub i64);

/// A cycle's number: what `log --cycle` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CycleId(pub i64);

/// What the state says of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    pub id: JobId,
    /// What `enable` allowed; a new job observes.
    pub mode: Mode,
    /// Pinned at the first cycle (P15).
    pub source_identity: Option<String>,
    pub target_identity: Option<String>,
    /// Digest of the rules that `desired` was made with.
    pub rules: Option<String>,
    /// The version of the program that `desired` was made with.
    pub program: Option<String>,
    /// When the last cycle began that read everything anew.
    pub verified_second: Option<i64>,
    /// When the target was last compared with what it had accepted.
    pub target_verified_second: Option<i64>,
    /// A person lets it rest; whether that still holds is a matter of the time.
    pub paused: Option<Paused>,
    /// It mostly fails, and is slowed down.
    pub quarantine: Option<Quarantine>,
    /// Cycles in a row that could not go on.
    pub failed_cycles: u32,
    /// The directory's own domain, as a cycle that needed it last read it.
    pub default_domain: Option<String>,
}

/// One cycle as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleRow {
    pub id: CycleId,
    pub job: String,
    pub started_second: i64,
    pub ended_second: Option<i64>,
    /// JSON of `plan::CycleRecord`; `None` while it runs, and for a cycle that ended by a crash.
    pub record: Option<String>,
    /// The digest of the settings that it ran under; `None` before these were kept.
    pub settings: Option<String>,
}

pub(super) const FORGET_WATERMARKS: &str =
    "DELETE FROM watermarks WHERE job = ?1 AND name NOT IN ('assignments', 'push', 'log')";

impl Store {
    /// Whether the state can be read now, for readiness.
    pub async fn answers(&self) -> Result<(), StoreError> {
        self.read(|db| db.query_row("SELECT count(*) FROM jobs", [], |row| row.get::<_, i64>(0)).map(drop))
            .await
    }

    /// The job of this name; made where it is missing.
    pub async fn job(&self, name: &str) -> Result<JobState, StoreError> {
        let name = name.to_owned();
        self.write(move |tx| {
            tx.execute("INSERT INTO jobs(name) VALUES (?1) ON CONFLICT DO NOTHING", [&name])?;
            job_state(tx, &name).and_then(|found| found.ok_or(rusqlite::Error::QueryReturnedNoRows))
        })
        .await
    }

    /// The job of this name, if a cycle or a command has made it.
    pub async fn find_job(&self, name: &str) -> Result<Option<JobState>, StoreError> {
        let name = name.to_owned();
        self.read(move |db| job_state(db, &name)).await
    }

    /// Pins the identities of source and target (P15).
    pub async fn pin(&self, job: JobId, source: &str, target: &str) -> Result<(), StoreError> {
        let (source, target) = (source.to_owned(), target.to_owned());
        self.write(move |tx| {
            let sql = "UPDATE jobs SET source_identity = ?2, target_identity = ?3 WHERE id = ?1";
            tx.execute(sql, params![job.0, source, target]).map(drop)
        })
        .await
    }

    /// Lets a job do more or less than observe, and records who said so.
    pub async fn set_mode(
        &self,
        job: JobId,
        mode: Mode,
        who: &str,
        reason: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        let (who, reason) = (who.to_owned(), reason.to_owned());
        self.write(move |tx| {
            tx.execute("UPDATE jobs SET mode = ?2 WHERE id = ?1", params![job.0, text(&mode)?])?;
            let what = format!("mode {}", text(&mode)?);
            decided(tx, job, &Decision { what: &what, who: &who, reason: &reason, now_second: now })
        })
        .await
    }

    /// Everything was read anew in the cycle that began then.
    pub async fn note_verified(&self, job: JobId, at_second: i64) -> Result<(), StoreError> {
        let sql = "UPDATE jobs SET verified = ?2 WHERE id = ?1";
        self.write(move |tx| tx.execute(sql, params![job.0, at_second]).map(drop)).await
    }

    /// The directory's own domain is this.
    pub async fn note_default_domain(&self, job: JobId, domain: String) -> Result<(), StoreError> {
        let sql = "UPDATE jobs SET default_domain = ?2 WHERE id = ?1";
        self.write(move |tx| tx.execute(sql, params![job.0, domain]).map(drop)).await
    }

    pub async fn watermarks(&self, job: JobId) -> Result<Watermarks, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached("SELECT name, value FROM watermarks WHERE job = ?1")?;
            rows.query_map([job.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }

    /// The next cycle reads everything anew; what was seen stays. What a source remembers of lists that it reads whole in
    /// every cycle (who was on them) and of its log is no position among changes, and stays as well.
    pub async fn forget_watermarks(&self, job: JobId) -> Result<(), StoreError> {
        self.write(move |tx| tx.execute(FORGET_WATERMARKS, [job.0]).map(drop)).await
    }

    pub async fn start_cycle(&self, job: JobId, now: i64) -> Result<CycleId, StoreError> {
        self.write(move |tx| {
            let settings = settings::current(tx, now)?;
            let sql = "INSERT INTO cycles(job, started, settings) VALUES (?1, ?2, ?3)";
            tx.execute(sql, params![job.0, now, settings])?;
            Ok(CycleId(tx.last_insert_rowid()))
        })
        .await
    }

    pub async fn end_cycle(&self, cycle: CycleId, now: i64, record: String) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "UPDATE cycles SET ended = ?2, record = ?3 WHERE id = ?1",
                params![cycle.0, now, record],
            )
            .map(drop)
        })
        .await
    }

    /// The newest cycles first, of one job or of all.
    pub async fn cycles(&self, job: Option<String>, limit: usize) -> Result<Vec<CycleRow>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT c.id, j.name, c.started, c.ended, c.record, c.settings FROM cycles c JOIN jobs j ON j.id = c.job
                 WHERE ?1 IS NULL OR j.name = ?1 ORDER BY c.id DESC LIMIT ?2",
            )?;
            rows.query_map(params![job, limit as i64], cycle_row)?.collect()
        })
        .await
    }

    /// When the job's last cycle began, in seconds: what the schedule counts from. One that was for a single team
    /// does not put off the others.
    pub async fn last_start(&self, job: &str) -> Result<Option<i64>, StoreError> {
        let job = job.to_owned();
        self.read(move |db| {
            let sql = "SELECT max(c.started) FROM cycles c JOIN jobs j ON j.id = c.job
                        WHERE j.name = ?1 AND json_extract(c.record, '$.provision') IS NULL";
            db.query_row(sql, [job], |row| row.get(0))
        })
        .await
    }
}

fn job_state(db: &Connection, name: &str) -> Sql<Option<JobState>> {
    let sql = "SELECT id, mode, source_identity, target_identity, rules, verified, paused, quarantine, failed_cycles,
                      default_domain, program, target_verified FROM jobs WHERE name = ?1";
    db.query_row(sql, [name], |row| {
        Ok(JobState {
            id: JobId(row.get(0)?),
            mode: super::values::word(row, 1)?,
            source_identity: row.get(2)?,
            target_identity: row.get(3)?,
            rules: row.get(4)?,
            verified_second: row.get(5)?,
            paused: parsed_or_none(row, 6)?,
            quarantine: parsed_or_none(row, 7)?,
            failed_cycles: row.get(8)?,
            default_domain: row.get(9)?,
            program: row.get(10)?,
            target_verified_second: row.get(11)?,
        })
    })
    .optional()
}

fn cycle_row(row: &rusqlite::Row<'_>) -> Sql<CycleRow> {
    Ok(CycleRow {
        id: CycleId(row.get(0)?),
        job: row.get(1)?,
        started_second: row.get(2)?,
        ended_second: row.get(3)?,
        record: row.get(4)?,
        settings: row.get(5)?,
    })
}
