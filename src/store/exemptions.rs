//! Exemptions: what a person decided is not to be done for a while (P9). They stand beside the change they are about, so
//! that what it is and why is kept, and a plan leaves it out.

use rusqlite::Connection;
use rusqlite::Transaction;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::overrides;
use super::pending::count;
use crate::model::LinkId;
use crate::plan::Exemption;

/// Whether an exemption is about this change: a rejected deactivation is no permission to delete instead.
const ABOUT_LINK: &str = "x.job = l.job AND x.link = l.id AND x.person = 0 AND l.class IS NOT NULL
    AND (x.class = l.class OR x.class = 'deactivate' AND l.class = 'delete')";
const ABOUT_EDGE: &str =
    "x.job = e.job AND x.link = e.team AND x.person = e.person AND e.desired <> e.applied
    AND x.class = CASE WHEN e.desired THEN 'add_members' ELSE 'remove_members' END";
const ABOUT_REFERENCE: &str =
    "x.job = r.job AND x.link = r.person AND x.person = 0 AND x.class = 'references'
    AND r.pending = 1";

/// What stands as the hold of an exempted change, so that nothing counts on it.
const HOLD: &str =
    "'{\"kind\":\"exempt\",\"text\":\"a person decided that it is not to be done for a while\"}'";

impl Store {
    /// Looks which exemptions still last. Those that have ended, and whose change is gone too, are forgotten.
    pub async fn look_at_exemptions(&self, job: JobId, now: i64) -> Result<(), StoreError> {
        if !self.read(move |db| Ok(any(db, job)? || overrides::any_ended(db, job)?)).await? {
            return Ok(());
        }
        self.write(move |tx| refresh(tx, job, now)).await
    }

    /// What is exempted, folded by kind of change and decision; the first to end comes first.
    pub async fn exemptions(&self, job: JobId) -> Result<Vec<Exemption>, StoreError> {
        self.read(move |db| exemptions(db, job, None)).await
    }

    /// Those of one person or team.
    pub async fn exemptions_of(&self, job: JobId, link: LinkId) -> Result<Vec<Exemption>, StoreError> {
        self.read(move |db| exemptions(db, job, Some(link))).await
    }
}

fn exemptions(db: &Connection, job: JobId, link: Option<LinkId>) -> Sql<Vec<Exemption>> {
    let mut rows = db.prepare_cached(
        "SELECT x.class, x.who, x.reason, x.at, x.until, count(*), min(coalesce(
                json_extract(l.wanted, '$.userName'), json_extract(l.sent, '$.userName'),
                json_extract(l.wanted, '$.displayName'), json_extract(l.sent, '$.displayName'), l.source_id))
           FROM exemptions x JOIN links l ON l.id = x.link
          WHERE x.job = ?1 AND (?2 IS NULL OR x.link = ?2 OR x.person = ?2)
          GROUP BY x.class, x.who, x.reason, x.at, x.until ORDER BY x.until, x.class",
    )?;
    let found = rows.query_map(params![job.0, link.map(|link| link.0)], |row| {
        Ok(Exemption {
            class: super::values::word(row, 0)?,
            who: row.get(1)?,
            reason: row.get(2)?,
            at_second: row.get(3)?,
            until_second: row.get(4)?,
            changes: count(row, 5)?,
            name: row.get(6)?,
        })
    })?;
    found.collect()
}

fn any(db: &Connection, job: JobId) -> Sql<bool> {
    db.query_row("SELECT EXISTS (SELECT 1 FROM exemptions WHERE job = ?1)", [job.0], |row| row.get(0))
}

/// Marks what is exempted, what was, and nothing else.
pub(super) fn refresh(tx: &Transaction<'_>, job: JobId, now: i64) -> Sql<()> {
    for table in ["links", "team_edges", "person_references"] {
        let unhold = "CASE WHEN json_extract(hold, '$.kind') = 'exempt' THEN NULL ELSE hold END";
        tx.execute(
            &format!("UPDATE {table} SET exempt = 0, hold = {unhold} WHERE job = ?1 AND exempt <> 0"),
            [job.0],
        )?;
    }
    tx.execute(
        &format!(
            "DELETE FROM exemptions AS x WHERE job = ?1 AND until <= ?2
                AND NOT EXISTS (SELECT 1 FROM links l WHERE {ABOUT_LINK})
                AND NOT EXISTS (SELECT 1 FROM team_edges e WHERE {ABOUT_EDGE})
                AND NOT EXISTS (SELECT 1 FROM person_references r WHERE {ABOUT_REFERENCE})"
        ),
        params![job.0, now],
    )?;
    let mark = format!(
        "exempt = CASE WHEN x.until > ?2 THEN 1 ELSE 2 END, hold = CASE WHEN x.until > ?2 THEN {HOLD} ELSE hold END"
    );
    for (table, about) in [
        ("links AS l", ABOUT_LINK),
        ("team_edges AS e", ABOUT_EDGE),
        ("person_references AS r", ABOUT_REFERENCE),
    ] {
        let sql = format!("UPDATE {table} SET {mark} FROM exemptions x WHERE x.job = ?1 AND {about}");
        tx.execute(&sql, params![job.0, now])?;
    }
    // What only follows from an exempted change is not planned either.
    tx.execute(
        &format!(
            "UPDATE team_edges SET exempt = 1, hold = {HOLD} WHERE job = ?1 AND desired <> applied AND exempt = 0 AND EXISTS (
               SELECT 1 FROM links l WHERE l.id IN (person, team) AND l.exempt = 1
                  AND (l.class = 'create' AND team_edges.desired
                    OR l.class IN ('deactivate', 'delete', 'delete_teams') AND NOT team_edges.desired))"
        ),
        [job.0],
    )?;
    overrides::refresh(tx, job)
}

/// Whoever approves what was rejected ends the exemption.
pub(super) fn end_where_approved(tx: &Transaction<'_>, job: JobId) -> Sql<()> {
    tx.execute(
        "DELETE FROM exemptions AS x WHERE job = ?1 AND EXISTS (SELECT 1 FROM approvals a
           WHERE a.job = x.job AND a.link = x.link AND a.person = x.person
             AND (a.class = x.class OR a.class = 'delete' AND x.class = 'deactivate'))",
        [job.0],
    )
    .map(drop)
}

/// Whoever rejects what was approved takes the approval back.
pub(super) fn forget_approvals(tx: &Transaction<'_>, job: JobId) -> Sql<()> {
    tx.execute(
        "DELETE FROM approvals AS a WHERE job = ?1 AND EXISTS (SELECT 1 FROM exemptions x
           WHERE a.job = x.job AND a.link = x.link AND a.person = x.person AND a.class = x.class)",
        [job.0],
    )
    .map(drop)
}
