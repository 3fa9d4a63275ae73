//! `/groups/{id}/members`, `transitiveMembers`, `/users/{id}/memberOf` and `checkMemberGroups` (graph.md sections
//! 5.6 and 5.14).

use std::collections::BTreeSet;
use std::ops::Bound;

use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Directory;
use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::super::people::is_guid;
use super::Reply;
use super::View;
use super::errors;
use super::groups;
use super::options::Options;
use super::options::take_page;
use super::options::with_select;
use super::users;
use super::users::Unset;

/// At most this many groups in one question.
const QUESTION_MAX: usize = 20;

pub(super) fn direct(view: &View, id: &str) -> Reply {
    let options = member_options(view)?;
    let group = groups::find(view, id)?;
    let after = after(&options, "members")?;
    let members = view.directory.group(group).members.range((after, Bound::Unbounded)).copied();
    page(view, &options, "members", members)
}

pub(super) fn transitive(view: &View, id: &str) -> Reply {
    let options = member_options(view)?;
    let group = groups::find(view, id)?;
    let after = after(&options, "transitiveMembers")?;
    let members = view.directory.descendants(group);
    page(view, &options, "transitiveMembers", members.range((after, Bound::Unbounded)).copied())
}

/// The groups that the user is directly in.
pub(super) fn of(view: &View, key: &str) -> Reply {
    let options = member_options(view)?;
    let person = users::find(view, key)?;
    let after = after(&options, "memberOf")?;
    let groups: BTreeSet<Principal> =
        view.directory.person(person).groups.iter().copied().map(Principal::Group).collect();
    page(view, &options, "memberOf", groups.range((after, Bound::Unbounded)).copied())
}

fn member_options<'a>(view: &View<'a>) -> Result<Options<'a>, Answer> {
    Options::of(view.request, &["$select", "$top", "$skiptoken"])
}

fn after(options: &Options, listing: &str) -> Result<Bound<Principal>, Answer> {
    Ok(options.cursor(listing)?.map_or(Bound::Unbounded, Bound::Excluded))
}

fn page(view: &View, options: &Options, listing: &str, members: impl Iterator<Item = Principal>) -> Reply {
    let tables = [users::DEFAULT, users::FURTHER, groups::DEFAULT, groups::FURTHER];
    let select = options.select("directoryObject", &tables)?;
    let live = members.filter(|&member| view.directory.is_live(member));
    let (page, more) = take_page(live, options.top()?);
    let context = view.context(&with_select("directoryObjects", select.as_deref()));
    let mut body = json!({ "@odata.context": context });
    if let (true, Some(last)) = (more, page.last()) {
        body["@odata.nextLink"] = json!(options.next_link(listing, last));
    }
    body["value"] = page.iter().map(|&member| row(view.directory, member, select.as_deref())).collect();
    Ok(Answer::json(200, body))
}

/// A member with its type; of a type that does not have a selected property, the property is null.
fn row(directory: &Directory, member: Principal, select: Option<&[String]>) -> Value {
    let mut row = match member {
        Principal::User(person) => users::properties(directory.person(person), select, Unset::Shown),
        Principal::Group(group) => groups::properties(directory.group(group), select, Unset::Shown),
        Principal::Other(_) => {
            let wanted = |name: &str| select.is_none_or(|names| names.iter().any(|known| known == name));
            let values = [("id", directory.id_of(member)), ("displayName", directory.name_of(member))];
            values
                .into_iter()
                .filter(|(name, _)| wanted(name))
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect()
        }
    };
    row.insert("@odata.type".to_owned(), json!(odata_type(directory, member)));
    Value::Object(row)
}

pub(super) fn odata_type(directory: &Directory, principal: Principal) -> String {
    let kind = match principal {
        Principal::User(_) => "user",
        Principal::Group(_) => "group",
        Principal::Other(other) => directory.others[other as usize].kind,
    };
    format!("#microsoft.graph.{kind}")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Question {
    group_ids: Vec<String>,
}

pub(super) fn check_member_groups(view: &View, key: &str) -> Reply {
    Options::of(view.request, &[])?;
    let question: Question = serde_json::from_slice(&view.request.body)
        .map_err(|_| errors::bad_request("Unable to read JSON request payload."))?;
    if question.group_ids.len() > QUESTION_MAX {
        return Err(errors::bad_request("The number of groupIds exceeds the maximum of 20."));
    }
    if !question.group_ids.iter().all(|id| is_guid(id)) {
        return Err(errors::bad_request("Invalid object identifier."));
    }
    let asked = match view.directory.group_by_id(&key.to_lowercase()) {
        Some(_) => Principal::Group(groups::find(view, key)?),
        None => Principal::User(users::find(view, key)?),
    };
    let holding = view.directory.ancestors(asked);
    let held = |id: &&String| {
        view.directory.group_by_id(&id.to_lowercase()).is_some_and(|group| holding.contains(&group))
    };
    let value: Vec<&String> = question.group_ids.iter().filter(held).collect();
    Ok(Answer::json(200, json!({ "@odata.context": view.context("Collection(Edm.String)"), "value": value })))
}
