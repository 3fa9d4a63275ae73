//! `/groups`, `/groups/{id}`, their members, applications and rules (okta.md sections 3.5 to 3.7 and 3.10).

use std::ops::Bound;

use serde_json::Value;
use serde_json::json;

use super::super::directory::Group;
use super::super::directory::Life;
use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::Reply;
use super::View;
use super::apps;
use super::errors;
use super::filter::Filter;
use super::filter::Grammar;
use super::org::Rule;
use super::paging::Limits;
use super::paging::Listing;
use super::paging::check_parameters;
use super::time;
use super::user_object::projected;
use super::user_object::property as user_property;
use super::user_object::user;
use super::users;

const LIMITS: Limits = Limits { least: 1, default: 10_000, most: 10_000 };
const MEMBER_LIMITS: Limits = Limits { least: 1, default: 1000, most: 1000 };
const APP_LIMITS: Limits = Limits { least: 1, default: 20, most: 200 };
const RULE_LIMITS: Limits = Limits { least: 1, default: 50, most: 200 };
/// Rows that a search by `q` gives at most; it does not page.
const Q_MAX: usize = 300;

const FILTER: Grammar = Grammar {
    admits: |property, operator| match property {
        "id" | "type" => operator == "eq",
        "lastUpdated" | "lastMembershipUpdated" => compares(operator),
        _ => false,
    },
    is_date,
    exact: true,
    with_not: false,
};

const SEARCH: Grammar = Grammar {
    admits: |property, operator| match property {
        "id" | "type" | "source.id" => operator == "eq",
        "created" | "lastUpdated" | "lastMembershipUpdated" => compares(operator),
        "profile.name" | "profile.description" => matches!(operator, "eq" | "sw" | "co"),
        other => other.starts_with("profile.") && matches!(operator, "eq" | "sw"),
    },
    is_date,
    exact: false,
    with_not: false,
};

fn compares(operator: &str) -> bool {
    matches!(operator, "eq" | "gt" | "ge" | "lt" | "le")
}

fn is_date(property: &str) -> bool {
    matches!(property, "created" | "lastUpdated" | "lastMembershipUpdated")
}

pub(super) fn list(view: &View) -> Reply {
    let request = view.request;
    let allowed = ["q", "filter", "search", "expand", "sortBy", "sortOrder", "fields"];
    let listing = Listing::of(view, "groups", &LIMITS, &allowed)?;
    let expand = Expand::of(request)?;
    check_sort(request)?;
    let (filter, search) = (request.query("filter"), request.query("search"));
    if filter.is_some() && search.is_some() {
        return Err(errors::by_code("E0000033", ""));
    }
    if let Some(q) = request.query("q") {
        return Ok(by_prefix(view, q, &expand));
    }
    let filter = match (filter, search) {
        (Some(text), _) => Some(Filter::parse(text, &FILTER).map_err(|error| error.answer())?),
        (_, Some(text)) => Some(Filter::parse(text, &SEARCH).map_err(|error| error.answer())?),
        _ => None,
    };
    let fits = |index: u32| {
        let shown =
            if search.is_some() { is_in_index(view, index) } else { view.directory.group(index).live() };
        let admits =
            |filter: &Filter| filter.admits(&|name| property(view, index, name).into_iter().collect());
        shown && view.sees_group(index) && filter.as_ref().is_none_or(admits)
    };
    let last = listing.cursor::<u32>()?;
    let mut rows: Vec<u32> = (0..view.directory.groups.len() as u32).filter(|&index| fits(index)).collect();
    if let Some(sort) = request.query("sortBy") {
        rows.sort_by_cached_key(|&index| {
            (property(view, index, sort).unwrap_or_default().to_lowercase(), index)
        });
        if request.query("sortOrder").is_some_and(|order| order.eq_ignore_ascii_case("desc")) {
            rows.reverse();
        }
    }
    let from = rows
        .iter()
        .position(|index| last == Some(*index))
        .map_or_else(|| after_gone(&rows, last), |place| place + 1);
    let page = rows.into_iter().skip(from).map(|index| (index, index));
    Ok(listing.page(page, |index| expanded(view, index, &expand)))
}

/// Where to go on when the last row of the page before is gone: behind those that were made before it.
fn after_gone(rows: &[u32], last: Option<u32>) -> usize {
    last.map_or(0, |last| rows.iter().take_while(|index| **index < last).count())
}

/// Sorting is for searches only.
pub(super) fn check_sort(request: &Request) -> Result<(), Answer> {
    let order = request.query("sortOrder");
    if order.is_some_and(|order| !matches!(order.to_lowercase().as_str(), "asc" | "desc")) {
        return Err(errors::invalid("sortOrder"));
    }
    match request.query("sortBy").or(order) {
        Some(_) if request.query("search").is_none() => Err(errors::invalid("sortBy")),
        _ => Ok(()),
    }
}

/// The index learns late of what is new and of what is gone (okta.md section 3.5).
fn is_in_index(view: &View, index: u32) -> bool {
    let group = view.directory.group(index);
    let deleted = view.directory.org.groups.get(&index).and_then(|facts| facts.deleted);
    match group.live() {
        true => !view.is_too_new(group.created),
        false => deleted.is_some_and(|at| view.is_too_new(at)),
    }
}

/// Without any `Link` header (okta.md section 1.1).
fn by_prefix(view: &View, q: &str, expand: &Expand) -> Answer {
    let wanted = q.to_lowercase();
    let hits = (0..view.directory.groups.len() as u32).filter(|&index| {
        let group = view.directory.group(index);
        group.live() && view.sees_group(index) && group.name.to_lowercase().starts_with(&wanted)
    });
    Answer::json(200, hits.take(Q_MAX).map(|hit| expanded(view, hit, expand)).collect())
}

pub(super) fn one(view: &View, id: &str) -> Reply {
    check_parameters(view.request, &["expand", "fields"])?;
    let expand = Expand::of(view.request)?;
    let index = find(view, id)?;
    Ok(Answer::json(200, expanded(view, index, &expand)))
}

/// Everybody who is in the group, deactivated or not, assigned or not. A pushed group's mirror shows the source's.
pub(super) fn members(view: &View, id: &str) -> Reply {
    let listing = Listing::of(view, "members", &MEMBER_LIMITS, &["expand", "search"])?;
    let group = find(view, id)?;
    let search = view.request.query("search").map(|text| Filter::parse(text, &users::SEARCH)).transpose();
    let search = search.map_err(|error| error.answer())?;
    let fits = |index: u32| {
        let person = view.directory.person(index);
        let admits =
            |filter: &Filter| filter.admits(&|name| user_property(person, name).into_iter().collect());
        person.life != Life::Purged && view.sees_person(index) && search.as_ref().is_none_or(admits)
    };
    let after = listing.cursor::<Principal>()?.map_or(Bound::Unbounded, Bound::Excluded);
    let members = view.directory.group(mirrored(view, group)).members.range((after, Bound::Unbounded));
    let rows = members.filter_map(|&member| match member {
        Principal::User(person) => Some((member, person)),
        _ => None,
    });
    let known = rows.filter(|(_, person)| fits(*person));
    Ok(listing.page(known, |person| user(view, person)))
}

fn mirrored(view: &View, group: u32) -> u32 {
    let source = view.directory.org.groups.get(&group).and_then(|facts| facts.mirrors);
    source.unwrap_or(group)
}

pub(super) fn apps(view: &View, id: &str) -> Reply {
    let listing = Listing::of(view, "apps of a group", &APP_LIMITS, &[])?;
    let group = find(view, id)?;
    let last = listing.cursor::<u32>()?;
    let assigned =
        view.directory.is_assigned(Principal::Group(group)) && last.is_none() && view.app_is_listed();
    let rows = assigned.then_some((0_u32, ())).into_iter();
    Ok(listing.page(rows, |()| apps::app_object(view)))
}

pub(super) fn rules(view: &View) -> Reply {
    let listing = Listing::of(view, "rules", &RULE_LIMITS, &["search", "expand"])?;
    let from = listing.cursor::<usize>()?.map_or(0, |last| last + 1);
    let wanted = view.request.query("search").unwrap_or_default().to_lowercase();
    let rows = view.directory.org.rules.iter().enumerate().skip(from);
    let hits = rows.filter(|(_, rule)| rule.name.to_lowercase().contains(&wanted));
    Ok(listing.page(hits, |rule| rule_object(view, rule)))
}

pub(super) fn rule(view: &View, id: &str) -> Reply {
    check_parameters(view.request, &["expand"])?;
    let found = view.directory.org.rules.iter().find(|rule| *rule.id == *id);
    found
        .map(|rule| Answer::json(200, rule_object(view, rule)))
        .ok_or_else(|| errors::not_found(id, "GroupRule"))
}

fn rule_object(view: &View, rule: &Rule) -> Value {
    let group = view.directory.group(rule.group);
    let mut shown = json!({
        "type": "group_rule",
        "id": *rule.id,
        "status": "ACTIVE",
        "name": rule.name,
        "created": time(rule.created),
        "lastUpdated": time(rule.created),
        "conditions": { "expression": { "value": rule.expression, "type": "urn:okta:expression:1.0" } },
        "actions": { "assignUserToGroups": { "groupIds": [*group.id] } },
    });
    if view.request.query("expand") == Some("groupIdToGroupNameMap") {
        shown["_embedded"] = json!({ "groupIdToGroupNameMap": { &*group.id: *group.name } });
    }
    shown
}

pub(super) fn find(view: &View, id: &str) -> Result<u32, Answer> {
    let found = view.directory.group_by_id(id);
    let seen = found.filter(|&group| view.directory.group(group).live() && view.sees_group(group));
    seen.ok_or_else(|| errors::not_found(id, "UserGroup"))
}

/// `expand` of a group: `stats`, `app`, or both.
struct Expand {
    stats: bool,
    app: bool,
}

impl Expand {
    fn of(request: &Request) -> Result<Expand, Answer> {
        let words: Vec<&str> = request.query("expand").into_iter().flat_map(|text| text.split(',')).collect();
        if words.iter().any(|word| !matches!(*word, "stats" | "app")) {
            return Err(errors::bad_expand());
        }
        Ok(Expand { stats: words.contains(&"stats"), app: words.contains(&"app") })
    }
}

fn expanded(view: &View, index: u32, expand: &Expand) -> Value {
    let mut shown = group(view, index);
    let group = view.directory.group(index);
    if expand.stats {
        let people = group.members.iter().filter(|member| matches!(member, Principal::User(_))).count();
        let assigned = view.directory.is_assigned(Principal::Group(index));
        shown["_embedded"]["stats"] = json!({
            "usersCount": people,
            "appsCount": usize::from(assigned),
            "groupPushMappingsCount": usize::from(view.directory.org.push_of(index).is_some()),
            "hasAdminPrivlege": false,
            "_links": {},
        });
    }
    if expand.app && source(view, index).is_some_and(|source| source == super::OKTA_APP_ID) {
        shown["_embedded"]["app"] = apps::app_object(view);
    }
    projected(shown, view.request.query("fields"))
}

/// Okta's own application, or the directory that an imported group comes from.
fn source<'a>(view: &View<'a>, index: u32) -> Option<&'a str> {
    view.directory.org.groups.get(&index).and_then(|facts| facts.source.as_deref())
}

pub(super) fn group(view: &View, index: u32) -> Value {
    let (group, base) = (view.directory.group(index), &view.request.base);
    let path = format!("{base}/api/v1/groups/{}", group.id);
    let logo = |size: &str| json!({ "name": size, "href": format!("{base}/assets/{size}.png"), "type": "image/png" });
    let mut shown = json!({
        "id": *group.id,
        "created": time(group.created),
        "lastUpdated": time(group.updated),
        "lastMembershipUpdated": time(view.membership_updated(index)),
        "objectClass": ["okta:user_group"],
        "type": kind(view, index),
        "profile": { "name": *group.name, "description": group.description },
        "_links": {
            "logo": [logo("medium"), logo("large")],
            "users": { "href": format!("{path}/users") },
            "apps": { "href": format!("{path}/apps") },
        },
    });
    if let Some(source) = source(view, index) {
        shown["source"] = json!({ "id": source });
        shown["_links"]["source"] = json!({ "href": format!("{base}/api/v1/apps/{source}") });
        if source != super::OKTA_APP_ID {
            imported(&mut shown, group);
        }
    }
    shown
}

/// A group of Active Directory has a richer profile.
fn imported(shown: &mut Value, group: &Group) {
    shown["objectClass"] = json!(["okta:windows_security_principal"]);
    shown["profile"]["samAccountName"] = json!(*group.name);
    shown["profile"]["dn"] = json!(format!("CN={},OU=Groups,DC=acme,DC=example", group.name));
    shown["profile"]["windowsDomainQualifiedName"] = json!(format!("ACME\\{}", group.name));
}

fn kind(view: &View, index: u32) -> &'static str {
    match (view.directory.group(index).built_in, source(view, index)) {
        (true, _) => "BUILT_IN",
        (_, Some(_)) => "APP_GROUP",
        _ => "OKTA_GROUP",
    }
}

/// As filters compare it.
fn property(view: &View, index: u32, name: &str) -> Option<String> {
    let group = view.directory.group(index);
    match name {
        "id" => Some(group.id.to_string()),
        "type" => Some(kind(view, index).to_owned()),
        "created" => Some(time(group.created)),
        "lastUpdated" => Some(time(group.updated)),
        "lastMembershipUpdated" => Some(time(view.membership_updated(index))),
        "source.id" => source(view, index).map(str::to_owned),
        "profile.name" => Some(group.name.to_string()),
        "profile.description" => group.description.as_deref().map(str::to_owned),
        _ => None,
    }
}
