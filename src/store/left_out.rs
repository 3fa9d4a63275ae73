//! Who is not wanted active, counted by cause, and the names of teams.

use std::collections::BTreeSet;

use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::promote::EDGE;
use super::promote::RULES;
use super::values::parsed;
use crate::model::LinkId;
use crate::model::SourceId;
use crate::plan::Cause;
use crate::plan::NamedTeam;
use crate::scim::Kind;

/// How many people or groups one cause keeps from being active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub kind: Kind,
    pub cause: Cause,
    pub count: u64,
    /// Of them: so many have nothing in the target.
    pub absent: u64,
}

impl Store {
    /// Who is left out, by those causes that `told` takes.
    pub async fn left_out(&self, job: JobId, told: fn(&Cause) -> bool) -> Result<Vec<LeftOut>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached("SELECT id, cause FROM causes WHERE job = ?1 ORDER BY id")?;
            let causes = rows.query_map([job.0], |row| Ok((row.get::<_, String>(0)?, parsed(row, 1)?)))?;
            let causes: Vec<(String, Cause)> = causes.collect::<Sql<_>>()?;
            let mut count = db.prepare_cached(
                "SELECT count(*), coalesce(sum(applied = 'absent'), 0) FROM links
                  WHERE job = ?1 AND kind = ?2 AND cause = ?3 AND desired <> 'active'",
            )?;
            let mut found = Vec::new();
            for (id, cause) in causes.into_iter().filter(|(_, cause)| told(cause)) {
                for kind in Kind::ALL {
                    let (all, absent): (i64, i64) = count
                        .query_row(params![job.0, kind.word(), id], |row| Ok((row.get(0)?, row.get(1)?)))?;
                    let (count, absent) = (all.unsigned_abs(), absent.unsigned_abs());
                    if count > 0 {
                        found.push(LeftOut { kind, cause: cause.clone(), count, absent });
                    }
                }
            }
            Ok(found)
        })
        .await
    }

    /// The names of the teams that are wanted or there, by source id; those of other jobs in the same target as well.
    pub async fn named_teams(&self, job: JobId) -> Result<Vec<NamedTeam>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT id, source_id, CASE WHEN desired = 'active' THEN wanted_key END,
                        CASE WHEN applied <> 'absent' THEN applied_key END,
                        applied <> 'absent' AND desired IN ('inactive', 'absent')
                          AND (class IS 'delete_teams'
                            OR EXISTS (SELECT 1 FROM team_edges e WHERE e.team = links.id AND e.applied))
                   FROM links WHERE job = ?1 AND kind = 'group'
                 UNION ALL
                 SELECT l.id, l.source_id, NULL, l.applied_key, 0 FROM links l JOIN jobs j ON j.id = l.job
                  WHERE l.job <> ?1 AND l.kind = 'group' AND l.applied <> 'absent' AND l.origin <> 'joined'
                    AND j.target_identity = (SELECT target_identity FROM jobs WHERE id = ?1)
                  ORDER BY 2, 1",
            )?;
            let teams = rows.query_map([job.0], |row| {
                Ok(NamedTeam {
                    link: LinkId(row.get(0)?),
                    source: SourceId(row.get(1)?),
                    wanted: row.get(2)?,
                    applied: row.get(3)?,
                    going: row.get(4)?,
                })
            })?;
            teams.collect()
        })
        .await
    }

    /// Marks links that have to be decided again, because of the rules or because of their surroundings.
    pub async fn decide_again(
        &self,
        links: BTreeSet<LinkId>,
        rules_were_edited: bool,
    ) -> Result<(), StoreError> {
        let mark = if rules_were_edited { RULES } else { EDGE };
        self.write(move |tx| {
            let mut update = tx.prepare_cached("UPDATE links SET dirty = dirty | ?2 WHERE id = ?1")?;
            for link in &links {
                update.execute(params![link.0, mark])?;
            }
            Ok(())
        })
        .await
    }
}
