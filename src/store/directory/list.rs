//! Lists: filtered, sorted, counted and cut in SQL; only what is shown is read.

use rusqlite::Connection;
use rusqlite::params_from_iter;
use rusqlite::types::Value as Parameter;
use serde_json::Value;

use super::Counts;
use super::ListQuery;
use super::Listing;
use super::Position;
use super::Resource;
use super::condition::Condition;
use super::members;
use super::rows;
use super::rows::COLUMNS;
use super::rows::Kept;
use crate::scim::Direction;
use crate::scim::Filter;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::Sort;
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

/// One page of a list, and how long the list is.
pub(super) fn page(db: &Connection, workspace: i64, query: &ListQuery) -> Sql<Listing> {
    let (found, next) = cut(db, workspace, query)?;
    let skipped = query.start.saturating_sub(1);
    let ended = query.after.is_none() && next.is_none() && query.count > 0;
    let total = match ended && (skipped == 0 || !found.is_empty()) {
        // The list ends on this page, so there is nothing left to count.
        true => skipped + found.len() as u64,
        false => total(db, workspace, query)?,
    };
    let resources =
        found.into_iter().map(|kept| finished(db, kept, query.related)).collect::<Sql<Vec<_>>>()?;
    Ok(Listing { total, resources, next })
}

/// The resources of one page, without a look at the rest of the list.
pub(super) fn first(db: &Connection, workspace: i64, query: &ListQuery) -> Sql<Vec<Resource>> {
    let (found, _) = cut(db, workspace, query)?;
    found.into_iter().map(|kept| finished(db, kept, query.related)).collect()
}

/// The rows of a page, and where the next one begins: one row more is read to know whether there is one.
fn cut(db: &Connection, workspace: i64, query: &ListQuery) -> Sql<(Vec<Kept>, Option<Position>)> {
    if query.count == 0 {
        return Ok((Vec::new(), None));
    }
    let (sql, parameters) = statement(workspace, query);
    let mut statement = db.prepare_cached(&sql)?;
    let mut read = statement.query(params_from_iter(parameters))?;
    let mut found = Vec::new();
    let mut last_key = Value::Null;
    while let Some(row) = read.next()? {
        if found.len() as u64 == query.count {
            let next = found.last().map(|last: &Kept| position(last, query.sort.is_some(), last_key));
            return Ok((found, next));
        }
        found.push(rows::kept(row)?);
        last_key = key(row)?;
    }
    Ok((found, None))
}

/// Behind the columns of the row stands what it is sorted by.
fn key(row: &rusqlite::Row<'_>) -> Sql<Value> {
    Ok(match row.get::<_, Parameter>("sorted_by")? {
        Parameter::Text(text) => text.into(),
        Parameter::Integer(number) => number.into(),
        Parameter::Real(number) => number.into(),
        Parameter::Null | Parameter::Blob(_) => Value::Null,
    })
}

fn position(last: &Kept, sorted: bool, key: Value) -> Position {
    match sorted {
        true => Position::Sorted { key, id: last.resource.meta.id.clone() },
        false => Position::Row(last.n),
    }
}

fn total(db: &Connection, workspace: i64, query: &ListQuery) -> Sql<u64> {
    let mut condition = Condition::new(workspace, query.kind);
    let sql = format!("SELECT count(*) {}", matching(&mut condition, query.filter.as_ref()));
    db.prepare_cached(&sql)?.query_row(params_from_iter(condition.parameters), |row| rows::count(row, 0))
}

/// All of one kind, or those that a filter admits. Where an index says which rows can match, the other columns must not
/// tempt the planner away from it: a `+` keeps them out of its choice.
fn matching(condition: &mut Condition, filter: Option<&Filter>) -> String {
    let all = "FROM resources WHERE resources.workspace = ?1 AND resources.kind = ?2";
    let Some(filter) = filter else { return all.to_owned() };
    let candidates = condition.candidates(filter);
    let holds = condition.filter(filter);
    match candidates {
        Some(candidates) => format!(
            "FROM resources WHERE resources.n IN ({candidates}) AND +resources.workspace = ?1
               AND +resources.kind = ?2 AND {holds}"
        ),
        None => format!("{all} AND {holds}"),
    }
}

fn statement(workspace: i64, query: &ListQuery) -> (String, Vec<Parameter>) {
    let mut condition = Condition::new(workspace, query.kind);
    let matching = matching(&mut condition, query.filter.as_ref());
    let key = match &query.sort {
        Some(sort) => condition.sort_key(&sort.path),
        None => "NULL".to_owned(),
    };
    let behind = match &query.after {
        Some(after) => format!("AND {}", behind(&mut condition, after, &key, query.sort.as_ref())),
        None => String::new(),
    };
    let order = match &query.sort {
        Some(Sort { direction: Direction::Ascending, .. }) => "sorted_by IS NULL, sorted_by, resources.id",
        Some(Sort { direction: Direction::Descending, .. }) => {
            "sorted_by IS NOT NULL, sorted_by DESC, resources.id"
        }
        None => "resources.n",
    };
    let skip = if query.after.is_some() { 0 } else { query.start.saturating_sub(1) };
    let (most, skip) =
        (condition.bind(bounded(query.count.saturating_add(1))), condition.bind(bounded(skip)));
    let sql = format!(
        "SELECT {COLUMNS}, {key} AS sorted_by {matching} {behind} ORDER BY {order} LIMIT {most} OFFSET {skip}"
    );
    (sql, condition.parameters)
}

/// What comes behind a position: without a value is last when ascending and first when descending.
fn behind(condition: &mut Condition, after: &Position, key: &str, sort: Option<&Sort>) -> String {
    let (last, id) = match after {
        Position::Row(n) => return format!("resources.n > {}", condition.bind(*n)),
        Position::Sorted { key, id } => (key, condition.bind(id.0.clone())),
    };
    let descending = sort.is_some_and(|sort| sort.direction == Direction::Descending);
    let last: Parameter = match last {
        Value::String(text) => text.clone().into(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
        _ if descending => return format!("(({key} IS NULL AND resources.id > {id}) OR {key} IS NOT NULL)"),
        _ => return format!("({key} IS NULL AND resources.id > {id})"),
    };
    let last = condition.bind(last);
    match descending {
        false => format!("({key} > {last} OR ({key} = {last} AND resources.id > {id}) OR {key} IS NULL)"),
        true => format!("({key} < {last} OR ({key} = {last} AND resources.id > {id}))"),
    }
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
    use crate::store::migrate::tests::database;
    use crate::store::migrate::tests::steps;

    fn plan(kind: ResourceType, filter: &str) -> String {
        let filter = (!filter.is_empty()).then(|| Filter::parse(filter).expect("a filter"));
        steps(&database(), &statement(1, &ListQuery { filter, ..ListQuery::all(kind) }).0)
    }

    #[test]
    fn a_list_is_read_in_its_order_and_never_sorted() {
        assert_eq!(
            plan(ResourceType::User, ""),
            "SEARCH resources USING INDEX resources_kind (workspace=? AND kind=?)"
        );
        let filtered = plan(ResourceType::User, "title pr");
        assert!(!filtered.contains("TEMP B-TREE"), "{filtered}");
    }

    #[test]
    fn what_people_and_teams_are_found_by_is_searched_and_nothing_else_is_read() {
        for (kind, filter) in [
            (ResourceType::User, "id eq \"x\""),
            (ResourceType::User, "externalId eq \"x\" and active eq true"),
            (ResourceType::User, "userName eq \"x\""),
            (ResourceType::User, "userName eq \"x\" or userName eq \"y\" or externalId eq \"z\""),
            (ResourceType::User, "emails.value eq \"x\""),
            (ResourceType::User, "groups eq \"x\""),
            (ResourceType::Group, "displayName eq \"x\""),
            (ResourceType::Group, "members eq \"x\""),
        ] {
            let plan = plan(kind, filter);
            let first = plan.lines().next().unwrap_or_default();
            assert_eq!(first, "SEARCH resources USING INTEGER PRIMARY KEY (rowid=?)", "{filter}: {plan}");
            assert!(!plan.contains("SCAN resources"), "{filter}: {plan}");
        }
    }

    #[test]
    fn whether_somebody_is_in_a_team_is_one_lookup_and_never_a_walk_over_the_team() {
        let plan = plan(ResourceType::Group, "id eq \"g\" and members eq \"x\"");
        assert!(plan.contains("SEARCH r USING COVERING INDEX resources_id (workspace=? AND id=?)"), "{plan}");
        assert!(
            plan.contains("SEARCH m USING COVERING INDEX members_member (member=? AND team=?)"),
            "{plan}"
        );
    }
}
