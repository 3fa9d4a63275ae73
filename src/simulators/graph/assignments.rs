//! `appRoleAssignedTo` and `appRoleAssignments` (graph.md sections 5.8 and 5.14).

use std::ops::Bound;

use serde_json::Value;
use serde_json::json;

use super::super::access::ROLES;
use super::super::directory::Assignment;
use super::super::directory::Life;
use super::super::directory::Principal;
use super::super::directory::Role;
use super::APP_NAME;
use super::GRAPH_APP_OBJECT_ID;
use super::Reply;
use super::View;
use super::apps;
use super::apps::selected;
use super::call::AppKey;
use super::filter_match::matches;
use super::filter_rules;
use super::groups;
use super::listing::Listing;
use super::options::Options;
use super::options::TOP_MAX;
use super::options::with_select;
use super::users;
use super::users::case;

const ASSIGNED_TO: &[&str] = &["$top", "$skiptoken", "$select", "$filter", "$count"];
const OF_PRINCIPAL: &[&str] = &["$top", "$skiptoken", "$select", "$filter"];

const PROPERTIES: &[&str] = &[
    "appRoleId",
    "createdDateTime",
    "deletedDateTime",
    "id",
    "principalDisplayName",
    "principalId",
    "principalType",
    "resourceDisplayName",
    "resourceId",
];

pub(super) fn of_app(view: &View, key: &AppKey) -> Reply {
    let options = Options::of(view, ASSIGNED_TO)?;
    let select = options.select("appRoleAssignment", &[PROPERTIES])?;
    let filter = options.filter(&filter_rules::ASSIGNED_TO)?;
    apps::find(key)?;
    let cursor: Option<(Principal, Role)> = options.cursor("appRoleAssignedTo")?;
    let admitted = |principal: Principal| {
        let name = |_: &str| Some(json!(view.directory.name_of(principal)));
        is_visible(view, principal) && filter.as_ref().is_none_or(|filter| matches(filter, case(view), &name))
    };
    let all = || view.directory.assignments.iter().filter(|((principal, _), _)| admitted(*principal));
    let count = (options.counts()? && cursor.is_none()).then(|| all().count());
    let after = cursor.map_or(Bound::Unbounded, Bound::Excluded);
    let rows = view.directory.assignments.range((after, Bound::Unbounded));
    let rows = rows.filter(|((principal, _), _)| admitted(*principal));
    let of = format!("servicePrincipals('{GRAPH_APP_OBJECT_ID}')/appRoleAssignedTo");
    let listing = Listing {
        options: &options,
        name: "appRoleAssignedTo",
        context: with_select(&of, select.as_deref()),
        top: options.top(TOP_MAX)?,
    };
    listing.page(
        rows,
        count,
        |(key, _)| **key,
        |&(&(principal, role), row)| selected(json_of(view, principal, role, row), select.as_deref()),
    )
}

/// Direct rows and those of the groups that the user is a direct member of.
pub(super) fn of_user(view: &View, key: &str) -> Reply {
    let person = users::find(view, key)?;
    let groups = view.directory.assigned_groups_of(person).map(Principal::Group);
    let holders: Vec<Principal> = std::iter::once(Principal::User(person)).chain(groups).collect();
    of_holders(view, &format!("users('{key}')/appRoleAssignments"), &holders)
}

pub(super) fn of_group(view: &View, id: &str) -> Reply {
    let group = groups::find(view, id)?;
    of_holders(view, &format!("groups('{id}')/appRoleAssignments"), &[Principal::Group(group)])
}

fn of_holders(view: &View, of: &str, holders: &[Principal]) -> Reply {
    let options = Options::of(view, OF_PRINCIPAL)?;
    let select = options.select("appRoleAssignment", &[PROPERTIES])?;
    let filter = options.filter(&filter_rules::ASSIGNMENTS)?;
    let resource = |_: &str| Some(json!(GRAPH_APP_OBJECT_ID));
    let admitted = filter.is_none_or(|filter| matches(&filter, case(view), &resource));
    let from: usize = options.cursor("appRoleAssignments")?.unwrap_or(0);
    let rows = holders.iter().filter(|_| admitted).flat_map(|&holder| {
        view.directory.rows_of(holder).map(move |(role, row)| json_of(view, holder, role, row))
    });
    let listing = Listing {
        options: &options,
        name: "appRoleAssignments",
        context: with_select(of, select.as_deref()),
        top: options.top(TOP_MAX)?,
    };
    listing.page(
        rows.enumerate().skip(from),
        None,
        |&(place, _)| place + 1,
        |(_, row)| selected(row.clone(), select.as_deref()),
    )
}

fn is_visible(view: &View, principal: Principal) -> bool {
    let life = match principal {
        Principal::User(person) => view.directory.person(person).life,
        Principal::Group(group) => view.directory.group(group).life,
        Principal::Other(_) => Life::Live,
    };
    match life {
        Life::Live => true,
        Life::Deleted(_) => view.knobs.rows_of_deleted,
        Life::Purged => false,
    }
}

fn json_of(view: &View, principal: Principal, role: Role, row: &Assignment) -> Value {
    let principal_type = match principal {
        Principal::User(_) => "User",
        Principal::Group(_) => "Group",
        Principal::Other(_) => "ServicePrincipal",
    };
    json!({
        "id": *row.id,
        "deletedDateTime": null,
        "appRoleId": ROLES[usize::from(role)].0,
        "createdDateTime": row.created.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string(),
        "principalDisplayName": view.directory.name_of(principal),
        "principalId": view.directory.id_of(principal),
        "principalType": principal_type,
        "resourceDisplayName": APP_NAME,
        "resourceId": GRAPH_APP_OBJECT_ID,
    })
}
