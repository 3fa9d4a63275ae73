//! One row of a workspace: reading, inserting, updating, deleting, with the keys that it is found by.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;
use rusqlite::types::Type;
use serde_json::Value;

use super::Author;
use super::Owner;
use super::Resource;
use super::owner::NoOwner;
use crate::scim::Meta;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::fold;
use crate::store::Sql;
use crate::store::values;

/// A resource with its row number.
pub(super) struct Kept {
    pub n: i64,
    pub resource: Resource,
}

/// The columns that `kept` reads, in its order.
pub(super) const COLUMNS: &str = "n, kind, id, owner, body, version, created, modified";

/// The number of a workspace, where it exists.
pub(in crate::store) fn workspace(db: &Connection, name: &str) -> Sql<Option<i64>> {
    db.prepare_cached("SELECT id FROM workspaces WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// The number of a workspace, which is made where it does not exist.
pub(in crate::store) fn ensure_workspace(db: &Connection, name: &str) -> Sql<i64> {
    if let Some(known) = workspace(db, name)? {
        return Ok(known);
    }
    db.execute("INSERT INTO workspaces (name) VALUES (?1)", [name])?;
    Ok(db.last_insert_rowid())
}

pub(super) fn by_id(
    db: &Connection,
    workspace: i64,
    kind: ResourceType,
    id: &ResourceId,
) -> Sql<Option<Kept>> {
    let sql = format!("SELECT {COLUMNS} FROM resources WHERE workspace = ?1 AND id = ?2 AND kind = ?3");
    db.prepare_cached(&sql)?.query_row(params![workspace, id.0, kind.word()], kept).optional()
}

pub(super) fn by_number(db: &Connection, n: i64) -> Sql<Kept> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM resources WHERE n = ?1"))?.query_row([n], kept)
}

/// Reads a row of `COLUMNS`.
pub(super) fn kept(row: &Row<'_>) -> Sql<Kept> {
    let meta = Meta {
        kind: values::word(row, 1)?,
        id: ResourceId(row.get(2)?),
        version: count(row, 5)?,
        created: values::millisecond(row, 6)?,
        modified: values::millisecond(row, 7)?,
    };
    let resource =
        Resource { meta, owner: owner(row, 3)?, body: values::parsed(row, 4)?, related: Vec::new() };
    Ok(Kept { n: row.get(0)?, resource })
}

fn owner(row: &Row<'_>, column: usize) -> Sql<Owner> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error: NoOwner| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// SQLite's integers are signed; ours here never are.
pub(super) fn count(row: &Row<'_>, column: usize) -> Sql<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// Whether another user of the workspace has this userName.
pub(super) fn user_key_taken(db: &Connection, workspace: i64, body: &Value, but: Option<i64>) -> Sql<bool> {
    let Some(key) = folded(body, "userName") else { return Ok(false) };
    db.prepare_cached("SELECT 1 FROM resources WHERE workspace = ?1 AND user_key = ?2 AND n IS NOT ?3")?
        .exists(params![workspace, key, but])
}

/// Whether a resource that is gone had this id: ids are never used again.
pub(super) fn is_spent(db: &Connection, workspace: i64, id: &ResourceId) -> Sql<bool> {
    db.prepare_cached("SELECT 1 FROM tombstones WHERE workspace = ?1 AND id = ?2")?
        .exists(params![workspace, id.0])
}

pub(super) fn insert(
    db: &Connection,
    workspace: i64,
    author: &Author,
    kind: ResourceType,
    id: ResourceId,
    body: Value,
) -> Sql<Kept> {
    let now = author.now.as_millisecond();
    let keys = Keys::of(kind, &body);
    db.prepare_cached(
        "INSERT INTO resources
           (workspace, kind, id, owner, external_id, user_key, display_key, active, body, version, created, modified)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?10)",
    )?
    .execute(params![
        workspace,
        kind.word(),
        id.0,
        author.owner.to_string(),
        keys.external_id,
        keys.user,
        keys.display,
        keys.active,
        body.to_string(),
        now
    ])?;
    let n = db.last_insert_rowid();
    write_emails(db, n, &body)?;
    let meta = Meta { kind, id, version: 1, created: author.now, modified: author.now };
    let resource = Resource { meta, owner: author.owner.clone(), body, related: Vec::new() };
    Ok(Kept { n, resource })
}

/// Writes the new body, and counts a version.
pub(super) fn update(db: &Connection, author: &Author, old: &Kept, body: &Value) -> Sql<Kept> {
    let keys = Keys::of(old.resource.meta.kind, body);
    db.prepare_cached(
        "UPDATE resources SET external_id = ?2, user_key = ?3, display_key = ?4, active = ?5, body = ?6,
           version = version + 1, modified = ?7 WHERE n = ?1",
    )?
    .execute(params![
        old.n,
        keys.external_id,
        keys.user,
        keys.display,
        keys.active,
        body.to_string(),
        author.now.as_millisecond()
    ])?;
    if old.resource.body.get("emails") != body.get("emails") {
        db.prepare_cached("DELETE FROM emails WHERE resource = ?1")?.execute([old.n])?;
        write_emails(db, old.n, body)?;
    }
    by_number(db, old.n)
}

/// Memberships and e-mails go with it; a trigger of the schema buries the id.
pub(super) fn delete(db: &Connection, n: i64) -> Sql<()> {
    db.prepare_cached("DELETE FROM resources WHERE n = ?1")?.execute([n]).map(drop)
}

struct Keys {
    external_id: Option<String>,
    user: Option<String>,
    display: Option<String>,
    active: bool,
}

impl Keys {
    fn of(kind: ResourceType, body: &Value) -> Keys {
        Keys {
            external_id: body["externalId"].as_str().map(str::to_owned),
            user: folded(body, "userName").filter(|_| kind == ResourceType::User),
            display: folded(body, "displayName"),
            active: is_active(body),
        }
    }
}

/// `false` only where it says so.
pub(super) fn is_active(body: &Value) -> bool {
    body["active"] != false
}

fn folded(body: &Value, name: &str) -> Option<String> {
    body[name].as_str().map(fold)
}

fn write_emails(db: &Connection, n: i64, body: &Value) -> Sql<()> {
    let Some(emails) = body["emails"].as_array() else { return Ok(()) };
    let mut statement = db.prepare_cached(
        "INSERT OR IGNORE INTO emails (workspace, key, resource) SELECT workspace, ?1, n FROM resources WHERE n = ?2",
    )?;
    for value in emails.iter().filter_map(|email| email["value"].as_str()) {
        statement.execute(params![fold(value), n])?;
    }
    Ok(())
}
