//! `members`, `transitiveMembers`, `memberOf`, `transitiveMemberOf`, their casts and counts (graph.md section 5.6).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Directory;
use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::super::exchange::Content;
use super::Reply;
use super::View;
use super::call::Reach;
use super::call::Related;
use super::errors::bad_request;
use super::filter_rules;
use super::filter_rules::needs_parameters;
use super::groups;
use super::listing::Listing;
use super::listing::Question;
use super::options::Options;
use super::options::Order;
use super::options::TOP_MAX;
use super::options::with_select;
use super::person;
use super::search::Search;
use super::users;
use super::users::Unset;
use super::users::case;

const ALLOWED: &[&str] = &["$select", "$top", "$skiptoken", "$filter", "$search", "$orderby", "$count"];
const SEARCHABLE: &[&str] = &["displayName", "description", "mail", "userPrincipalName"];
const CASTS: &[&str] = &["user", "group", "device", "servicePrincipal", "orgContact", "application"];

/// A name for page tokens, and what it lists.
type Members<'a> = (&'static str, Cow<'a, BTreeSet<Principal>>);

/// One of the two directions.
type Find<'a> = fn(&View<'a>, &Related) -> Result<Members<'a>, Answer>;

pub(super) fn members(view: &View, related: &Related) -> Reply {
    page(view, related, members_of)
}

pub(super) fn member_of(view: &View, related: &Related) -> Reply {
    page(view, related, groups_of)
}

fn members_of<'a>(view: &View<'a>, related: &Related) -> Result<Members<'a>, Answer> {
    let group = groups::find(view, &related.of)?;
    let shown = view.may_read_members(group);
    let all = match related.reach {
        _ if !shown => Cow::default(),
        Reach::Direct => Cow::Borrowed(&view.directory.group(group).members),
        Reach::Transitive => Cow::Owned(view.directory.descendants(group)),
    };
    Ok((if related.reach == Reach::Direct { "members" } else { "transitiveMembers" }, all))
}

/// The groups that a user or group is in; those with hidden membership are not told.
fn groups_of<'a>(view: &View<'a>, related: &Related) -> Result<Members<'a>, Answer> {
    let member = find(view, &related.of)?;
    let all: BTreeSet<u32> = match (related.reach, member) {
        (Reach::Transitive, member) => view.directory.ancestors(member),
        (_, Principal::User(person)) => view.directory.person(person).groups.iter().copied().collect(),
        (_, Principal::Group(group)) => view.directory.group(group).parents.iter().copied().collect(),
        (_, Principal::Other(_)) => BTreeSet::new(),
    };
    let shown = all.into_iter().map(Principal::Group).filter(|&group| shows_group(view, group));
    Ok((
        if related.reach == Reach::Direct { "memberOf" } else { "transitiveMemberOf" },
        Cow::Owned(shown.collect()),
    ))
}

/// A live group whose members may be seen.
pub(super) fn shows_group(view: &View, principal: Principal) -> bool {
    matches!(principal, Principal::Group(group)
        if view.directory.group(group).live() && view.may_read_members(group))
}

/// A live group by id, or a live user by id or name.
pub(super) fn find(view: &View, key: &str) -> Result<Principal, Answer> {
    match view.directory.group_by_id(&key.to_lowercase()) {
        Some(_) => groups::find(view, key).map(Principal::Group),
        None => users::find(view, key).map(Principal::User),
    }
}

fn page<'a>(view: &View<'a>, related: &Related, find: Find<'a>) -> Reply {
    let options = Options::of(view, ALLOWED)?;
    let cast = checked_cast(&options, related)?;
    let tables = [users::DEFAULT, users::FURTHER, groups::DEFAULT, groups::FURTHER];
    let select = options.select("directoryObject", &tables)?;
    let question = question(&options, cast)?;
    let (name, all) = find(view, related)?;
    let is_first = options.value("$skiptoken").is_none();
    let after: Option<Principal> = match question.order {
        Some(_) => None,
        None => options.cursor(name)?,
    };
    let top = options.top(TOP_MAX)?;
    let count = (options.counts()? && is_first)
        .then(|| all.iter().filter(|&&member| admits(view, &question, cast, member)).count());
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let rows = all.range((from, Bound::Unbounded)).copied();
    let rows = rows.filter(|&member| admits(view, &question, cast, member));
    let collection = cast.map_or_else(|| "directoryObjects".to_owned(), |cast| format!("{cast}s"));
    let listing =
        Listing { options: &options, name, context: with_select(&collection, select.as_deref()), top };
    match &question.order {
        None => {
            listing.page(rows, count, |&member| member, |&member| row(view, member, select.as_deref(), cast))
        }
        Some(order) => ordered(
            &Listing { name: "ordered members", ..listing },
            rows.collect(),
            order,
            |member| row(view, member, select.as_deref(), cast),
            count,
        ),
    }
}

/// `$orderby` goes on from a place in the order, not from a member.
fn ordered(
    listing: &Listing,
    mut rows: Vec<Principal>,
    order: &Order,
    json_of: impl Fn(Principal) -> Value,
    count: Option<usize>,
) -> Reply {
    let directory = listing.options.view.directory;
    rows.sort_by_key(|&member| directory.name_of(member).to_lowercase());
    if order.descending {
        rows.reverse();
    }
    let from: usize = listing.options.cursor(listing.name)?.unwrap_or(0);
    let rows = rows.into_iter().enumerate().skip(from);
    listing.page(rows, count, |&(place, _)| place + 1, |&(_, member)| json_of(member))
}

pub(super) fn count(view: &View, related: &Related, of_member: bool) -> Reply {
    let options = Options::of(view, &["$filter", "$search"])?;
    let cast = checked_cast(&options, related)?;
    let question = question(&options, cast)?;
    let (_, all) = if of_member { groups_of(view, related)? } else { members_of(view, related)? };
    count_of(all.iter().filter(|&&member| admits(view, &question, cast, member)).count(), &options)
}

/// `text/plain`; it needs the header of advanced queries.
pub(super) fn count_of(count: usize, options: &Options) -> Reply {
    if !options.is_eventual() {
        return Err(bad_request("$count is not currently supported."));
    }
    Ok(Answer::new(200, Content::Text(count.to_string())))
}

fn checked_cast<'a>(options: &Options, related: &'a Related) -> Result<Option<&'a str>, Answer> {
    let Some(cast) = related.cast.as_deref() else { return Ok(None) };
    if !CASTS.contains(&cast) {
        return Err(bad_request(&format!("Unsupported type cast 'microsoft.graph.{cast}'.")));
    }
    if options.view.knobs.cast_needs_header && !options.is_eventual() {
        return Err(needs_parameters("cast"));
    }
    Ok(Some(cast))
}

/// Of members every option but `$select` and `$top` is advanced.
fn question(options: &Options, cast: Option<&str>) -> Result<Question, Answer> {
    if options.value("$filter").is_some() && !options.is_advanced() {
        return Err(needs_parameters("$filter"));
    }
    let rules = match cast {
        Some("user") => &filter_rules::USERS,
        _ => &filter_rules::GROUPS,
    };
    let order = options.order(&[], &["displayName", "userPrincipalName"])?;
    let filter = options.filter(rules)?;
    Ok(Question { filter, search: Search::of(options, SEARCHABLE)?, order, case: case(options.view) })
}

fn admits(view: &View, question: &Question, cast: Option<&str>, member: Principal) -> bool {
    view.directory.is_live(member)
        && cast.is_none_or(|cast| kind(view.directory, member) == cast)
        && question.admits(&|name| property(view, member, name))
}

fn property(view: &View, member: Principal, name: &str) -> Option<Value> {
    match member {
        Principal::User(index) => person::property(view.directory.person(index), name),
        Principal::Group(index) => groups::property(view.directory.group(index), name),
        Principal::Other(_) if name == "displayName" => Some(json!(view.directory.name_of(member))),
        Principal::Other(_) => None,
    }
}

/// A member with its type, which a cast leaves out; of a type that does not have a selected property, the property
/// is null. Of what the client may not read, type and id are left (section 2.9).
pub(super) fn row(view: &View, member: Principal, select: Option<&[String]>, cast: Option<&str>) -> Value {
    let directory = view.directory;
    let mut row = match member {
        Principal::User(index) => person::properties(directory.person(index), select, Unset::Shown),
        Principal::Group(index) => groups::properties(directory.group(index), select, Unset::Shown),
        Principal::Other(_) => other(directory, member, select),
    };
    if !view.may_read(member) {
        row.iter_mut().filter(|(name, _)| *name != "id").for_each(|(_, value)| *value = Value::Null);
        row.insert("id".to_owned(), json!(directory.id_of(member)));
    }
    if cast.is_none() {
        row.insert("@odata.type".to_owned(), json!(odata_type(directory, member)));
    }
    Value::Object(row)
}

fn other(directory: &Directory, member: Principal, select: Option<&[String]>) -> Map<String, Value> {
    let names: Vec<&str> = match select {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => vec!["id", "displayName"],
    };
    let value_of = |name: &str| match name {
        "id" => json!(directory.id_of(member)),
        "displayName" => json!(directory.name_of(member)),
        _ => Value::Null,
    };
    names.into_iter().map(|name| (name.to_owned(), value_of(name))).collect()
}

fn kind(directory: &Directory, principal: Principal) -> &'static str {
    match principal {
        Principal::User(_) => "user",
        Principal::Group(_) => "group",
        Principal::Other(other) => directory.others[other as usize].kind,
    }
}

pub(super) fn odata_type(directory: &Directory, principal: Principal) -> String {
    format!("#microsoft.graph.{}", kind(directory, principal))
}
