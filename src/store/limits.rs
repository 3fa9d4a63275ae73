//! What the limits count besides a job's own classes: by team, by upgrade, and by all jobs of a target (P13).

use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::pending::count;
use super::values::word;
use crate::model::LinkId;
use crate::plan::CauseId;
use crate::plan::Counts;
use crate::plan::TeamLosses;
use crate::plan::Upgraded;

impl Store {
    /// The teams from which somebody is to be removed, with what they lost since then.
    pub async fn team_losses(&self, job: JobId, since_second: i64) -> Result<Vec<TeamLosses>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT e.team, coalesce(json_extract(t.sent, '$.displayName'), t.source_id), count(*),
                        (SELECT coalesce(sum(count), 0) FROM journal WHERE link = e.team AND class = 'remove_members'
                            AND at >= ?2 AND outcome = 'done' AND NOT approved),
                        (SELECT count(*) FROM team_edges WHERE team = e.team AND applied)
                   FROM team_edges e JOIN links t ON t.id = e.team JOIN links p ON p.id = e.person
                   LEFT JOIN approvals a ON a.job = e.job AND a.link = e.team AND a.person = e.person
                     AND a.class = 'remove_members' AND a.cause = e.cause
                  WHERE e.job = ?1 AND e.desired <> e.applied AND NOT e.desired AND a.link IS NULL AND e.exempt = 0
                    AND p.desired IS 'active' GROUP BY e.team",
            )?;
            let losses = rows.query_map(params![job.0, since_second], |row| {
                Ok(TeamLosses {
                    team: LinkId(row.get(0)?),
                    name: row.get(1)?,
                    pending: count(row, 2)?,
                    window: count(row, 3)?,
                    members: count(row, 4)?,
                })
            })?;
            losses.collect()
        })
        .await
    }

    /// What upgrades of the program change, where that is pending.
    pub async fn upgraded(&self, job: JobId, since_second: i64) -> Result<Vec<Upgraded>, StoreError> {
        self.read(move |db| {
            let mut causes = db.prepare_cached(
                "SELECT id FROM causes WHERE job = ?1 AND json_extract(cause, '$.kind') = 'upgrade'",
            )?;
            let causes: Vec<String> =
                causes.query_map([job.0], |row| row.get(0))?.collect::<Sql<_>>()?;
            let mut counted = db.prepare_cached(
                "SELECT (SELECT count(*) FROM links l LEFT JOIN approvals a ON a.job = l.job AND a.link = l.id
                           AND a.person = 0 AND a.class = l.class AND a.cause = l.cause
                          WHERE l.job = ?1 AND l.class IS NOT NULL AND l.cause = ?2 AND a.link IS NULL AND l.exempt = 0)
                      + (SELECT count(*) FROM team_edges e LEFT JOIN approvals a ON a.job = e.job AND a.link = e.team
                           AND a.person = e.person AND a.cause = e.cause
                          WHERE e.job = ?1 AND e.desired <> e.applied AND e.cause = ?2 AND a.link IS NULL AND e.exempt = 0)
                      + (SELECT count(*) FROM person_references r LEFT JOIN approvals a ON a.job = r.job
                           AND a.link = r.person AND a.class = 'references' AND a.cause = r.cause
                          WHERE r.job = ?1 AND r.pending = 1 AND r.cause = ?2 AND a.link IS NULL AND r.exempt = 0),
                        (SELECT coalesce(sum(count), 0) FROM journal
                          WHERE job = ?1 AND at >= ?3 AND cause = ?2 AND outcome = 'done' AND NOT approved)",
            )?;
            let mut upgraded = Vec::new();
            for cause in causes {
                let (pending, window) = counted
                    .query_row(params![job.0, cause, since_second], |row| Ok((count(row, 0)?, count(row, 1)?)))?;
                upgraded.push(Upgraded { cause: CauseId(cause), pending, window });
            }
            Ok(upgraded)
        })
        .await
    }

    /// What all jobs of a target did to it since then, and how many accounts they have active there. Nothing pending.
    pub async fn target_counts(&self, target: &str, since_second: i64) -> Result<Counts, StoreError> {
        let target = target.to_owned();
        self.read(move |db| {
            let mut counts = Counts::default();
            let mut rows = db.prepare_cached(
                "SELECT class, sum(count) FROM journal
                  WHERE job IN (SELECT id FROM jobs WHERE target_identity = ?1) AND at >= ?2 AND outcome = 'done'
                    AND NOT approved GROUP BY class",
            )?;
            let done = rows.query_map(params![target, since_second], |row| Ok((word(row, 0)?, count(row, 1)?)))?;
            counts.window = done.collect::<Sql<_>>()?;
            counts.active = db.query_row(
                "SELECT count(DISTINCT resource) FROM links WHERE kind = 'user' AND applied = 'active'
                    AND job IN (SELECT id FROM jobs WHERE target_identity = ?1)",
                [target],
                |row| count(row, 0),
            )?;
            Ok(counts)
        })
        .await
    }

    /// The program that decides from now on. Where it is another one, every decision is made anew, and what differs is
    /// the upgrade's doing.
    pub async fn take_program(&self, job: JobId, program: &str) -> Result<(), StoreError> {
        let program = program.to_owned();
        self.write(move |tx| super::promote::note_program(tx, job, &program)).await
    }

    /// The causes of what these teams are to lose.
    pub async fn causes_of_losses(&self, teams: Vec<LinkId>) -> Result<Vec<CauseId>, StoreError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(
                "SELECT DISTINCT e.cause FROM team_edges e JOIN links p ON p.id = e.person
                  WHERE e.team = ?1 AND e.desired < e.applied AND e.cause IS NOT NULL AND p.desired IS 'active'",
            )?;
            let mut causes = Vec::new();
            for team in teams {
                causes.extend(
                    query.query_map([team.0], |row| row.get(0).map(CauseId))?.collect::<Sql<Vec<_>>>()?,
                );
            }
            Ok(causes)
        })
        .await
    }
}
