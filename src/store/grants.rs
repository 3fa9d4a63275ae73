//! Access grants: who may have one, what is taken with a user's activity, and what an undo gives back.
//!
//! A grant is a resource like others, with two things more: it stands or falls with its user (`holder`), and a user
//! has one for an account. Taking is part of the write that deactivates or deletes, so that no door can forget it.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;
use serde_json::Value;
use serde_json::json;

use super::Author;
use super::Sql;
use super::directory::note_grant;
use super::follow_ups;
use super::follow_ups::FollowUp;
use super::values;
use crate::scim::Error;
use crate::scim::ResourceId;
use crate::scim::ScimType;
use crate::scim::fold;

/// Why grants were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    Deactivated,
    Deleted,
}

impl Cause {
    pub fn word(self) -> &'static str {
        match self {
            Cause::Deactivated => "deactivated",
            Cause::Deleted => "deleted",
        }
    }
}

/// What a new grant hangs on.
pub(super) struct Bond {
    holder: i64,
    account_key: String,
}

/// Whether the grant of this body may be made: its user is there and active, and has none for the account.
pub(super) fn admit(db: &Connection, workspace: i64, body: &Value) -> Sql<Result<Bond, Error>> {
    let refused = |detail: String| Ok(Err(Error::bad(ScimType::InvalidValue, detail)));
    let id = body["user"]["value"].as_str().unwrap_or_default();
    let Some(account) = body["account"].as_str() else { return refused("account is required".to_owned()) };
    let user: Option<(i64, bool)> = db
        .prepare_cached("SELECT n, active FROM resources WHERE workspace = ?1 AND id = ?2 AND kind = 'user'")?
        .query_row(params![workspace, id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((holder, active)) = user else {
        let id: String = id.chars().take(80).collect();
        return refused(format!("user.value: no user has the id {id}"));
    };
    if !active {
        return refused("user.value: the user is inactive, and who is inactive has no grants".to_owned());
    }
    let bond = Bond { holder, account_key: fold(account) };
    Ok(if is_taken(db, &bond)? { Err(taken()) } else { Ok(bond) })
}

fn is_taken(db: &Connection, bond: &Bond) -> Sql<bool> {
    db.prepare_cached("SELECT 1 FROM resources WHERE holder = ?1 AND account_key = ?2")?
        .exists(params![bond.holder, bond.account_key])
}

fn taken() -> Error {
    let detail = "the user has a grant for this account already".to_owned();
    Error { status: 409, kind: Some(ScimType::Uniqueness), detail }
}

/// Hangs the row of a grant that was just made on its user.
pub(super) fn bind(db: &Connection, grant: i64, bond: &Bond) -> Sql<()> {
    db.prepare_cached("UPDATE resources SET holder = ?2, account_key = ?3 WHERE n = ?1")?
        .execute(params![grant, bond.holder, bond.account_key])
        .map(drop)
}

/// User and account are set once (RFC 7643 section 7, `immutable`); the same ones in another spelling stay as they are.
pub(super) fn keep_immutable(old: &Value, new: &mut Value) -> Result<(), Error> {
    let account = |body: &Value| body["account"].as_str().map(fold);
    for (name, same) in
        [("user", old["user"]["value"] == new["user"]["value"]), ("account", account(old) == account(new))]
    {
        if !same {
            let detail = format!("{name} of a grant cannot be changed; delete the grant and make another");
            return Err(Error::bad(ScimType::Mutability, detail));
        }
        new[name] = old[name].clone();
    }
    Ok(())
}

/// The user whose grants are taken.
pub(super) struct Holder<'a> {
    pub n: i64,
    pub id: &'a ResourceId,
    pub body: &'a Value,
}

/// Takes all grants of a user, remembers exactly which, and writes a follow-up for each privileged one.
pub(super) fn take(
    db: &Connection,
    workspace: i64,
    author: &Author,
    holder: &Holder<'_>,
    cause: Cause,
) -> Sql<()> {
    let grants = held(db, holder.n)?;
    if grants.is_empty() {
        return Ok(());
    }
    let now = author.now.as_millisecond();
    db.prepare_cached("INSERT INTO losses (workspace, user, cause, owner, at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![workspace, holder.id.0, cause.word(), author.owner.to_string(), now])?;
    let loss = db.last_insert_rowid();
    for grant in &grants {
        db.prepare_cached(
            "INSERT INTO lost_grants (loss, id, owner, body, version, created)
             SELECT ?1, id, owner, body, version, created FROM resources WHERE n = ?2",
        )?
        .execute(params![loss, grant.n])?;
        if grant.body["privileged"] == true {
            let data = data(holder, grant, cause);
            follow_ups::insert(db, workspace, loss, &holder.id.0, &grant.id, author.now, data)?;
        }
        note_grant(db, workspace, author, &ResourceId(grant.id.clone()), (Some(&grant.body), None))?;
    }
    db.prepare_cached("DELETE FROM resources WHERE holder = ?1")?.execute([holder.n]).map(drop)
}

struct Grant {
    n: i64,
    id: String,
    body: Value,
}

fn held(db: &Connection, holder: i64) -> Sql<Vec<Grant>> {
    let mut statement =
        db.prepare_cached("SELECT n, id, body FROM resources WHERE holder = ?1 ORDER BY n")?;
    let grants = statement.query_map([holder], |row| {
        Ok(Grant { n: row.get(0)?, id: row.get(1)?, body: values::parsed(row, 2)? })
    })?;
    grants.collect()
}

/// What the receiver of a follow-up needs to know: whose access to which account ended, and why.
fn data(holder: &Holder<'_>, grant: &Grant, cause: Cause) -> Value {
    json!({
        "cause": cause.word(),
        "user": { "id": holder.id.0, "userName": holder.body["userName"] },
        "grant": {
            "id": grant.id,
            "account": grant.body["account"],
            "displayName": grant.body["displayName"],
        },
    })
}

/// The user is active again. What was taken stays taken, unless the workspace gives it back.
pub(super) fn reactivated(
    db: &Connection,
    workspace: i64,
    author: &Author,
    holder: &Holder<'_>,
    restore: bool,
) -> Sql<()> {
    let open: Option<i64> = db
        .prepare_cached(
            "SELECT id FROM losses WHERE workspace = ?1 AND user = ?2 AND reactivated IS NULL AND undone IS NULL
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row(params![workspace, holder.id.0], |row| row.get(0))
        .optional()?;
    let Some(loss) = open else { return Ok(()) };
    db.prepare_cached("UPDATE losses SET reactivated = ?2 WHERE id = ?1")?
        .execute(params![loss, author.now.as_millisecond()])?;
    if restore {
        give_back(db, workspace, author, holder.n, loss)?;
    }
    Ok(())
}

/// What an undo did.
#[derive(Clone, Debug, Default)]
pub struct Undone {
    /// The accounts whose grants are back.
    pub given_back: Vec<String>,
    /// Accounts for which the user had been given a new grant meanwhile.
    pub there_already: Vec<String>,
    /// Follow-ups that had not gone out and never will.
    pub cancelled: Vec<FollowUp>,
    /// Follow-ups that went out, or may have: somebody may have done already what they ask for.
    pub gone_out: Vec<FollowUp>,
}

/// Gives back exactly the grants that a loss took, under their own ids, and stops what has not gone out.
pub(super) fn give_back(
    db: &Connection,
    workspace: i64,
    author: &Author,
    holder: i64,
    loss: i64,
) -> Sql<Undone> {
    let mut undone = Undone::default();
    for (id, body) in lost(db, loss)? {
        let account = body["account"].as_str().unwrap_or_default().to_owned();
        let bond = Bond { holder, account_key: fold(&account) };
        if is_taken(db, &bond)? {
            undone.there_already.push(account);
            continue;
        }
        insert_again(db, workspace, author, loss, &id, &body)?;
        bind(db, db.last_insert_rowid(), &bond)?;
        note_grant(db, workspace, author, &ResourceId(id), (None, Some(&body)))?;
        undone.given_back.push(account);
    }
    let now = author.now.as_millisecond();
    db.prepare_cached("UPDATE losses SET undone = ?2, undone_by = ?3, undone_why = ?4 WHERE id = ?1")?
        .execute(params![loss, now, author.who(), author.reason])?;
    (undone.cancelled, undone.gone_out) = follow_ups::undo(db, loss, author)?;
    Ok(undone)
}

fn lost(db: &Connection, loss: i64) -> Sql<Vec<(String, Value)>> {
    let mut statement =
        db.prepare_cached("SELECT id, body FROM lost_grants WHERE loss = ?1 ORDER BY created, id")?;
    let grants = statement.query_map([loss], |row| Ok((row.get(0)?, values::parsed(row, 1)?)))?;
    grants.collect()
}

/// The same resource as before: its id, owner and creation stay, and its version goes on.
fn insert_again(
    db: &Connection,
    workspace: i64,
    author: &Author,
    loss: i64,
    id: &str,
    body: &Value,
) -> Sql<()> {
    db.prepare_cached(
        "INSERT INTO resources (workspace, kind, id, owner, external_id, display_key, active, body, version, created,
                                modified)
         SELECT ?1, 'grant', id, owner, ?4, ?5, 1, body, version + 1, created, ?6
           FROM lost_grants WHERE loss = ?2 AND id = ?3",
    )?
    .execute(params![
        workspace,
        loss,
        id,
        body["externalId"].as_str(),
        body["displayName"].as_str().map(fold),
        author.now.as_millisecond()
    ])
    .map(drop)
}
