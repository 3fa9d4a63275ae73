//! Grants that were taken, as the commands see them: which, why, and the way back.

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;
use serde_json::Value;

use super::Author;
use super::Sql;
use super::Store;
use super::StoreError;
use super::directory::workspace;
use super::grants;
use super::grants::Cause;
use super::grants::Undone;
use super::values;
use crate::scim::ResourceId;

/// One time that somebody lost grants.
#[derive(Clone, Debug)]
pub struct Loss {
    pub cause: Cause,
    /// Who did it, as an owner is written: `job acme`, `push okta`, `local`.
    pub owner: String,
    pub at: Timestamp,
    /// When the grants were given back.
    pub undone: Option<Timestamp>,
    pub grants: Vec<LostGrant>,
}

/// A grant that was taken.
#[derive(Clone, Debug)]
pub struct LostGrant {
    pub id: String,
    /// Nothing where the person was erased.
    pub account: Option<String>,
    pub privileged: bool,
}

/// Why grants were not given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUndone {
    #[error("nothing was taken; `rosterd workspace grants` shows what there is")]
    NothingTaken,
    #[error(
        "what was taken last has been given back already; `rosterd workspace grants` shows what there is"
    )]
    Already,
    #[error("the account is inactive, and who is inactive has no grants; reactivate it first")]
    Inactive,
    #[error("the account is deleted; make it and its grants anew")]
    Deleted,
}

impl Store {
    /// What a user lost, the last time first. `None` where there is no such workspace.
    pub async fn losses(&self, workspace_name: &str, user: &ResourceId) -> Result<Vec<Loss>, StoreError> {
        let (name, user) = (workspace_name.to_owned(), user.clone());
        self.read(move |db| match workspace(db, &name)? {
            Some(workspace) => losses(db, workspace, &user),
            None => Ok(Vec::new()),
        })
        .await
    }

    /// Undoes the last loss of a user: gives back exactly the grants that it took, and cancels the follow-ups that have
    /// not gone out. Those that went out are told.
    pub async fn undo_loss(
        &self,
        workspace_name: &str,
        user: &ResourceId,
        author: Author,
    ) -> Result<Result<Undone, NotUndone>, StoreError> {
        let (name, user) = (workspace_name.to_owned(), user.clone());
        self.write(move |tx| {
            let Some(workspace) = workspace(tx, &name)? else { return Ok(Err(NotUndone::NothingTaken)) };
            match undoable(tx, workspace, &user)? {
                Ok((holder, loss)) => grants::give_back(tx, workspace, &author, holder, loss).map(Ok),
                Err(why) => Ok(Err(why)),
            }
        })
        .await
    }
}

/// The user's row and the last loss, where it can be undone.
fn undoable(db: &Connection, workspace: i64, user: &ResourceId) -> Sql<Result<(i64, i64), NotUndone>> {
    let last: Option<(i64, bool)> = db
        .prepare_cached(
            "SELECT id, undone IS NOT NULL FROM losses WHERE workspace = ?1 AND user = ?2 ORDER BY id DESC LIMIT 1",
        )?
        .query_row(params![workspace, user.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let holder: Option<(i64, bool)> = db
        .prepare_cached("SELECT n, active FROM resources WHERE workspace = ?1 AND id = ?2 AND kind = 'user'")?
        .query_row(params![workspace, user.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(match (last, holder) {
        (None, _) => Err(NotUndone::NothingTaken),
        (Some((_, true)), _) => Err(NotUndone::Already),
        (_, None) => Err(NotUndone::Deleted),
        (_, Some((_, false))) => Err(NotUndone::Inactive),
        (Some((loss, false)), Some((holder, true))) => Ok((holder, loss)),
    })
}

fn losses(db: &Connection, workspace: i64, user: &ResourceId) -> Sql<Vec<Loss>> {
    let mut statement = db.prepare_cached(
        "SELECT id, cause, owner, at, undone FROM losses WHERE workspace = ?1 AND user = ?2 ORDER BY id DESC",
    )?;
    let rows = statement.query_map(params![workspace, user.0], |row| {
        let loss = Loss {
            cause: values::word(row, 1)?,
            owner: row.get(2)?,
            at: values::millisecond(row, 3)?,
            undone: values::millisecond_or_none(row, 4)?,
            grants: Vec::new(),
        };
        Ok((row.get::<_, i64>(0)?, loss))
    })?;
    let found: Vec<(i64, Loss)> = rows.collect::<Sql<_>>()?;
    found.into_iter().map(|(id, loss)| Ok(Loss { grants: lost(db, id)?, ..loss })).collect()
}

fn lost(db: &Connection, loss: i64) -> Sql<Vec<LostGrant>> {
    let mut statement =
        db.prepare_cached("SELECT id, body FROM lost_grants WHERE loss = ?1 ORDER BY created, id")?;
    let grants = statement.query_map([loss], |row| {
        let body: Value = values::parsed(row, 1)?;
        let account = body["account"].as_str().map(str::to_owned);
        Ok(LostGrant { id: row.get(0)?, account, privileged: body["privileged"] == true })
    })?;
    grants.collect()
}
