//! What a person undid, while that lasts: laid over what the rules say of links and memberships, and held when it ends (P9).

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::links::applied;
use super::links::mark_edges;
use super::pending::count;
use super::promote::OBJECT;
use super::promote::RULES;
use super::values::json;
use super::values::parsed;
use super::values::word;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::LinkId;
use crate::model::SourceId;
use crate::plan;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::Class;
use crate::plan::Override;
use crate::plan::Undone;
use crate::scim::Kind;
use crate::scim::fold;

/// What of a membership was undone, and of the person and the team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeOverride {
    /// A member again, or not; `None`: the person or the team was undone.
    pub member: Option<bool>,
    pub cause: Cause,
    pub ended: bool,
}

/// `active`, `vals`, `names`, the cause, `ended` of the override of a link, as JSON; for the columns of a query over `links`.
pub(super) const OF_LINK: &str =
    "(SELECT json_object('active', json(iif(o.active IS NULL, 'null', iif(o.active, 'true', 'false'))), 'values', json(o.vals),
                         'names', json(o.names), 'cause', json(c.cause), 'ended', json(iif(o.ended, 'true', 'false')))
        FROM overrides o JOIN causes c ON c.job = o.job AND c.id = o.cause
       WHERE o.job = links.job AND o.link = links.id AND o.person = 0)";

/// A change that an undo had kept from being made, where `o` has ended.
const RETURNED_LINK: &str =
    "l.id = o.link AND l.class IS NOT NULL AND (o.active IS NOT NULL OR l.class IN ('update', 'rename'))";
const RETURNED_EDGE: &str =
    "e.job = ?1 AND e.desired <> e.applied AND (e.team = o.link AND e.person = o.person
    OR o.person = 0 AND o.active IS NOT NULL AND (e.team = o.link OR e.person = o.link))";
const RETURNED_REFERENCE: &str = "o.person = 0 AND r.job = ?1 AND r.person = o.link AND r.pending = 1
    AND EXISTS (SELECT 1 FROM json_each(o.names) n WHERE n.key = r.path)";

impl Store {
    /// Marks what was undone and whose time is over, so that the rules decide it again.
    pub async fn end_overrides(&self, job: JobId, now: i64) -> Result<(), StoreError> {
        const DUE: &str = "job = ?1 AND ended = 0 AND until <= ?2";
        let due = move |db: &Connection| -> Sql<bool> {
            db.prepare_cached(&format!("SELECT 1 FROM overrides WHERE {DUE}"))?.exists(params![job.0, now])
        };
        if !self.read(due).await? {
            return Ok(());
        }
        self.write(move |tx| {
            tx.execute(
                &format!(
                    "UPDATE links SET dirty = dirty | ?3
                      WHERE id IN (SELECT link FROM overrides WHERE {DUE} AND person = 0)"
                ),
                params![job.0, now, OBJECT],
            )?;
            tx.execute(
                &format!(
                    "INSERT OR IGNORE INTO dirty_edges
                       SELECT job, link, person FROM overrides WHERE {DUE} AND person <> 0"
                ),
                params![job.0, now],
            )?;
            tx.execute(&format!("UPDATE overrides SET ended = 1 WHERE {DUE}"), params![job.0, now]).map(drop)
        })
        .await
    }

    /// What a person undid and still lasts, folded by the decision; the first to end comes first.
    pub async fn undone(&self, job: JobId) -> Result<Vec<Undone>, StoreError> {
        self.read(move |db| undone(db, job, None)).await
    }

    /// What of it is about one person or team.
    pub async fn undone_of(&self, job: JobId, link: LinkId) -> Result<Vec<Undone>, StoreError> {
        self.read(move |db| undone(db, job, Some(link))).await
    }
}

fn undone(db: &Connection, job: JobId, link: Option<LinkId>) -> Sql<Vec<Undone>> {
    let mut rows = db.prepare_cached(
        "SELECT o.cycle, o.cause, o.who, o.reason, o.at, o.until, count(*), min(coalesce(
                json_extract(l.sent, '$.userName'), json_extract(l.sent, '$.displayName'), l.source_id))
           FROM overrides o JOIN links l ON l.id = o.link
          WHERE o.job = ?1 AND o.ended = 0 AND (?2 IS NULL OR o.link = ?2 OR o.person = ?2)
          GROUP BY o.cycle, o.cause, o.who, o.reason, o.at, o.until ORDER BY o.until, o.cycle, o.at",
    )?;
    let found = rows.query_map(params![job.0, link.map(|link| link.0)], |row| {
        Ok(Undone {
            cycle: row.get(0)?,
            cause: CauseId(row.get(1)?),
            who: row.get(2)?,
            reason: row.get(3)?,
            at_second: row.get(4)?,
            until_second: row.get(5)?,
            objects: count(row, 6)?,
            name: row.get(7)?,
        })
    })?;
    found.collect()
}

/// Whether anything that was undone has ended, so that changes may have to be held.
pub(super) fn any_ended(db: &Connection, job: JobId) -> Sql<bool> {
    db.prepare_cached("SELECT 1 FROM overrides WHERE job = ?1 AND ended = 1")?.exists([job.0])
}

/// Of what has ended: forgets it where nothing came back, and marks what did as rejected.
pub(super) fn refresh(tx: &Transaction<'_>, job: JobId) -> Sql<()> {
    if !any_ended(tx, job)? {
        return Ok(());
    }
    tx.execute(
        &format!(
            "DELETE FROM overrides AS o WHERE job = ?1 AND ended = 1
                AND NOT EXISTS (SELECT 1 FROM links l WHERE o.person = 0 AND {RETURNED_LINK})
                AND NOT EXISTS (SELECT 1 FROM team_edges e WHERE {RETURNED_EDGE})
                AND NOT EXISTS (SELECT 1 FROM person_references r WHERE {RETURNED_REFERENCE})"
        ),
        [job.0],
    )?;
    for (table, about) in [
        ("links AS l", format!("o.person = 0 AND {RETURNED_LINK}")),
        ("team_edges AS e", RETURNED_EDGE.to_owned()),
        ("person_references AS r", RETURNED_REFERENCE.to_owned()),
    ] {
        let sql = format!(
            "UPDATE {table} SET exempt = 2 FROM overrides o WHERE o.job = ?1 AND o.ended = 1 AND exempt = 0 AND {about}"
        );
        tx.execute(&sql, [job.0])?;
    }
    Ok(())
}

/// Ends what was undone under this cause, or of this person or team; how many objects that is.
pub(super) fn end_named(tx: &Transaction<'_>, job: JobId, name: &str, now: i64) -> Sql<usize> {
    tx.prepare_cached(
        "UPDATE overrides SET until = min(until, ?4) WHERE job = ?1 AND ended = 0 AND until > ?4 AND (cause = ?2
            OR link IN (SELECT id FROM links WHERE job = ?1 AND (source_id = ?2 OR wanted_key = ?3 OR applied_key = ?3))
            OR person IN (SELECT id FROM links WHERE job = ?1 AND (source_id = ?2 OR wanted_key = ?3 OR applied_key = ?3)))",
    )?
    .execute(params![job.0, name, fold(name), now])
}

/// The cause of a reference that an undo put back; `None` where none did.
pub(super) fn cause_of_reference(
    tx: &Transaction<'_>,
    job: JobId,
    person: LinkId,
    path: &str,
) -> Sql<Option<Cause>> {
    let sql = "SELECT c.cause, o.ended FROM overrides o JOIN causes c ON c.job = o.job AND c.id = o.cause
        WHERE o.job = ?1 AND o.link = ?2 AND o.person = 0 AND o.names <> '{}'
          AND EXISTS (SELECT 1 FROM json_each(o.names) n WHERE n.key = ?3)";
    let found = tx
        .prepare_cached(sql)?
        .query_row(params![job.0, person.0, path], |row| Ok((parsed::<Cause>(row, 0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map(|(cause, ended): (Cause, bool)| if ended { cause.when_undo_ended() } else { cause }))
}

/// What lasts of one link or membership already; a new undo is laid over it.
pub(super) fn lasting(tx: &Transaction<'_>, job: JobId, link: LinkId) -> Sql<Option<Override>> {
    let sql = format!("SELECT {OF_LINK} FROM links WHERE id = ?1 AND job = ?2");
    let found: Option<Option<Override>> = tx
        .prepare_cached(&sql)?
        .query_row(params![link.0, job.0], |row| super::values::parsed_or_none(row, 0))
        .optional()?;
    Ok(found.flatten().filter(|over| !over.ended))
}

/// Reads `active, cause, ended` of what was undone of a membership, from the given column on.
pub(super) fn of_edge(row: &Row<'_>, first: usize) -> Sql<Option<EdgeOverride>> {
    let ended: Option<bool> = row.get(first + 2)?;
    let Some(ended) = ended else { return Ok(None) };
    Ok(Some(EdgeOverride { member: row.get(first)?, cause: parsed(row, first + 1)?, ended }))
}

/// Everything that a name may mean of a job's links: a source id, or a folded name.
pub(super) fn called(db: &Connection, job: JobId, name: &str) -> Sql<Vec<LinkId>> {
    let mut rows = db.prepare_cached(
        "SELECT id FROM links WHERE job = ?1 AND kind <> 'app'
            AND (source_id = ?2 OR wanted_key = ?3 OR applied_key = ?3)",
    )?;
    rows.query_map(params![job.0, name, fold(name)], |row| row.get(0).map(LinkId))?.collect()
}

/// Whom references name, by path; `None`: nobody.
pub(super) type Names = BTreeMap<String, Option<String>>;

/// One person or team, as far as undoing needs it.
pub(super) struct Known {
    pub kind: Kind,
    pub name: String,
    pub applied: Applied,
}

pub(super) fn known(tx: &Transaction<'_>, job: JobId, link: LinkId) -> Sql<Option<Known>> {
    tx.prepare_cached(
        "SELECT kind, applied, resource, sent, shown, origin, source_id FROM links WHERE id = ?1 AND job = ?2",
    )?
    .query_row(params![link.0, job.0], |row| {
        let (kind, applied, source) = (word(row, 0)?, applied(row, 1)?, SourceId(row.get(6)?));
        let path = if kind == Kind::User { "userName" } else { "displayName" };
        let name = applied.accepted().and_then(|is| is.sent.text(path)).map(str::to_owned);
        Ok(Known { kind, name: name.unwrap_or(source.0), applied })
    })
    .optional()
}

/// Nothing but the undo is pending of the link. The next cycle decides it with the rules again; what an edit of the settings
/// had made pending stays their doing.
pub(super) fn pend(tx: &Transaction<'_>, job: JobId, link: LinkId, is: &Known, over: &Override) -> Sql<()> {
    let (desired, key, class) = plan::undone(is.kind, &is.applied, over);
    let (state, wanted) = match &desired {
        Desired::Active(attributes) => ("active", Some(json(attributes)?)),
        Desired::Inactive => ("inactive", None),
        Desired::Absent => ("absent", None),
        Desired::Unmanaged => ("unmanaged", None),
    };
    let ours =
        "class IS NOT NULL AND EXISTS (SELECT 1 FROM causes c WHERE c.job = links.job AND c.id = links.cause
        AND json_extract(c.cause, '$.kind') IN ('settings', 'upgrade'))";
    tx.prepare_cached(&format!(
        "UPDATE links SET dirty = dirty | iif({ours}, ?7, ?8), desired = ?2, wanted = ?3, wanted_key = ?4, class = ?5,
                cause = ?6, proof = 'event', questions = '[]', hold = NULL, adopt = NULL, retires = NULL, match_cause = NULL,
                on_create = NULL, by_time = 0, attempts = 0, failure = NULL, due_at = NULL WHERE id = ?1"
    ))?
    .execute(params![
        link.0,
        state,
        wanted,
        key,
        class.map(Class::word),
        over.cause.id().0,
        RULES,
        OBJECT
    ])?;
    if over.active.is_some() {
        mark_edges(tx, job, link)?;
    }
    Ok(())
}
