//! The journal: the intent before a write, the outcome after it, and what the outcome makes of `applied` (P5).

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;

use super::Author;
use super::CycleId;
use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::chain;
use super::chain::Part;
use super::escrow;
use super::escrow::Failing;
use super::leavers;
use super::links::applied;
use super::promote::OBJECT;
use super::references;
use super::relink::take_over;
use super::settings;
use super::values::json;
use super::values::parsed;
use super::values::parsed_or_none;
use super::values::word;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::LinkId;
use crate::model::Origin;
use crate::model::Proofs;
use crate::plan::CauseId;
use crate::plan::Class;
use crate::plan::Edit;
use crate::plan::EscrowSchedule;
use crate::plan::Failure;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::ResourceType;

/// An entry's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId(pub i64);

/// When intents are written down, and how long what is sent for them may be under way.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// The cycle's time, in seconds.
    pub now_second: i64,
    /// The clock's, in milliseconds.
    pub at_ms: i64,
    /// So long after it was sent a request may still be carried out, whether anybody waits for its answer or not.
    pub patience_ms: i64,
}

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
    /// The same as fields; it may name people.
    pub proofs: Option<Proofs>,
}

/// What the answer makes of a link.
#[derive(Clone, Debug)]
pub enum After {
    /// The target has accepted it: active or not, as sent and shown.
    Applied { active: bool, accepted: Accepted, key: Option<String> },
    /// The target has it, and it is ours, but nothing is known of its values: they are compared anew.
    Found { resource: ResourceId, active: bool, key: Option<String> },
    /// It has another name for now: it still waits for its own, or has made way for somebody else's.
    Parked { active: bool, accepted: Accepted, key: String },
    /// The target has no such resource any more.
    Gone,
    /// Memberships of these people are now as desired.
    Members { people: Vec<LinkId>, adds: bool },
    /// The person's attribute names this resource now, or nobody.
    Refers { path: String, resource: Option<ResourceId> },
    /// The reference failed, and nothing else of the person: tried again as the schedule says.
    ReferenceFailed { path: String, failure: Failure, schedule: EscrowSchedule },
    /// The target has no such resource, though it should: it is looked for anew.
    Lost { failure: Failure },
    /// It failed: tried again as the schedule says.
    Failed { failure: Failure, schedule: EscrowSchedule },
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
    /// So long a request of it may still be carried out after it was sent.
    pub patience_ms: i64,
    /// From then on nobody sent for it any more: its cycle had ended, or a later one had the lease.
    pub over_ms: i64,
}

impl OpenEntry {
    /// How long it has to be left alone: what is on its way could land after the target was asked. Never longer than
    /// its patience, however the clock was put.
    pub fn left_ms(&self, now_ms: i64) -> i64 {
        self.over_ms.saturating_add(self.patience_ms).saturating_sub(now_ms).min(self.patience_ms).max(0)
    }
}

/// A write that was made at once, of a push or a command: recorded in the same transaction.
pub(super) struct DirectEntry<'a> {
    pub workspace: i64,
    pub author: &'a Author,
    /// What was written; a new one that was refused has no id.
    pub resource: Option<&'a ResourceId>,
    pub kind: ResourceType,
    /// What people call it.
    pub name: Option<&'a str>,
    /// `Class`'s words, `grant` and `revoke`.
    pub class: &'static str,
    /// The members whose membership changed.
    pub people: &'a [ResourceId],
    pub edits: &'a [Edit],
    /// `done`, `conflict` or `refused`.
    pub outcome: &'static str,
    pub detail: Option<&'a str>,
}

/// Equal refusals of a token within so many seconds are one entry: a client that does not give up is no flood.
const REFUSALS_SECONDS: i64 = 60;

/// Records what was written, or refused.
pub(super) fn record(db: &Connection, entry: &DirectEntry<'_>) -> Sql<()> {
    let people = (!entry.people.is_empty()).then(|| json(&entry.people)).transpose()?;
    db.prepare_cached(
        "INSERT INTO journal (workspace, owner, by, resource, kind, name, class, cause, people, count, edits, at, outcome,
                              detail, ended, settings, salt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?12, ?15, randomblob(16))",
    )?
    .execute(params![
        entry.workspace,
        entry.author.owner.to_string(),
        entry.author.by,
        entry.resource.map(|id| id.0.as_str()),
        entry.kind.word(),
        entry.name,
        entry.class,
        entry.author.reason,
        people,
        entry.people.len().max(1) as i64,
        json(&entry.edits)?,
        entry.author.now.as_second(),
        entry.outcome,
        entry.detail,
        settings::current(db, entry.author.now.as_second())?,
    ])?;
    chain::append(db, EntryId(db.last_insert_rowid()), Part::Whole)
}

/// Records a refusal, or counts it where the same was refused a moment ago.
pub(super) fn record_refusal(db: &Connection, entry: &DirectEntry<'_>) -> Sql<()> {
    let counted = db
        .prepare_cached(
            "UPDATE journal SET count = count + 1 WHERE id =
               (SELECT max(id) FROM journal
                 WHERE workspace = ?1 AND by = ?2 AND at > ?3 AND outcome IN ('conflict', 'refused') AND outcome = ?4
                   AND owner = ?5 AND class = ?6 AND resource IS ?7 AND name IS ?8 AND detail IS ?9)",
        )?
        .execute(params![
            entry.workspace,
            entry.author.by,
            entry.author.now.as_second() - REFUSALS_SECONDS,
            entry.outcome,
            entry.author.owner.to_string(),
            entry.class,
            entry.resource.map(|id| id.0.as_str()),
            entry.name,
            entry.detail,
        ])?;
    if counted == 0 { record(db, entry) } else { Ok(()) }
}

impl Store {
    /// Makes intents durable before anything is sent.
    pub async fn intend(
        &self,
        job: JobId,
        cycle: CycleId,
        sent: Sent,
        intents: Vec<Intent>,
    ) -> Result<Vec<EntryId>, StoreError> {
        self.write(move |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO journal(job, cycle, link, class, cause, people, count, edits, at, approved, evidence, sent,
                                     patience, proofs, settings, salt)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
                         (SELECT settings FROM cycles WHERE id = ?2), randomblob(16))",
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
                    sent.now_second,
                    intent.approved,
                    intent.evidence,
                    sent.at_ms,
                    sent.patience_ms,
                    intent.proofs.as_ref().map(json).transpose()?,
                ])?;
                let entry = EntryId(tx.last_insert_rowid());
                chain::append(tx, entry, Part::Intent)?;
                entries.push(entry);
            }
            Ok(entries)
        })
        .await
    }

    /// Records outcomes and what follows from them, together. `now` is the cycle's time in seconds, `clock_ms` the
    /// clock's in milliseconds; of what is settled later nobody knows how long it took.
    pub async fn end(
        &self,
        job: JobId,
        now: i64,
        clock_ms: Option<i64>,
        ended: Vec<Ended>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            for end in &ended {
                tx.prepare_cached(
                    "UPDATE journal SET outcome = ?2, detail = ?3, ended = ?4, took = max(0, ?5 - sent) WHERE id = ?1",
                )?
                .execute(params![end.entry.0, end.outcome, end.detail, now, clock_ms])?;
                chain::append(tx, end.entry, Part::Outcome)?;
                follow(tx, job, now, end)?;
            }
            Ok(())
        })
        .await
    }

    pub async fn open_entries(&self, job: JobId) -> Result<Vec<OpenEntry>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(OPEN)?;
            rows.query_map([job.0], |row| {
                Ok(OpenEntry {
                    entry: EntryId(row.get(0)?),
                    link: LinkId(row.get(1)?),
                    class: word(row, 2)?,
                    people: parsed_or_none(row, 3)?.unwrap_or_default(),
                    edits: parsed(row, 4)?,
                    patience_ms: row.get(5)?,
                    over_ms: row.get(6)?,
                })
            })?
            .collect()
        })
        .await
    }

    /// Whether the link was to be created before, and nobody found it then: the request may have arrived since.
    pub async fn was_not_found(&self, link: LinkId) -> Result<bool, StoreError> {
        self.read(move |db| {
            let sql = "SELECT 1 FROM journal WHERE link = ?1 AND class = 'create' AND outcome = 'not_done'";
            db.prepare_cached(sql)?.exists([link.0])
        })
        .await
    }

    /// What a link is, and what of it the target has accepted.
    pub async fn accepted(&self, link: LinkId) -> Result<Option<(Kind, Applied)>, StoreError> {
        self.read(move |db| {
            let sql = "SELECT kind, applied, resource, sent, shown, origin FROM links WHERE id = ?1";
            db.prepare_cached(sql)?
                .query_row([link.0], |row| Ok((word(row, 0)?, applied(row, 1)?)))
                .optional()
        })
        .await
    }
}

/// Open entries. A cycle that did not end was broken off before the next one of the job began, which had the lease; times
/// are kept in seconds, so one is added.
const OPEN: &str = "SELECT g.id, g.link, g.class, g.people, g.edits, coalesce(g.patience, 0),
        max(coalesce(g.sent, 0), 1000 + 1000 * coalesce(c.ended,
          (SELECT min(n.started) FROM cycles n WHERE n.job = g.job AND n.id > g.cycle), g.at))
   FROM journal g JOIN cycles c ON c.id = g.cycle WHERE g.job = ?1 AND g.outcome IS NULL ORDER BY g.id";

fn follow(tx: &Transaction<'_>, job: JobId, now: i64, end: &Ended) -> Sql<()> {
    match &end.after {
        After::Applied { active, accepted, key } => {
            accept(tx, end.link, *active, accepted, key.as_deref())?;
            tx.prepare_cached(
                "UPDATE links SET class = NULL, hold = NULL, adopt = NULL, attempts = 0, failure = NULL, due_at = NULL,
                        match_cause = NULL, pinned = NULL, proposed = NULL, retires = NULL, on_create = NULL, shut_at = NULL,
                        dirty = dirty | EXISTS (SELECT 1 FROM overrides o WHERE o.job = ?2 AND o.link = ?1 AND o.person = 0
                                                  AND o.active = 0 AND o.vals <> '{}') WHERE id = ?1",
            )?
            .execute(params![end.link.0, job.0])?;
            if !active {
                leavers::wait_from(tx, end.link, now)?;
            }
            take_over(tx, job, end.link, &accepted.resource)?;
            forget_approval(tx, job, end, LinkId(0))
        }
        After::Found { resource, active, key } => {
            found(tx, end.link, resource, *active, key.as_deref())?;
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
                "UPDATE links SET lost_at = ?2, failure = ?3, failure_code = ?4, failed_at = ?2, attempts = attempts + 1,
                        due_at = NULL WHERE id = ?1",
            )?
            .execute(params![end.link.0, now, failure.reason, failure.code.word()])
            .map(drop),
        After::Members { people, adds } => {
            people.iter().try_for_each(|person| accept_member(tx, job, end, *person, *adds))
        }
        After::Refers { path, resource } => {
            references::accept(tx, end.link, path, resource.as_ref())?;
            forget_approval(tx, job, end, LinkId(0))
        }
        After::ReferenceFailed { path, failure, schedule } => {
            escrow::put_off(tx, &Failing::Reference { person: end.link, path }, failure, schedule, now)
        }
        After::Failed { failure, schedule } => put_off(tx, end, failure, schedule, now),
        After::Unchanged => Ok(()),
    }
}

fn found(
    tx: &Transaction<'_>,
    link: LinkId,
    resource: &ResourceId,
    active: bool,
    key: Option<&str>,
) -> Sql<()> {
    let (sent, shown) = (Attributes::default(), Attributes::default());
    let accepted = Accepted { resource: resource.clone(), sent, shown, origin: Origin::Created };
    accept(tx, link, active, &accepted, key)?;
    tx.prepare_cached(
        "UPDATE links SET class = NULL, hold = NULL, adopt = NULL, attempts = 0, failure = NULL, due_at = NULL,
                match_cause = NULL, pinned = NULL, retires = NULL, on_create = NULL, dirty = dirty | ?2 WHERE id = ?1",
    )?
    .execute(params![link.0, OBJECT])
    .map(drop)
}

/// The link has nothing in the target any more; memberships that are wanted wait for what comes in its place.
pub(super) fn forget_resource(tx: &Transaction<'_>, link: LinkId) -> Sql<()> {
    for sql in [
        "UPDATE links SET applied = 'absent', resource = NULL, sent = NULL, shown = NULL, applied_key = NULL,
                origin = NULL, class = NULL, hold = NULL, attempts = 0, failure = NULL, due_at = NULL,
                match_cause = NULL, retires = NULL, left_by = NULL, left_at = NULL, delete_at = NULL, shut_at = NULL WHERE id = ?1",
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
fn put_off(
    tx: &Transaction<'_>,
    end: &Ended,
    failure: &Failure,
    schedule: &EscrowSchedule,
    now: i64,
) -> Sql<()> {
    if end.people.is_empty() {
        return escrow::put_off(tx, &Failing::Link(end.link), failure, schedule, now);
    }
    end.people.iter().try_for_each(|person| {
        let member = Failing::Member { team: end.link, person: *person };
        escrow::put_off(tx, &member, failure, schedule, now)
    })
}

pub(super) fn accept(
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
