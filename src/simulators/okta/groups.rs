//! `/groups`, `/groups/{id}` and `/groups/{id}/users` (okta.md sections 3.5 and 3.6).

use std::ops::Bound;

use serde_json::Value;
use serde_json::json;

use super::super::directory::Group;
use super::super::directory::Life;
use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::Reply;
use super::View;
use super::errors;
use super::paging::Limits;
use super::paging::Listing;
use super::paging::check_parameters;
use super::time;
use super::users::user;

const LIMITS: Limits = Limits { least: 1, default: 10_000, most: 10_000 };
const MEMBER_LIMITS: Limits = Limits { least: 1, default: 1000, most: 1000 };
/// Rows that a search by `q` gives at most; it does not page.
const Q_MAX: usize = 300;

pub(super) fn list(view: &View) -> Reply {
    let listing = Listing::of(view, "groups", &LIMITS, &["q", "filter", "search"])?;
    if let Some(q) = view.request.query("q") {
        return Ok(by_prefix(view, q));
    }
    let (filter, search) = (view.request.query("filter"), view.request.query("search"));
    if filter.is_some() && search.is_some() {
        let summary = "Can't specify a search query and filter in the same request.";
        return Err(errors::error(400, "E0000033", summary));
    }
    let clause = filter.or(search).map(Clause::of).transpose()?;
    let from = listing.cursor::<u32>()?.map_or(0, |last| last + 1);
    let rows = (from..view.directory.groups.len() as u32).filter(|&index| {
        let group = view.directory.group(index);
        group.live() && clause.as_ref().is_none_or(|clause| clause.admits(group))
    });
    let rows = rows.map(|group| (group, group));
    Ok(listing.page(rows, |index| group(&view.request.base, view.directory.group(index))))
}

/// Without any `Link` header (okta.md section 1.1).
fn by_prefix(view: &View, q: &str) -> Answer {
    let wanted = q.to_lowercase();
    let hits = view
        .directory
        .groups
        .iter()
        .filter(|group| group.live() && group.name.to_lowercase().starts_with(&wanted));
    Answer::json(200, hits.take(Q_MAX).map(|hit| group(&view.request.base, hit)).collect())
}

pub(super) fn one(view: &View, id: &str) -> Reply {
    check_parameters(view.request, &[])?;
    let index = find(view, id)?;
    Ok(Answer::json(200, group(&view.request.base, view.directory.group(index))))
}

/// Everybody who is in the group, deactivated or not, assigned or not.
pub(super) fn members(view: &View, id: &str) -> Reply {
    let listing = Listing::of(view, "members", &MEMBER_LIMITS, &[])?;
    let group = find(view, id)?;
    let after = listing.cursor::<Principal>()?.map_or(Bound::Unbounded, Bound::Excluded);
    let members = view.directory.group(group).members.range((after, Bound::Unbounded));
    let rows = members.filter_map(|&member| match member {
        Principal::User(person) => Some((member, view.directory.person(person))),
        _ => None,
    });
    let known = rows.filter(|(_, person)| person.life != Life::Purged);
    Ok(listing.page(known, |person| user(&view.request.base, person)))
}

pub(super) fn find(view: &View, id: &str) -> Result<u32, Answer> {
    let found = view.directory.group_by_id(id).filter(|&group| view.directory.group(group).live());
    found.ok_or_else(|| errors::not_found(id, "UserGroup"))
}

pub(super) fn group(base: &str, group: &Group) -> Value {
    let path = format!("{base}/api/v1/groups/{}", group.id);
    json!({
        "id": *group.id,
        "created": time(group.created),
        "lastUpdated": time(group.updated),
        "lastMembershipUpdated": time(group.membership_updated),
        "objectClass": ["okta:user_group"],
        "type": kind(group),
        "profile": { "name": *group.name, "description": group.description },
        "_links": {
            "users": { "href": format!("{path}/users") },
            "apps": { "href": format!("{path}/apps") },
        },
    })
}

fn kind(group: &Group) -> &'static str {
    if group.built_in { "BUILT_IN" } else { "OKTA_GROUP" }
}

/// One comparison: enough for names, ids, types and dates of change.
struct Clause {
    property: String,
    operator: String,
    value: String,
}

impl Clause {
    fn of(text: &str) -> Result<Clause, Answer> {
        let unsupported = || errors::error(400, "E0000031", "Invalid search criteria.");
        let mut parts = text.splitn(3, ' ');
        let (Some(property), Some(operator), Some(literal)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(unsupported());
        };
        let value = serde_json::from_str::<String>(literal).map_err(|_| unsupported())?;
        let known = matches!(
            (property, operator),
            ("id" | "type" | "profile.name" | "lastUpdated" | "lastMembershipUpdated", "eq")
                | ("profile.name", "sw" | "co")
                | ("lastUpdated" | "lastMembershipUpdated", "gt" | "ge" | "lt" | "le")
        );
        if !known {
            return Err(unsupported());
        }
        Ok(Clause { property: property.to_owned(), operator: operator.to_owned(), value })
    }

    /// Dates of one form compare as texts.
    fn admits(&self, group: &Group) -> bool {
        let held = match self.property.as_str() {
            "id" => group.id.to_string(),
            "type" => kind(group).to_owned(),
            "lastUpdated" => time(group.updated),
            "lastMembershipUpdated" => time(group.membership_updated),
            _ => group.name.to_string(),
        };
        match self.operator.as_str() {
            "eq" => held == self.value,
            "sw" => held.starts_with(&self.value),
            "co" => held.contains(&self.value),
            "gt" => held > self.value,
            "ge" => held >= self.value,
            "lt" => held < self.value,
            _ => held <= self.value,
        }
    }
}
