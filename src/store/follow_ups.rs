//! Follow-ups: what somebody has to do because access was taken, kept until it is acknowledged.
//!
//! | state | means | then |
//! |---|---|---|
//! | waiting | not delivered, or to be delivered again | `sent`, `acknowledged`, `cancelled` |
//! | sent | the receiver took it | `acknowledged`, `cancelled`; `waiting` again where somebody asks for it |
//! | acknowledged | done | |
//! | cancelled | not to be done | `waiting` again where somebody asks for it |

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::Author;
use super::Sql;
use super::Store;
use super::StoreError;
use super::directory::workspace;
use super::values;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FollowUpState {
    Waiting,
    Sent,
    Acknowledged,
    Cancelled,
}

impl FollowUpState {
    pub fn word(self) -> &'static str {
        match self {
            FollowUpState::Waiting => "waiting",
            FollowUpState::Sent => "sent",
            FollowUpState::Acknowledged => "acknowledged",
            FollowUpState::Cancelled => "cancelled",
        }
    }
}

/// One follow-up. `Debug` shows no values (P11).
#[derive(Clone, PartialEq)]
pub struct FollowUp {
    /// Where a list goes on.
    pub n: i64,
    /// The `webhook-id` of every delivery.
    pub id: String,
    /// The id of the user who lost access.
    pub user: String,
    pub state: FollowUpState,
    /// What the webhook says.
    pub body: Value,
    pub created: Timestamp,
    /// The next attempt comes not before this, nor before the delay of the settings.
    pub due: Timestamp,
    /// Somebody asked for it: the delay does not count.
    pub at_once: bool,
    /// Begun, whatever became of them.
    pub attempts: u32,
    pub failure: Option<String>,
    pub delivered: Option<Timestamp>,
    /// When it was acknowledged or cancelled, by whom, and why.
    pub ended: Option<Timestamp>,
    pub by: Option<String>,
    pub reason: Option<String>,
}

impl std::fmt::Debug for FollowUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} after {} attempts", self.id, self.state.word(), self.attempts)
    }
}

/// When a follow-up goes out, as the settings say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// So long after the loss, so that an undo can come before it.
    pub delay: Duration,
    /// The wait after the first attempt that failed; it doubles.
    pub retry: Duration,
    /// The longest wait between two attempts.
    pub retry_max: Duration,
}

/// How a delivery went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Taken and done, by the receiver's own words.
    Acknowledged,
    /// Taken.
    Taken,
    /// Not taken, as far as we know: why, and when it is tried again.
    Failed { why: String, due: Timestamp },
}

/// What a person decides about a follow-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowUpAct {
    /// It is done.
    Acknowledge,
    /// It is not to be done.
    Cancel,
    /// It goes out now, once more where it went out before.
    Resend,
}

/// Why a decision changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDecided {
    #[error("there is no such follow-up; `rosterd workspace follow-ups` lists them")]
    Unknown,
    #[error("the follow-up is {} already; nothing is left to do", .0.word())]
    Already(FollowUpState),
}

/// How the follow-ups of a workspace stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowUpCounts {
    pub waiting: u64,
    pub sent: u64,
    /// Of both: neither acknowledged nor cancelled for too long.
    pub overdue: u64,
}

const SELECT: &str =
    "SELECT n, id, user, state, body, created, due, at_once, attempts, failure, delivered, ended, by, reason
    FROM follow_ups";

/// Writes the follow-up of a privileged grant that was lost. Its id is made of both, so that it is the same whoever
/// asks, and no other state file has it.
pub(super) fn insert(
    db: &Connection,
    workspace: i64,
    loss: i64,
    user: &str,
    grant: &str,
    now: Timestamp,
    data: Value,
) -> Sql<()> {
    let id = format!("rotate_{loss}_{grant}");
    let name: String = db
        .prepare_cached("SELECT name FROM workspaces WHERE id = ?1")?
        .query_row([workspace], |row| row.get(0))?;
    let mut body = json!({ "type": "follow_up.rotate_password", "timestamp": now.to_string(), "data": data });
    body["data"]["followUp"] = json!(id);
    body["data"]["workspace"] = json!(name);
    db.prepare_cached(
        "INSERT INTO follow_ups (id, workspace, loss, user, body, state, created, due)
         VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', ?6, ?6)",
    )?
    .execute(params![id, workspace, loss, user, body.to_string(), now.as_millisecond()])
    .map(drop)
}

/// The loss is undone: what waits is cancelled. Returns those that never began to go out, and all others that were not
/// cancelled before.
pub(super) fn undo(db: &Connection, loss: i64, author: &Author) -> Sql<(Vec<FollowUp>, Vec<FollowUp>)> {
    let mut statement =
        db.prepare_cached(&format!("{SELECT} WHERE loss = ?1 AND state <> 'cancelled' ORDER BY n"))?;
    let open: Vec<FollowUp> = statement.query_map([loss], follow_up)?.collect::<Sql<_>>()?;
    db.prepare_cached(
        "UPDATE follow_ups SET state = 'cancelled', ended = ?2, by = ?3, reason = 'the grants were given back'
          WHERE loss = ?1 AND state = 'waiting'",
    )?
    .execute(params![loss, author.now.as_millisecond(), author.who()])?;
    Ok(open.into_iter().partition(|one| one.state == FollowUpState::Waiting && one.attempts == 0))
}

impl Store {
    /// The follow-ups of a workspace after the one with the number `after`, oldest first, `limit` at most.
    pub async fn follow_ups(
        &self,
        workspace_name: &str,
        state: Option<FollowUpState>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<FollowUp>, StoreError> {
        let name = workspace_name.to_owned();
        self.read(move |db| {
            let Some(workspace) = workspace(db, &name)? else { return Ok(Vec::new()) };
            let sql = format!(
                "{SELECT} WHERE workspace = ?1 AND n > ?2 AND (?3 IS NULL OR state = ?3) ORDER BY n LIMIT ?4"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let with = params![workspace, after, state.map(FollowUpState::word), limit as i64];
            let found = statement.query_map(with, follow_up)?;
            found.collect()
        })
        .await
    }

    /// The number of the follow-up that is due, the one that waited longest first.
    pub async fn due_follow_up(
        &self,
        workspace_name: &str,
        rhythm: Rhythm,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let name = workspace_name.to_owned();
        self.read(move |db| {
            let Some(workspace) = workspace(db, &name)? else { return Ok(None) };
            let now = now.as_millisecond();
            // Times that are ahead of us by more than the settings can explain were written by a clock that was set
            // back since; such a follow-up is due, or nobody would ever hear of it.
            db.prepare_cached(
                "SELECT n FROM follow_ups
                  WHERE workspace = ?1 AND state = 'waiting' AND due NOT BETWEEN ?2 + 1 AND ?2 + ?4
                    AND (at_once OR attempts > 0 OR created NOT BETWEEN ?2 - ?3 + 1 AND ?2)
                  ORDER BY due, n LIMIT 1",
            )?
            .query_row(params![workspace, now, millis(rhythm.delay), millis(rhythm.retry_max)], |row| {
                row.get(0)
            })
            .optional()
        })
        .await
    }

    /// Notes that a delivery begins, before anything is sent: whoever stops us now, the attempt is known, and the next
    /// one comes at `again`. `None` where it does not wait any more.
    pub async fn begin_delivery(&self, n: i64, again: Timestamp) -> Result<Option<FollowUp>, StoreError> {
        self.write(move |tx| {
            let begun = tx
                .prepare_cached(
                    "UPDATE follow_ups SET attempts = attempts + 1, due = ?2 WHERE n = ?1 AND state = 'waiting'",
                )?
                .execute(params![n, again.as_millisecond()])?;
            if begun == 0 {
                return Ok(None);
            }
            tx.prepare_cached(&format!("{SELECT} WHERE n = ?1"))?.query_row([n], follow_up).optional()
        })
        .await
    }

    /// Notes how a delivery went. What a person decided meanwhile stands.
    pub async fn end_delivery(&self, n: i64, delivery: Delivery, now: Timestamp) -> Result<(), StoreError> {
        let now = now.as_millisecond();
        self.write(move |tx| {
            match &delivery {
                Delivery::Acknowledged => tx.execute(
                    "UPDATE follow_ups SET state = 'acknowledged', delivered = ?2, ended = ?2, by = 'receiver',
                            reason = NULL, failure = NULL WHERE n = ?1 AND state <> 'acknowledged'",
                    params![n, now],
                ),
                Delivery::Taken => tx.execute(
                    "UPDATE follow_ups SET delivered = ?2, failure = NULL,
                            state = CASE state WHEN 'waiting' THEN 'sent' ELSE state END WHERE n = ?1",
                    params![n, now],
                ),
                Delivery::Failed { why, due } => tx.execute(
                    "UPDATE follow_ups SET failure = ?2, due = ?3 WHERE n = ?1 AND state = 'waiting'",
                    params![n, why, due.as_millisecond()],
                ),
            }
            .map(drop)
        })
        .await
    }

    /// Carries a person's decision out.
    pub async fn decide_follow_up(
        &self,
        workspace_name: &str,
        id: &str,
        act: FollowUpAct,
        author: Author,
    ) -> Result<Result<(), NotDecided>, StoreError> {
        let (name, id) = (workspace_name.to_owned(), id.to_owned());
        self.write(move |tx| {
            let Some(workspace) = workspace(tx, &name)? else { return Ok(Err(NotDecided::Unknown)) };
            let found: Option<FollowUp> = tx
                .prepare_cached(&format!("{SELECT} WHERE workspace = ?1 AND id = ?2"))?
                .query_row(params![workspace, id], follow_up)
                .optional()?;
            match found.map(|found| (found.n, found.state)) {
                None => Ok(Err(NotDecided::Unknown)),
                Some((n, state)) if may(act, state) => decide(tx, n, act, &author).map(Ok),
                Some((_, state)) => Ok(Err(NotDecided::Already(state))),
            }
        })
        .await
    }

    /// How the follow-ups of a workspace stand; overdue is what is open so long after it was to go out.
    pub async fn follow_up_counts(
        &self,
        workspace_name: &str,
        overdue_after: Duration,
        now: Timestamp,
    ) -> Result<FollowUpCounts, StoreError> {
        let name = workspace_name.to_owned();
        self.read(move |db| {
            let Some(workspace) = workspace(db, &name)? else { return Ok(FollowUpCounts::default()) };
            let since = now.as_millisecond().saturating_sub(millis(overdue_after));
            let counts = db
                .prepare_cached(
                    "SELECT coalesce(sum(state = 'waiting'), 0), coalesce(sum(state = 'sent'), 0),
                            coalesce(sum(created <= ?2), 0)
                       FROM follow_ups WHERE workspace = ?1 AND state IN ('waiting', 'sent')",
                )?
                .query_row(params![workspace, since], |row| {
                    Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?].map(i64::unsigned_abs))
                })?;
            let [waiting, sent, overdue] = counts;
            Ok(FollowUpCounts { waiting, sent, overdue })
        })
        .await
    }
}

/// | act | waiting | sent | acknowledged | cancelled |
/// |---|---|---|---|---|
/// | acknowledge | yes | yes | - | - |
/// | cancel | yes | yes | - | - |
/// | resend | yes | yes | - | yes |
fn may(act: FollowUpAct, state: FollowUpState) -> bool {
    match state {
        FollowUpState::Waiting | FollowUpState::Sent => true,
        FollowUpState::Cancelled => act == FollowUpAct::Resend,
        FollowUpState::Acknowledged => false,
    }
}

fn decide(db: &Connection, n: i64, act: FollowUpAct, author: &Author) -> Sql<()> {
    let now = author.now.as_millisecond();
    let ended = "UPDATE follow_ups SET state = ?2, ended = ?3, by = ?4, reason = ?5 WHERE n = ?1";
    let end = |state: FollowUpState| {
        db.prepare_cached(ended)?
            .execute(params![n, state.word(), now, author.who(), author.reason])
            .map(drop)
    };
    match act {
        FollowUpAct::Acknowledge => end(FollowUpState::Acknowledged),
        FollowUpAct::Cancel => end(FollowUpState::Cancelled),
        FollowUpAct::Resend => db
            .prepare_cached(
                "UPDATE follow_ups SET state = 'waiting', due = ?2, at_once = 1, ended = NULL, by = ?3, reason = ?4
                  WHERE n = ?1",
            )?
            .execute(params![n, now, author.who(), author.reason])
            .map(drop),
    }
}

fn follow_up(row: &Row<'_>) -> Sql<FollowUp> {
    Ok(FollowUp {
        n: row.get(0)?,
        id: row.get(1)?,
        user: row.get(2)?,
        state: values::word(row, 3)?,
        body: values::parsed(row, 4)?,
        created: values::millisecond(row, 5)?,
        due: values::millisecond(row, 6)?,
        at_once: row.get(7)?,
        attempts: row.get(8)?,
        failure: row.get(9)?,
        delivered: values::millisecond_or_none(row, 10)?,
        ended: values::millisecond_or_none(row, 11)?,
        by: row.get(12)?,
        reason: row.get(13)?,
    })
}

/// Far beyond any setting, and still no overflow.
fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
