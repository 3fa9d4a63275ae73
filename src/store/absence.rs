//! What is known of things that a complete read no longer shows, and of those that it does.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::staging::named;
use crate::model::Container;
use crate::model::SourceId;
use crate::model::WitnessQuestion;
use crate::scim::Kind;

/// What is left when a cycle ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOver {
    pub held: u64,
    pub waiting: u64,
    pub escrow: u64,
    pub active: u64,
}

impl Store {
    /// Complete reads in a row that did not show what the question asks for.
    pub async fn absent_reads(&self, job: JobId, question: WitnessQuestion) -> Result<u32, StoreError> {
        self.read(move |db| {
            let reads: Option<u32> = match &question {
                WitnessQuestion::Exists { id, kind } => db
                    .query_row(
                        "SELECT absent_reads FROM links WHERE job = ?1 AND kind = ?2 AND source_id = ?3",
                        params![job.0, kind.word(), id.0],
                        |row| row.get(0),
                    )
                    .optional()?,
                WitnessQuestion::Held { container, principal, kind } => {
                    let (container_kind, container) = named(container);
                    db.query_row(
                        "SELECT e.absent_reads FROM links c JOIN seen_edges e ON e.container = c.id
                           JOIN links p ON p.id = e.principal
                          WHERE c.job = ?1 AND c.kind = ?2 AND c.source_id = ?3 AND p.kind = ?4 AND p.source_id = ?5",
                        params![job.0, container_kind, container.0, kind.word(), principal.0],
                        |row| row.get(0),
                    )
                    .optional()?
                }
            };
            Ok(reads.unwrap_or(0))
        })
        .await
    }

    /// A question of the same kind about somebody who is known to be there; `None` where nobody is left.
    pub async fn canary(
        &self,
        job: JobId,
        question: WitnessQuestion,
    ) -> Result<Option<WitnessQuestion>, StoreError> {
        self.read(move |db| match question {
            WitnessQuestion::Held { container: Container::App(app), kind, .. } => {
                let other = if kind == Kind::User { Kind::Group } else { Kind::User };
                for kind in [kind, other] {
                    if let Some((_, principal)) = principal_of(db, job, "app", Some(&app), kind)? {
                        return Ok(Some(WitnessQuestion::Held { container: Container::App(app), principal, kind }));
                    }
                }
                Ok(None)
            }
            WitnessQuestion::Held { container: Container::Group(group), kind, .. } => {
                let held = match principal_of(db, job, "group", Some(&group), kind)? {
                    Some(held) => Some(held),
                    None => principal_of(db, job, "group", None, kind)?,
                };
                Ok(held.map(|(group, principal)| WitnessQuestion::Held {
                    container: Container::Group(group),
                    principal,
                    kind,
                }))
            }
            WitnessQuestion::Exists { kind, .. } => {
                let known: Option<String> = db
                    .query_row(
                        "SELECT source_id FROM links WHERE job = ?1 AND kind = ?2 AND standing = 'enabled' LIMIT 1",
                        params![job.0, kind.word()],
                        |row| row.get(0),
                    )
                    .optional()?;
                Ok(known.map(|id| WitnessQuestion::Exists { id: SourceId(id), kind }))
            }
        })
        .await
    }

    /// Counts what is still pending.
    pub async fn left_over(&self, job: JobId, now: i64) -> Result<LeftOver, StoreError> {
        self.read(move |db| {
            let mut left = LeftOver::default();
            for sql in [
                "SELECT coalesce(sum(hold IS NOT NULL), 0), 0, coalesce(sum(hold IS NULL AND due_at > ?2), 0)
                   FROM links WHERE job = ?1 AND class IS NOT NULL AND exempt <> 1",
                "SELECT coalesce(sum(e.hold IS NOT NULL), 0),
                        coalesce(sum(e.hold IS NULL AND e.desired AND (t.resource IS NULL OR p.resource IS NULL)), 0),
                        coalesce(sum(e.hold IS NULL AND e.due_at > ?2), 0)
                   FROM team_edges e JOIN links t ON t.id = e.team JOIN links p ON p.id = e.person
                  WHERE e.job = ?1 AND e.desired <> e.applied AND e.exempt <> 1",
                "SELECT coalesce(sum(r.hold IS NOT NULL), 0),
                        coalesce(sum(r.hold IS NULL AND (p.resource IS NULL OR (r.names IS NOT NULL AND r.resolved IS NULL))), 0),
                        coalesce(sum(r.hold IS NULL AND r.due_at > ?2), 0)
                   FROM person_references r JOIN links p ON p.id = r.person AND p.desired = 'active'
                  WHERE r.job = ?1 AND r.pending = 1 AND r.exempt <> 1",
            ] {
                let (held, waiting, escrow): (i64, i64, i64) =
                    db.query_row(sql, params![job.0, now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                left.held += held.unsigned_abs();
                left.waiting += waiting.unsigned_abs();
                left.escrow += escrow.unsigned_abs();
            }
            let active: i64 = db.query_row(
                "SELECT count(*) FROM links WHERE job = ?1 AND kind = 'user' AND applied = 'active'",
                [job.0],
                |row| row.get(0),
            )?;
            left.active = active.unsigned_abs();
            Ok(left)
        })
        .await
    }

    /// Forgets edges that are gone and that nothing waits for any more. Only for a cycle that has decided
    /// everything: what is still to be decided needs them.
    pub async fn forget_gone(&self, job: JobId) -> Result<(), StoreError> {
        self.write(move |tx| forget_gone(tx, job)).await
    }
}

fn principal_of(
    db: &Connection,
    job: JobId,
    container_kind: &str,
    container: Option<&SourceId>,
    kind: Kind,
) -> Sql<Option<(SourceId, SourceId)>> {
    db.query_row(
        "SELECT c.source_id, p.source_id FROM links c JOIN seen_edges e ON e.container = c.id AND e.gone = 0
           JOIN links p ON p.id = e.principal AND p.kind = ?4 AND p.standing = 'enabled'
          WHERE c.job = ?1 AND c.kind = ?2 AND (?3 IS NULL OR c.source_id = ?3) LIMIT 1",
        params![job.0, container_kind, container.map(|id| &id.0), kind.word()],
        |row| Ok((SourceId(row.get(0)?), SourceId(row.get(1)?))),
    )
    .optional()
}

/// An edge that is gone explains pending removals; when there are none any more, it has done its work. It is kept for
/// somebody who is still to be deleted: that removal asks the witness again.
fn forget_gone(tx: &rusqlite::Transaction<'_>, job: JobId) -> Sql<()> {
    tx.execute(
        "DELETE FROM seen_edges WHERE gone <> 0 AND id IN (
           SELECT e.id FROM links c JOIN seen_edges e ON e.container = c.id AND e.gone <> 0
            WHERE c.job = ?1 AND c.kind IN ('app', 'group'))
         AND NOT EXISTS (SELECT 1 FROM links p WHERE p.id = principal AND p.delete_at IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM seen_edges m JOIN links p ON p.id = m.principal AND p.delete_at IS NOT NULL
                          WHERE m.container = seen_edges.principal)
         AND NOT EXISTS (SELECT 1 FROM links WHERE job = ?1 AND class IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM team_edges WHERE job = ?1 AND desired <> applied)",
        [job.0],
    )
    .map(drop)
}
