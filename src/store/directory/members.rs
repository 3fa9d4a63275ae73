//! Memberships: edges between rows. An edit costs what it names, not what the team holds.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;
use serde_json::json;

use crate::scim::Dialect;
use crate::scim::Error;
use crate::scim::Filter;
use crate::scim::MembersEdit;
use crate::scim::Related;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::ScimType;
use crate::scim::type_name;
use crate::store::Sql;
use crate::store::values;

/// What an edit did.
#[derive(Clone, Default)]
pub(super) struct Edited {
    /// Who was not in the team before.
    pub added: Vec<ResourceId>,
    /// Who is not any more.
    pub removed: Vec<ResourceId>,
    /// Named, but nobody has the id.
    pub skipped: u64,
}

impl Edited {
    pub fn changed(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty()
    }
}

/// The members of a team.
pub(super) fn of_team(db: &Connection, team: i64) -> Sql<Vec<Related>> {
    related(db, "members.team = ?1 AND resources.n = members.member", team)
}

/// The teams of a resource.
pub(super) fn teams_of(db: &Connection, member: i64) -> Sql<Vec<Related>> {
    related(db, "members.member = ?1 AND resources.n = members.team", member)
}

fn related(db: &Connection, join: &str, n: i64) -> Sql<Vec<Related>> {
    let sql = format!(
        "SELECT resources.id, resources.kind,
           coalesce(json_extract(body, '$.displayName'), json_extract(body, '$.userName'))
         FROM members JOIN resources ON {join} ORDER BY resources.n"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([n], |row| {
        Ok(Related { id: ResourceId(row.get(0)?), kind: values::word(row, 1)?, display: row.get(2)? })
    })?;
    rows.collect()
}

/// Carries the edits out, in order. A member that does not exist is refused or, for a tolerant client, skipped.
pub(super) fn edit(
    db: &Connection,
    workspace: i64,
    team: i64,
    edits: &[MembersEdit],
    dialect: Dialect,
) -> Sql<Result<Edited, Error>> {
    let mut total = Edited::default();
    for edit in edits {
        match one(db, workspace, team, edit, dialect)? {
            Ok(done) => {
                total.added.extend(done.added);
                total.removed.extend(done.removed);
                total.skipped += done.skipped;
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(total))
}

fn one(
    db: &Connection,
    workspace: i64,
    team: i64,
    edit: &MembersEdit,
    dialect: Dialect,
) -> Sql<Result<Edited, Error>> {
    match edit {
        MembersEdit::Add(ids) => add(db, workspace, team, ids, dialect),
        MembersEdit::Remove(ids) => remove(db, workspace, team, ids).map(Ok),
        MembersEdit::RemoveWhere(filter) => remove_where(db, workspace, team, filter).map(Ok),
        MembersEdit::Replace(ids) => replace(db, workspace, team, ids, dialect),
    }
}

fn add(
    db: &Connection,
    workspace: i64,
    team: i64,
    ids: &[ResourceId],
    dialect: Dialect,
) -> Sql<Result<Edited, Error>> {
    let mut edited = Edited::default();
    let mut insert = db.prepare_cached("INSERT OR IGNORE INTO members (team, member) VALUES (?1, ?2)")?;
    for id in ids {
        match find(db, workspace, id)? {
            Some((member, _)) if insert.execute(params![team, member])? > 0 => edited.added.push(id.clone()),
            Some(_) => {}
            None if dialect == Dialect::Tolerant => edited.skipped += 1,
            None => return Ok(Err(unknown(id))),
        }
    }
    Ok(Ok(edited))
}

/// To remove who is not there changes nothing.
fn remove(db: &Connection, workspace: i64, team: i64, ids: &[ResourceId]) -> Sql<Edited> {
    let mut edited = Edited::default();
    let mut delete = db.prepare_cached("DELETE FROM members WHERE team = ?1 AND member = ?2")?;
    for id in ids {
        if let Some((member, _)) = find(db, workspace, id)?
            && delete.execute(params![team, member])? > 0
        {
            edited.removed.push(id.clone());
        }
    }
    Ok(edited)
}

fn remove_where(db: &Connection, workspace: i64, team: i64, filter: &Filter) -> Sql<Edited> {
    let matches = |member: &Related| {
        filter.matches_element(&json!({
            "value": member.id.0, "type": type_name(member.kind), "display": member.display,
        }))
    };
    let leaving: Vec<ResourceId> =
        of_team(db, team)?.into_iter().filter(matches).map(|member| member.id).collect();
    remove(db, workspace, team, &leaving)
}

fn replace(
    db: &Connection,
    workspace: i64,
    team: i64,
    ids: &[ResourceId],
    dialect: Dialect,
) -> Sql<Result<Edited, Error>> {
    let mut edited = match add(db, workspace, team, ids, dialect)? {
        Ok(edited) => edited,
        Err(error) => return Ok(Err(error)),
    };
    let mut staying = BTreeSet::new();
    for id in ids {
        staying.extend(find(db, workspace, id)?.map(|(member, _)| member));
    }
    let mut statement =
        db.prepare_cached("SELECT n, id FROM members JOIN resources ON n = member WHERE team = ?1")?;
    let now = statement.query_map([team], |row| Ok((row.get(0)?, ResourceId(row.get(1)?))))?;
    let now: Vec<(i64, ResourceId)> = now.collect::<Sql<_>>()?;
    let mut delete = db.prepare_cached("DELETE FROM members WHERE team = ?1 AND member = ?2")?;
    for (member, id) in now.into_iter().filter(|(member, _)| !staying.contains(member)) {
        delete.execute(params![team, member])?;
        edited.removed.push(id);
    }
    Ok(Ok(edited))
}

fn find(db: &Connection, workspace: i64, id: &ResourceId) -> Sql<Option<(i64, ResourceType)>> {
    db.prepare_cached("SELECT n, kind FROM resources WHERE workspace = ?1 AND id = ?2")?
        .query_row(params![workspace, id.0], |row| Ok((row.get(0)?, values::word(row, 1)?)))
        .optional()
}

fn unknown(id: &ResourceId) -> Error {
    let id: String = id.0.chars().take(80).collect();
    Error::bad(ScimType::InvalidValue, format!("members: no user or group has the id {id}"))
}
