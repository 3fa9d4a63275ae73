//! Lists: by an index where the filter allows it, else by a scan that keeps one page in memory.

use rusqlite::Connection;
use rusqlite::params;
use serde_json::Value;

use super::Counts;
use super::ListQuery;
use super::Listing;
use super::Resource;
use super::members;
use super::rows;
use super::rows::COLUMNS;
use super::rows::Kept;
use crate::scim::Compare;
use crate::scim::Filter;
use crate::scim::Path;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::fold;
use crate::scim::related;
use crate::scim::related_name;
use crate::store::Sql;

/// One resource by id.
pub(super) fn by_id(
    db: &Connection,
    workspace: i64,
    kind: ResourceType,
    id: &ResourceId,
    with_related: bool,
) -> Sql<Option<Resource>> {
    match rows::by_id(db, workspace, kind, id)? {
        Some(kept) => finished(db, kept, with_related).map(Some),
        None => Ok(None),
    }
}

/// One page of a list.
pub(super) fn page(db: &Connection, workspace: i64, query: &ListQuery) -> Sql<Listing> {
    let Some(filter) = &query.filter else { return plain_page(db, workspace, query) };
    let mut collected = Collected { db, workspace, query, filter, total: 0, resources: Vec::new() };
    match candidates(db, workspace, query.kind, filter)? {
        Some(numbers) => {
            for n in numbers {
                collected.look_at(rows::by_number(db, n)?)?;
            }
        }
        None => {
            let sql =
                format!("SELECT {COLUMNS} FROM resources WHERE workspace = ?1 AND kind = ?2 ORDER BY n");
            let mut statement = db.prepare_cached(&sql)?;
            let mut scan = statement.query(params![workspace, query.kind.word()])?;
            while let Some(row) = scan.next()? {
                collected.look_at(rows::kept(row)?)?;
            }
        }
    }
    Ok(Listing { total: collected.total, resources: collected.resources })
}

fn plain_page(db: &Connection, workspace: i64, query: &ListQuery) -> Sql<Listing> {
    let kind = query.kind.word();
    let total = db
        .prepare_cached("SELECT count(*) FROM resources WHERE workspace = ?1 AND kind = ?2")?
        .query_row(params![workspace, kind], |row| rows::count(row, 0))?;
    let sql = format!("{} LIMIT ?3 OFFSET ?4", in_order());
    let (count, skip) = (bounded(query.count), bounded(query.start.saturating_sub(1)));
    let mut statement = db.prepare_cached(&sql)?;
    let kept: Vec<Kept> =
        statement.query_map(params![workspace, kind, count, skip], rows::kept)?.collect::<Sql<_>>()?;
    let resources = kept.into_iter().map(|kept| finished(db, kept, query.related)).collect::<Sql<_>>()?;
    Ok(Listing { total, resources })
}

fn in_order() -> String {
    format!("SELECT {COLUMNS} FROM resources WHERE workspace = ?1 AND kind = ?2 ORDER BY n")
}

fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn finished(db: &Connection, kept: Kept, with_related: bool) -> Sql<Resource> {
    let mut resource = kept.resource;
    if with_related {
        resource.related = match resource.meta.kind {
            ResourceType::Group => members::of_team(db, kept.n)?,
            ResourceType::User => members::teams_of(db, kept.n)?,
            ResourceType::Grant => Vec::new(),
        };
    }
    Ok(resource)
}

/// What a filtered list has found so far.
struct Collected<'a> {
    db: &'a Connection,
    workspace: i64,
    query: &'a ListQuery,
    filter: &'a Filter,
    total: u64,
    resources: Vec<Resource>,
}

impl Collected<'_> {
    fn look_at(&mut self, kept: Kept) -> Sql<()> {
        if !self.admits(&kept)? {
            return Ok(());
        }
        self.total += 1;
        let room = (self.resources.len() as u64) < self.query.count;
        if self.total >= self.query.start && room {
            self.resources.push(finished(self.db, kept, self.query.related)?);
        }
        Ok(())
    }

    fn admits(&self, kept: &Kept) -> Sql<bool> {
        let meta = &kept.resource.meta;
        if meta.kind != self.query.kind {
            return Ok(false);
        }
        let mut body = meta.dress(kept.resource.body.clone(), "");
        let name = related_name(meta.kind).unwrap_or_default();
        let related_to = match (needed(self.filter, name), meta.kind) {
            (Needed::Nothing, _) | (_, ResourceType::Grant) => Vec::new(),
            (Needed::Only(ids), ResourceType::Group) => {
                members::among(self.db, self.workspace, kept.n, &ids)?
            }
            (Needed::All, ResourceType::Group) => members::of_team(self.db, kept.n)?,
            (_, ResourceType::User) => members::teams_of(self.db, kept.n)?,
        };
        if !related_to.is_empty() {
            body[name] = related(meta.kind, &related_to, "");
        }
        Ok(self.filter.matches(&body))
    }
}

/// What a filter needs to know of the members of a team, or the teams of a user.
enum Needed {
    Nothing,
    /// Whether these are among them.
    Only(Vec<String>),
    All,
}

/// `members eq "id"` must not read a hundred thousand rows; anything cleverer may.
fn needed(filter: &Filter, name: &str) -> Needed {
    let mut needed = Needed::Nothing;
    filter.each_term(&mut |term| {
        let (Filter::Compare { path, .. } | Filter::Present(path)) = term else { return };
        if path.urn.is_some() || path.name != name {
            return;
        }
        let plain = matches!(path.sub.as_deref(), None | Some("value")) && path.select.is_none();
        needed = match (std::mem::replace(&mut needed, Needed::All), term) {
            (Needed::Nothing, Filter::Compare { op: Compare::Eq, value: Value::String(id), .. }) if plain => {
                Needed::Only(vec![id.clone()])
            }
            (Needed::Only(mut ids), Filter::Compare { op: Compare::Eq, value: Value::String(id), .. })
                if plain =>
            {
                ids.push(id.clone());
                Needed::Only(ids)
            }
            _ => Needed::All,
        };
    });
    needed
}

/// The rows that can match at all, where a term that must hold has an index; sorted.
fn candidates(db: &Connection, workspace: i64, kind: ResourceType, filter: &Filter) -> Sql<Option<Vec<i64>>> {
    let Some((index, value)) = filter.terms().iter().find_map(|term| indexed(kind, term)) else {
        return Ok(None);
    };
    let key = if index.is_folded() { fold(value) } else { value.to_owned() };
    let mut statement = db.prepare_cached(index.sql())?;
    let mut numbers: Vec<i64> =
        statement.query_map(params![workspace, key], |row| row.get(0))?.collect::<Sql<_>>()?;
    numbers.sort_unstable();
    Ok(Some(numbers))
}

#[derive(Clone, Copy)]
enum Index {
    Id,
    ExternalId,
    UserName,
    DisplayName,
    Email,
    Member,
    Team,
}

impl Index {
    fn is_folded(self) -> bool {
        matches!(self, Index::UserName | Index::DisplayName | Index::Email)
    }

    fn sql(self) -> &'static str {
        match self {
            Index::Id => "SELECT n FROM resources WHERE workspace = ?1 AND id = ?2",
            Index::ExternalId => "SELECT n FROM resources WHERE workspace = ?1 AND external_id = ?2",
            Index::UserName => "SELECT n FROM resources WHERE workspace = ?1 AND user_key = ?2",
            Index::DisplayName => "SELECT n FROM resources WHERE workspace = ?1 AND display_key = ?2",
            Index::Email => "SELECT resource FROM emails WHERE workspace = ?1 AND key = ?2",
            Index::Member => {
                "SELECT team FROM resources JOIN members ON member = n WHERE workspace = ?1 AND id = ?2"
            }
            Index::Team => {
                "SELECT member FROM resources JOIN members ON team = n WHERE workspace = ?1 AND id = ?2"
            }
        }
    }
}

/// The index that answers a term, and the value to look for.
fn indexed(kind: ResourceType, term: &Filter) -> Option<(Index, &str)> {
    if let Filter::Present(Path { urn: None, name, select: Some(select), .. }) = term {
        let value = select.terms().iter().find_map(|term| match term {
            Filter::Compare { path, op: Compare::Eq, value: Value::String(value) }
                if path.sub.as_deref() == Some("value") =>
            {
                Some(value.as_str())
            }
            _ => None,
        });
        return value.filter(|_| name == "emails").map(|value| (Index::Email, value));
    }
    let Filter::Compare { path, op: Compare::Eq, value: Value::String(value) } = term else { return None };
    let Path { urn: None, name, select, sub } = path else { return None };
    let index = match (name.as_str(), sub.as_deref(), select.is_some(), kind) {
        ("id", None, false, _) => Index::Id,
        ("externalId", None, false, _) => Index::ExternalId,
        ("userName", None, false, ResourceType::User) => Index::UserName,
        ("displayName", None, false, _) => Index::DisplayName,
        ("emails", None | Some("value"), _, ResourceType::User) => Index::Email,
        ("members", None | Some("value"), false, ResourceType::Group) => Index::Member,
        ("groups", None | Some("value"), false, ResourceType::User) => Index::Team,
        _ => return None,
    };
    Some((index, value))
}

/// How much a workspace holds.
pub(super) fn counts(db: &Connection, workspace: i64) -> Sql<Counts> {
    let one = |sql: &str| db.prepare_cached(sql)?.query_row([workspace], |row| rows::count(row, 0));
    let users: u64 = one("SELECT count(*) FROM resources WHERE workspace = ?1 AND kind = 'user'")?;
    let inactive: u64 =
        one("SELECT count(*) FROM resources WHERE workspace = ?1 AND kind = 'user' AND active = 0")?;
    Ok(Counts {
        users,
        active_users: users.saturating_sub(inactive),
        teams: one("SELECT count(*) FROM resources WHERE workspace = ?1 AND kind = 'group'")?,
        memberships: one("SELECT count(*) FROM members JOIN resources ON n = team WHERE workspace = ?1")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How SQLite would run it, one line a step.
    fn steps(sql: &str) -> String {
        let db = Connection::open_in_memory().expect("a database");
        db.execute_batch(include_str!("../../../state/0002_directory.sql")).expect("the schema");
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let rows = statement.query_map(params![1, "x"], |row| row.get::<_, String>(3)).expect("a plan");
        rows.collect::<Sql<Vec<_>>>().expect("steps").join("\n")
    }

    #[test]
    fn everything_that_people_and_teams_are_found_by_is_an_index_search() {
        use Index::*;
        for (index, expected) in [
            (Id, "SEARCH resources USING COVERING INDEX resources_id (workspace=? AND id=?)"),
            (
                ExternalId,
                "SEARCH resources USING COVERING INDEX resources_external_id (workspace=? AND external_id=?)",
            ),
            (
                UserName,
                "SEARCH resources USING COVERING INDEX resources_user_key (workspace=? AND user_key=?)",
            ),
            (
                DisplayName,
                "SEARCH resources USING COVERING INDEX resources_display_key (workspace=? AND display_key=?)",
            ),
            (Email, "SEARCH emails USING PRIMARY KEY (workspace=? AND key=?)"),
            (
                Member,
                "SEARCH resources USING COVERING INDEX resources_id (workspace=? AND id=?)\n\
                 SEARCH members USING COVERING INDEX members_member (member=?)",
            ),
            (
                Team,
                "SEARCH resources USING COVERING INDEX resources_id (workspace=? AND id=?)\n\
                 SEARCH members USING PRIMARY KEY (team=?)",
            ),
        ] {
            assert_eq!(steps(index.sql()), expected);
        }
    }

    #[test]
    fn a_list_is_read_in_its_order_and_never_sorted() {
        assert_eq!(
            steps(&in_order()),
            "SEARCH resources USING INDEX resources_kind (workspace=? AND kind=?)"
        );
    }
}
