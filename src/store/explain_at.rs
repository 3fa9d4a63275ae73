//! How a link stood on a day: what the journal has of it, for `explain --at`.

use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;

use super::CycleId;
use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::retention;
use super::values::parsed;
use super::values::parsed_or_none;
use crate::model::LinkId;
use crate::plan::Cause;
use crate::plan::Edit;
use crate::plan::PastEntry;
use crate::scim::Attributes;

/// What is known of a link now, and what happened to it.
#[derive(Clone)]
pub struct Past {
    /// `absent`, `active`, `inactive`: now.
    pub applied: String,
    /// What was sent last, and stands.
    pub sent: Option<Attributes>,
    /// Teams that the person is in now, by the target's last word.
    pub teams: Vec<String>,
    /// Everything that was done or tried, the oldest first, memberships included.
    pub entries: Vec<PastEntry>,
    /// What is held of it now, and since when its cause holds something.
    pub held: Option<(String, i64)>,
    /// Until when retention removed entries, and when it did.
    pub removed: Option<(i64, i64)>,
}

/// The last cycle of a job that had begun by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleThen {
    pub cycle: CycleId,
    pub started_second: i64,
    pub settings: Option<String>,
    /// JSON of `plan::CycleRecord`.
    pub record: Option<String>,
}

const ENTRIES: &str = "SELECT g.id, g.at, g.class, g.outcome, c.cause, g.edits, g.cycle, g.settings, g.salt IS NULL
        AND EXISTS (SELECT 1 FROM journal_chain p WHERE p.entry = g.id AND p.part = 'erased'),
        CASE WHEN g.link <> ?2 THEN coalesce(json_extract(t.wanted, '$.displayName'), json_extract(t.sent, '$.displayName'),
                                             t.source_id) END
   FROM journal g JOIN links t ON t.id = g.link LEFT JOIN causes c ON c.job = g.job AND c.id = g.cause
  WHERE g.link = ?2
     OR (g.job = ?1 AND g.class IN ('add_members', 'remove_members')
         AND EXISTS (SELECT 1 FROM json_each(g.people) p WHERE p.value = ?2))
  ORDER BY g.id";

fn entry(row: &Row<'_>) -> Sql<PastEntry> {
    let edits: Vec<Edit> = parsed(row, 5)?;
    let cause: Option<Cause> = parsed_or_none(row, 4)?;
    Ok(PastEntry {
        entry: row.get(0)?,
        at_second: row.get(1)?,
        class: row.get(2)?,
        outcome: row.get(3)?,
        cause: cause.map(|cause| cause.sentence()),
        edits,
        cycle: row.get(6)?,
        settings: row.get(7)?,
        is_erased: row.get(8)?,
        team: row.get(9)?,
    })
}

impl Store {
    pub async fn past_of(&self, job: JobId, link: LinkId) -> Result<Past, StoreError> {
        self.read(move |db| {
            let mut entries = db.prepare_cached(ENTRIES)?;
            let entries = entries.query_map(params![job.0, link.0], entry)?.collect::<Sql<_>>()?;
            let mut teams = db.prepare_cached(
                "SELECT coalesce(json_extract(t.wanted, '$.displayName'), json_extract(t.sent, '$.displayName'), t.source_id)
                   FROM team_edges e JOIN links t ON t.id = e.team WHERE e.person = ?1 AND e.applied = 1 ORDER BY 1",
            )?;
            let teams = teams.query_map([link.0], |row| row.get(0))?.collect::<Sql<_>>()?;
            let (applied, sent) = db.query_row("SELECT applied, sent FROM links WHERE id = ?1", [link.0], |row| {
                Ok((row.get(0)?, parsed_or_none(row, 1)?))
            })?;
            let held = db
                .prepare_cached(
                    "SELECT json_extract(l.hold, '$.text'), min(h.since) FROM links l
                       JOIN held_causes h ON h.job = l.job AND h.cause = coalesce(l.match_cause, l.cause)
                      WHERE l.id = ?1 AND l.class IS NOT NULL AND l.hold IS NOT NULL GROUP BY l.id",
                )?
                .query_row([link.0], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let removed = retention::newest(db)?
                .map(|checkpoint| (checkpoint.before_second, checkpoint.at_second));
            Ok(Past { applied, sent, teams, entries, held, removed })
        })
        .await
    }

    pub async fn cycle_then(&self, job: JobId, at_second: i64) -> Result<Option<CycleThen>, StoreError> {
        self.read(move |db| {
            db.prepare_cached(
                "SELECT id, started, settings, record FROM cycles WHERE job = ?1 AND started <= ?2 ORDER BY id DESC LIMIT 1",
            )?
            .query_row(params![job.0, at_second], |row| {
                let cycle = CycleId(row.get(0)?);
                Ok(CycleThen { cycle, started_second: row.get(1)?, settings: row.get(2)?, record: row.get(3)? })
            })
            .optional()
        })
        .await
    }
}
