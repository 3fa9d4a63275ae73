//! The provisioning log: what was written, through either door, in one order.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;

use super::CycleId;
use super::EntryId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::values::json;
use super::values::parsed;
use super::values::parsed_or_none;
use crate::model::Proofs;
use crate::plan::Cause;
use crate::plan::Edit;
use crate::scim::fold;

/// One line of the provisioning log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    pub entry: EntryId,
    /// Of a job's write.
    pub job: Option<String>,
    pub cycle: Option<CycleId>,
    /// Of a push's, or a command's.
    pub workspace: Option<String>,
    /// `push TENANT`, `local`; of grants that a job's write took, `job NAME`.
    pub owner: Option<String>,
    /// The id of the token; of a command, who gave it.
    pub by: Option<String>,
    /// `user`, `group` or `grant`.
    pub kind: String,
    /// The source id; of a push the id of the resource, where it was made.
    pub id: Option<String>,
    /// What people call it, or its id where its name is not known any more.
    pub name: String,
    /// `Class`'s words; `grant`, `revoke` and `erase`.
    pub class: String,
    pub cause: Option<Cause>,
    /// Of a command, why it was given.
    pub reason: Option<String>,
    pub people: Vec<String>,
    pub edits: Vec<Edit>,
    pub at_second: i64,
    pub outcome: Option<String>,
    pub detail: Option<String>,
    pub evidence: Option<String>,
    /// Changes that the entry stands for; of refusals, how often.
    pub count: u64,
    /// Milliseconds from sending to the outcome; `None` where nobody knows.
    pub took_ms: Option<i64>,
    /// The directory that a job read, as it is pinned.
    pub source_system: Option<String>,
    /// Where it was written to: the target as it is pinned, or the workspace.
    pub target_system: Option<String>,
    /// The id of what was written, there.
    pub target_id: Option<String>,
    /// The digest of the settings that it was decided under.
    pub settings: Option<String>,
    /// The evidence of a removal, as fields.
    pub proofs: Option<Proofs>,
}

/// What `log` was asked for; `None` is everything.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    pub job: Option<String>,
    pub cycle: Option<i64>,
    /// What was pushed into it, and what jobs wrote that have it as their target.
    pub workspace: Option<String>,
    /// An id of the source or the workspace, a userName, a mail address or a team's name.
    pub who: Option<String>,
    pub since_second: Option<i64>,
    pub after: i64,
    pub limit: usize,
}

const SELECT: &str =
    "SELECT g.id, j.name, g.cycle, w.name, g.owner, g.by, coalesce(g.kind, l.kind), coalesce(l.source_id, g.resource),
            coalesce(json_extract(l.wanted, '$.userName'), json_extract(l.sent, '$.userName'),
                     json_extract(l.wanted, '$.displayName'), json_extract(l.sent, '$.displayName'), g.name,
                     l.source_id, g.resource, ''),
            g.class, c.cause, iif(c.id IS NULL AND g.link IS NULL, g.cause, NULL), g.people, g.edits, g.at, g.outcome,
            g.detail, g.evidence, g.count, g.took, j.source_identity,
            coalesce(j.target_identity, 'workspace ' || w.name), coalesce(g.resource, l.resource),
            g.settings, g.proofs
       FROM journal g LEFT JOIN jobs j ON j.id = g.job LEFT JOIN workspaces w ON w.id = g.workspace
       LEFT JOIN links l ON l.id = g.link LEFT JOIN causes c ON c.job = g.job AND c.id = g.cause";

impl Store {
    /// The provisioning log, oldest first.
    pub async fn log(&self, filter: LogFilter) -> Result<Vec<LogRow>, StoreError> {
        self.read(move |db| {
            let who = filter.who.as_deref().map(|who| Whose::of(db, who)).transpose()?;
            let sql = format!(
                "{SELECT}
                  WHERE g.id > ?1 AND (?2 IS NULL OR j.name = ?2) AND (?3 IS NULL OR g.cycle = ?3)
                    AND (?4 IS NULL OR g.at >= ?4)
                    AND (?5 IS NULL OR w.name = ?5 OR j.target_identity = 'workspace ' || ?5)
                    AND (?6 IS NULL OR g.link IN (SELECT value FROM json_each(?6))
                      OR g.resource IN (SELECT value FROM json_each(?7))
                      OR rosterd_fold(g.name) = ?8
                      OR EXISTS (SELECT 1 FROM json_each(g.people) m
                                  WHERE m.value IN (SELECT value FROM json_each(iif(g.link IS NULL, ?7, ?6)))))
                  ORDER BY g.id LIMIT ?9"
            );
            let with = params![
                filter.after,
                filter.job,
                filter.cycle,
                filter.since_second,
                filter.workspace,
                who.as_ref().map(|who| &who.links),
                who.as_ref().map(|who| &who.resources),
                who.as_ref().map(|who| &who.folded),
                filter.limit as i64
            ];
            let mut found = db.prepare(&sql)?.query_map(with, log_row)?.collect::<Sql<Vec<LogRow>>>()?;
            found.iter_mut().try_for_each(|row| name_people(db, row))?;
            Ok(found)
        })
        .await
    }
}

fn log_row(row: &Row<'_>) -> Sql<LogRow> {
    // Numbers of links, or ids of resources: text until somebody knows their names.
    let people: Option<Vec<serde_json::Value>> = parsed_or_none(row, 12)?;
    let plain = |id: serde_json::Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let count: i64 = row.get(18)?;
    Ok(LogRow {
        entry: EntryId(row.get(0)?),
        job: row.get(1)?,
        cycle: row.get::<_, Option<i64>>(2)?.map(CycleId),
        workspace: row.get(3)?,
        owner: row.get(4)?,
        by: row.get(5)?,
        kind: row.get(6)?,
        id: row.get(7)?,
        name: row.get(8)?,
        class: row.get(9)?,
        cause: parsed_or_none(row, 10)?,
        reason: row.get(11)?,
        people: people.unwrap_or_default().into_iter().map(plain).collect(),
        edits: parsed(row, 13)?,
        at_second: row.get(14)?,
        outcome: row.get(15)?,
        detail: row.get(16)?,
        evidence: row.get(17)?,
        count: u64::try_from(count).unwrap_or_default(),
        took_ms: row.get(19)?,
        source_system: row.get(20)?,
        target_system: row.get(21)?,
        target_id: row.get(22)?,
        settings: row.get(23)?,
        proofs: parsed_or_none(row, 24)?,
    })
}

fn name_people(db: &Connection, row: &mut LogRow) -> Sql<()> {
    let sql = match row.cycle {
        Some(_) => {
            "SELECT coalesce(json_extract(wanted, '$.userName'), json_extract(sent, '$.userName'), source_id)
               FROM links WHERE id = ?1"
        }
        None => {
            "SELECT coalesce(json_extract(body, '$.userName'), json_extract(body, '$.displayName')) FROM resources
              WHERE workspace = (SELECT id FROM workspaces WHERE name = ?2) AND id = ?1"
        }
    };
    let mut named = db.prepare_cached(sql)?;
    for person in &mut row.people {
        let found = match row.cycle {
            Some(_) => named.query_row([person.as_str()], |row| row.get(0)).optional()?,
            None => named.query_row(params![*person, row.workspace], |row| row.get(0)).optional()?,
        };
        if let Some(found) = found.flatten() {
            *person = found;
        }
    }
    Ok(())
}

/// Everything that a text may mean, as JSON arrays.
pub(super) struct Whose {
    pub links: String,
    pub resources: String,
    pub folded: String,
}

impl Whose {
    pub fn of(db: &Connection, who: &str) -> Sql<Whose> {
        let folded = fold(who);
        let mut links = db.prepare_cached(LINKS)?;
        let links: Vec<i64> = links.query_map(params![who, folded], |row| row.get(0))?.collect::<Sql<_>>()?;
        let mut resources = db.prepare_cached(RESOURCES)?;
        let resources: Vec<String> =
            resources.query_map(params![who, folded], |row| row.get(0))?.collect::<Sql<_>>()?;
        let grants = grants_of(db, &json(&resources)?)?;
        let resources = json(&resources.into_iter().chain(grants).collect::<Vec<_>>())?;
        Ok(Whose { links: json(&links)?, resources, folded })
    }
}

/// By source id, by the resource, by userName, and by whatever the source or we call a mail address.
const LINKS: &str =
    "SELECT id FROM links l WHERE source_id = ?1 OR resource = ?1 OR wanted_key = ?2 OR applied_key = ?2
        OR (instr(?2, '@') AND EXISTS
             (SELECT 1 FROM (SELECT l.seen AS shown UNION ALL SELECT l.sent UNION ALL SELECT l.wanted) s,
                     json_each(s.shown) a
               WHERE instr(lower(a.key), 'mail') AND a.type = 'text' AND rosterd_fold(a.value) = ?2))";

/// By id, by what users and teams are found by, and by what those that are gone were called.
const RESOURCES: &str = "SELECT ?1 UNION SELECT id FROM resources WHERE user_key = ?2 OR display_key = ?2
      UNION SELECT r.id FROM emails e JOIN resources r ON r.n = e.resource WHERE e.key = ?2
      UNION SELECT resource FROM journal WHERE resource IS NOT NULL AND rosterd_fold(name) = ?2";

/// Every grant that one of the users has, or had.
pub(super) fn grants_of(db: &Connection, users: &str) -> Sql<Vec<String>> {
    let mut statement = db.prepare_cached(
        "SELECT g.id FROM resources g JOIN resources u ON u.n = g.holder
          WHERE u.id IN (SELECT value FROM json_each(?1))
          UNION SELECT g.resource FROM journal g, json_each(g.edits) e
          WHERE g.kind = 'grant' AND g.resource IS NOT NULL AND json_extract(e.value, '$.path') = 'user.value'
            AND coalesce(json_extract(e.value, '$.new'), json_extract(e.value, '$.old')) IN
                (SELECT value FROM json_each(?1))",
    )?;
    let grants = statement.query_map([users], |row| row.get(0))?;
    grants.collect()
}
