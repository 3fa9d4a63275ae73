//! Staged records become `seen`: one transaction, with the watermarks and the marks of what to decide again.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use rusqlite::params;

use super::CycleId;
use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::crash::crash_point;
use super::staging::Presence;
use super::staging::named;
use crate::model::Collection;
use crate::model::Container;

/// Bits of `links.dirty`.
pub(super) const OBJECT: i64 = 1;
pub(super) const EDGE: i64 = 2;
pub(super) const RULES: i64 = 4;
pub(super) const TIME: i64 = 8;
/// Comes with `RULES`.
pub(super) const UPGRADE: i64 = 16;
/// The target shows otherwise than it accepted, and that is put right (`links.drifted`).
pub(super) const DRIFT: i64 = 32;

/// What a cycle's reads showed and proved.
pub(super) struct Shown<'a> {
    pub objects: &'a Presence,
    pub edges: &'a Presence,
    /// Collections that were read completely.
    pub covered: &'a [Collection],
    /// Collections of which something was missing: they prove nothing, whatever else claims to cover them.
    pub partial: &'a [Collection],
    /// Objects that were asked for by their ids and not found.
    pub not_found: &'a BTreeSet<i64>,
    /// The cycle has read once already: an absence that was counted then is not counted twice. Two reads of one cycle
    /// fail together.
    pub again: bool,
    pub watermarks: &'a [(String, String)],
}

/// What the promotion changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promoted {
    pub objects: u64,
    pub edges: u64,
    /// Objects and edges that a complete read no longer showed.
    pub missing: u64,
}

impl std::ops::AddAssign for Promoted {
    fn add_assign(&mut self, other: Promoted) {
        self.objects += other.objects;
        self.edges += other.edges;
        self.missing += other.missing;
    }
}

impl Store {
    /// The rules that are in force from now on; where they differ, every decision is made anew.
    pub async fn take_rules(&self, job: JobId, digest: String) -> Result<(), StoreError> {
        self.write(move |tx| note_rules(tx, job, &digest)).await
    }
}

pub(super) fn promote(
    connection: &mut Connection,
    job: JobId,
    cycle: CycleId,
    rules: &str,
    shown: &Shown<'_>,
) -> Sql<Promoted> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // What is missing is looked for first: rows that the staged records add were not there to be missed.
    let missing = mark_missing(&tx, job, shown)?;
    let objects = merge_objects(&tx, job)?;
    let edges = merge_edges(&tx, job)?;
    for (name, value) in shown.watermarks {
        tx.execute(
            "INSERT INTO watermarks VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET value = excluded.value, cycle = excluded.cycle",
            params![job.0, name, value, cycle.0],
        )?;
    }
    note_rules(&tx, job, rules)?;
    crash_point("promoting");
    tx.commit()?;
    Ok(Promoted { objects, edges, missing })
}

pub(super) fn merge_objects(tx: &Transaction<'_>, job: JobId) -> Sql<u64> {
    let changed = tx.execute(
        "INSERT INTO links(job, kind, source_id, standing, seen, seen_hash, dirty)
           SELECT ?1, kind, source_id, standing, seen, seen_hash, ?2 FROM staged_objects WHERE true
         ON CONFLICT(job, kind, source_id) DO UPDATE SET
           standing = excluded.standing, seen = coalesce(excluded.seen, seen),
           seen_hash = coalesce(excluded.seen_hash, seen_hash),
           absent_reads = 0, due_at = NULL, dirty = dirty | ?2",
        params![job.0, OBJECT],
    )?;
    Ok(changed as u64)
}

pub(super) fn merge_edges(tx: &Transaction<'_>, job: JobId) -> Sql<u64> {
    for (kind, id) in [("container_kind", "container"), ("kind", "principal")] {
        tx.execute(
            &format!(
                "INSERT INTO links(job, kind, source_id) SELECT DISTINCT ?1, {kind}, {id} FROM staged_edges WHERE gone = 0
                 ON CONFLICT DO NOTHING"
            ),
            [job.0],
        )?;
    }
    mark_inside(tx, job)?;
    let changed = tx.execute(
        "INSERT INTO seen_edges(container, principal, detail, gone)
           SELECT c.id, p.id, s.detail, s.gone FROM staged_edges s
             JOIN links c ON c.job = ?1 AND c.kind = s.container_kind AND c.source_id = s.container
             JOIN links p ON p.job = ?1 AND p.kind = s.kind AND p.source_id = s.principal
            WHERE true
         ON CONFLICT(container, principal) DO UPDATE SET
           detail = excluded.detail, gone = excluded.gone, absent_reads = 0",
        [job.0],
    )?;
    tx.execute(
        "UPDATE links SET dirty = dirty | ?2 WHERE id IN (
           SELECT p.id FROM staged_edges s JOIN links p ON p.job = ?1 AND p.kind = s.kind AND p.source_id = s.principal)",
        params![job.0, EDGE],
    )?;
    tx.execute(
        "INSERT OR IGNORE INTO dirty_edges
           SELECT ?1, c.id, p.id FROM staged_edges s
             JOIN links c ON c.job = ?1 AND c.kind = s.container_kind AND c.source_id = s.container
             JOIN links p ON p.job = ?1 AND p.kind = s.kind AND p.source_id = s.principal
            WHERE s.container_kind = 'group'",
        [job.0],
    )?;
    Ok(changed as u64)
}

/// What an application says of a group (its roles) holds for everybody in it, and for those in its groups.
fn mark_inside(tx: &Transaction<'_>, job: JobId) -> Sql<()> {
    tx.execute(
        "WITH RECURSIVE inside(id) AS (
           SELECT g.id FROM staged_edges s
             JOIN links a ON a.job = ?1 AND a.kind = 'app' AND a.source_id = s.container
             JOIN links g ON g.job = ?1 AND g.kind = 'group' AND g.source_id = s.principal
             LEFT JOIN seen_edges e ON e.container = a.id AND e.principal = g.id
            WHERE s.container_kind = 'app' AND s.kind = 'group' AND s.detail <> coalesce(e.detail, '')
           UNION SELECT e.principal FROM inside i JOIN seen_edges e ON e.container = i.id)
         UPDATE links SET dirty = dirty | ?2 WHERE kind = 'user' AND id IN (SELECT id FROM inside)",
        params![job.0, EDGE],
    )
    .map(drop)
}

/// Absence is not removal (P1): what a complete read did not show is marked as missing, with how often, and a
/// witness is asked before anything follows from it.
fn mark_missing(tx: &Transaction<'_>, job: JobId, shown: &Shown<'_>) -> Sql<u64> {
    let mut missing = 0;
    for collection in shown.covered.iter().filter(|collection| !shown.partial.contains(collection)) {
        missing += match collection {
            Collection::Users => missing_objects(tx, job, "user", shown)?,
            Collection::Groups => missing_objects(tx, job, "group", shown)?,
            Collection::Assignments(app) => missing_edges(tx, job, &Container::App(app.clone()), shown)?,
            Collection::Members(group) => missing_edges(tx, job, &Container::Group(group.clone()), shown)?,
            Collection::AllMembers => {
                let sql = "SELECT e.id FROM links c JOIN seen_edges e ON e.container = c.id
                            WHERE c.job = ?1 AND c.kind = 'group'";
                let mut edges = unmarked(tx, sql, params![job.0], shown.edges)?;
                for collection in shown.partial {
                    if let Collection::Members(group) = collection {
                        let kept = edges_of(tx, job, &Container::Group(group.clone()))?;
                        edges.retain(|edge| !kept.contains(edge));
                    }
                }
                lose_edges(tx, job, &edges, shown.again)?
            }
            // Of somebody who was asked for alone (`store/alone.rs`); no list is that.
            Collection::GroupsOf(_) | Collection::ListOf { .. } => 0,
        };
    }
    let named = shown.not_found.iter().copied().filter(|id| !shown.objects.has(*id));
    Ok(missing + lose_objects(tx, named, shown.again)?)
}

fn missing_objects(tx: &Transaction<'_>, job: JobId, kind: &str, shown: &Shown<'_>) -> Sql<u64> {
    // The unique index answers this alone; only what was not shown is then looked at.
    let ids = unmarked(
        tx,
        "SELECT id FROM links WHERE job = ?1 AND kind = ?2",
        params![job.0, kind],
        shown.objects,
    )?;
    lose_objects(tx, ids, shown.again)
}

fn lose_objects(tx: &Transaction<'_>, ids: impl IntoIterator<Item = i64>, again: bool) -> Sql<u64> {
    let mut missing = 0;
    for id in ids {
        missing += tx
            .prepare_cached(
                "UPDATE links SET dirty = CASE WHEN standing = 'missing' THEN dirty ELSE dirty | ?2 END,
                        standing = 'missing',
                        absent_reads = CASE WHEN ?3 THEN max(absent_reads, 1) ELSE absent_reads + 1 END
                  WHERE id = ?1 AND standing IN ('enabled', 'disabled', 'missing')",
            )?
            .execute(params![id, OBJECT, again])?;
    }
    Ok(missing as u64)
}

fn missing_edges(tx: &Transaction<'_>, job: JobId, container: &Container, shown: &Shown<'_>) -> Sql<u64> {
    let (kind, id) = named(container);
    let sql = "SELECT e.id FROM links c JOIN seen_edges e ON e.container = c.id
                WHERE c.job = ?1 AND c.kind = ?2 AND c.source_id = ?3";
    let edges = unmarked(tx, sql, params![job.0, kind, id.0], shown.edges)?;
    lose_edges(tx, job, &edges, shown.again)
}

fn edges_of(tx: &Transaction<'_>, job: JobId, container: &Container) -> Sql<BTreeSet<i64>> {
    let (kind, id) = named(container);
    let mut rows = tx.prepare_cached(
        "SELECT e.id FROM links c JOIN seen_edges e ON e.container = c.id
          WHERE c.job = ?1 AND c.kind = ?2 AND c.source_id = ?3",
    )?;
    rows.query_map(params![job.0, kind, id.0], |row| row.get(0))?.collect()
}

fn lose_edges(tx: &Transaction<'_>, job: JobId, edges: &[i64], again: bool) -> Sql<u64> {
    let mut missing = 0;
    for edge in edges {
        tx.prepare_cached(
            // More than two say nothing new, and an edge may be kept for weeks.
            "UPDATE seen_edges SET absent_reads = absent_reads + 1 WHERE id = ?1 AND gone = 2 AND absent_reads < 3
                AND NOT (?2 AND absent_reads > 0)",
        )?
        .execute(params![edge, again])?;
        let lost = tx
            .prepare_cached("UPDATE seen_edges SET gone = 2, absent_reads = 1 WHERE id = ?1 AND gone = 0")?
            .execute([edge])?;
        if lost == 0 {
            continue;
        }
        missing += 1;
        tx.prepare_cached(
            "UPDATE links SET dirty = dirty | ?2 WHERE id = (SELECT principal FROM seen_edges WHERE id = ?1)",
        )?
        .execute(params![edge, EDGE])?;
        tx.prepare_cached(
            "INSERT OR IGNORE INTO dirty_edges SELECT ?2, e.container, e.principal FROM seen_edges e
               JOIN links c ON c.id = e.container AND c.kind = 'group' WHERE e.id = ?1",
        )?
        .execute(params![edge, job.0])?;
        // Whoever is in the group has its roles no more, in scope or not.
        tx.prepare_cached(
            "WITH RECURSIVE inside(id) AS (
               SELECT e.principal FROM seen_edges e JOIN links c ON c.id = e.container AND c.kind = 'app'
                WHERE e.id = ?1 AND e.detail <> ''
               UNION SELECT e.principal FROM inside i JOIN seen_edges e ON e.container = i.id)
             UPDATE links SET dirty = dirty | ?2 WHERE kind = 'user' AND id IN (SELECT id FROM inside)",
        )?
        .execute(params![edge, EDGE])?;
    }
    Ok(missing)
}

fn unmarked(
    tx: &Transaction<'_>,
    sql: &str,
    with: impl rusqlite::Params,
    present: &Presence,
) -> Sql<Vec<i64>> {
    let mut rows = tx.prepare_cached(sql)?;
    let mut ids = rows.query(with)?;
    let mut unmarked = Vec::new();
    while let Some(row) = ids.next()? {
        let id = row.get(0)?;
        if !present.has(id) {
            unmarked.push(id);
        }
    }
    Ok(unmarked)
}

/// An edit of the rules makes every decision anew, without reading the source again.
fn note_rules(tx: &Transaction<'_>, job: JobId, rules: &str) -> Sql<()> {
    let edited =
        tx.execute("UPDATE jobs SET rules = ?2 WHERE id = ?1 AND rules IS NOT ?2", params![job.0, rules])?;
    if edited > 0 { mark_all(tx, job, RULES) } else { Ok(()) }
}

/// A job that never decided has nothing that an upgrade could change.
pub(super) fn note_program(tx: &Transaction<'_>, job: JobId, program: &str) -> Sql<()> {
    let changed = tx.execute(
        "UPDATE jobs SET program = ?2 WHERE id = ?1 AND program IS NOT ?2",
        params![job.0, program],
    )?;
    let decided: bool =
        tx.query_row("SELECT rules IS NOT NULL FROM jobs WHERE id = ?1", [job.0], |row| row.get(0))?;
    if changed > 0 && decided { mark_all(tx, job, RULES | UPGRADE) } else { Ok(()) }
}

fn mark_all(tx: &Transaction<'_>, job: JobId, why: i64) -> Sql<()> {
    let sql = "UPDATE links SET dirty = dirty | ?2 WHERE job = ?1 AND kind <> 'app' AND standing <> 'unread'";
    tx.execute(sql, params![job.0, why])?;
    tx.execute(
        "INSERT OR IGNORE INTO dirty_edges SELECT ?1, e.container, e.principal FROM seen_edges e
           JOIN links c ON c.id = e.container AND c.job = ?1 AND c.kind = 'group'
           JOIN links p ON p.id = e.principal AND p.kind = 'user'
         UNION SELECT job, team, person FROM team_edges WHERE job = ?1",
        [job.0],
    )
    .map(drop)
}
