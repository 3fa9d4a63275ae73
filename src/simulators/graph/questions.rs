//! What is asked with a body: `checkMemberGroups`, `getByIds` and `getAvailableExtensionProperties` (graph.md
//! sections 5.11, 5.13 and 5.14).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::super::people::is_guid;
use super::Reply;
use super::View;
use super::errors::bad_request;
use super::groups;
use super::members;
use super::options::Options;
use super::options::with_select;
use super::users;

/// Groups in one `checkMemberGroups`.
const GROUPS_MAX: usize = 20;
/// Ids in one `getByIds`.
const IDS_MAX: usize = 1000;
/// Of a user, where `getByIds` has no `$select` (a known issue).
const REDUCED_USER: &[&str] = &["accountEnabled", "displayName", "id", "mail", "userPrincipalName"];
const TYPES: &[&str] = &[
    "application",
    "device",
    "directoryObject",
    "directoryObjectPartnerReference",
    "group",
    "orgContact",
    "servicePrincipal",
    "user",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Membership {
    group_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByIds {
    ids: Vec<String>,
    #[serde(default)]
    types: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Extensions {
    #[serde(default)]
    is_synced_from_on_premises: bool,
}

fn body<T: DeserializeOwned>(view: &View) -> Result<T, Answer> {
    serde_json::from_slice(&view.request.body)
        .map_err(|_| bad_request("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."))
}

/// Transitive; groups with hidden membership are left out.
pub(super) fn check_member_groups(view: &View, key: &str) -> Reply {
    Options::of(view, &[])?;
    let question: Membership = body(view)?;
    if question.group_ids.len() > GROUPS_MAX {
        return Err(bad_request("The number of groupIds exceeds the maximum of 20."));
    }
    if let Some(id) = question.group_ids.iter().find(|id| !is_guid(id)) {
        return Err(bad_request(&format!("Invalid object identifier '{id}'.")));
    }
    let holding = view.directory.ancestors(members::find(view, key)?);
    let held = |id: &&String| {
        let group = view.directory.group_by_id(&id.to_lowercase());
        group.is_some_and(|group| holding.contains(&group) && view.may_read_members(group))
    };
    let value: Vec<&String> = question.group_ids.iter().filter(held).collect();
    Ok(Answer::json(200, json!({ "@odata.context": view.context("Collection(Edm.String)"), "value": value })))
}

/// Unknown ids are left out, as is what is of no wanted type.
pub(super) fn by_ids(view: &View) -> Reply {
    let options = Options::of(view, &["$select"])?;
    let tables = [users::DEFAULT, users::FURTHER, groups::DEFAULT, groups::FURTHER];
    let select = options.select("directoryObject", &tables)?;
    let question: ByIds = body(view)?;
    if question.ids.len() > IDS_MAX {
        return Err(bad_request("The number of ids exceeds the maximum of 1000."));
    }
    if let Some(id) = question.ids.iter().find(|id| !is_guid(id)) {
        return Err(bad_request(&format!("Invalid object identifier '{id}'.")));
    }
    if let Some(kind) = question.types.iter().find(|kind| !TYPES.contains(&kind.as_str())) {
        return Err(bad_request(&format!("Unsupported resource type '{kind}'.")));
    }
    let wanted = |kind: &str| {
        question.types.is_empty()
            || question.types.iter().any(|name| name == kind || name == "directoryObject")
    };
    let reduced: Vec<String> = REDUCED_USER.iter().map(|&name| name.to_owned()).collect();
    let find = |id: &String| {
        let id = id.to_lowercase();
        let user = view.directory.person_by_id(&id).map(|person| (Principal::User(person), "user"));
        let found =
            user.or_else(|| view.directory.group_by_id(&id).map(|group| (Principal::Group(group), "group")));
        found.filter(|&(principal, kind)| view.directory.is_live(principal) && wanted(kind))
    };
    let rows = question.ids.iter().filter_map(find).map(|(principal, kind)| {
        let select = select.as_deref().or((kind == "user").then_some(reduced.as_slice()));
        members::row(view, principal, select, None)
    });
    let rows: Vec<Value> = rows.collect();
    let context = view.context(&with_select("directoryObjects", select.as_deref()));
    Ok(Answer::json(200, json!({ "@odata.context": context, "value": rows })))
}

/// The directory extensions that anybody has.
pub(super) fn extensions(view: &View) -> Reply {
    Options::of(view, &[])?;
    let question: Extensions = match view.request.body.is_empty() {
        true => Extensions::default(),
        false => body(view)?,
    };
    let mut found: BTreeMap<&str, &Value> = BTreeMap::new();
    let attributes = view.directory.people.iter().flat_map(|person| &person.attributes);
    // None of the simulated extensions comes from on-premises.
    for (name, value) in attributes.filter(|_| !question.is_synced_from_on_premises) {
        if name.starts_with("extension_") {
            found.insert(name, value);
        }
    }
    let value: Vec<Value> = found.into_iter().map(|(name, value)| extension(name, value)).collect();
    let context = view.context("Collection(microsoft.graph.extensionProperty)");
    Ok(Answer::json(200, json!({ "@odata.context": context, "value": value })))
}

fn extension(name: &str, value: &Value) -> Value {
    let single = value.as_array().and_then(|values| values.first()).unwrap_or(value);
    let data_type = match single {
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Integer",
        _ => "String",
    };
    json!({
        "name": name,
        "appDisplayName": "",
        "dataType": data_type,
        "isMultiValued": value.is_array(),
        "isSyncedFromOnPremises": false,
        "targetObjects": ["User"],
    })
}
