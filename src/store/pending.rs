//! Links and memberships where applied differs from desired, found through their indexes: what a plan is.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::links::applied;
use super::references;
use super::values::json;
use super::values::parsed;
use super::values::parsed_or_none;
use super::values::word;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::LinkId;
use crate::model::Origin;
use crate::model::Seen;
use crate::model::SourceId;
use crate::model::WitnessQuestion;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::Class;
use crate::plan::Counts;
use crate::plan::Hold;
use crate::plan::OnCreate;
use crate::plan::Proof;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// A link with its pending change.
#[derive(Clone, Debug)]
pub struct PendingLink {
    pub link: LinkId,
    pub kind: Kind,
    pub source: SourceId,
    pub seen: Seen,
    pub desired: Desired,
    pub applied: Applied,
    pub class: Class,
    pub cause: CauseId,
    pub proof: Proof,
    pub questions: Vec<WitnessQuestion>,
    /// What matching found.
    pub adopt: Option<Adopt>,
    pub hold: Option<Hold>,
    pub attempts: u32,
    pub failure: Option<String>,
    pub due_second: Option<i64>,
    pub approved: bool,
    pub wanted_key: Option<String>,
    /// The cause under which matching holds it, in place of its own.
    pub match_cause: Option<CauseId>,
    /// The account or team that was looked at when it was approved.
    pub approved_for: Option<ResourceId>,
    /// The resource that a person said it is.
    pub pinned: Option<ResourceId>,
    /// The resource that may have been ours before the state was lost.
    pub proposed: Option<ResourceId>,
    /// The link whose account has to be renamed out of the way first.
    pub retires: Option<LinkId>,
    /// The target answered that it has no such resource.
    pub lost: bool,
    /// Another job that wants the resource still: a removal only lets go of it.
    pub wanted_by: Option<String>,
    /// What is sent beside what is desired, where the resource has to be made.
    pub on_create: OnCreate,
    /// Time alone causes it.
    pub by_time: bool,
    /// It was rejected, and the exemption has ended.
    pub rejected: bool,
    /// Somebody else deactivated the account in the target.
    pub shut: bool,
}

/// The resource that a pending creation makes ours instead.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Adopt {
    pub resource: ResourceId,
    /// The attribute by which it was found.
    pub by: String,
    pub active: bool,
    pub shown: Attributes,
    /// What it will be to us.
    #[serde(default = "adopted")]
    pub origin: Origin,
}

fn adopted() -> Origin {
    Origin::Adopted
}

/// A membership with its pending change.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingEdge {
    pub team: LinkId,
    pub person: LinkId,
    pub team_source: SourceId,
    pub person_source: SourceId,
    pub team_name: String,
    pub person_name: String,
    pub team_resource: Option<ResourceId>,
    pub person_resource: Option<ResourceId>,
    /// The team or the person has no resource, and this plan does not create it.
    pub waits: bool,
    pub adds: bool,
    pub cause: CauseId,
    pub proof: Proof,
    /// A removal that follows from the person's own change, or that already happened to it: it has no verdict of
    /// its own, and is not counted.
    pub follows: bool,
    /// The team is not wanted any more: what has to be asked is the team's question.
    pub team_lost: bool,
    pub team_questions: Vec<WitnessQuestion>,
    pub person_hold: Option<Hold>,
    pub hold: Option<Hold>,
    pub attempts: u32,
    pub failure: Option<String>,
    pub due_second: Option<i64>,
    pub approved: bool,
    /// Another job holds the membership as well, so that removing ours needs no request.
    pub kept: bool,
    /// Time alone keeps the team or the person out.
    pub by_time: bool,
    /// It was rejected, and the exemption has ended.
    pub rejected: bool,
}

/// Where a page of memberships ends; the first begins behind the default.
#[derive(Clone, Debug, Default)]
pub struct EdgePlace {
    team: String,
    person: String,
}

impl PendingEdge {
    pub fn place(&self) -> EdgePlace {
        EdgePlace { team: self.team_source.0.clone(), person: self.person_source.0.clone() }
    }
}

const LINK_COLUMNS: &str = "l.id, l.kind, l.source_id, l.standing, l.seen, l.desired, l.wanted,
    l.applied, l.resource, l.sent, l.shown, l.origin, l.class, coalesce(l.match_cause, l.cause), l.proof, l.questions, l.adopt, l.hold,
    l.attempts, l.failure, l.due_at, a.link IS NOT NULL, l.wanted_key, l.match_cause, a.resource, l.pinned, l.retires,
    l.lost_at IS NOT NULL,
    CASE WHEN l.resource IS NOT NULL AND l.class IN ('deactivate', 'delete', 'delete_teams') THEN
      (SELECT min(oj.name) FROM links o JOIN jobs oj ON oj.id = o.job
        WHERE o.resource = l.resource AND o.job <> l.job AND o.applied = 'active' AND o.desired IS 'active'
          AND oj.target_identity IS (SELECT target_identity FROM jobs WHERE id = l.job)) END,
    l.on_create, l.by_time, l.exempt = 2, l.proposed, l.shut_at IS NOT NULL";
const LINK_TABLES: &str = "links l LEFT JOIN approvals a
    ON a.job = l.job AND a.link = l.id AND a.person = 0 AND a.class = l.class
      AND a.cause = coalesce(l.match_cause, l.cause)";

const EDGE_COLUMNS: &str = "e.team, e.person, t.source_id, p.source_id,
    coalesce(json_extract(t.wanted, '$.displayName'), json_extract(t.sent, '$.displayName'), t.source_id),
    coalesce(json_extract(p.wanted, '$.userName'), json_extract(p.sent, '$.userName'), p.source_id),
    t.resource, p.resource, e.desired, e.cause, e.proof, p.desired IS NOT 'active', t.desired IS NOT 'active',
    t.questions, CASE WHEN p.class IN ('deactivate', 'delete') THEN p.hold END, e.hold, e.attempts, e.failure,
    e.due_at, a.link IS NOT NULL,
    (t.resource IS NULL AND NOT (t.class IS 'create' AND t.hold IS NULL))
      OR (p.resource IS NULL AND NOT (p.class IS 'create' AND p.hold IS NULL)),
    NOT e.desired AND EXISTS (SELECT 1 FROM links op CROSS JOIN team_edges o ON o.person = op.id
      CROSS JOIN links ot ON ot.id = o.team CROSS JOIN jobs oj ON oj.id = op.job
      WHERE op.resource = p.resource AND op.job <> e.job AND ot.resource = t.resource AND o.desired AND o.applied
        AND oj.target_identity IS (SELECT target_identity FROM jobs WHERE id = e.job)),
    NOT e.desired AND (t.by_time OR p.by_time), e.exempt = 2";
const EDGE_TABLES: &str = "team_edges e JOIN links t ON t.id = e.team JOIN links p ON p.id = e.person
    LEFT JOIN approvals a ON a.job = e.job AND a.link = e.team AND a.person = e.person
      AND a.class = CASE WHEN e.desired THEN 'add_members' ELSE 'remove_members' END AND a.cause = e.cause";

impl Store {
    /// What the guard counts. Memberships that follow from a person's own change are not counted twice.
    pub async fn counts(&self, job: JobId, window_from_second: i64) -> Result<Counts, StoreError> {
        self.read(move |db| {
            let mut counts = Counts::default();
            let sql = format!(
                "SELECT l.class, count(*) FROM {LINK_TABLES}
                  WHERE l.job = ?1 AND l.class IS NOT NULL AND a.link IS NULL AND l.exempt = 0 GROUP BY l.class"
            );
            count_into(db, &sql, job, &mut counts.pending)?;
            let sql = format!(
                "SELECT CASE WHEN e.desired THEN 'add_members' ELSE 'remove_members' END, count(*) FROM {EDGE_TABLES}
                  WHERE e.job = ?1 AND e.desired <> e.applied AND a.link IS NULL AND e.exempt = 0
                    AND (e.desired OR p.desired IS 'active') GROUP BY 1"
            );
            count_into(db, &sql, job, &mut counts.pending)?;
            let sql = format!(
                "SELECT 'references', count(*) FROM {}
                  WHERE r.job = ?1 AND r.pending = 1 AND a.link IS NULL AND r.exempt = 0 AND (r.names IS NULL OR r.resolved IS NOT NULL)",
                references::TABLES
            );
            count_into(db, &sql, job, &mut counts.pending)?;
            let mut rows = db.prepare_cached(
                "SELECT class, sum(count) FROM journal
                  WHERE job = ?1 AND at >= ?2 AND outcome = 'done' AND NOT approved GROUP BY class",
            )?;
            let done = rows.query_map(params![job.0, window_from_second], |row| Ok((word(row, 0)?, count(row, 1)?)))?;
            counts.window = done.collect::<Sql<_>>()?;
            counts.active = active(db, job)?;
            Ok(counts)
        })
        .await
    }

    /// The causes that have a change in one of these classes.
    pub async fn causes_of(&self, job: JobId, classes: Vec<Class>) -> Result<BTreeSet<CauseId>, StoreError> {
        self.read(move |db| {
            let mut causes = BTreeSet::new();
            for class in classes {
                let (sql, word) = match class {
                    Class::AddMembers | Class::RemoveMembers => (
                        "SELECT DISTINCT cause FROM team_edges
                          WHERE job = ?1 AND desired <> applied AND desired = (?2 = 'add_members') AND exempt = 0
                            AND cause IS NOT NULL",
                        class.word(),
                    ),
                    Class::References => (
                        "SELECT DISTINCT cause FROM person_references WHERE job = ?1 AND pending = 1 AND exempt = 0 AND ?2 <> ''",
                        class.word(),
                    ),
                    _ => ("SELECT DISTINCT cause FROM links WHERE job = ?1 AND class = ?2 AND exempt = 0 AND cause IS NOT NULL", class.word()),
                };
                let mut rows = db.prepare_cached(sql)?;
                for cause in rows.query_map(params![job.0, word], |row| row.get(0))? {
                    causes.insert(CauseId(cause?));
                }
            }
            Ok(causes)
        })
        .await
    }

    /// The next pending links of a class and kind, by source id.
    pub async fn pending_links(
        &self,
        job: JobId,
        class: Class,
        kind: Kind,
        after: String,
        limit: usize,
    ) -> Result<Vec<PendingLink>, StoreError> {
        self.read(move |db| {
            let sql = format!(
                "SELECT {LINK_COLUMNS} FROM {LINK_TABLES} WHERE l.job = ?1 AND l.class = ?2 AND l.kind = ?3
                    AND l.exempt <> 1 AND l.source_id > ?4 ORDER BY l.source_id LIMIT ?5"
            );
            let mut rows = db.prepare_cached(&sql)?;
            let with = params![job.0, class.word(), kind.word(), after, limit as i64];
            rows.query_map(with, pending_link)?.collect()
        })
        .await
    }

    /// These links, where they are still pending, in the order asked for.
    pub async fn pending_by_id(&self, links: Vec<LinkId>) -> Result<Vec<PendingLink>, StoreError> {
        self.read(move |db| {
            let sql =
                format!("SELECT {LINK_COLUMNS} FROM {LINK_TABLES} WHERE l.id = ?1 AND l.class IS NOT NULL AND l.exempt <> 1");
            let mut query = db.prepare_cached(&sql)?;
            let mut found = Vec::new();
            for link in links {
                found.extend(query.query_map([link.0], pending_link)?.collect::<Sql<Vec<_>>>()?);
            }
            Ok(found)
        })
        .await
    }

    /// The next pending memberships, by the source ids of team and person.
    pub async fn pending_edges(
        &self,
        job: JobId,
        adds: bool,
        after: EdgePlace,
        limit: usize,
    ) -> Result<Vec<PendingEdge>, StoreError> {
        self.read(move |db| {
            let sql = format!(
                "SELECT {EDGE_COLUMNS} FROM {EDGE_TABLES}
                  WHERE e.job = ?1 AND e.desired <> e.applied AND e.desired = ?2 AND e.exempt <> 1
                    AND (e.team_source, e.person_source) > (?3, ?4)
                  ORDER BY e.team_source, e.person_source LIMIT ?5"
            );
            let mut rows = db.prepare_cached(&sql)?;
            let with = params![job.0, adds, after.team, after.person, limit as i64];
            rows.query_map(with, pending_edge)?.collect()
        })
        .await
    }

    /// A cause that no decision has written down.
    pub async fn note_cause(&self, job: JobId, cause: Cause) -> Result<(), StoreError> {
        self.write(move |tx| {
            let sql = "INSERT INTO causes VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
            tx.execute(sql, params![job.0, cause.id().0, json(&cause)?]).map(drop)
        })
        .await
    }

    pub async fn causes(&self, job: JobId) -> Result<BTreeMap<CauseId, Cause>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached("SELECT id, cause FROM causes WHERE job = ?1")?;
            rows.query_map([job.0], |row| Ok((CauseId(row.get(0)?), parsed(row, 1)?)))?.collect()
        })
        .await
    }

    /// Links that are active in the target now, and those that are wanted active.
    pub async fn population(&self, job: JobId) -> Result<(u64, u64), StoreError> {
        self.read(move |db| {
            let wanted = "SELECT count(*) FROM links WHERE job = ?1 AND kind = 'user' AND desired = 'active'";
            Ok((active(db, job)?, db.query_row(wanted, [job.0], |row| count(row, 0))?))
        })
        .await
    }

    /// Whether nothing is pending and nothing has to be decided.
    pub async fn quiet(&self, job: JobId) -> Result<bool, StoreError> {
        self.read(move |db| {
            db.query_row(
                "SELECT NOT EXISTS (SELECT 1 FROM links WHERE job = ?1 AND class IS NOT NULL AND exempt <> 1)
                    AND NOT EXISTS (SELECT 1 FROM team_edges WHERE job = ?1 AND desired <> applied AND exempt <> 1)
                    AND NOT EXISTS (SELECT 1 FROM person_references WHERE job = ?1 AND pending = 1 AND exempt <> 1)",
                [job.0],
                |row| row.get(0),
            )
        })
        .await
    }
}

/// The pending memberships of one person.
pub(super) fn edges_of(db: &Connection, person: LinkId) -> Sql<Vec<PendingEdge>> {
    let sql = format!(
        "SELECT {EDGE_COLUMNS} FROM {EDGE_TABLES}
          WHERE e.person = ?1 AND e.desired <> e.applied AND e.exempt <> 1 ORDER BY e.team_source"
    );
    let mut rows = db.prepare_cached(&sql)?;
    rows.query_map([person.0], pending_edge)?.collect()
}

fn active(db: &Connection, job: JobId) -> Sql<u64> {
    let sql = "SELECT count(*) FROM links WHERE job = ?1 AND kind = 'user' AND applied = 'active'";
    db.query_row(sql, [job.0], |row| count(row, 0))
}

pub(super) fn count(row: &Row<'_>, column: usize) -> Sql<u64> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

fn count_into(db: &Connection, sql: &str, job: JobId, into: &mut BTreeMap<Class, u64>) -> Sql<()> {
    let mut rows = db.prepare_cached(sql)?;
    for pair in rows.query_map([job.0], |row| Ok((word(row, 0)?, count(row, 1)?)))? {
        let (class, count) = pair?;
        into.insert(class, count);
    }
    Ok(())
}

fn pending_link(row: &Row<'_>) -> Sql<PendingLink> {
    let desired: Option<String> = row.get(5)?;
    let desired = match desired.as_deref() {
        Some("active") => Desired::Active(parsed(row, 6)?),
        Some("inactive") => Desired::Inactive,
        Some("absent") => Desired::Absent,
        _ => Desired::Unmanaged,
    };
    Ok(PendingLink {
        link: LinkId(row.get(0)?),
        kind: word(row, 1)?,
        source: SourceId(row.get(2)?),
        seen: Seen { standing: word(row, 3)?, attributes: parsed_or_none(row, 4)?.unwrap_or_default() },
        desired,
        applied: applied(row, 7)?,
        class: word(row, 12)?,
        cause: CauseId(row.get(13)?),
        proof: word(row, 14)?,
        questions: parsed_or_none(row, 15)?.unwrap_or_default(),
        adopt: parsed_or_none(row, 16)?,
        hold: parsed_or_none(row, 17)?,
        attempts: row.get(18)?,
        failure: row.get(19)?,
        due_second: row.get(20)?,
        approved: row.get(21)?,
        wanted_key: row.get(22)?,
        match_cause: row.get::<_, Option<String>>(23)?.map(CauseId),
        approved_for: row.get::<_, Option<String>>(24)?.map(ResourceId),
        pinned: row.get::<_, Option<String>>(25)?.map(ResourceId),
        retires: row.get::<_, Option<i64>>(26)?.map(LinkId),
        lost: row.get(27)?,
        wanted_by: row.get(28)?,
        on_create: parsed_or_none(row, 29)?.unwrap_or_default(),
        by_time: row.get(30)?,
        rejected: row.get(31)?,
        proposed: row.get::<_, Option<String>>(32)?.map(ResourceId),
        shut: row.get(33)?,
    })
}

fn pending_edge(row: &Row<'_>) -> Sql<PendingEdge> {
    let adds: bool = row.get(8)?;
    let person_unwanted: bool = row.get(11)?;
    let cause: Option<String> = row.get(9)?;
    Ok(PendingEdge {
        team: LinkId(row.get(0)?),
        person: LinkId(row.get(1)?),
        team_source: SourceId(row.get(2)?),
        person_source: SourceId(row.get(3)?),
        team_name: row.get(4)?,
        person_name: row.get(5)?,
        team_resource: row.get::<_, Option<String>>(6)?.map(ResourceId),
        person_resource: row.get::<_, Option<String>>(7)?.map(ResourceId),
        adds,
        cause: CauseId(cause.unwrap_or_default()),
        proof: word(row, 10)?,
        follows: !adds && person_unwanted,
        team_lost: row.get(12)?,
        team_questions: parsed_or_none(row, 13)?.unwrap_or_default(),
        person_hold: parsed_or_none(row, 14)?,
        hold: parsed_or_none(row, 15)?,
        attempts: row.get(16)?,
        failure: row.get(17)?,
        due_second: row.get(18)?,
        approved: row.get(19)?,
        waits: row.get(20)?,
        kept: row.get(21)?,
        by_time: row.get(22)?,
        rejected: row.get(23)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How SQLite finds the rows of a query.
    async fn plan_of(sql: String) -> String {
        let store = Store::in_memory().expect("a state");
        let steps = store.read(move |db| {
            let mut rows = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            rows.query_map([], |row| row.get::<_, String>(3))?.collect::<Sql<Vec<String>>>()
        });
        steps.await.expect("a plan").join("; ")
    }

    #[tokio::test]
    async fn pending_and_dirty_links_are_found_through_their_indexes() {
        for (table, query) in [
            (
                "links_pending",
                "SELECT id FROM links WHERE job = 1 AND class = 'create' AND kind = 'user' AND source_id > '' ORDER BY source_id LIMIT 9",
            ),
            (
                "links_dirty",
                "SELECT id FROM links WHERE job = 1 AND kind = 'user' AND dirty <> 0 AND id > 0 ORDER BY id LIMIT 9",
            ),
            (
                "team_edges_pending",
                "SELECT team FROM team_edges WHERE job = 1 AND desired <> applied AND desired = 1 AND (team_source, person_source) > ('', '') ORDER BY team_source, person_source LIMIT 9",
            ),
            (
                "sqlite_autoindex_links_1",
                "SELECT source_id FROM links WHERE job = 1 AND kind = 'user' AND desired = 'active' AND source_id > '' ORDER BY source_id LIMIT 9",
            ),
            ("journal_open", "SELECT id FROM journal WHERE job = 1 AND outcome IS NULL ORDER BY id"),
        ] {
            let plan = plan_of(query.to_owned()).await;
            assert!(plan.contains(&format!("INDEX {table}")) && !plan.contains("SCAN"), "{query}: {plan}");
        }
    }

    #[tokio::test]
    async fn the_streams_of_a_plan_scan_nothing() {
        let links = format!(
            "SELECT {LINK_COLUMNS} FROM {LINK_TABLES} WHERE l.job = 1 AND l.class = 'create' AND l.kind = 'user' \
             AND l.source_id > '' ORDER BY l.source_id LIMIT 9"
        );
        let edges = format!(
            "SELECT {EDGE_COLUMNS} FROM {EDGE_TABLES} WHERE e.job = 1 AND e.desired <> e.applied AND e.desired = 1 \
             AND (e.team_source, e.person_source) > ('', '') ORDER BY e.team_source, e.person_source LIMIT 9"
        );
        for query in [links, edges] {
            let plan = plan_of(query.clone()).await;
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{query}: {plan}");
        }
    }
}
