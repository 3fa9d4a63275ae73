//! `/groups`, `/groups/{id}`, `/groups/$count`, and what a property of a group is (graph.md section 5.5).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Group;
use super::super::directory::Life;
use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::Reply;
use super::View;
use super::errors;
use super::expand::EXPANDED_MAX;
use super::expand::Expand;
use super::filter_rules;
use super::listing::At;
use super::listing::Listing;
use super::listing::Question;
use super::listing::walk;
use super::members;
use super::options::Options;
use super::options::TOP_MAX;
use super::options::with_select;
use super::person::time;
use super::search::Search;
use super::users::Unset;
use super::users::case;

/// What comes without `$select`: section 5.5 and graph/004 of the corpus.
pub(super) const DEFAULT: &[&str] = &[
    "classification",
    "createdDateTime",
    "creationOptions",
    "deletedDateTime",
    "description",
    "displayName",
    "expirationDateTime",
    "groupTypes",
    "id",
    "isAssignableToRole",
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
    "preferredDataLocation",
    "preferredLanguage",
    "proxyAddresses",
    "renewedDateTime",
    "resourceBehaviorOptions",
    "resourceProvisioningOptions",
    "securityEnabled",
    "securityIdentifier",
    "theme",
    "visibility",
];

/// What `$select` may name besides.
pub(super) const FURTHER: &[&str] = &["isManagementRestricted", "uniqueName"];

const COLLECTIONS: &[&str] = &[
    "creationOptions",
    "groupTypes",
    "proxyAddresses",
    "resourceBehaviorOptions",
    "resourceProvisioningOptions",
];

const SEARCHABLE: &[&str] = &["description", "displayName", "mail", "mailNickname"];
const RELATIONS: &[&str] = &["members", "transitiveMembers", "memberOf"];

pub(super) fn list(view: &View) -> Reply {
    let allowed = ["$select", "$top", "$skiptoken", "$filter", "$search", "$orderby", "$expand", "$count"];
    let options = Options::of(view, &allowed)?;
    let select = options.select("group", &[DEFAULT, FURTHER])?;
    let expand = Expand::of(&options, RELATIONS)?;
    let question = question(&options)?;
    let top = options.top(TOP_MAX)?;
    let whole = At { next: 0, all: view.directory.groups.len() as u32 };
    let from = options.cursor::<At>("groups")?;
    let at = from.unwrap_or(whole);
    let admitted = |index| admits(view, &question, index);
    let count =
        (options.counts()? && from.is_none()).then(|| (0..at.all).filter(|&index| admitted(index)).count());
    let value_of = |index, name: &str| property(view.directory.group(index), name);
    let rows = walk(at, question.order.as_ref(), view.knobs.shuffled_order, admitted, value_of);
    let listing =
        Listing { options: &options, name: "groups", context: with_select("groups", select.as_deref()), top };
    let next = |&(place, _): &(u32, u32)| At { next: place + 1, all: at.all };
    listing.page(rows, count, next, |&(_, index)| {
        let mut row = properties(view.directory.group(index), select.as_deref(), Unset::Shown);
        if let Some(expand) = &expand {
            row.insert(expand.relation.clone(), related(view, index, expand));
        }
        Value::Object(row)
    })
}

pub(super) fn count(view: &View) -> Reply {
    let options = Options::of(view, &["$filter", "$search"])?;
    let question = question(&options)?;
    let all = view.directory.groups.len() as u32;
    members::count_of((0..all).filter(|&index| admits(view, &question, index)).count(), &options)
}

pub(super) fn one(view: &View, id: &str) -> Reply {
    let options = Options::of(view, &["$select", "$expand"])?;
    let select = options.select("group", &[DEFAULT, FURTHER])?;
    let expand = Expand::of(&options, RELATIONS)?;
    let index = find(view, id)?;
    let mut body = properties(view.directory.group(index), select.as_deref(), Unset::Shown);
    let context = format!("{}/$entity", with_select("groups", select.as_deref()));
    body.insert("@odata.context".to_owned(), json!(view.context(&context)));
    if let Some(expand) = &expand {
        body.insert(expand.relation.clone(), related(view, index, expand));
    }
    Ok(Answer::json(200, Value::Object(body)))
}

/// A live group by id.
pub(super) fn find(view: &View, id: &str) -> Result<u32, Answer> {
    let found = view.directory.group_by_id(&id.to_lowercase());
    found.filter(|&index| view.directory.group(index).live()).ok_or_else(|| errors::not_found(id))
}

fn question(options: &Options) -> Result<Question, Answer> {
    Ok(Question {
        filter: options.filter(&filter_rules::GROUPS)?,
        search: Search::of(options, SEARCHABLE)?,
        order: options.order(&["displayName"], &["createdDateTime", "deletedDateTime"])?,
        case: case(options.view),
    })
}

fn admits(view: &View, question: &Question, index: u32) -> bool {
    let group = view.directory.group(index);
    group.live() && question.admits(&|name| property(group, name))
}

/// At most twenty, and no next link (section 5.4).
fn related(view: &View, index: u32, expand: &Expand) -> Value {
    let directory = view.directory;
    let all: Vec<Principal> = match expand.relation.as_str() {
        "members" => directory.group(index).members.iter().copied().collect(),
        "transitiveMembers" => directory.descendants(index).into_iter().collect(),
        _ => directory.group(index).parents.iter().copied().map(Principal::Group).collect(),
    };
    let is_parent = expand.relation == "memberOf";
    let shown = all.into_iter().filter(|&principal| {
        directory.is_live(principal)
            && if is_parent { members::shows_group(view, principal) } else { view.may_read_members(index) }
    });
    shown.take(EXPANDED_MAX).map(|one| members::row(view, one, expand.select.as_deref(), None)).collect()
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
        (None, Unset::Shown) if name.starts_with("extension_") => None,
        (None, _) if COLLECTIONS.contains(&name) => Some(json!([])),
        (None, _) => Some(Value::Null),
    };
    names.into_iter().filter_map(|name| shown(name).map(|value| (name.to_owned(), value))).collect()
}

/// A security group, unless its attributes say otherwise. `None` where the property has no value.
pub(super) fn property(group: &Group, name: &str) -> Option<Value> {
    if let Some(set) = group.attributes.get(name) {
        return Some(set.clone());
    }
    match name {
        "id" => Some(json!(*group.id)),
        "displayName" => Some(json!(*group.name)),
        "description" => group.description.as_deref().map(Value::from),
        "mailEnabled" => Some(json!(false)),
        "securityEnabled" => Some(json!(true)),
        "mailNickname" => Some(json!(group.id[..8])),
        "createdDateTime" => Some(json!(time(group.created))),
        "deletedDateTime" => match group.life {
            Life::Deleted(at) => Some(json!(time(at))),
            _ => None,
        },
        _ => None,
    }
}
