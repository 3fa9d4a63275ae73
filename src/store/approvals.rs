//! What a person decides of single changes: held ones that may go after all, and those that are not to be made.

use std::collections::BTreeSet;

use rusqlite::Transaction;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::decisions::Decision;
use super::decisions::decided as record;
use super::exemptions;
use super::overrides;
use crate::scim::fold;

/// Which of the changes that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    All,
    /// The id of a cause, or the source id, userName or name of a person or a team.
    Named(String),
    /// Source ids, userNames or team names, as from a CSV file.
    Listed(Vec<String>),
}

impl Chosen {
    fn names(&self) -> Vec<Option<&str>> {
        match self {
            Chosen::All => vec![None],
            Chosen::Named(name) => vec![Some(name)],
            Chosen::Listed(names) => names.iter().map(|name| Some(name.as_str())).collect(),
        }
    }
}

/// Who decides, and why.
#[derive(Clone, Debug)]
pub struct Decider {
    pub who: String,
    pub reason: String,
    pub now_second: i64,
}

/// What became of a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    pub changes: u64,
    /// Of these, what was undone before and is as the rules say again: in the next cycle, which holds what that changes.
    pub ended: u64,
    /// Names that nothing that waits has.
    pub unknown: BTreeSet<String>,
}

/// Holds that a person can lift; the others need the settings, the source or the target changed.
const LIFTABLE: &str =
    "('approval', 'limit', 'unwitnessed', 'disagrees', 'unexplained', 'adoption', 'relink', 'retire',
    'anchors', 'clock', 'empty', 'rejected', 'shut')";

/// A change of a link, of a membership, of a reference, by what a person calls it: `?5`, folded `?6`.
const LINK_IS: &str = "(?5 IS NULL OR coalesce(l.match_cause, l.cause) = ?5 OR l.source_id = ?5 OR l.wanted_key = ?6 OR l.applied_key = ?6)";
const EDGE_IS: &str = "(?5 IS NULL OR e.cause = ?5 OR t.source_id = ?5 OR p.source_id = ?5
    OR t.wanted_key = ?6 OR t.applied_key = ?6 OR p.wanted_key = ?6 OR p.applied_key = ?6)";
const REFERENCE_IS: &str =
    "(?5 IS NULL OR r.cause = ?5 OR p.source_id = ?5 OR p.wanted_key = ?6 OR p.applied_key = ?6)";

const EDGES: &str = "team_edges e JOIN links t ON t.id = e.team JOIN links p ON p.id = e.person
    WHERE e.job = ?1 AND e.desired <> e.applied AND e.cause IS NOT NULL";
const REFERENCES: &str = "person_references r JOIN links p ON p.id = r.person AND p.desired = 'active'
    WHERE r.job = ?1 AND r.pending = 1";
const EDGE_CLASS: &str = "CASE WHEN e.desired THEN 'add_members' ELSE 'remove_members' END";

impl Store {
    /// Approves what is held now, change by change, with the account or team that was looked at: what comes later under
    /// the same cause is held anew, and so is a match that has become another one. An exemption of such a change ends,
    /// and what failed before is due at once.
    pub async fn approve(&self, job: JobId, what: Chosen, by: &Decider) -> Result<Decided, StoreError> {
        let by = By { job, decider: by.clone(), until: 0 };
        self.write(move |tx| {
            let mut ended = 0;
            let mut decided = by.each(&what, |name| match by.approve(tx, name, LIFTABLE)? {
                // What was rejected is not among what waits: it is meant only where nothing else of that name is.
                0 if name.is_some() => match (by.approve(tx, name, "('exempt')")?, name) {
                    // Nothing is pending of what was undone: it ends, and what comes back is held.
                    (0, Some(name)) => {
                        let objects = overrides::end_named(tx, by.job, name, by.decider.now_second)?;
                        ended += objects as u64;
                        Ok(objects)
                    }
                    (changes, _) => Ok(changes),
                },
                changes => Ok(changes),
            })?;
            decided.ended = ended;
            by.record(tx, "approve", &what, &decided)?;
            exemptions::refresh(tx, job, by.decider.now_second)?;
            Ok(decided)
        })
        .await
    }

    /// What waits and is not to be made until then. A change that is on its way already (`go`) is no longer waiting.
    pub async fn reject(
        &self,
        job: JobId,
        what: Chosen,
        until_second: i64,
        by: &Decider,
    ) -> Result<Decided, StoreError> {
        let by = By { job, decider: by.clone(), until: until_second };
        self.write(move |tx| {
            let decided = by.each(&what, |name| by.reject(tx, name))?;
            by.record(tx, "reject", &what, &decided)?;
            exemptions::refresh(tx, job, by.decider.now_second)?;
            Ok(decided)
        })
        .await
    }
}

struct By {
    job: JobId,
    decider: Decider,
    until: i64,
}

impl By {
    /// In the provisioning log, where it decided anything.
    fn record(&self, tx: &Transaction<'_>, verb: &str, what: &Chosen, decided: &Decided) -> Sql<()> {
        if decided.changes == 0 {
            return Ok(());
        }
        let named = match what {
            Chosen::All => "all".to_owned(),
            Chosen::Named(name) => name.clone(),
            Chosen::Listed(names) => format!("a list of {}", names.len()),
        };
        let what = format!("{verb} {named}: {} changes", decided.changes);
        let Decider { who, reason, now_second } = &self.decider;
        record(tx, self.job, &Decision { what: &what, who, reason, now_second: *now_second })
    }

    fn each(&self, what: &Chosen, mut decide: impl FnMut(Option<&str>) -> Sql<usize>) -> Sql<Decided> {
        let mut decided = Decided::default();
        for name in what.names() {
            match (decide(name)?, name) {
                (0, Some(name)) => {
                    decided.unknown.insert(name.to_owned());
                }
                (changes, _) => decided.changes += changes as u64,
            }
        }
        Ok(decided)
    }

    fn approve(&self, tx: &Transaction<'_>, name: Option<&str>, kinds: &str) -> Sql<usize> {
        let folded = name.map(fold);
        let Decider { who, reason, now_second } = &self.decider;
        let with = params![self.job.0, who, reason, now_second, name, folded];
        let held =
            |row: &str| format!("{row}.hold IS NOT NULL AND json_extract({row}.hold, '$.kind') IN {kinds}");
        let (link, edge, reference) = (held("l"), held("e"), held("r"));
        let links = format!("l.job = ?1 AND l.class IS NOT NULL AND {link} AND {LINK_IS}");
        let mut changes = tx.execute(
            &format!(
                "INSERT OR REPLACE INTO approvals
                   SELECT l.job, l.id, 0, l.class, coalesce(l.match_cause, l.cause), ?2, ?3, ?4,
                          coalesce(json_extract(l.adopt, '$.resource'), r.resource)
                     FROM links l LEFT JOIN links r ON r.id = l.retires WHERE {links}"
            ),
            with,
        )?;
        changes += tx.execute(
            &format!(
                "INSERT OR REPLACE INTO approvals(job, link, person, class, cause, who, reason, at)
                   SELECT e.job, e.team, e.person, {EDGE_CLASS}, e.cause, ?2, ?3, ?4
                     FROM {EDGES} AND {edge} AND {EDGE_IS}"
            ),
            with,
        )?;
        changes += tx.execute(
            &format!(
                "INSERT OR REPLACE INTO approvals(job, link, person, class, cause, who, reason, at)
                   SELECT r.job, r.person, 0, 'references', r.cause, ?2, ?3, ?4
                     FROM {REFERENCES} AND {reference} AND {REFERENCE_IS}"
            ),
            with,
        )?;
        for sql in [
            format!("UPDATE links AS l SET due_at = NULL WHERE ?2 = ?2 AND ?3 = ?3 AND ?4 = ?4 AND {links}"),
            format!(
                "UPDATE team_edges SET due_at = NULL WHERE (team, person) IN (
                   SELECT e.team, e.person FROM {EDGES} AND ?2 = ?2 AND ?3 = ?3 AND ?4 = ?4 AND {edge} AND {EDGE_IS})"
            ),
            format!(
                "UPDATE person_references SET due_at = NULL WHERE (person, path) IN (
                   SELECT r.person, r.path FROM {REFERENCES} AND ?2 = ?2 AND ?3 = ?3 AND ?4 = ?4 AND {reference} AND {REFERENCE_IS})"
            ),
        ] {
            tx.execute(&sql, with)?;
        }
        exemptions::end_where_approved(tx, self.job)?;
        Ok(changes)
    }

    fn reject(&self, tx: &Transaction<'_>, name: Option<&str>) -> Sql<usize> {
        let folded = name.map(fold);
        let Decider { who, reason, now_second } = &self.decider;
        let with = params![self.job.0, who, reason, now_second, name, folded, self.until];
        // What was approved and is not done yet can still be rejected: the last decision counts.
        let waits = |row: &str, place: &str| {
            format!(
                "({row}.hold IS NOT NULL OR {row}.due_at > ?4
                  OR EXISTS (SELECT 1 FROM approvals a WHERE a.job = {row}.job AND {place}))"
            )
        };
        let mut changes = 0;
        for sql in [
            format!(
                "SELECT l.job, l.id, 0, l.class, ?2, ?3, ?4, ?7 FROM links l
                  WHERE l.job = ?1 AND l.class IS NOT NULL AND {} AND {LINK_IS}",
                waits("l", "a.link = l.id AND a.person = 0 AND a.class = l.class")
            ),
            format!(
                "SELECT e.job, e.team, e.person, {EDGE_CLASS}, ?2, ?3, ?4, ?7 FROM {EDGES} AND {} AND {EDGE_IS}",
                waits("e", &format!("a.link = e.team AND a.person = e.person AND a.class = {EDGE_CLASS}"))
            ),
            format!(
                "SELECT r.job, r.person, 0, 'references', ?2, ?3, ?4, ?7 FROM {REFERENCES} AND {} AND {REFERENCE_IS}",
                waits("r", "a.link = r.person AND a.person = 0 AND a.class = 'references'")
            ),
        ] {
            changes += tx.execute(&format!("INSERT OR REPLACE INTO exemptions {sql}"), with)?;
        }
        exemptions::forget_approvals(tx, self.job)?;
        Ok(changes)
    }
}
