//! Memberships that have to be decided again, and what was decided of them.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::links::group_name;
use super::overrides;
use super::overrides::EdgeOverride;
use super::values::json;
use super::values::parsed_or_none;
use super::values::text;
use crate::model::LinkId;
use crate::model::SourceAttributes;
use crate::model::SourceId;
use crate::plan::Cause;
use crate::plan::Proof;

/// One pair of a group and a person, as the decision reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirtyEdge {
    pub team: LinkId,
    pub person: LinkId,
    pub team_source: SourceId,
    pub team_name: String,
    /// The source shows the membership now (through nested groups too, where the scope says so).
    pub shown: bool,
    /// The source showed it once, directly, and took it back.
    pub taken_back: bool,
    /// How we know that it does not.
    pub proof: Proof,
    pub team_wanted: bool,
    pub person_wanted: bool,
    /// One of the two is left as it is (policy `leave`).
    pub frozen: bool,
    pub applied: bool,
    pub known: bool,
    /// The target has the team, and it is not to be deleted.
    pub team_stays: bool,
    /// What a person undid of it, of the person or of the team.
    pub undo: Option<EdgeOverride>,
}

/// What was decided of one membership.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeDecision {
    pub team: LinkId,
    pub person: LinkId,
    pub wanted: bool,
    pub cause: EdgeCause,
    pub proof: Proof,
}

/// Where a membership change has its cause from.
#[derive(Clone, Debug, PartialEq)]
pub enum EdgeCause {
    Own(Cause),
    Person,
    Team,
}

impl Store {
    /// The next memberships to decide, by team and person.
    pub async fn dirty_edges(
        &self,
        job: JobId,
        nested: bool,
        after: (LinkId, LinkId),
        limit: usize,
    ) -> Result<Vec<DirtyEdge>, StoreError> {
        self.read(move |db| {
            let sql = format!(
                "{DIRTY} WHERE d.job = ?1 AND (d.team, d.person) > (?2, ?3) AND p.kind = 'user'
                  ORDER BY d.team, d.person LIMIT ?4"
            );
            let mut rows = db.prepare_cached(&sql)?;
            let found = rows.query_map(params![job.0, after.0.0, after.1.0, limit as i64], dirty_edge)?;
            let edges = found.collect::<Sql<Vec<DirtyEdge>>>()?;
            completed(db, edges, nested)
        })
        .await
    }

    /// Spreads a change below a group to the teams above it, where members of members count.
    pub async fn spread_dirty_edges(&self, job: JobId) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "WITH RECURSIVE
                   above(team, low) AS (SELECT DISTINCT team, team FROM dirty_edges WHERE job = ?1
                     UNION SELECT e.container, a.low FROM above a JOIN seen_edges e ON e.principal = a.team
                       JOIN links c ON c.id = e.container AND c.kind = 'group'),
                   below(top, node) AS (SELECT person, person FROM dirty_edges d JOIN links p ON p.id = d.person
                       AND p.kind = 'group' WHERE d.job = ?1
                     UNION SELECT b.top, e.principal FROM below b JOIN seen_edges e ON e.container = b.node)
                 INSERT OR IGNORE INTO dirty_edges
                   SELECT ?1, a.team, coalesce(b.node, d.person) FROM dirty_edges d JOIN above a ON a.low = d.team
                     LEFT JOIN below b ON b.top = d.person WHERE d.job = ?1",
                [job.0],
            )
            .map(drop)
        })
        .await
    }

    /// Keeps what was decided of memberships; those that are neither wanted nor ours leave no row.
    pub async fn save_edges(&self, job: JobId, decided: Vec<EdgeDecision>) -> Result<(), StoreError> {
        self.write(move |tx| {
            for edge in &decided {
                save_edge(tx, job, edge)?;
            }
            Ok(())
        })
        .await
    }

    /// Whether anything has to be decided again.
    pub async fn has_dirty(&self, job: JobId) -> Result<bool, StoreError> {
        self.read(move |db| {
            db.query_row(
                "SELECT EXISTS (SELECT 1 FROM links WHERE job = ?1 AND kind IN ('user', 'group') AND dirty <> 0)
                     OR EXISTS (SELECT 1 FROM dirty_edges WHERE job = ?1)",
                [job.0],
                |row| row.get(0),
            )
        })
        .await
    }

    /// Everything dirty has been decided.
    pub async fn forget_dirty_edges(&self, job: JobId) -> Result<(), StoreError> {
        self.write(move |tx| tx.execute("DELETE FROM dirty_edges WHERE job = ?1", [job.0]).map(drop)).await
    }
}

/// Those of one person.
pub(super) fn dirty_edges_of(
    db: &Connection,
    job: JobId,
    person: LinkId,
    nested: bool,
) -> Sql<Vec<DirtyEdge>> {
    let sql = format!("{DIRTY} WHERE d.job = ?1 AND d.person = ?2 AND p.kind = 'user' ORDER BY d.team");
    let mut rows = db.prepare_cached(&sql)?;
    let found = rows.query_map(params![job.0, person.0], dirty_edge)?;
    let edges = found.collect::<Sql<Vec<DirtyEdge>>>()?;
    completed(db, edges, nested)
}

/// What `dirty_edge` reads.
const DIRTY: &str = "SELECT d.team, d.person, t.source_id, t.desired IS 'active', p.desired IS 'active',
        e.gone, te.applied, t.desired IS 'unmanaged' OR p.desired IS 'unmanaged',
        t.resource IS NOT NULL AND t.desired IS NOT 'absent', oe.active,
        (SELECT cause FROM causes c WHERE c.job = d.job AND c.id = coalesce(oe.cause, op.cause, ot.cause)),
        coalesce(oe.ended, op.ended, ot.ended)
   FROM dirty_edges d JOIN links t ON t.id = d.team JOIN links p ON p.id = d.person
   LEFT JOIN seen_edges e ON e.container = d.team AND e.principal = d.person
   LEFT JOIN team_edges te ON te.team = d.team AND te.person = d.person
   LEFT JOIN overrides oe ON oe.job = d.job AND oe.link = d.team AND oe.person = d.person
   LEFT JOIN overrides op ON op.job = d.job AND op.link = d.person AND op.person = 0 AND op.active IS NOT NULL
   LEFT JOIN overrides ot ON ot.job = d.job AND ot.link = d.team AND ot.person = 0 AND ot.active IS NOT NULL";

fn completed(db: &Connection, mut edges: Vec<DirtyEdge>, nested: bool) -> Sql<Vec<DirtyEdge>> {
    name_teams(db, &mut edges)?;
    if nested {
        for edge in edges.iter_mut().filter(|edge| !edge.shown && edge.team_wanted) {
            edge.shown = reaches(db, edge.team, edge.person)?;
        }
    }
    Ok(edges)
}

fn dirty_edge(row: &rusqlite::Row<'_>) -> Sql<DirtyEdge> {
    let gone: Option<i64> = row.get(5)?;
    let applied: Option<bool> = row.get(6)?;
    Ok(DirtyEdge {
        team: LinkId(row.get(0)?),
        person: LinkId(row.get(1)?),
        team_source: SourceId(row.get(2)?),
        team_name: String::new(),
        shown: gone == Some(0),
        taken_back: gone.is_some_and(|gone| gone > 0),
        proof: if gone == Some(2) { Proof::Absence } else { Proof::Event },
        team_wanted: row.get(3)?,
        person_wanted: row.get(4)?,
        frozen: row.get(7)?,
        applied: applied.unwrap_or(false),
        known: applied.is_some(),
        team_stays: row.get(8)?,
        undo: overrides::of_edge(row, 9)?,
    })
}

/// One look at each team, however many of its members are dirty.
fn name_teams(db: &Connection, edges: &mut [DirtyEdge]) -> Sql<()> {
    let mut query = db.prepare_cached("SELECT seen FROM links WHERE id = ?1")?;
    for team in edges.chunk_by_mut(|a, b| a.team == b.team) {
        let link = team[0].team.0;
        let seen: Option<SourceAttributes> = query.query_row([link], |row| parsed_or_none(row, 0))?;
        let name = seen.as_ref().map(group_name).unwrap_or_default();
        team.iter_mut().for_each(|edge| edge.team_name.clone_from(&name));
    }
    Ok(())
}

/// Whether a person is below a group through other groups. `UNION` visits each group once, so circles end.
fn reaches(db: &Connection, team: LinkId, person: LinkId) -> Sql<bool> {
    let found: Option<i64> = db
        .prepare_cached(
            "WITH RECURSIVE above(node) AS (SELECT container FROM seen_edges WHERE principal = ?2 AND gone = 0
               UNION SELECT e.container FROM above a JOIN seen_edges e ON e.principal = a.node AND e.gone = 0)
             SELECT 1 FROM above WHERE node = ?1 LIMIT 1",
        )?
        .query_row(params![team.0, person.0], |row| row.get(0))
        .optional()?;
    Ok(found.is_some())
}

fn save_edge(tx: &Transaction<'_>, job: JobId, edge: &EdgeDecision) -> Sql<()> {
    if !edge.wanted {
        tx.prepare_cached("DELETE FROM team_edges WHERE team = ?1 AND person = ?2 AND applied = 0")?
            .execute(params![edge.team.0, edge.person.0])?;
    }
    let own = text(&edge.proof)?;
    let (cause, proof): (Option<String>, Option<String>) = match &edge.cause {
        EdgeCause::Own(cause) => {
            tx.prepare_cached(
                "INSERT INTO causes VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET cause = excluded.cause",
            )?
            .execute(params![job.0, cause.id().0, json(cause)?])?;
            (Some(cause.id().0), Some(own))
        }
        EdgeCause::Person => (why_of(tx, edge.person)?.0, Some(own)),
        EdgeCause::Team => why_of(tx, edge.team)?,
    };
    let sql = if edge.wanted {
        "INSERT INTO team_edges(job, team, person, team_source, person_source, desired, applied, cause, proof)
         VALUES (?1, ?2, ?3, (SELECT source_id FROM links WHERE id = ?2), (SELECT source_id FROM links WHERE id = ?3),
                 1, 0, ?4, ?5)
         ON CONFLICT DO UPDATE SET desired = 1, cause = excluded.cause, proof = excluded.proof, hold = NULL, attempts = 0,
           failure = NULL, due_at = NULL"
    } else {
        // What an edit decides again to the same end is not its doing.
        "UPDATE team_edges SET desired = 0, cause = CASE WHEN ?6 AND desired = 0 AND applied = 1 AND cause IS NOT NULL
                THEN cause ELSE ?4 END, proof = ?5, hold = NULL, attempts = 0, failure = NULL,
                due_at = NULL
          WHERE ?1 = job AND team = ?2 AND person = ?3"
    };
    let edited = matches!(&edge.cause, EdgeCause::Own(cause) if cause.kind.is_ours());
    let mut update = tx.prepare_cached(sql)?;
    match edge.wanted {
        true => update.execute(params![job.0, edge.team.0, edge.person.0, cause, proof]),
        false => update.execute(params![job.0, edge.team.0, edge.person.0, cause, proof, edited]),
    }
    .map(drop)
}

fn why_of(tx: &Transaction<'_>, link: LinkId) -> Sql<(Option<String>, Option<String>)> {
    tx.prepare_cached("SELECT cause, proof FROM links WHERE id = ?1")?
        .query_row([link.0], |row| Ok((row.get(0)?, row.get(1)?)))
}
