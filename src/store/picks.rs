//! Pending changes that were picked one by one: held, or approved.

use rusqlite::params;

use super::JobId;
use super::Store;
use super::StoreError;
use super::values::json;
use crate::model::LinkId;
use crate::plan::Hold;

/// One pending change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    Link(LinkId),
    Edge { team: LinkId, person: LinkId },
    Reference { person: LinkId, path: String },
}

impl Store {
    /// Holds these until they are judged again; what matching found of them stays.
    pub async fn hold_pending(&self, job: JobId, picks: Vec<Pick>, hold: Hold) -> Result<(), StoreError> {
        if picks.is_empty() {
            return Ok(());
        }
        self.write(move |tx| {
            let hold = json(&hold)?;
            let mut link = tx.prepare_cached("UPDATE links SET hold = ?3 WHERE job = ?1 AND id = ?2")?;
            let mut edge = tx.prepare_cached(
                "UPDATE team_edges SET hold = ?4 WHERE job = ?1 AND team = ?2 AND person = ?3",
            )?;
            let mut reference = tx.prepare_cached(
                "UPDATE person_references SET hold = ?4 WHERE job = ?1 AND person = ?2 AND path = ?3",
            )?;
            for pick in &picks {
                match pick {
                    Pick::Link(id) => link.execute(params![job.0, id.0, hold])?,
                    Pick::Edge { team, person } => edge.execute(params![job.0, team.0, person.0, hold])?,
                    Pick::Reference { person, path } => {
                        reference.execute(params![job.0, person.0, path, hold])?
                    }
                };
            }
            Ok(())
        })
        .await
    }

    /// Approves these, as they are now, like `approve` does.
    pub async fn approve_pending(
        &self,
        job: JobId,
        picks: Vec<Pick>,
        who: &str,
        reason: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        if picks.is_empty() {
            return Ok(());
        }
        let (who, reason) = (who.to_owned(), reason.to_owned());
        self.write(move |tx| {
            let mut link = tx.prepare_cached(
                "INSERT OR REPLACE INTO approvals
                   SELECT l.job, l.id, 0, l.class, coalesce(l.match_cause, l.cause), ?3, ?4, ?5,
                          coalesce(json_extract(l.adopt, '$.resource'), r.resource)
                     FROM links l LEFT JOIN links r ON r.id = l.retires
                    WHERE l.job = ?1 AND l.id = ?2 AND l.class IS NOT NULL",
            )?;
            let mut edge = tx.prepare_cached(
                "INSERT OR REPLACE INTO approvals(job, link, person, class, cause, who, reason, at)
                   SELECT job, team, person, CASE WHEN desired THEN 'add_members' ELSE 'remove_members' END, cause,
                          ?4, ?5, ?6
                     FROM team_edges
                    WHERE job = ?1 AND team = ?2 AND person = ?3 AND desired <> applied AND cause IS NOT NULL",
            )?;
            let mut reference = tx.prepare_cached(
                "INSERT OR REPLACE INTO approvals(job, link, person, class, cause, who, reason, at)
                   SELECT job, person, 0, 'references', cause, ?4, ?5, ?6 FROM person_references
                    WHERE job = ?1 AND person = ?2 AND path = ?3 AND pending = 1",
            )?;
            for pick in &picks {
                match pick {
                    Pick::Link(id) => link.execute(params![job.0, id.0, who, reason, now])?,
                    Pick::Edge { team, person } => {
                        edge.execute(params![job.0, team.0, person.0, who, reason, now])?
                    }
                    Pick::Reference { person, path } => {
                        reference.execute(params![job.0, person.0, path, who, reason, now])?
                    }
                };
            }
            Ok(())
        })
        .await
    }
}
