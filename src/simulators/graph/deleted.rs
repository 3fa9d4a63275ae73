//! `/directory/deletedItems`: the recycle bin, by type and by id (graph.md section 5.9).

use serde_json::Value;
use serde_json::json;

use super::super::directory::Life;
use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::Reply;
use super::View;
use super::errors;
use super::errors::bad_request;
use super::filter_match::matches;
use super::filter_rules;
use super::filter_rules::Rules;
use super::groups;
use super::listing::Listing;
use super::members::odata_type;
use super::options::Options;
use super::options::TOP_MAX;
use super::options::with_select;
use super::person;
use super::users;
use super::users::Unset;
use super::users::case;

const TABLES: [&[&str]; 4] = [users::DEFAULT, users::FURTHER, groups::DEFAULT, groups::FURTHER];
/// Types that can be in the bin; nothing but users and groups is here.
const OTHER_KINDS: &[&str] = &["application", "servicePrincipal", "administrativeUnit"];

/// 200 for what is in the recycle bin, 404 for what is live, unknown or purged.
pub(super) fn one(view: &View, id: &str) -> Reply {
    let options = Options::of(view, &["$select"])?;
    let select = options.select("directoryObject", &TABLES)?;
    let key = id.to_lowercase();
    let user = view.directory.person_by_id(&key).map(Principal::User);
    let found = user.or_else(|| view.directory.group_by_id(&key).map(Principal::Group));
    let principal = found.filter(|&one| since(view, one).is_some()).ok_or_else(|| errors::not_found(id))?;
    if !view.may_read_deleted(principal) {
        return Err(errors::of_status(403));
    }
    let mut row = row(view, principal, select.as_deref());
    row["@odata.context"] = json!(view.context("directoryObjects/$entity"));
    row["@odata.type"] = json!(odata_type(view.directory, principal));
    Ok(Answer::json(200, row))
}

/// The type is mandatory.
pub(super) fn list(view: &View, kind: Option<&str>) -> Reply {
    match kind {
        Some("user") => {
            let people = (0..view.directory.people.len() as u32).map(Principal::User);
            page(view, "users", "deleted users", &filter_rules::USERS, people)
        }
        Some("group") => {
            let groups = (0..view.directory.groups.len() as u32).map(Principal::Group);
            page(view, "groups", "deleted groups", &filter_rules::GROUPS, groups)
        }
        Some(kind) if OTHER_KINDS.contains(&kind) => {
            let context = view.context(&format!("{kind}s"));
            Ok(Answer::json(200, json!({ "@odata.context": context, "value": [] })))
        }
        Some(kind) => Err(bad_request(&format!("Unsupported type cast 'microsoft.graph.{kind}'."))),
        None => Err(bad_request("The type of the deleted items has to be given as the last segment.")),
    }
}

fn page(
    view: &View,
    collection: &str,
    name: &'static str,
    rules: &Rules,
    all: impl Iterator<Item = Principal>,
) -> Reply {
    let options = Options::of(view, &["$select", "$top", "$skiptoken", "$filter", "$orderby", "$count"])?;
    let select = options.select("directoryObject", &TABLES)?;
    let filter = options.filter(rules)?;
    let order = options.order(&["displayName", "userPrincipalName"], &["deletedDateTime"])?;
    let mut bin: Vec<Principal> = all
        .filter(|&principal| since(view, principal).is_some())
        .filter(|&principal| {
            let value_of = |name: &str| property(view, principal, name);
            filter.as_ref().is_none_or(|filter| matches(filter, case(view), &value_of))
        })
        .collect();
    if let Some(order) = order {
        let key = |principal| property(view, principal, &order.property).unwrap_or(Value::Null).to_string();
        bin.sort_by_cached_key(|&principal| key(principal).to_lowercase());
        if order.descending {
            bin.reverse();
        }
    }
    let from: usize = options.cursor(name)?.unwrap_or(0);
    let count = (options.counts()? && from == 0).then_some(bin.len());
    let listing = Listing {
        options: &options,
        name,
        context: with_select(collection, select.as_deref()),
        top: options.top(TOP_MAX)?,
    };
    let rows = bin.into_iter().enumerate().skip(from);
    listing.page(
        rows,
        count,
        |&(place, _)| place + 1,
        |&(_, principal)| row(view, principal, select.as_deref()),
    )
}

fn since(view: &View, principal: Principal) -> Option<jiff::Timestamp> {
    let life = match principal {
        Principal::User(index) => view.directory.person(index).life,
        Principal::Group(index) => view.directory.group(index).life,
        Principal::Other(_) => Life::Live,
    };
    match life {
        Life::Deleted(at) => Some(at),
        _ => None,
    }
}

fn property(view: &View, principal: Principal, name: &str) -> Option<Value> {
    match principal {
        Principal::User(index) => person::property(view.directory.person(index), name),
        Principal::Group(index) => groups::property(view.directory.group(index), name),
        Principal::Other(_) => None,
    }
}

fn row(view: &View, principal: Principal, select: Option<&[String]>) -> Value {
    let mut row = match principal {
        Principal::Group(index) => groups::properties(view.directory.group(index), select, Unset::Shown),
        Principal::User(index) => person::properties(view.directory.person(index), select, Unset::Shown),
        Principal::Other(_) => serde_json::Map::new(),
    };
    if let (None, Some(at)) = (select, since(view, principal)) {
        row.insert("deletedDateTime".to_owned(), json!(person::time(at)));
    }
    if let (false, Principal::User(index)) = (view.knobs.deleted_name_prefix, principal)
        && row.contains_key("userPrincipalName")
    {
        row.insert("userPrincipalName".to_owned(), json!(*view.directory.person(index).login));
    }
    Value::Object(row)
}
