//! What a verification of the target compares, what it found, and how that is put right.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::params;
use serde_json::Value;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::links::applied;
use super::pending::count;
use super::promote::DRIFT;
use super::values::json;
use super::values::parsed_or_none;
use super::values::text;
use super::values::word;
use crate::model::Applied;
use crate::model::LinkId;
use crate::plan::Cause;
use crate::plan::DriftFold;
use crate::plan::DriftKind;
use crate::plan::DriftStory;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// A link with its resource, as a verification looks at it.
#[derive(Clone, Debug)]
pub struct OwnLink {
    pub link: LinkId,
    pub applied: Applied,
    /// The rules want it active.
    pub wanted: bool,
    /// Another job wants the resource active.
    pub wanted_elsewhere: bool,
    /// The target has lost it already, or was found to.
    pub lost: bool,
}

/// One difference that is kept until the next verification. It carries people's values, so it has no `Debug` (P11).
#[derive(Clone)]
pub struct DriftRow {
    pub link: LinkId,
    pub kind: DriftKind,
    pub path: String,
    /// Of a lost member.
    pub person: LinkId,
    /// Strangers that it stands for.
    pub count: u64,
    pub past: Option<Value>,
    pub found: Option<Value>,
}

/// What makes `applied` say what the target has, so that the ordinary decision puts it right.
#[derive(Clone, Debug)]
pub enum Repair {
    /// These paths show these values now; `None`: nothing.
    Shows {
        link: LinkId,
        values: Vec<(String, Option<Value>)>,
        subject: Vec<String>,
    },
    /// Somebody else deactivated it: never reactivated without approval.
    Shut {
        link: LinkId,
        subject: String,
    },
    /// Somebody else reactivated it.
    Opened {
        link: LinkId,
        subject: String,
    },
    /// It is there no more, though it is wanted: the way of lost anchors begins.
    Lost {
        link: LinkId,
        cause: Cause,
    },
    LostMember {
        team: LinkId,
        person: LinkId,
        cause: Cause,
    },
    Stranger {
        team: LinkId,
        person: LinkId,
        cause: Cause,
    },
}

/// Who is in a team by us, and who else may be.
#[derive(Clone, Debug, Default)]
pub struct TeamSides {
    /// Members by this job, with their resources.
    pub ours: Vec<(LinkId, ResourceId)>,
    /// Wanted here, or members by another job.
    pub known: Vec<ResourceId>,
}

impl Store {
    /// The links of these resources.
    pub async fn own_links(
        &self,
        job: JobId,
        kind: Kind,
        resources: Vec<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, OwnLink>, StoreError> {
        self.read(move |db| {
            let sql =
                format!("SELECT {OWN} FROM links l WHERE l.job = ?1 AND l.kind = ?2 AND l.resource = ?3");
            let mut query = db.prepare_cached(&sql)?;
            let mut found = BTreeMap::new();
            for resource in resources {
                let rows = query.query_map(params![job.0, kind.word(), resource.0], own_link)?;
                for link in rows {
                    found.insert(resource.clone(), link?);
                }
            }
            Ok(found)
        })
        .await
    }

    /// The next links that have a resource, by number.
    pub async fn links_with_resource(
        &self,
        job: JobId,
        kind: Kind,
        after: LinkId,
        limit: usize,
    ) -> Result<Vec<OwnLink>, StoreError> {
        self.read(move |db| {
            let sql = format!(
                "SELECT {OWN} FROM links l WHERE l.job = ?1 AND l.kind = ?2 AND l.resource IS NOT NULL AND l.id > ?3
                  ORDER BY l.id LIMIT ?4"
            );
            let mut query = db.prepare_cached(&sql)?;
            query.query_map(params![job.0, kind.word(), after.0, limit as i64], own_link)?.collect()
        })
        .await
    }

    /// Who is in a team by us, and who else is no stranger there.
    pub async fn team_sides(&self, team: LinkId) -> Result<TeamSides, StoreError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(
                "SELECT e.person, p.resource, e.applied FROM team_edges e JOIN links p ON p.id = e.person
                  WHERE e.team = ?1 AND e.desired AND p.resource IS NOT NULL",
            )?;
            let mut sides = TeamSides::default();
            let mut rows = query.query([team.0])?;
            while let Some(row) = rows.next()? {
                let resource = ResourceId(row.get(1)?);
                match row.get(2)? {
                    true => sides.ours.push((LinkId(row.get(0)?), resource)),
                    false => sides.known.push(resource),
                }
            }
            let mut query = db.prepare_cached(
                "SELECT p.resource FROM links t JOIN links o ON o.resource = t.resource AND o.kind = 'group'
                   JOIN jobs oj ON oj.id = o.job JOIN team_edges e ON e.team = o.id JOIN links p ON p.id = e.person
                  WHERE t.id = ?1 AND e.applied AND p.resource IS NOT NULL
                    AND oj.target_identity IS (SELECT target_identity FROM jobs WHERE id = t.job)",
            )?;
            let rows = query.query_map([team.0], |row| row.get(0).map(ResourceId))?;
            sides.known.extend(rows.collect::<Sql<Vec<_>>>()?);
            Ok(sides)
        })
        .await
    }

    /// Keeps what was found, and makes `applied` say what the target has where that is to be put right.
    pub async fn save_drift(
        &self,
        job: JobId,
        now_second: i64,
        rows: Vec<DriftRow>,
        repairs: Vec<Repair>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT OR REPLACE INTO drift(job, link, kind, path, person, count, past, found, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            for row in &rows {
                insert.execute(params![
                    job.0,
                    row.link.0,
                    text(&row.kind)?,
                    row.path,
                    row.person.0,
                    row.count as i64,
                    row.past.as_ref().map(json).transpose()?,
                    row.found.as_ref().map(json).transpose()?,
                    now_second,
                ])?;
            }
            repairs.iter().try_for_each(|repair| put_right(tx, job, now_second, repair))
        })
        .await
    }

    /// The target was looked at whole: what an earlier verification found is over.
    pub async fn end_verification(&self, job: JobId, now_second: i64) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute("DELETE FROM drift WHERE job = ?1 AND at <> ?2", params![job.0, now_second])?;
            let sql = "UPDATE jobs SET target_verified = ?2 WHERE id = ?1";
            tx.execute(sql, params![job.0, now_second]).map(drop)
        })
        .await
    }

    /// What the last verification reports, folded, with at most so many examples each.
    pub async fn drift(&self, job: JobId, examples: usize) -> Result<Vec<DriftFold>, StoreError> {
        self.read(move |db| folds(db, job, examples)).await
    }

    /// What of it is about one person or team.
    pub async fn drift_of(&self, link: LinkId) -> Result<Vec<DriftStory>, StoreError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(
                "SELECT kind, path, past, found, at FROM drift WHERE link = ?1 OR person = ?1
                  ORDER BY kind, path, person",
            )?;
            let story = |row: &Row<'_>| {
                Ok(DriftStory {
                    drift: word(row, 0)?,
                    path: row.get(1)?,
                    past: parsed_or_none(row, 2)?,
                    found: parsed_or_none(row, 3)?,
                    at_second: row.get(4)?,
                })
            };
            query.query_map([link.0], story)?.collect()
        })
        .await
    }
}

const OWN: &str = "l.id, l.applied, l.resource, l.sent, l.shown, l.origin, l.desired IS 'active',
    EXISTS (SELECT 1 FROM links o JOIN jobs oj ON oj.id = o.job
      WHERE o.resource = l.resource AND o.job <> l.job AND o.applied = 'active' AND o.desired IS 'active'
        AND oj.target_identity IS (SELECT target_identity FROM jobs WHERE id = l.job)),
    l.lost_at IS NOT NULL";

fn own_link(row: &Row<'_>) -> Sql<OwnLink> {
    Ok(OwnLink {
        link: LinkId(row.get(0)?),
        applied: applied(row, 1)?,
        wanted: row.get(6)?,
        wanted_elsewhere: row.get(7)?,
        lost: row.get(8)?,
    })
}

fn folds(db: &Connection, job: JobId, examples: usize) -> Sql<Vec<DriftFold>> {
    let mut query = db.prepare_cached(
        "SELECT d.kind, l.kind, d.path, sum(d.count) FROM drift d JOIN links l ON l.id = d.link
          WHERE d.job = ?1 GROUP BY d.kind, l.kind, d.path ORDER BY d.kind, l.kind, d.path",
    )?;
    let fold = |row: &Row<'_>| {
        let (drift, kind) = (word(row, 0)?, word(row, 1)?);
        Ok(DriftFold { drift, kind, path: row.get(2)?, count: count(row, 3)?, examples: Vec::new() })
    };
    let mut folds = query.query_map([job.0], fold)?.collect::<Sql<Vec<_>>>()?;
    let mut names = db.prepare_cached(
        "SELECT coalesce(json_extract(l.sent, '$.userName'), json_extract(l.sent, '$.displayName'), l.source_id)
             || coalesce(' / ' || coalesce(json_extract(p.sent, '$.userName'), p.source_id), '')
           FROM drift d JOIN links l ON l.id = d.link LEFT JOIN links p ON p.id = d.person
          WHERE d.job = ?1 AND d.kind = ?2 AND l.kind = ?3 AND d.path = ?4 ORDER BY l.source_id, p.source_id LIMIT ?5",
    )?;
    for fold in &mut folds {
        let of = params![job.0, text(&fold.drift)?, fold.kind.word(), fold.path, examples as i64];
        fold.examples = names.query_map(of, |row| row.get(0))?.collect::<Sql<_>>()?;
    }
    Ok(folds)
}

fn put_right(tx: &Transaction<'_>, job: JobId, now: i64, repair: &Repair) -> Sql<()> {
    match repair {
        Repair::Shows { link, values, subject } => {
            shows(tx, *link, values)?;
            again(tx, *link, subject)
        }
        Repair::Shut { link, subject } => {
            tx.prepare_cached("UPDATE links SET applied = 'inactive', shut_at = ?2 WHERE id = ?1")?
                .execute(params![link.0, now])?;
            again(tx, *link, std::slice::from_ref(subject))
        }
        Repair::Opened { link, subject } => {
            tx.prepare_cached("UPDATE links SET applied = 'active', shut_at = NULL WHERE id = ?1")?
                .execute([link.0])?;
            again(tx, *link, std::slice::from_ref(subject))
        }
        Repair::Lost { link, cause } => {
            note(tx, job, cause)?;
            // A change to hold is what a person approves, where too many are lost at once.
            tx.prepare_cached(
                "UPDATE links SET lost_at = ?2, drifted = ?4, cause = CASE WHEN class IS NULL THEN ?3 ELSE cause END,
                        proof = CASE WHEN class IS NULL THEN 'event' ELSE proof END, class = coalesce(class, 'update')
                  WHERE id = ?1",
            )?
            .execute(params![link.0, now, cause.id().0, json(&cause.subjects)?])
            .map(drop)
        }
        Repair::LostMember { team, person, cause } => {
            note(tx, job, cause)?;
            tx.prepare_cached(
                "UPDATE team_edges SET applied = 0, cause = ?3, proof = 'event', hold = NULL, attempts = 0,
                        failure = NULL, due_at = NULL WHERE team = ?1 AND person = ?2 AND desired AND applied",
            )?
            .execute(params![team.0, person.0, cause.id().0])
            .map(drop)
        }
        Repair::Stranger { team, person, cause } => {
            note(tx, job, cause)?;
            tx.prepare_cached(
                "INSERT INTO team_edges(job, team, person, team_source, person_source, desired, applied, cause, proof)
                 VALUES (?1, ?2, ?3, (SELECT source_id FROM links WHERE id = ?2),
                         (SELECT source_id FROM links WHERE id = ?3), 0, 1, ?4, 'event') ON CONFLICT DO NOTHING",
            )?
            .execute(params![job.0, team.0, person.0, cause.id().0])
            .map(drop)
        }
    }
}

/// What the target shows becomes what it accepted, so that what is wanted differs from it.
fn shows(tx: &Transaction<'_>, link: LinkId, values: &[(String, Option<Value>)]) -> Sql<()> {
    let mut query = tx.prepare_cached("SELECT sent, shown FROM links WHERE id = ?1")?;
    let (mut sent, mut shown): (Attributes, Attributes) = query.query_row([link.0], |row| {
        Ok((parsed_or_none(row, 0)?.unwrap_or_default(), parsed_or_none(row, 1)?.unwrap_or_default()))
    })?;
    for (path, value) in values {
        let value = value.clone().unwrap_or(Value::Null);
        sent.set(path.clone(), value.clone());
        shown.set(path.clone(), value);
    }
    tx.prepare_cached("UPDATE links SET sent = ?2, shown = ?3 WHERE id = ?1")?
        .execute(params![link.0, json(&sent)?, json(&shown)?])
        .map(drop)
}

/// Decided again in this cycle, with what was found as the cause.
fn again(tx: &Transaction<'_>, link: LinkId, subjects: &[String]) -> Sql<()> {
    let mut query = tx.prepare_cached("SELECT drifted FROM links WHERE id = ?1")?;
    let mut drifted: Vec<String> =
        query.query_row([link.0], |row| parsed_or_none(row, 0))?.unwrap_or_default();
    drifted.extend(subjects.iter().cloned());
    drifted.sort();
    drifted.dedup();
    tx.prepare_cached("UPDATE links SET drifted = ?2, dirty = dirty | ?3 WHERE id = ?1")?
        .execute(params![link.0, json(&drifted)?, DRIFT])
        .map(drop)
}

fn note(tx: &Transaction<'_>, job: JobId, cause: &Cause) -> Sql<()> {
    let sql = "INSERT INTO causes VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    tx.prepare_cached(sql)?.execute(params![job.0, cause.id().0, json(cause)?]).map(drop)
}
