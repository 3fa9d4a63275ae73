//! `appRoleAssignedTo` and `appRoleAssignments` (graph.md sections 5.8 and 5.14).

use std::ops::Bound;

use serde_json::Value;
use serde_json::json;

use super::super::access::ROLES;
use super::super::directory::Assignment;
use super::super::directory::Life;
use super::super::directory::Principal;
use super::super::directory::Role;
use super::super::exchange::Answer;
use super::APP_NAME;
use super::GRAPH_APP_OBJECT_ID;
use super::Reply;
use super::View;
use super::call::AppKey;
use super::groups;
use super::options::Options;
use super::options::take_page;
use super::rest;
use super::users;

const OPTIONS: &[&str] = &["$top", "$skiptoken"];

pub(super) fn of_app(view: &View, key: &AppKey) -> Reply {
    let options = Options::of(view.request, OPTIONS)?;
    rest::find_app(key)?;
    let cursor: Option<(Principal, Role)> = options.cursor("appRoleAssignedTo")?;
    let after = cursor.map_or(Bound::Unbounded, Bound::Excluded);
    let rows = view.directory.assignments.range((after, Bound::Unbounded));
    let visible = rows.filter(|((principal, _), _)| is_visible(view, *principal));
    let (page, more) = take_page(visible, options.top()?);
    let of = format!("servicePrincipals('{GRAPH_APP_OBJECT_ID}')/appRoleAssignedTo");
    let mut body = json!({ "@odata.context": view.context(&of) });
    if let (true, Some((last, _))) = (more, page.last()) {
        body["@odata.nextLink"] = json!(options.next_link("appRoleAssignedTo", last));
    }
    body["value"] =
        page.into_iter().map(|(&(principal, role), row)| json_of(view, principal, role, row)).collect();
    Ok(Answer::json(200, body))
}

/// Direct rows and those of the groups that the user is a direct member of.
pub(super) fn of_user(view: &View, key: &str) -> Reply {
    let options = Options::of(view.request, OPTIONS)?;
    let person = users::find(view, key)?;
    let groups = view.directory.assigned_groups_of(person).map(Principal::Group);
    let holders: Vec<Principal> = std::iter::once(Principal::User(person)).chain(groups).collect();
    rows(view, &options, &format!("users('{key}')/appRoleAssignments"), &holders)
}

pub(super) fn of_group(view: &View, id: &str) -> Reply {
    let options = Options::of(view.request, OPTIONS)?;
    let group = groups::find(view, id)?;
    rows(view, &options, &format!("groups('{id}')/appRoleAssignments"), &[Principal::Group(group)])
}

fn rows(view: &View, options: &Options, of: &str, holders: &[Principal]) -> Reply {
    let from: usize = options.cursor("appRoleAssignments")?.unwrap_or(0);
    let all = holders.iter().flat_map(|&holder| {
        view.directory.rows_of(holder).map(move |(role, row)| json_of(view, holder, role, row))
    });
    let (page, more) = take_page(all.skip(from), options.top()?);
    let mut body = json!({ "@odata.context": view.context(of) });
    if more {
        body["@odata.nextLink"] = json!(options.next_link("appRoleAssignments", &(from + page.len())));
    }
    body["value"] = Value::Array(page);
    Ok(Answer::json(200, body))
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
