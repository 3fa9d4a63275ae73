//! One person read alone: promoted without watermarks, decided and written without anybody else.
//!
//! What such a read does not show is lost as in a list, so that a witness is asked; but it is no complete read of a
//! collection, and never counts as one of the two that stand in for a witness (P2).

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::TransactionBehavior;
use rusqlite::params;

use super::JobId;
use super::LinkRow;
use super::Sql;
use super::Store;
use super::StoreError;
use super::by_hand;
use super::edges::DirtyEdge;
use super::edges::dirty_edges_of;
use super::pending::PendingEdge;
use super::pending::edges_of;
use super::promote::EDGE;
use super::promote::OBJECT;
use super::promote::Promoted;
use super::promote::RULES;
use super::promote::Shown;
use super::promote::UPGRADE;
use super::promote::merge_edges;
use super::promote::merge_objects;
use super::references;
use super::references::PendingReference;
use crate::model::Collection;
use crate::model::LinkId;
use crate::model::SourceId;

/// The rules in force and the version of the program: where the job's last cycle had others, the decision is their
/// doing (P13).
#[derive(Clone, Debug)]
pub struct InForce {
    pub rules: String,
    pub program: String,
}

impl Store {
    /// The memberships of one person that have to be decided again.
    pub async fn dirty_edges_of(
        &self,
        job: JobId,
        person: LinkId,
        nested: bool,
    ) -> Result<Vec<DirtyEdge>, StoreError> {
        self.read(move |db| dirty_edges_of(db, job, person, nested)).await
    }

    /// The memberships of one person have been decided; those of others wait for the next cycle.
    pub async fn forget_dirty_edges_of(&self, job: JobId, person: LinkId) -> Result<(), StoreError> {
        self.write(move |tx| {
            let sql = "DELETE FROM dirty_edges WHERE job = ?1 AND person = ?2";
            tx.execute(sql, params![job.0, person.0]).map(drop)
        })
        .await
    }

    /// The pending memberships of one person, by the source id of the team.
    pub async fn pending_edges_of(&self, person: LinkId) -> Result<Vec<PendingEdge>, StoreError> {
        self.read(move |db| edges_of(db, person)).await
    }

    /// The pending references of one person.
    pub async fn pending_references_of(&self, person: LinkId) -> Result<Vec<PendingReference>, StoreError> {
        self.read(move |db| references::pending_of(db, person)).await
    }
}

/// Makes what was staged of one person the new `seen`. Returns the link, where there is one; no watermark moves, and
/// the rules of the job's last cycle stay noted, so that the next one finds everything as if this had not been.
pub(super) fn promote(
    connection: &mut Connection,
    job: JobId,
    person: &SourceId,
    force: &InForce,
    shown: &Shown<'_>,
) -> Sql<(Promoted, Option<LinkId>)> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // A group that no cycle has read is no reason for anything.
    tx.execute(
        "DELETE FROM staged_edges WHERE container_kind = 'group' AND container NOT IN
           (SELECT source_id FROM links WHERE job = ?1 AND kind = 'group')",
        [job.0],
    )?;
    let mut missing = lose_edges(&tx, job, person, shown)?;
    for id in shown.not_found.iter().filter(|id| !shown.objects.has(**id)) {
        missing += tx.execute(
            "UPDATE links SET dirty = dirty | ?2, standing = 'missing' WHERE id = ?1 AND standing IN ('enabled', 'disabled')",
            params![id, OBJECT],
        )? as u64;
    }
    let (objects, edges) = (merge_objects(&tx, job)?, merge_edges(&tx, job)?);
    let link: Option<i64> = tx
        .query_row(
            "SELECT id FROM links WHERE job = ?1 AND kind = 'user' AND source_id = ?2",
            params![job.0, person.0],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(link) = link {
        note_force(&tx, job, link, force)?;
    }
    tx.commit()?;
    Ok((Promoted { objects, edges, missing }, link.map(LinkId)))
}

fn lose_edges(db: &Connection, job: JobId, person: &SourceId, shown: &Shown<'_>) -> Sql<u64> {
    let mut missing = 0;
    for collection in shown.covered {
        let (list, of) = match collection {
            Collection::GroupsOf(of) => (None, of),
            Collection::ListOf { list, principal } => (Some(&list.0), principal),
            _ => continue,
        };
        if of != person {
            continue;
        }
        let mut rows = db.prepare_cached(
            "SELECT e.id, c.id, c.kind, p.id FROM links p JOIN seen_edges e ON e.principal = p.id AND e.gone = 0
               JOIN links c ON c.id = e.container
              WHERE p.job = ?1 AND p.kind = 'user' AND p.source_id = ?2
                AND iif(?3 IS NULL, c.kind = 'group', c.kind = 'app' AND c.source_id = ?3)",
        )?;
        let held = rows.query_map(params![job.0, person.0, list], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, i64>(3)?,
            ))
        })?;
        for held in held.collect::<Sql<Vec<_>>>()? {
            let (edge, container, kind, link) = held;
            if shown.edges.has(edge) {
                continue;
            }
            missing += 1;
            db.execute("UPDATE seen_edges SET gone = 2, absent_reads = 0 WHERE id = ?1", [edge])?;
            db.execute("UPDATE links SET dirty = dirty | ?2 WHERE id = ?1", params![link, EDGE])?;
            if kind == "group" {
                let sql = "INSERT OR IGNORE INTO dirty_edges VALUES (?1, ?2, ?3)";
                db.execute(sql, params![job.0, container, link])?;
            }
        }
    }
    Ok(missing)
}

/// A job that never decided has nothing that an edit or an upgrade could change.
fn note_force(db: &Connection, job: JobId, link: i64, force: &InForce) -> Sql<()> {
    db.execute(
        "UPDATE links SET dirty = dirty | (SELECT iif(program IS NOT ?3, ?5, iif(rules IS NOT ?2, ?4, 0)) FROM jobs
             WHERE id = ?6 AND rules IS NOT NULL)
          WHERE id = ?1 AND standing <> 'unread' AND (SELECT rules IS NOT NULL FROM jobs WHERE id = ?6)",
        params![link, force.rules, force.program, RULES, RULES | UPGRADE, job.0],
    )
    .map(drop)
}

/// What failed of one person last, and is not done yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastFailure {
    pub code: Option<String>,
    pub reason: String,
    pub due_second: Option<i64>,
}

impl Store {
    /// What failed of a link, its memberships and references before is due now: somebody asks for it.
    pub async fn due_now(&self, link: LinkId, now_second: i64) -> Result<(), StoreError> {
        self.write(move |tx| {
            for sql in [
                "UPDATE links SET due_at = ?2 WHERE id = ?1 AND due_at > ?2",
                "UPDATE team_edges SET due_at = ?2 WHERE person = ?1 AND due_at > ?2",
                "UPDATE person_references SET due_at = ?2 WHERE person = ?1 AND due_at > ?2",
            ] {
                tx.execute(sql, params![link.0, now_second])?;
            }
            Ok(())
        })
        .await
    }

    /// The person's own failure first, then that of a membership, then that of a reference.
    pub async fn last_failure(&self, link: LinkId) -> Result<Option<LastFailure>, StoreError> {
        self.read(move |db| {
            db.query_row(
                "SELECT failure_code, failure, due_at FROM (
                   SELECT 1 AS place, failure_code, failure, due_at FROM links WHERE id = ?1
                   UNION ALL SELECT 2, failure_code, failure, due_at FROM team_edges WHERE person = ?1
                   UNION ALL SELECT 3, failure_code, failure, due_at FROM person_references WHERE person = ?1)
                  WHERE failure IS NOT NULL ORDER BY place LIMIT 1",
                [link.0],
                |row| Ok(LastFailure { code: row.get(0)?, reason: row.get(1)?, due_second: row.get(2)? }),
            )
            .optional()
        })
        .await
    }

    /// One link, as people look at it.
    pub async fn link_row(&self, link: LinkId) -> Result<Option<LinkRow>, StoreError> {
        self.read(move |db| Ok(by_hand::rows_of(db, &[link])?.pop())).await
    }
}
