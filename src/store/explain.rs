//! What is known of one link, for `explain`.

use rusqlite::params;
use serde_json::Value;

use super::JobId;
use super::LinkRow;
use super::Sql;
use super::Store;
use super::StoreError;
use super::by_hand;
use super::links::facts;
use super::values::parsed;
use super::values::parsed_or_none;
use crate::model::LinkId;
use crate::plan::Cause;
use crate::plan::Edit;
use crate::plan::Hold;
use crate::scim::fold;

/// One team of a person, as decided and as applied.
#[derive(Clone, Debug)]
pub struct TeamOf {
    pub team: String,
    pub desired: bool,
    pub applied: bool,
    pub hold: Option<Hold>,
    pub failure: Option<String>,
}

/// One entry of the journal, as `explain` shows it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at_second: i64,
    pub class: String,
    /// The team, where the entry is about a membership.
    pub team: Option<String>,
    pub outcome: Option<String>,
    pub detail: Option<String>,
    pub cause: Option<Cause>,
    pub edits: Vec<Edit>,
}

impl Store {
    /// The links of this source id, name, resource or mail address, in source or target.
    pub async fn links_called(&self, job: JobId, who: &str) -> Result<Vec<LinkRow>, StoreError> {
        let found = self.links_of(job, who).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        let who = who.to_owned();
        self.read(move |db| {
            // Letters beyond ASCII are compared after this.
            let mut rows = db.prepare(
                "SELECT id, seen, wanted, sent, resource FROM links WHERE job = ?1 AND kind <> 'app' AND (resource = ?2
                    OR instr(lower(coalesce(seen, '') || coalesce(wanted, '') || coalesce(sent, '')), lower(?2)) > 0)",
            )?;
            let mut links = Vec::new();
            let mut found = rows.query(params![job.0, who])?;
            while let Some(row) = found.next()? {
                let resource: Option<String> = row.get(4)?;
                let mut named = resource.as_deref() == Some(&who);
                for column in 1..=3 {
                    let values: Option<Value> = parsed_or_none(row, column)?;
                    named |= values.is_some_and(|values| says(&values, &fold(&who)));
                }
                if named {
                    links.push(LinkId(row.get(0)?));
                }
            }
            by_hand::rows_of(db, &links)
        })
        .await
    }

    /// The link as a decision reads it; `None` where it is gone.
    pub async fn link_facts(&self, link: LinkId) -> Result<Option<super::DirtyLink>, StoreError> {
        self.read(move |db| facts(db, link)).await
    }

    /// The teams that a person is, or should be, in.
    pub async fn teams_of(&self, person: LinkId) -> Result<Vec<TeamOf>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT coalesce(json_extract(t.wanted, '$.displayName'), json_extract(t.sent, '$.displayName'), t.source_id),
                        e.desired, e.applied, e.hold, e.failure
                   FROM team_edges e JOIN links t ON t.id = e.team WHERE e.person = ?1 ORDER BY 1, t.source_id",
            )?;
            let teams = rows.query_map([person.0], |row| {
                Ok(TeamOf {
                    team: row.get(0)?,
                    desired: row.get(1)?,
                    applied: row.get(2)?,
                    hold: parsed_or_none(row, 3)?,
                    failure: row.get(4)?,
                })
            })?;
            teams.collect()
        })
        .await
    }

    /// The newest entries of the journal about a link, those of memberships included.
    pub async fn history_of(&self, link: LinkId, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT g.at, g.class, g.outcome, g.detail, c.cause, g.edits,
                        CASE WHEN g.link <> ?1
                             THEN coalesce(json_extract(t.wanted, '$.displayName'), json_extract(t.sent, '$.displayName'),
                                           t.source_id) END
                   FROM journal g JOIN links t ON t.id = g.link LEFT JOIN causes c ON c.job = g.job AND c.id = g.cause
                  WHERE g.link = ?1
                     OR (g.link IN (SELECT container FROM seen_edges WHERE principal = ?1
                                    UNION SELECT team FROM team_edges WHERE person = ?1)
                         AND EXISTS (SELECT 1 FROM json_each(g.people) p WHERE p.value = ?1))
                  ORDER BY g.id DESC LIMIT ?2",
            )?;
            let entries = rows.query_map(params![link.0, limit as i64], |row| {
                Ok(Entry {
                    at_second: row.get(0)?,
                    class: row.get(1)?,
                    outcome: row.get(2)?,
                    detail: row.get(3)?,
                    cause: parsed_or_none(row, 4)?,
                    edits: parsed(row, 5)?,
                    team: row.get(6)?,
                })
            })?;
            entries.collect::<Sql<_>>()
        })
        .await
    }
}

/// Whether a text among the values is this one, folded.
fn says(values: &Value, folded: &str) -> bool {
    match values {
        Value::String(text) => fold(text) == folded,
        Value::Array(values) => values.iter().any(|value| says(value, folded)),
        Value::Object(members) => members.values().any(|value| says(value, folded)),
        _ => false,
    }
}
