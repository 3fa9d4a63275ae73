//! What a person decides: held changes that may go after all.

use rusqlite::Transaction;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::decisions::Decision;
use super::decisions::decided;
use crate::scim::fold;

/// Which of the held changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approve {
    All,
    /// The id of a cause, or the source id, userName or name of a person or a team.
    Named(String),
    /// Source ids, userNames or team names, as from a CSV file.
    Listed(Vec<String>),
}

/// Holds that a person can lift; the others need the settings, the source or the target changed.
const LIFTABLE: &str =
    "('approval', 'limit', 'unwitnessed', 'disagrees', 'unexplained', 'adoption', 'relink', 'retire',
    'anchors')";

impl Store {
    /// Approves what is held now, change by change, with the account or team that was looked at: what comes later under
    /// the same cause is held anew, and so is a match that has become another one. Returns how many changes it was.
    pub async fn approve(
        &self,
        job: JobId,
        what: Approve,
        who: &str,
        reason: &str,
        now: i64,
    ) -> Result<u64, StoreError> {
        let (who, reason) = (who.to_owned(), reason.to_owned());
        self.write(move |tx| {
            let by = By { job, who: &who, reason: &reason, now };
            let (approved, named): (u64, String) = match &what {
                Approve::All => (by.approve(tx, None)?, "all".to_owned()),
                Approve::Named(name) => (by.approve(tx, Some(name))?, name.clone()),
                Approve::Listed(names) => {
                    let all = names.iter().map(|name| by.approve(tx, Some(name))).sum::<Sql<u64>>()?;
                    (all, format!("a list of {}", names.len()))
                }
            };
            if approved > 0 {
                let what = format!("approve {named}: {approved} changes");
                decided(tx, job, &Decision { what: &what, who: &who, reason: &reason, now_second: now })?;
            }
            Ok(approved)
        })
        .await
    }
}

struct By<'a> {
    job: JobId,
    who: &'a str,
    reason: &'a str,
    now: i64,
}

impl By<'_> {
    fn approve(&self, tx: &Transaction<'_>, name: Option<&str>) -> Sql<u64> {
        let folded = name.map(fold);
        let with = params![self.job.0, self.who, self.reason, self.now, name, folded];
        let links = tx.execute(
            &format!(
                "INSERT OR REPLACE INTO approvals
                   SELECT l.job, l.id, 0, l.class, coalesce(l.match_cause, l.cause), ?2, ?3, ?4,
                          coalesce(json_extract(l.adopt, '$.resource'), r.resource)
                     FROM links l LEFT JOIN links r ON r.id = l.retires
                    WHERE l.job = ?1 AND l.class IS NOT NULL AND l.hold IS NOT NULL
                      AND json_extract(l.hold, '$.kind') IN {LIFTABLE}
                      AND (?5 IS NULL OR coalesce(l.match_cause, l.cause) = ?5 OR l.source_id = ?5
                        OR l.wanted_key = ?6 OR l.applied_key = ?6)"
            ),
            with,
        )?;
        let edges = tx.execute(
            &format!(
                "INSERT OR REPLACE INTO approvals(job, link, person, class, cause, who, reason, at)
                   SELECT e.job, e.team, e.person, CASE WHEN e.desired THEN 'add_members' ELSE 'remove_members' END,
                          e.cause, ?2, ?3, ?4
                     FROM team_edges e JOIN links t ON t.id = e.team JOIN links p ON p.id = e.person
                    WHERE e.job = ?1 AND e.desired <> e.applied AND e.hold IS NOT NULL AND e.cause IS NOT NULL
                      AND json_extract(e.hold, '$.kind') IN {LIFTABLE}
                      AND (?5 IS NULL OR e.cause = ?5 OR t.source_id = ?5 OR p.source_id = ?5
                        OR t.wanted_key = ?6 OR t.applied_key = ?6 OR p.wanted_key = ?6 OR p.applied_key = ?6)"
            ),
            with,
        )?;
        let references = tx.execute(
            &format!(
                "INSERT OR REPLACE INTO approvals(job, link, person, class, cause, who, reason, at)
                   SELECT r.job, r.person, 0, 'references', r.cause, ?2, ?3, ?4
                     FROM person_references r JOIN links p ON p.id = r.person AND p.desired = 'active'
                    WHERE r.job = ?1 AND r.pending = 1 AND r.hold IS NOT NULL
                      AND json_extract(r.hold, '$.kind') IN {LIFTABLE}
                      AND (?5 IS NULL OR r.cause = ?5 OR p.source_id = ?5 OR p.wanted_key = ?6 OR p.applied_key = ?6)"
            ),
            with,
        )?;
        Ok((links + edges + references) as u64)
    }
}
