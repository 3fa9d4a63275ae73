//! What people decide: kept for the job, and in the provisioning log with who and why, sealed like every write.

use rusqlite::Transaction;
use rusqlite::params;

use super::EntryId;
use super::JobId;
use super::Sql;
use super::chain;
use super::chain::Part;
use super::settings;

/// One decision of a person about a job, or about what waits in it.
pub(super) struct Decision<'a> {
    /// `mode write`, `approve cc330599: 18 changes`, `link set u1 r7`.
    pub what: &'a str,
    pub who: &'a str,
    pub reason: &'a str,
    pub now_second: i64,
}

/// Records it in the transaction that carries it out. It is no change, so the limits do not count it (`approved`).
pub(super) fn decided(tx: &Transaction<'_>, job: JobId, decision: &Decision<'_>) -> Sql<()> {
    let Decision { what, who, reason, now_second } = decision;
    tx.prepare_cached("INSERT INTO decisions(job, what, who, reason, at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![job.0, what, who, reason, now_second])?;
    tx.prepare_cached(
        "INSERT INTO journal (job, owner, by, kind, name, class, cause, approved, edits, at, outcome, ended,
                              settings, salt)
         VALUES (?1, 'local', ?2, 'job', ?3, 'decide', nullif(?4, ''), 1, '[]', ?5, 'done', ?5, ?6, randomblob(16))",
    )?
    .execute(params![job.0, who, what, reason, now_second, settings::current(tx, *now_second)?])?;
    chain::append(tx, EntryId(tx.last_insert_rowid()), Part::Whole)
}

/// Records a decision that belongs to no job: about a token of a workspace.
pub(super) fn decided_of_token(
    tx: &Transaction<'_>,
    workspace: i64,
    token: &str,
    decision: &Decision<'_>,
) -> Sql<()> {
    let Decision { what, who, reason, now_second } = decision;
    tx.prepare_cached(
        "INSERT INTO journal (workspace, owner, by, resource, kind, name, class, cause, approved, edits, at, outcome, ended,
                              settings, salt)
         VALUES (?1, 'local', ?2, ?3, 'token', ?4, 'decide', nullif(?5, ''), 1, '[]', ?6, 'done', ?6, ?7, randomblob(16))",
    )?
    .execute(params![workspace, who, token, what, reason, now_second, settings::current(tx, *now_second)?])?;
    chain::append(tx, EntryId(tx.last_insert_rowid()), Part::Whole)
}
