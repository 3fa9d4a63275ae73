//! One resource and several links: who has it, who came before, who takes it over, who has to make way.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::journal::forget_resource;
use super::links::applied;
use super::promote::EDGE;
use super::values::json;
use super::values::parsed;
use super::values::word;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::LinkId;
use crate::model::SourceId;
use crate::model::Standing;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// A link that a resource has already, in this job or in another one with the same target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    pub link: LinkId,
    /// The other job; `None`: this one.
    pub job: Option<String>,
}

/// A link whose person or group left, and whose resource somebody new may go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    pub link: LinkId,
    pub source: SourceId,
    pub applied: Applied,
    pub standing: Standing,
    /// The attribute by which the two are one.
    pub by: &'static str,
    /// Why it left.
    pub cause: Option<CauseId>,
}

/// An account that gives its name up for somebody who is to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retirement {
    pub link: LinkId,
    pub source: SourceId,
    pub is: Accepted,
    pub active: bool,
    /// The folded name.
    pub key: String,
    /// Of whoever waits for it.
    pub cause: CauseId,
}

/// Links with the same number or anchor, by the columns and what people call them.
const ALIKE: [(&str, &str); 2] = [("employee", "employeeId"), ("immutable", "onPremisesImmutableId")];

impl Store {
    /// Those of these resources that have a link: of this job before one of another job with the same target.
    pub async fn linked(
        &self,
        job: JobId,
        resources: BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, Linked>, StoreError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(
                "SELECT l.id, CASE WHEN l.job <> ?2 THEN j.name END FROM links l JOIN jobs j ON j.id = l.job
                  WHERE l.resource = ?1 AND (l.job = ?2
                    OR j.target_identity IS (SELECT target_identity FROM jobs WHERE id = ?2))
                  ORDER BY l.job <> ?2, l.origin = 'joined', l.id LIMIT 1",
            )?;
            let mut linked = BTreeMap::new();
            for resource in resources {
                let row = |row: &Row<'_>| Ok(Linked { link: LinkId(row.get(0)?), job: row.get(1)? });
                let found = query.query_row(params![resource.0, job.0], row).optional()?;
                linked.extend(found.map(|found| (resource, found)));
            }
            Ok(linked)
        })
        .await
    }

    /// Whom each of these newcomers may be: people with the same number or anchor whose person left, teams of the same
    /// name that are about to go.
    pub async fn predecessors(
        &self,
        kind: Kind,
        newcomers: Vec<LinkId>,
    ) -> Result<BTreeMap<LinkId, Vec<Predecessor>>, StoreError> {
        self.read(move |db| {
            let mut found = BTreeMap::new();
            for newcomer in newcomers {
                let before = match kind {
                    Kind::User => people_before(db, newcomer)?,
                    Kind::Group => teams_before(db, newcomer)?,
                };
                if !before.is_empty() {
                    found.insert(newcomer, before);
                }
            }
            Ok(found)
        })
        .await
    }

    /// The causes of these links, by id.
    pub async fn causes_by_id(
        &self,
        of: Vec<(LinkId, CauseId)>,
    ) -> Result<BTreeMap<CauseId, Cause>, StoreError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(
                "SELECT c.cause FROM links l JOIN causes c ON c.job = l.job AND c.id = ?2 WHERE l.id = ?1",
            )?;
            let mut causes = BTreeMap::new();
            for (link, id) in of {
                let cause =
                    query.query_map(params![link.0, id.0], |row| parsed(row, 0))?.next().transpose()?;
                causes.extend(cause.map(|cause| (id, cause)));
            }
            Ok(causes)
        })
        .await
    }

    /// Pending adoptions of one resource by several links of the job, by resource.
    pub async fn adopted_twice(
        &self,
        job: JobId,
    ) -> Result<BTreeMap<ResourceId, Vec<(LinkId, SourceId)>>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT json_extract(adopt, '$.resource'), id, source_id FROM links
                  WHERE job = ?1 AND adopt IS NOT NULL AND class IS 'create'
                    AND json_extract(adopt, '$.resource') IN (SELECT json_extract(adopt, '$.resource') FROM links
                          WHERE job = ?1 AND adopt IS NOT NULL AND class IS 'create' GROUP BY 1 HAVING count(*) > 1)
                  ORDER BY 1, 3",
            )?;
            let found = rows.query_map([job.0], |row| {
                Ok((ResourceId(row.get(0)?), (LinkId(row.get(1)?), SourceId(row.get(2)?))))
            })?;
            let mut twice: BTreeMap<ResourceId, Vec<(LinkId, SourceId)>> = BTreeMap::new();
            for row in found {
                let (resource, link) = row?;
                twice.entry(resource).or_default().push(link);
            }
            Ok(twice)
        })
        .await
    }

    /// Accounts that have to be renamed before somebody who is to go can be created.
    pub async fn retirements(&self, job: JobId, now: i64) -> Result<Vec<Retirement>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT o.id, o.source_id, o.applied, o.resource, o.sent, o.shown, o.origin, o.applied_key,
                        coalesce(n.match_cause, n.cause)
                   FROM links n JOIN links o ON o.id = n.retires
                  WHERE n.job = ?1 AND n.class = 'create' AND n.kind = 'user' AND n.hold IS NULL
                    AND (n.due_at IS NULL OR n.due_at <= ?2) ORDER BY n.source_id",
            )?;
            let found = rows.query_map(params![job.0, now], |row| {
                let applied = applied(row, 2)?;
                let active = matches!(applied, Applied::Active(_));
                let (Applied::Active(is) | Applied::Inactive(is)) = applied else { return Ok(None) };
                let (link, source) = (LinkId(row.get(0)?), SourceId(row.get(1)?));
                let key: Option<String> = row.get(7)?;
                let cause = CauseId(row.get(8)?);
                Ok(key.map(|key| Retirement { link, source, is, active, key, cause }))
            })?;
            Ok(found.collect::<Sql<Vec<_>>>()?.into_iter().flatten().collect())
        })
        .await
    }
}

/// The index is named because the planner would rather walk everybody of the job in the order asked for, once a newcomer.
fn people_before(db: &Connection, newcomer: LinkId) -> Sql<Vec<Predecessor>> {
    for (column, by) in ALIKE {
        let sql = format!(
            "SELECT o.id, o.source_id, o.standing, o.cause, o.applied, o.resource, o.sent, o.shown, o.origin
               FROM links n JOIN links o INDEXED BY links_{column} ON o.job = n.job AND o.{column} = n.{column}
              WHERE n.id = ?1 AND n.{column} IS NOT NULL AND o.id <> n.id AND o.kind = 'user' AND o.resource IS NOT NULL
                AND o.desired IS NOT 'active' AND o.standing <> 'unread' ORDER BY o.source_id"
        );
        let found: Vec<Predecessor> = db
            .prepare_cached(&sql)?
            .query_map([newcomer.0], |row| predecessor(row, by))?
            .collect::<Sql<_>>()?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn teams_before(db: &Connection, newcomer: LinkId) -> Sql<Vec<Predecessor>> {
    db.prepare_cached(
        "SELECT o.id, o.source_id, o.standing, o.cause, o.applied, o.resource, o.sent, o.shown, o.origin
           FROM links n JOIN links o INDEXED BY links_applied_key ON o.job = n.job AND o.applied_key = n.wanted_key
          WHERE n.id = ?1 AND o.id <> n.id AND o.kind = 'group' AND o.resource IS NOT NULL
            AND o.desired IN ('inactive', 'absent')
            AND (o.class IS 'delete_teams' OR EXISTS (SELECT 1 FROM team_edges e WHERE e.team = o.id AND e.applied))
          ORDER BY o.source_id",
    )?
    .query_map([newcomer.0], |row| predecessor(row, "displayName"))?
    .collect()
}

/// Reads `id, source_id, standing, cause`, then what `applied` reads.
fn predecessor(row: &Row<'_>, by: &'static str) -> Sql<Predecessor> {
    Ok(Predecessor {
        link: LinkId(row.get(0)?),
        source: SourceId(row.get(1)?),
        standing: word(row, 2)?,
        cause: row.get::<_, Option<String>>(3)?.map(CauseId),
        applied: applied(row, 4)?,
        by,
    })
}

/// A resource has one link in a job: whoever accepts it takes it, with its memberships, from the one that had it. What the
/// newcomer is not wanted in is judged in the next cycle, like any removal.
pub(super) fn take_over(tx: &Transaction<'_>, job: JobId, link: LinkId, resource: &ResourceId) -> Sql<()> {
    let others: Vec<i64> = tx
        .prepare_cached("SELECT id FROM links WHERE resource = ?1 AND job = ?2 AND id <> ?3")?
        .query_map(params![resource.0, job.0, link.0], |row| row.get(0))?
        .collect::<Sql<_>>()?;
    for other in others {
        move_memberships(tx, job, LinkId(other), link)?;
        forget_resource(tx, LinkId(other))?;
        tx.prepare_cached("UPDATE links SET dirty = dirty | ?2 WHERE id = ?1")?
            .execute(params![other, EDGE])?;
    }
    Ok(())
}

pub(super) fn move_memberships(tx: &Transaction<'_>, job: JobId, from: LinkId, to: LinkId) -> Sql<()> {
    let text =
        "it came with the account or team that was taken over, and is judged in the next cycle".to_owned();
    let hold = json(&Hold { kind: HoldKind::Relink, text })?;
    for (own, other) in [("person", "team"), ("team", "person")] {
        tx.prepare_cached(&format!(
            "INSERT INTO team_edges(job, {own}, {other}, {own}_source, {other}_source, desired, applied, cause, proof, hold)
               SELECT job, ?2, {other}, (SELECT source_id FROM links WHERE id = ?2), {other}_source, 0, 1,
                      (SELECT cause FROM links WHERE id = ?2), 'event', ?3
                 FROM team_edges WHERE {own} = ?1 AND applied
             ON CONFLICT (team, person) DO UPDATE SET applied = 1"
        ))?
        .execute(params![from.0, to.0, hold])?;
        tx.prepare_cached(&format!(
            "INSERT OR IGNORE INTO dirty_edges SELECT ?3, team, person FROM team_edges WHERE {own} IN (?1, ?2)"
        ))?
        .execute(params![from.0, to.0, job.0])?;
        tx.prepare_cached(&format!("DELETE FROM team_edges WHERE {own} = ?1"))?.execute([from.0])?;
    }
    Ok(())
}
