//! Who is wanted active, for a look at a plan before it is carried out.

use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::values::parsed;
use crate::model::SourceId;
use crate::plan::Class;
use crate::plan::LintStanding;
use crate::scim::Attributes;

/// Somebody who is wanted active.
#[derive(Clone, Debug)]
pub struct WantedPerson {
    pub source: SourceId,
    pub wanted: Attributes,
    /// The source calls him a guest (Graph: `userType`).
    pub guest: bool,
    pub applied: bool,
    pub pending: Option<Class>,
    /// How many teams he is wanted in.
    pub teams: u64,
}

/// A team that is wanted.
#[derive(Clone, Debug)]
pub struct WantedTeam {
    pub source: SourceId,
    pub name: String,
    pub members: u64,
}

impl Store {
    /// The next people who are wanted active, by source id.
    pub async fn wanted_people(
        &self,
        job: JobId,
        after: SourceId,
        limit: usize,
    ) -> Result<Vec<WantedPerson>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT source_id, wanted, json_extract(seen, '$.userType'), applied, class,
                        (SELECT count(*) FROM team_edges WHERE person = links.id AND desired = 1)
                   FROM links WHERE job = ?1 AND kind = 'user' AND desired = 'active' AND source_id > ?2 ORDER BY source_id LIMIT ?3",
            )?;
            let people = rows.query_map(params![job.0, after.0, limit as i64], |row| {
                let kind: Option<String> = row.get(2)?;
                let applied: String = row.get(3)?;
                let teams: i64 = row.get(5)?;
                Ok(WantedPerson {
                    source: SourceId(row.get(0)?),
                    wanted: parsed(row, 1)?,
                    guest: kind.is_some_and(|kind| kind.eq_ignore_ascii_case("guest")),
                    applied: applied != "absent",
                    pending: pending(row.get(4)?),
                    teams: teams.unsigned_abs(),
                })
            })?;
            people.collect()
        })
        .await
    }

    /// All teams that are wanted, by source id.
    pub async fn wanted_teams(&self, job: JobId) -> Result<Vec<WantedTeam>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT source_id, coalesce(json_extract(wanted, '$.displayName'), ''),
                        (SELECT count(*) FROM team_edges WHERE team = links.id AND desired = 1)
                   FROM links WHERE job = ?1 AND kind = 'group' AND desired = 'active' ORDER BY source_id",
            )?;
            let teams = rows.query_map([job.0], |row| {
                let members: i64 = row.get(2)?;
                Ok(WantedTeam {
                    source: SourceId(row.get(0)?),
                    name: row.get(1)?,
                    members: members.unsigned_abs(),
                })
            })?;
            teams.collect()
        })
        .await
    }

    /// How many accounts are active, and how many people are about to lose theirs.
    pub async fn lint_standing(&self, job: JobId) -> Result<LintStanding, StoreError> {
        self.read(move |db| {
            let one = |sql: &str| -> Sql<u64> {
                let count: i64 = db.prepare_cached(sql)?.query_row([job.0], |row| row.get(0))?;
                Ok(count.unsigned_abs())
            };
            Ok(LintStanding {
                active: one(
                    "SELECT count(*) FROM links WHERE job = ?1 AND kind = 'user' AND applied = 'active'",
                )?,
                leaving: one(
                    "SELECT count(*) FROM links WHERE job = ?1 AND kind = 'user' AND applied = 'active'
                        AND class IN ('deactivate', 'delete')",
                )?,
            })
        })
        .await
    }
}

fn pending(word: Option<String>) -> Option<Class> {
    let word = word?;
    Class::ALL.into_iter().find(|class| class.word() == word)
}
