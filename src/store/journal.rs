//! The journal: the intent before a write, the outcome after it, and what the outcome makes of `applied` (P5).

use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;

use super::CycleId;
use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::leavers;
use super::references;
use super::relink::take_over;
use super::values::json;
use super::values::parsed;
use super::values::parsed_or_none;
use super::values::word;
use crate::model::Accepted;
use crate::model::LinkId;
use crate::plan::CauseId;
use crate::plan::Class;
use crate::plan::Edit;
use crate::scim::ResourceId;

/// An entry's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId(pub i64);

/// What is about to be sent.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The person, or the team.
    pub link: LinkId,
    pub class: Class,
    pub cause: CauseId,
    /// The people whose membership changes; empty for a change of the link itself.
    pub people: Vec<LinkId>,
    pub edits: Vec<Edit>,
    pub approved: bool,
    /// How a witness confirmed it, where one was asked; without values.
    pub evidence: Option<String>,
}

/// What the answer makes of a link.
#[derive(Clone, Debug)]
pub enum After {
    /// The target has accepted it: active or not, as sent and shown.
    Applied { active: bool, accepted: Accepted, key: Option<String> },
    /// It has another name for now: it still waits for its own, or has made way for somebody else's.
    Parked { active: bool, accepted: Accepted, key: String },
    /// The target has no such resource any more.
    Gone,
    /// Memberships of these people are now as desired.
    Members { people: Vec<LinkId>, adds: bool },
    /// The person's attribute names this resource now, or nobody.
    Refers { path: String, resource: Option<ResourceId> },
    /// The reference failed, and nothing else of the person: tried again from this second on.
    ReferenceFailed { path: String, failure: String, due_second: i64 },
    /// The target has no such resource, though it should: it is looked for anew.
    Lost { failure: String },
    /// It failed: tried again from this second on.
    Failed { failure: String, due_second: i64 },
    /// Nothing is known to have happened: it stays pending and is tried again in the next cycle.
    Unchanged,
}

/// An outcome, with what follows from it.
#[derive(Clone, Debug)]
pub struct Ended {
    pub entry: EntryId,
    pub link: LinkId,
    pub class: Class,
    /// `done`, `conflict`, `missing`, `refused`, `later`, `not_done`.
    pub outcome: &'static str,
    pub detail: String,
    pub people: Vec<LinkId>,
    pub after: After,
}

/// An entry without an outcome: a crash, or a lost answer.
#[derive(Clone, Debug)]
pub struct OpenEntry {
    pub entry: EntryId,
    pub link: LinkId,
    pub class: Class,
    pub people: Vec<LinkId>,
    pub edits: Vec<Edit>,
}

/// One line of the provisioning log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    pub entry: EntryId,
    pub cycle: CycleId,
    pub job: String,
    pub kind: String,
    pub source: String,
    pub name: String,
    pub class: Class,
    pub cause: Option<crate::plan::Cause>,
    pub people: Vec<String>,
    pub edits: Vec<Edit>,
    pub at_second: i64,
    pub outcome: Option<String>,
    pub detail: Option<String>,
    pub evidence: Option<String>,
}

/// What `log` was asked for; `None` is everything.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    pub job: Option<String>,
    pub cycle: Option<i64>,
    /// A source id, a userName or a team's name.
    pub who: Option<String>,
    pub since_second: Option<i64>,
    pub after: i64,
    pub limit: usize,
}

impl Store {
    /// Makes intents durable before anything is sent.
    pub async fn intend(
        &self,
        job: JobId,
        cycle: CycleId,
        now: i64,
        intents: Vec<Intent>,
    ) -> Result<Vec<EntryId>, StoreError> {
        self.write(move |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO journal(job, cycle, link, class, cause, people, count, edits, at, approved, evidence)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?;
            let mut entries = Vec::with_capacity(intents.len());
            for intent in &intents {
                let people = (!intent.people.is_empty()).then(|| json(&intent.people)).transpose()?;
                insert.execute(params![
                    job.0,
                    cycle.0,
                    intent.link.0,
                    intent.class.word(),
                    intent.cause.0,
                    people,
                    intent.people.len().max(1) as i64,
                    json(&intent.edits)?,
                    now,
                    intent.approved,
                    intent.evidence,
                ])?;
                entries.push(EntryId(tx.last_insert_rowid()));
            }
            Ok(entries)
        })
        .await
    }

    /// Records outcomes and what follows from them, together.
    pub async fn end(&self, job: JobId, now: i64, ended: Vec<Ended>) -> Result<(), StoreError> {
        self.write(move |tx| {
            for end in &ended {
                tx.prepare_cached("UPDATE journal SET outcome = ?2, detail = ?3, ended = ?4 WHERE id = ?1")?
                    .execute(params![end.entry.0, end.outcome, end.detail, now])?;
                follow(tx, job, now, end)?;
            }
            Ok(())
        })
        .await
    }

    pub async fn open_entries(&self, job: JobId) -> Result<Vec<OpenEntry>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT id, link, class, people, edits FROM journal WHERE job = ?1 AND outcome IS NULL ORDER BY id",
            )?;
            rows.query_map([job.0], |row| {
                Ok(OpenEntry {
                    entry: EntryId(row.get(0)?),
                    link: LinkId(row.get(1)?),
                    class: word(row, 2)?,
                    people: parsed_or_none(row, 3)?.unwrap_or_default(),
                    edits: parsed(row, 4)?,
                })
            })?
            .collect()
        })
        .await
    }

    /// The provisioning log, oldest first.
    pub async fn log(&self, filter: LogFilter) -> Result<Vec<LogRow>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT g.id, g.cycle, j.name, l.kind, l.source_id,
                        coalesce(json_extract(l.wanted, '$.userName'), json_extract(l.sent, '$.userName'),
                                 json_extract(l.wanted, '$.displayName'), json_extract(l.sent, '$.displayName'), l.source_id),
                        g.class, c.cause, g.people, g.edits, g.at, g.outcome, g.detail, g.evidence
                   FROM journal g JOIN jobs j ON j.id = g.job JOIN links l ON l.id = g.link
                   LEFT JOIN causes c ON c.job = g.job AND c.id = g.cause
                  WHERE g.id > ?1 AND (?2 IS NULL OR j.name = ?2) AND (?3 IS NULL OR g.cycle = ?3)
                    AND (?4 IS NULL OR g.at >= ?4)
                    AND (?5 IS NULL OR l.id IN (SELECT id FROM links WHERE source_id = ?5 OR wanted_key = ?6 OR applied_key = ?6)
                      OR EXISTS (SELECT 1 FROM json_each(g.people) m JOIN links p ON p.id = m.value
                                  WHERE p.source_id = ?5 OR p.wanted_key = ?6 OR p.applied_key = ?6))
                  ORDER BY g.id LIMIT ?7",
            )?;
            let folded = filter.who.as_deref().map(crate::scim::fold);
            let with = params![
                filter.after,
                filter.job,
                filter.cycle,
                filter.since_second,
                filter.who,
                folded,
                filter.limit as i64
            ];
            let mut found = rows.query_map(with, log_row)?.collect::<Sql<Vec<LogRow>>>()?;
            let mut name = db.prepare_cached(
                "SELECT coalesce(json_extract(wanted, '$.userName'), json_extract(sent, '$.userName'), source_id)
                   FROM links WHERE id = ?1",
            )?;
            for row in &mut found {
                for person in &mut row.people {
                    if let Some(named) = name.query_row([person.as_str()], |row| row.get(0)).optional()? {
                        *person = named;
                    }
                }
            }
            Ok(found)
        })
        .await
    }
}

fn log_row(row: &rusqlite::Row<'_>) -> Sql<LogRow> {
    let people: Option<Vec<i64>> = parsed_or_none(row, 8)?;
    Ok(LogRow {
        entry: EntryId(row.get(0)?),
        cycle: CycleId(row.get(1)?),
        job: row.get(2)?,
        kind: row.get(3)?,
        source: row.get(4)?,
        name: row.get(5)?,
        class: word(row, 6)?,
        cause: parsed_or_none(row, 7)?,
        people: people.unwrap_or_default().iter().map(i64::to_string).collect(),
        edits: parsed(row, 9)?,
        at_second: row.get(10)?,
        outcome: row.get(11)?,
        detail: row.get(12)?,
        evidence: row.get(13)?,
    })
}

fn follow(tx: &Transaction<'_>, job: JobId, now: i64, end: &Ended) -> Sql<()> {
    match &end.after {
        After::Applied { active, accepted, key } => {
            accept(tx, end.link, *active, accepted, key.as_deref())?;
            tx.prepare_cached(
                "UPDATE links SET class = NULL, hold = NULL, adopt = NULL, attempts = 0, failure = NULL, due_at = NULL,
                        match_cause = NULL, pinned = NULL, retires = NULL, on_create = NULL WHERE id = ?1",
            )?
            .execute([end.link.0])?;
            if !active {
                leavers::wait_from(tx, end.link, now)?;
            }
            take_over(tx, job, end.link, &accepted.resource)?;
            forget_approval(tx, job, end, LinkId(0))
        }
        After::Parked { active, accepted, key } => {
            accept(tx, end.link, *active, accepted, Some(key))?;
            made_way(tx, end.link)
        }
        After::Gone => {
            forget_resource(tx, end.link)?;
            made_way(tx, end.link)?;
            forget_approval(tx, job, end, LinkId(0))
        }
        After::Lost { failure } => tx
            .prepare_cached(
                "UPDATE links SET lost_at = ?2, failure = ?3, attempts = attempts + 1, due_at = NULL WHERE id = ?1",
            )?
            .execute(params![end.link.0, now, failure])
            .map(drop),
        After::Members { people, adds } => {
            people.iter().try_for_each(|person| accept_member(tx, job, end, *person, *adds))
        }
        After::Refers { path, resource } => {
            references::accept(tx, end.link, path, resource.as_ref())?;
            forget_approval(tx, job, end, LinkId(0))
        }
        After::ReferenceFailed { path, failure, due_second } => {
            references::put_off(tx, end.link, path, failure, *due_second)
        }
        After::Failed { failure, due_second } => put_off(tx, end, failure, *due_second),
        After::Unchanged => Ok(()),
    }
}

/// The link has nothing in the target any more; memberships that are wanted wait for what comes in its place.
pub(super) fn forget_resource(tx: &Transaction<'_>, link: LinkId) -> Sql<()> {
    for sql in [
        "UPDATE links SET applied = 'absent', resource = NULL, sent = NULL, shown = NULL, applied_key = NULL,
                origin = NULL, class = NULL, hold = NULL, attempts = 0, failure = NULL, due_at = NULL,
                match_cause = NULL, retires = NULL, left_by = NULL, left_at = NULL, delete_at = NULL WHERE id = ?1",
        "DELETE FROM team_edges WHERE (team = ?1 OR person = ?1) AND desired = 0",
        "UPDATE team_edges SET applied = 0 WHERE team = ?1 OR person = ?1",
    ] {
        tx.prepare_cached(sql)?.execute([link.0])?;
    }
    Ok(())
}

/// Whoever waited for the name of this account can have it.
fn made_way(tx: &Transaction<'_>, link: LinkId) -> Sql<()> {
    tx.prepare_cached("UPDATE links SET retires = NULL WHERE retires = ?1")?.execute([link.0]).map(drop)
}

fn accept_member(tx: &Transaction<'_>, job: JobId, end: &Ended, person: LinkId, adds: bool) -> Sql<()> {
    let sql = if adds {
        "UPDATE team_edges SET applied = 1, hold = NULL, attempts = 0, failure = NULL, due_at = NULL
          WHERE team = ?1 AND person = ?2"
    } else {
        "DELETE FROM team_edges WHERE team = ?1 AND person = ?2 AND desired = 0"
    };
    tx.prepare_cached(sql)?.execute(params![end.link.0, person.0])?;
    forget_approval(tx, job, end, person)
}

/// Escrow: of the link, or of each membership that was in the request.
fn put_off(tx: &Transaction<'_>, end: &Ended, failure: &str, due_second: i64) -> Sql<()> {
    if end.people.is_empty() {
        return tx
            .prepare_cached(
                "UPDATE links SET attempts = attempts + 1, failure = ?2, due_at = ?3 WHERE id = ?1",
            )?
            .execute(params![end.link.0, failure, due_second])
            .map(drop);
    }
    for person in &end.people {
        tx.prepare_cached(
            "UPDATE team_edges SET attempts = attempts + 1, failure = ?3, due_at = ?4 WHERE team = ?1 AND person = ?2",
        )?
        .execute(params![end.link.0, person.0, failure, due_second])?;
    }
    Ok(())
}

fn accept(
    tx: &Transaction<'_>,
    link: LinkId,
    active: bool,
    accepted: &Accepted,
    key: Option<&str>,
) -> Sql<()> {
    tx.prepare_cached(
        "UPDATE links SET applied = ?2, resource = ?3, sent = ?4, shown = ?5, origin = ?6, applied_key = ?7 WHERE id = ?1",
    )?
    .execute(params![
        link.0,
        if active { "active" } else { "inactive" },
        accepted.resource.0,
        json(&accepted.sent)?,
        json(&accepted.shown)?,
        super::values::text(&accepted.origin)?,
        key,
    ])
    .map(drop)
}

/// An approval is for what was looked at, once.
fn forget_approval(tx: &Transaction<'_>, job: JobId, end: &Ended, person: LinkId) -> Sql<()> {
    tx.prepare_cached("DELETE FROM approvals WHERE job = ?1 AND link = ?2 AND person = ?3 AND class = ?4")?
        .execute(params![job.0, end.link.0, person.0, end.class.word()])
        .map(drop)
}
