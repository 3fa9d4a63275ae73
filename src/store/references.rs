//! References between people: whom an attribute names, which resource that is, and what is pending of it.
//!
//! Two triggers of the schema keep `resolved` true whoever changes a link, so that a late joiner and a re-created
//! account repair those who refer to them.

use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::overrides;
use super::values::json;
use super::values::parsed_or_none;
use crate::model::LinkId;
use crate::model::SourceId;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::Decision;
use crate::plan::Hold;
use crate::plan::Reference;
use crate::scim::ResourceId;
use crate::scim::fold;

/// A reference with its pending change.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingReference {
    pub person: LinkId,
    pub path: String,
    pub source: SourceId,
    pub person_name: String,
    pub person_resource: Option<ResourceId>,
    /// What the target last accepted; `None`: nothing.
    pub old: Option<ResourceId>,
    pub old_name: Option<String>,
    /// Whether somebody is meant at all.
    pub wanted: bool,
    /// Who it is in the target, where there is an account.
    pub new: Option<ResourceId>,
    pub new_name: Option<String>,
    pub waits: Option<Waits>,
    pub cause: CauseId,
    pub hold: Option<Hold>,
    pub attempts: u32,
    pub failure: Option<String>,
    pub due_second: Option<i64>,
    pub approved: bool,
    /// It was rejected, and the exemption has ended.
    pub rejected: bool,
}

/// Where a page of references ends; the first begins behind the default.
#[derive(Clone, Debug, Default)]
pub struct ReferencePlace {
    source: String,
    path: String,
}

impl PendingReference {
    pub fn place(&self) -> ReferencePlace {
        ReferencePlace { source: self.source.0.clone(), path: self.path.clone() }
    }
}

/// What a reference waits for, where this plan does not make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Who refers has no account.
    Own,
    /// Who is meant has none.
    Other,
}

/// What is pending of people who are wanted active, and whose attributes are ours to write; `m` is who is meant, `o` who
/// was.
pub(super) const TABLES: &str = "person_references r JOIN links p ON p.id = r.person AND p.desired = 'active' AND p.origin IS NOT 'joined'
    LEFT JOIN links m ON m.id = coalesce(
      (SELECT id FROM links WHERE job = r.job AND kind = 'user' AND source_id = r.names),
      (SELECT id FROM links WHERE job = r.job AND kind = 'user' AND applied_key = r.name_key),
      (SELECT id FROM links WHERE job = r.job AND kind = 'user' AND wanted_key = r.name_key))
    LEFT JOIN links o ON o.id = (SELECT min(id) FROM links WHERE resource = r.applied AND job = r.job)
    LEFT JOIN approvals a ON a.job = r.job AND a.link = r.person AND a.person = 0 AND a.class = 'references'
      AND a.cause = r.cause";

const COLUMNS: &str = "r.person, r.path, p.source_id,
    coalesce(json_extract(p.wanted, '$.userName'), json_extract(p.sent, '$.userName'), p.source_id),
    p.resource, r.applied, coalesce(json_extract(o.wanted, '$.userName'), json_extract(o.sent, '$.userName')),
    r.names IS NOT NULL, r.resolved,
    coalesce(json_extract(m.wanted, '$.userName'), json_extract(m.sent, '$.userName'), r.names),
    p.resource IS NULL AND NOT (p.class IS 'create' AND p.hold IS NULL),
    r.names IS NOT NULL AND r.resolved IS NULL AND NOT (m.class IS 'create' AND m.hold IS NULL),
    r.cause, r.hold, r.attempts, r.failure, r.due_at, a.link IS NOT NULL, r.exempt = 2";

/// The pending references of one person.
pub(super) fn pending_of(db: &Connection, person: LinkId) -> Sql<Vec<PendingReference>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE r.person = ?1 AND r.pending = 1 AND r.exempt <> 1 ORDER BY r.path"
    );
    let mut rows = db.prepare_cached(&sql)?;
    rows.query_map([person.0], pending)?.collect()
}

impl Store {
    /// The next pending references, by the person's source id and the attribute.
    pub async fn pending_references(
        &self,
        job: JobId,
        after: ReferencePlace,
        limit: usize,
    ) -> Result<Vec<PendingReference>, StoreError> {
        self.read(move |db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM {TABLES}
                  WHERE r.job = ?1 AND r.pending = 1 AND r.exempt <> 1 AND (r.source, r.path) > (?2, ?3) ORDER BY r.source, r.path LIMIT ?4"
            );
            let mut rows = db.prepare_cached(&sql)?;
            rows.query_map(params![job.0, after.source, after.path, limit as i64], pending)?.collect()
        })
        .await
    }

    pub async fn save_reference_holds(
        &self,
        holds: Vec<(LinkId, String, Option<Hold>)>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut update =
                tx.prepare_cached("UPDATE person_references SET hold = ?3 WHERE person = ?1 AND path = ?2")?;
            for (person, path, hold) in &holds {
                update.execute(params![person.0, path, hold.as_ref().map(json).transpose()?])?;
            }
            Ok(())
        })
        .await
    }

    /// A renamed group is a change of those who are in it: they are decided again. To be called before groups are.
    pub async fn spread_group_names(&self, job: JobId) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "UPDATE links SET dirty = dirty | ?2 WHERE kind = 'user' AND id IN (
                   SELECT e.principal FROM links g JOIN seen_edges e ON e.container = g.id AND e.gone = 0
                    WHERE g.job = ?1 AND g.kind = 'group' AND g.dirty & ?3 <> 0)",
                params![job.0, super::promote::EDGE, super::promote::OBJECT],
            )
            .map(drop)
        })
        .await
    }
}

/// Keeps whom a person's attributes name. What nobody asks for any more is forgotten: the target keeps it.
pub(super) fn save(tx: &Transaction<'_>, job: JobId, person: LinkId, decision: &Decision) -> Sql<()> {
    let paths: Vec<&str> = decision.references.iter().map(|reference| reference.path.as_str()).collect();
    tx.prepare_cached(
        "DELETE FROM person_references WHERE person = ?1 AND path NOT IN (SELECT value FROM json_each(?2))",
    )?
    .execute(params![person.0, json(&paths)?])?;
    decision.references.iter().try_for_each(|reference| save_one(tx, job, person, decision, reference))
}

fn save_one(
    tx: &Transaction<'_>,
    job: JobId,
    person: LinkId,
    decision: &Decision,
    reference: &Reference,
) -> Sql<()> {
    let edited = decision.why.cause.kind.is_ours();
    let cause = match overrides::cause_of_reference(tx, job, person, &reference.path)? {
        Some(cause) => cause,
        None if edited => decision.why.cause.clone(),
        None => Cause::of_reference(&reference.path),
    };
    tx.prepare_cached("INSERT INTO causes VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?.execute(params![
        job.0,
        cause.id().0,
        json(&cause)?
    ])?;
    tx.prepare_cached(
        "INSERT INTO person_references(job, person, source, path, names, name_key, clears, cause, resolved)
         VALUES (?1, ?2, (SELECT source_id FROM links WHERE id = ?2), ?3, ?4, ?5, ?6, ?7, coalesce(
           (SELECT resource FROM links WHERE job = ?1 AND kind = 'user' AND source_id = ?4),
           (SELECT resource FROM links WHERE job = ?1 AND kind = 'user' AND applied_key = ?5)))
         ON CONFLICT DO UPDATE SET names = excluded.names, name_key = excluded.name_key, clears = excluded.clears,
           cause = excluded.cause, resolved = excluded.resolved, hold = NULL, attempts = 0, failure = NULL, due_at = NULL
          WHERE names IS NOT excluded.names OR clears <> excluded.clears",
    )?
    .execute(params![
        job.0,
        person.0,
        reference.path,
        reference.names,
        reference.names.as_deref().map(fold),
        reference.clears,
        cause.id().0,
    ])
    .map(drop)
}

/// The target has accepted it.
pub(super) fn accept(
    tx: &Transaction<'_>,
    person: LinkId,
    path: &str,
    resource: Option<&ResourceId>,
) -> Sql<()> {
    tx.prepare_cached(
        "UPDATE person_references SET applied = ?3, hold = NULL, attempts = 0, failure = NULL, due_at = NULL
          WHERE person = ?1 AND path = ?2",
    )?
    .execute(params![person.0, path, resource.map(|resource| &resource.0)])
    .map(drop)
}

fn pending(row: &Row<'_>) -> Sql<PendingReference> {
    let resource = |column| row.get::<_, Option<String>>(column).map(|id| id.map(ResourceId));
    let (own, other): (bool, bool) = (row.get(10)?, row.get(11)?);
    let wanted = row.get(7)?;
    let new_name: Option<String> = row.get(9)?;
    Ok(PendingReference {
        person: LinkId(row.get(0)?),
        path: row.get(1)?,
        source: SourceId(row.get(2)?),
        person_name: row.get(3)?,
        person_resource: resource(4)?,
        old: resource(5)?,
        old_name: row.get(6)?,
        wanted,
        new: resource(8)?,
        new_name: new_name.filter(|_| wanted),
        waits: match (own, other) {
            (true, _) => Some(Waits::Own),
            (false, true) => Some(Waits::Other),
            (false, false) => None,
        },
        cause: CauseId(row.get(12)?),
        hold: parsed_or_none(row, 13)?,
        attempts: row.get(14)?,
        failure: row.get(15)?,
        due_second: row.get(16)?,
        approved: row.get(17)?,
        rejected: row.get(18)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pending_references_are_found_through_their_index() {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT {COLUMNS} FROM {TABLES} WHERE r.job = 1 AND r.pending = 1
              AND (r.source, r.path) > ('', '') ORDER BY r.source, r.path LIMIT 9"
        );
        let store = Store::in_memory().expect("a state");
        let steps = store.read(move |db| {
            let mut rows = db.prepare(&sql)?;
            rows.query_map([], |row| row.get::<_, String>(3))?.collect::<Sql<Vec<String>>>()
        });
        let plan = steps.await.expect("a plan").join("; ");
        assert!(plan.contains("INDEX person_references_pending"), "{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
