//! `/groups`, `/groups/{id}`, and what a property of a group is (graph.md section 5.5).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Group;
use super::super::directory::Life;
use super::super::exchange::Answer;
use super::Reply;
use super::View;
use super::errors;
use super::filter;
use super::options::Options;
use super::options::take_page;
use super::options::with_select;
use super::users::Unset;

/// What comes without `$select`.
pub(super) const DEFAULT: &[&str] = &[
    "createdDateTime",
    "deletedDateTime",
    "description",
    "displayName",
    "groupTypes",
    "id",
    "mail",
    "mailEnabled",
    "mailNickname",
    "membershipRule",
    "membershipRuleProcessingState",
    "onPremisesDomainName",
    "onPremisesLastSyncDateTime",
    "onPremisesNetBiosName",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "proxyAddresses",
    "securityEnabled",
    "securityIdentifier",
    "visibility",
];

/// What `$select` may name besides.
pub(super) const FURTHER: &[&str] = &["isAssignableToRole", "isManagementRestricted", "uniqueName"];

const COLLECTIONS: &[&str] = &["groupTypes", "proxyAddresses"];

const FILTERABLE: &[&str] = &["displayName", "id", "mail", "mailEnabled", "mailNickname", "securityEnabled"];

pub(super) fn list(view: &View) -> Reply {
    let options = Options::of(view.request, &["$select", "$top", "$skiptoken", "$filter", "$count"])?;
    let select = options.select("group", &[DEFAULT, FURTHER])?;
    let clauses = view.request.query("$filter").map(|text| filter::parse(text, FILTERABLE)).transpose()?;
    let from: u32 = options.cursor("groups")?.unwrap_or(0);
    let admitted = |&index: &u32| {
        let group = view.directory.group(index);
        group.live()
            && clauses.as_ref().is_none_or(|clauses| filter::admits(clauses, |name| text(group, name)))
    };
    let all = view.directory.groups.len() as u32;
    let (page, more) = take_page((from..all).filter(admitted), options.top()?);
    let mut body = json!({ "@odata.context": view.context(&with_select("groups", select.as_deref())) });
    if options.counts()? && from == 0 {
        body["@odata.count"] = json!((0..all).filter(admitted).count());
    }
    if let (true, Some(&last)) = (more, page.last()) {
        body["@odata.nextLink"] = json!(options.next_link("groups", &(last + 1)));
    }
    body["value"] = page
        .iter()
        .map(|&index| properties(view.directory.group(index), select.as_deref(), Unset::Shown))
        .map(Value::Object)
        .collect();
    Ok(Answer::json(200, body))
}

pub(super) fn one(view: &View, id: &str) -> Reply {
    let options = Options::of(view.request, &["$select"])?;
    let select = options.select("group", &[DEFAULT, FURTHER])?;
    let index = find(view, id)?;
    let mut body = properties(view.directory.group(index), select.as_deref(), Unset::Shown);
    let context = format!("{}/$entity", with_select("groups", select.as_deref()));
    body.insert("@odata.context".to_owned(), json!(view.context(&context)));
    Ok(Answer::json(200, Value::Object(body)))
}

/// A live group by id.
pub(super) fn find(view: &View, id: &str) -> Result<u32, Answer> {
    let found = view.directory.group_by_id(&id.to_lowercase());
    found.filter(|&index| view.directory.group(index).live()).ok_or_else(|| errors::not_found(id))
}

/// The selected properties, or the default ones. `members` is no property here.
pub(super) fn properties(group: &Group, select: Option<&[String]>, unset: Unset) -> Map<String, Value> {
    let names: Vec<&str> = match select {
        Some(names) => names.iter().map(String::as_str).filter(|&name| name != "members").collect(),
        None => DEFAULT.to_vec(),
    };
    let shown = |name: &str| match (property(group, name), unset) {
        (Some(value), _) => Some(value),
        // A description that was taken away is null, one that never was is absent; the record cannot tell, and
        // null is what a client has to cope with.
        (None, Unset::LeftOut) if name != "description" => None,
        (None, _) if COLLECTIONS.contains(&name) => Some(json!([])),
        (None, _) => Some(Value::Null),
    };
    names.into_iter().filter_map(|name| shown(name).map(|value| (name.to_owned(), value))).collect()
}

fn text(group: &Group, name: &str) -> Option<String> {
    match property(group, name)? {
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// Every simulated group is a security group. `None` where the property has no value.
pub(super) fn property(group: &Group, name: &str) -> Option<Value> {
    match name {
        "id" => Some(json!(*group.id)),
        "displayName" => Some(json!(*group.name)),
        "description" => group.description.as_deref().map(Value::from),
        "mailEnabled" => Some(json!(false)),
        "securityEnabled" => Some(json!(true)),
        "mailNickname" => Some(json!(group.id[..8])),
        "createdDateTime" => Some(json!(group.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
        "deletedDateTime" => match group.life {
            Life::Deleted(at) => Some(json!(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
            _ => None,
        },
        _ => None,
    }
}
