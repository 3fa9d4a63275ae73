//! The organization, the service principal and the recycle bin (graph.md sections 5.1, 5.7 and 5.9).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::access::ROLES;
use super::super::directory::Life;
use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::super::seed::DOMAIN;
use super::APP_NAME;
use super::GRAPH_APP_ID;
use super::GRAPH_APP_OBJECT_ID;
use super::Reply;
use super::TENANT;
use super::View;
use super::call::AppKey;
use super::errors;
use super::groups;
use super::members::odata_type;
use super::options::Options;
use super::options::take_page;
use super::options::with_select;
use super::users;
use super::users::Unset;

const ORGANIZATION: &[&str] = &["id", "displayName", "verifiedDomains", "tenantType"];
const SERVICE_PRINCIPAL: &[&str] = &[
    "accountEnabled",
    "appDisplayName",
    "appId",
    "appRoleAssignmentRequired",
    "appRoles",
    "displayName",
    "id",
    "servicePrincipalType",
];

pub(super) fn organization(view: &View) -> Reply {
    let options = Options::of(view.request, &["$select"])?;
    let select = options.select("organization", &[ORGANIZATION])?;
    let whole = json!({
        "id": TENANT,
        "displayName": "Acme",
        "tenantType": "AAD",
        "verifiedDomains": [{ "name": DOMAIN, "isDefault": true, "isInitial": false, "type": "Managed" }],
    });
    let context = view.context(&with_select("organization", select.as_deref()));
    let value = [selected(whole, select.as_deref())];
    Ok(Answer::json(200, json!({ "@odata.context": context, "value": value })))
}

/// `?$filter=appId eq '…'` is the way to find one by application id.
pub(super) fn service_principals(view: &View) -> Reply {
    let options = Options::of(view.request, &["$select", "$filter", "$top"])?;
    let select = options.select("servicePrincipal", &[SERVICE_PRINCIPAL])?;
    let clauses = view
        .request
        .query("$filter")
        .map(|text| super::filter::parse(text, &["appId", "displayName", "id"]))
        .transpose()?;
    let value_of = |name: &str| match name {
        "appId" => Some(GRAPH_APP_ID.to_owned()),
        "id" => Some(GRAPH_APP_OBJECT_ID.to_owned()),
        _ => Some(APP_NAME.to_owned()),
    };
    let hit = clauses.is_none_or(|clauses| super::filter::admits(&clauses, value_of));
    let value: Vec<Value> = hit.then(|| selected(app(view), select.as_deref())).into_iter().collect();
    let context = view.context(&with_select("servicePrincipals", select.as_deref()));
    Ok(Answer::json(200, json!({ "@odata.context": context, "value": value })))
}

pub(super) fn service_principal(view: &View, key: &AppKey) -> Reply {
    let options = Options::of(view.request, &["$select"])?;
    let select = options.select("servicePrincipal", &[SERVICE_PRINCIPAL])?;
    find_app(key)?;
    let mut body = selected(app(view), select.as_deref());
    let context = format!("{}/$entity", with_select("servicePrincipals", select.as_deref()));
    body["@odata.context"] = json!(view.context(&context));
    Ok(Answer::json(200, body))
}

/// The one application there is.
pub(super) fn find_app(key: &AppKey) -> Result<(), Answer> {
    let (id, known) = match key {
        AppKey::ObjectId(id) => (id, GRAPH_APP_OBJECT_ID),
        AppKey::AppId(id) => (id, GRAPH_APP_ID),
    };
    if id.eq_ignore_ascii_case(known) { Ok(()) } else { Err(errors::not_found(id)) }
}

fn app(view: &View) -> Value {
    let roles: Vec<Value> = ROLES[1..]
        .iter()
        .map(|(id, value, name)| {
            json!({
                "allowedMemberTypes": ["User"],
                "description": name,
                "displayName": name,
                "id": id,
                "isEnabled": true,
                "origin": "Application",
                "value": value,
            })
        })
        .collect();
    json!({
        "accountEnabled": view.directory.app_enabled,
        "appDisplayName": APP_NAME,
        "appId": GRAPH_APP_ID,
        "appRoleAssignmentRequired": true,
        "appRoles": roles,
        "displayName": APP_NAME,
        "id": GRAPH_APP_OBJECT_ID,
        "servicePrincipalType": "Application",
    })
}

fn selected(whole: Value, select: Option<&[String]>) -> Value {
    let (Value::Object(whole), Some(names)) = (&whole, select) else { return whole };
    let kept: Map<String, Value> =
        names.iter().filter_map(|name| whole.get(name).map(|value| (name.clone(), value.clone()))).collect();
    Value::Object(kept)
}

/// 200 for what is in the recycle bin, 404 for what is live, unknown or purged.
pub(super) fn deleted_item(view: &View, id: &str) -> Reply {
    let options = Options::of(view.request, &["$select"])?;
    let tables = [users::DEFAULT, users::FURTHER, groups::DEFAULT, groups::FURTHER];
    let select = options.select("directoryObject", &tables)?;
    let key = id.to_lowercase();
    let user = view.directory.person_by_id(&key).map(Principal::User);
    let found = user.or_else(|| view.directory.group_by_id(&key).map(Principal::Group));
    let principal =
        found.filter(|&principal| in_bin(view, principal)).ok_or_else(|| errors::not_found(id))?;
    let mut row = deleted_row(view, principal, select.as_deref());
    row["@odata.context"] = json!(view.context("directoryObjects/$entity"));
    Ok(Answer::json(200, row))
}

pub(super) fn deleted_users(view: &View) -> Reply {
    let all = 0..view.directory.people.len() as u32;
    deleted(view, "users", all.map(Principal::User))
}

pub(super) fn deleted_groups(view: &View) -> Reply {
    let all = 0..view.directory.groups.len() as u32;
    deleted(view, "groups", all.map(Principal::Group))
}

fn deleted(view: &View, collection: &str, all: impl Iterator<Item = Principal>) -> Reply {
    let options = Options::of(view.request, &["$select", "$top", "$skiptoken"])?;
    let tables = [users::DEFAULT, users::FURTHER, groups::DEFAULT, groups::FURTHER];
    let select = options.select("directoryObject", &tables)?;
    let from: usize = options.cursor("deletedItems")?.unwrap_or(0);
    let bin = all.filter(|&principal| in_bin(view, principal)).skip(from);
    let (page, more) = take_page(bin, options.top()?);
    let context = view.context(&with_select(collection, select.as_deref()));
    let mut body = json!({ "@odata.context": context });
    if more {
        body["@odata.nextLink"] = json!(options.next_link("deletedItems", &(from + page.len())));
    }
    body["value"] = page.iter().map(|&principal| deleted_row(view, principal, select.as_deref())).collect();
    Ok(Answer::json(200, body))
}

fn in_bin(view: &View, principal: Principal) -> bool {
    match principal {
        Principal::User(person) => matches!(view.directory.person(person).life, Life::Deleted(_)),
        Principal::Group(group) => matches!(view.directory.group(group).life, Life::Deleted(_)),
        Principal::Other(_) => false,
    }
}

fn deleted_row(view: &View, principal: Principal, select: Option<&[String]>) -> Value {
    let directory = view.directory;
    let mut row = match principal {
        Principal::Group(group) => groups::properties(directory.group(group), select, Unset::Shown),
        Principal::User(person) => {
            let mut row = users::properties(directory.person(person), select, Unset::Shown);
            if let (None, Life::Deleted(at)) = (select, directory.person(person).life) {
                let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                row.insert("deletedDateTime".to_owned(), json!(at));
            }
            row
        }
        Principal::Other(_) => Map::new(),
    };
    row.insert("@odata.type".to_owned(), json!(odata_type(directory, principal)));
    Value::Object(row)
}
