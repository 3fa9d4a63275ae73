//! Escrow: what failed, when it is tried again, and a person's wish to have it tried now.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::ToSql;
use rusqlite::Transaction;
use rusqlite::params;
use rusqlite::types::Value;

use super::ByHand;
use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::values::word;
use crate::model::LinkId;
use crate::model::SourceId;
use crate::plan::CauseId;
use crate::plan::Class;
use crate::plan::ErrorCode;
use crate::plan::EscrowSchedule;
use crate::plan::Failure;
use crate::plan::GIVEN_UP;
use crate::scim::Kind;
use crate::scim::fold;

/// A change that could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedChange {
    pub class: Class,
    pub kind: Kind,
    pub source: SourceId,
    pub name: String,
    /// Whose membership it is, for a change of a team's members: source id and name.
    pub member: Option<(SourceId, String)>,
    /// The attribute, for a reference between people.
    pub path: Option<String>,
    pub cause: Option<CauseId>,
    pub code: ErrorCode,
    pub reason: String,
    pub attempts: u32,
    /// Unknown of what failed under an older version.
    pub first_second: Option<i64>,
    /// `None`: in the next cycle.
    pub due_second: Option<i64>,
    /// A person, or proof, is waited for besides.
    pub held: bool,
}

impl FailedChange {
    pub fn given_up(&self) -> bool {
        self.due_second == Some(GIVEN_UP)
    }
}

/// How many changes failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailedCounts {
    pub total: u64,
    /// Of these: not tried again by themselves.
    pub given_up: u64,
}

/// What is to be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retry {
    All,
    /// A source id, a userName, a team's name, a cause or an error code.
    Named(String),
}

/// What a failure belongs to.
pub(super) enum Failing<'a> {
    Link(LinkId),
    Member { team: LinkId, person: LinkId },
    Reference { person: LinkId, path: &'a str },
}

/// Links of a job that failed, with what is read of them. What somebody rejected is not made, so it does not fail either.
const LINKS: &str = "SELECT l.class, l.kind, l.source_id,
      coalesce(json_extract(l.wanted, '$.userName'), json_extract(l.wanted, '$.displayName'),
        json_extract(l.sent, '$.userName'), json_extract(l.sent, '$.displayName'), l.source_id),
      NULL, NULL, NULL, coalesce(l.match_cause, l.cause), l.failure_code, l.failure, l.attempts, l.failed_at, l.due_at,
      l.hold IS NOT NULL
     FROM links l WHERE l.job = ?1 AND l.class IS NOT NULL AND l.failure IS NOT NULL AND l.exempt <> 1 ORDER BY l.class, l.source_id";
const EDGES: &str = "SELECT CASE WHEN e.desired THEN 'add_members' ELSE 'remove_members' END, 'group', t.source_id,
      coalesce(json_extract(t.wanted, '$.displayName'), json_extract(t.sent, '$.displayName'), t.source_id),
      p.source_id, coalesce(json_extract(p.wanted, '$.userName'), json_extract(p.sent, '$.userName'), p.source_id), NULL,
      e.cause, e.failure_code, e.failure, e.attempts, e.failed_at, e.due_at, e.hold IS NOT NULL
     FROM team_edges e JOIN links t ON t.id = e.team JOIN links p ON p.id = e.person
    WHERE e.job = ?1 AND e.desired <> e.applied AND e.failure IS NOT NULL AND e.exempt <> 1 ORDER BY e.team, e.person";
const REFERENCES: &str = "SELECT 'references', 'user', p.source_id,
      coalesce(json_extract(p.wanted, '$.userName'), json_extract(p.sent, '$.userName'), p.source_id), NULL, NULL, r.path,
      r.cause, r.failure_code, r.failure, r.attempts, r.failed_at, r.due_at, r.hold IS NOT NULL
     FROM person_references r JOIN links p ON p.id = r.person AND p.desired = 'active'
    WHERE r.job = ?1 AND r.pending = 1 AND r.failure IS NOT NULL AND r.exempt <> 1 ORDER BY r.person, r.path";

/// Makes due what is called so; `?2` is NULL for all, `?3` the same folded.
const RETRY: [&str; 3] = [
    "UPDATE links SET due_at = NULL WHERE job = ?1 AND class IS NOT NULL AND failure IS NOT NULL AND (?2 IS NULL
        OR source_id = ?2 OR wanted_key = ?3 OR applied_key = ?3 OR cause = ?2 OR match_cause = ?2 OR failure_code = ?2)",
    "UPDATE team_edges SET due_at = NULL WHERE job = ?1 AND desired <> applied AND failure IS NOT NULL AND (?2 IS NULL
        OR cause = ?2 OR failure_code = ?2 OR team IN (SELECT id FROM links WHERE job = ?1 AND (source_id = ?2 OR
             wanted_key = ?3 OR applied_key = ?3))
        OR person IN (SELECT id FROM links WHERE job = ?1 AND (source_id = ?2 OR wanted_key = ?3 OR applied_key = ?3)))",
    "UPDATE person_references SET due_at = NULL WHERE job = ?1 AND pending = 1 AND failure IS NOT NULL AND (?2 IS NULL
        OR cause = ?2 OR failure_code = ?2
        OR person IN (SELECT id FROM links WHERE job = ?1 AND (source_id = ?2 OR wanted_key = ?3 OR applied_key = ?3)))",
];

impl Store {
    /// What could not be done, by class and object.
    pub async fn failed_changes(&self, job: JobId) -> Result<Vec<FailedChange>, StoreError> {
        self.read(move |db| {
            let mut found = Vec::new();
            for sql in [LINKS, EDGES, REFERENCES] {
                let mut rows = db.prepare_cached(sql)?;
                for row in rows.query_map([job.0], failed_change)? {
                    found.push(row?);
                }
            }
            Ok(found)
        })
        .await
    }

    pub async fn failed_counts(&self, job: JobId) -> Result<FailedCounts, StoreError> {
        self.read(move |db| {
            let mut counts = FailedCounts::default();
            for sql in [LINKS, EDGES, REFERENCES] {
                let (total, given_up): (i64, i64) = db.query_row(
                    &format!("SELECT count(*), coalesce(sum(due_at = ?2), 0) FROM ({sql})"),
                    params![job.0, GIVEN_UP],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?;
                counts.total += total.unsigned_abs();
                counts.given_up += given_up.unsigned_abs();
            }
            Ok(counts)
        })
        .await
    }

    /// Makes due in the next cycle what is called so, and records who said it. Returns how many changes that are.
    pub async fn retry(&self, job: JobId, what: Retry, by: ByHand) -> Result<u64, StoreError> {
        self.write(move |tx| {
            let count = make_due(tx, job, &what)?;
            if count > 0 {
                let named = match &what {
                    Retry::All => "all",
                    Retry::Named(name) => name,
                };
                super::by_hand::record(tx, job, &by, &format!("retry {named}"))?;
            }
            Ok(count)
        })
        .await
    }
}

/// Due in the next cycle, whatever the schedule says.
pub(super) fn make_due(tx: &Transaction<'_>, job: JobId, what: &Retry) -> Sql<u64> {
    let named = match what {
        Retry::All => None,
        Retry::Named(name) => match ErrorCode::of(name) {
            Some(code) => Some(code.word()),
            None => Some(name.as_str()),
        },
    };
    let mut count = 0;
    for sql in RETRY {
        count += tx.prepare_cached(sql)?.execute(params![job.0, named, named.map(fold)])? as u64;
    }
    Ok(count)
}

/// Notes a failure. What passes by itself is due in the next cycle; the rest as the schedule says, counted from the first
/// failure that did not pass.
pub(super) fn put_off(
    tx: &Transaction<'_>,
    what: &Failing<'_>,
    failure: &Failure,
    schedule: &EscrowSchedule,
    now: i64,
) -> Sql<()> {
    let (table, condition, (one, other)) = what.place();
    let first = match since(tx, table, condition, params![one, other])? {
        Some((first, code)) if failure.code.passes() || !code.is_some_and(ErrorCode::passes) => first,
        _ => now,
    };
    let due = match failure.code.passes() {
        true => None,
        false => Some(schedule.next(first, now).unwrap_or(GIVEN_UP)),
    };
    tx.prepare_cached(&format!(
        "UPDATE {table} SET attempts = attempts + 1, failure = ?3, failure_code = ?4, failed_at = ?5, due_at = ?6
          WHERE {condition}"
    ))?
    .execute(params![one, other, failure.reason, failure.code.word(), first, due])
    .map(drop)
}

/// Since when it fails, and why it did last.
fn since(
    db: &Connection,
    table: &str,
    condition: &str,
    key: &[&dyn ToSql],
) -> Sql<Option<(i64, Option<ErrorCode>)>> {
    let sql = format!(
        "SELECT failed_at, failure_code FROM {table} WHERE failure IS NOT NULL AND failed_at IS NOT NULL AND {condition}"
    );
    db.prepare_cached(&sql)?.query_row(key, |row| Ok((row.get(0)?, code(row, 1)?))).optional()
}

impl Failing<'_> {
    /// Its table, the condition that names its row, and what stands for `?1` and `?2` in it.
    fn place(&self) -> (&'static str, &'static str, (i64, Value)) {
        match self {
            Failing::Link(link) => ("links", "id = ?1 AND ?2 IS NULL", (link.0, Value::Null)),
            Failing::Member { team, person } => {
                ("team_edges", "team = ?1 AND person = ?2", (team.0, Value::Integer(person.0)))
            }
            Failing::Reference { person, path } => {
                let path = Value::Text((*path).to_owned());
                ("person_references", "person = ?1 AND path = ?2", (person.0, path))
            }
        }
    }
}

fn code(row: &Row<'_>, column: usize) -> Sql<Option<ErrorCode>> {
    let word: Option<String> = row.get(column)?;
    Ok(word.and_then(|word| ErrorCode::of(&word)))
}

fn failed_change(row: &Row<'_>) -> Sql<FailedChange> {
    let member: Option<String> = row.get(4)?;
    let member_name: Option<String> = row.get(5)?;
    Ok(FailedChange {
        class: word(row, 0)?,
        kind: word(row, 1)?,
        source: SourceId(row.get(2)?),
        name: row.get(3)?,
        member: member.map(|id| (SourceId(id), member_name.unwrap_or_default())),
        path: row.get(6)?,
        cause: row.get::<_, Option<String>>(7)?.map(CauseId),
        code: code(row, 8)?.unwrap_or(ErrorCode::InternalError),
        reason: row.get(9)?,
        attempts: row.get(10)?,
        first_second: row.get(11)?,
        due_second: row.get(12)?,
        held: row.get(13)?,
    })
}
