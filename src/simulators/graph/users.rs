//! `/users`, `/users/{id}`, `/users/{id}/manager` and `/users/$count` (graph.md sections 5.2 to 5.4).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::Reply;
use super::View;
use super::errors;
use super::expand::EXPANDED_MAX;
use super::expand::Expand;
use super::filter_match::Case;
use super::filter_rules;
use super::listing::At;
use super::listing::Listing;
use super::listing::Question;
use super::listing::walk;
use super::members;
use super::options::Options;
use super::options::TOP_MAX;
use super::options::with_select;
pub(super) use super::person::DEFAULT;
pub(super) use super::person::FURTHER;
use super::person::properties;
use super::person::property;
use super::search::Search;

/// With `signInActivity` pages are smaller (section 5.2).
const TOP_MAX_WITH_SIGN_INS: usize = 500;
const SEARCHABLE: &[&str] =
    &["displayName", "givenName", "mail", "mailNickname", "surname", "userPrincipalName"];
const RELATIONS: &[&str] = &["manager", "memberOf", "transitiveMemberOf"];

/// How a property without a value is shown (sections 5.2 and 6.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unset {
    /// `null`, or `[]` for a collection.
    Shown,
    /// Left out, unless it had a value once.
    LeftOut,
}

pub(super) fn list(view: &View) -> Reply {
    let allowed = ["$select", "$top", "$skiptoken", "$filter", "$search", "$orderby", "$expand", "$count"];
    let options = Options::of(view, &allowed)?;
    let select = select(&options)?;
    let expand = Expand::of(&options, RELATIONS)?;
    let question = question(&options)?;
    let with_sign_ins = select.iter().flatten().any(|name| name == "signInActivity");
    let top = options.top(if with_sign_ins { TOP_MAX_WITH_SIGN_INS } else { TOP_MAX })?;
    let whole = At { next: 0, all: view.directory.people.len() as u32 };
    let from = options.cursor::<At>("users")?;
    let at = from.unwrap_or(whole);
    let admitted = |index| admits(view, &question, index);
    let count =
        (options.counts()? && from.is_none()).then(|| (0..at.all).filter(|&index| admitted(index)).count());
    let value_of = |index, name: &str| property(view.directory.person(index), name);
    let rows = walk(at, question.order.as_ref(), view.knobs.shuffled_order, admitted, value_of);
    let listing =
        Listing { options: &options, name: "users", context: with_select("users", select.as_deref()), top };
    let next = |&(place, _): &(u32, u32)| At { next: place + 1, all: at.all };
    listing.page(rows, count, next, |&(_, index)| {
        let mut row = properties(view.directory.person(index), select.as_deref(), Unset::Shown);
        if let Some(expand) = &expand {
            add_related(view, index, expand, &mut row);
        }
        Value::Object(row)
    })
}

pub(super) fn count(view: &View) -> Reply {
    let options = Options::of(view, &["$filter", "$search"])?;
    let question = question(&options)?;
    let all = view.directory.people.len() as u32;
    members::count_of((0..all).filter(|&index| admits(view, &question, index)).count(), &options)
}

pub(super) fn one(view: &View, key: &str) -> Reply {
    let options = Options::of(view, &["$select", "$expand", "$count"])?;
    let select = select(&options)?;
    let expand = Expand::of(&options, RELATIONS)?;
    let index = find(view, key)?;
    let mut body = properties(view.directory.person(index), select.as_deref(), Unset::Shown);
    let context = format!("{}/$entity", with_select("users", select.as_deref()));
    body.insert("@odata.context".to_owned(), json!(view.context(&context)));
    if let Some(expand) = &expand {
        add_related(view, index, expand, &mut body);
    }
    Ok(Answer::json(200, Value::Object(body)))
}

pub(super) fn manager(view: &View, key: &str) -> Reply {
    let options = Options::of(view, &["$select"])?;
    let select = options.select("user", &[DEFAULT, FURTHER])?;
    let index = find(view, key)?;
    let manager = view.directory.person(index).manager.map(|manager| view.directory.person(manager));
    // The wording is UNCONFIRMED (section 5.4).
    let Some(manager) = manager.filter(|manager| manager.live()) else {
        return Err(errors::not_found("manager"));
    };
    let mut body = properties(manager, select.as_deref(), Unset::Shown);
    body.insert("@odata.context".to_owned(), json!(view.context("directoryObjects/$entity")));
    body.insert("@odata.type".to_owned(), json!("#microsoft.graph.user"));
    Ok(Answer::json(200, Value::Object(body)))
}

/// A live user by id or by user principal name.
pub(super) fn find(view: &View, key: &str) -> Result<u32, Answer> {
    let directory = view.directory;
    let found = directory.person_by_id(&key.to_lowercase()).or_else(|| directory.person_by_login(key));
    found.filter(|&index| directory.person(index).live()).ok_or_else(|| errors::not_found(key))
}

/// What may be selected; sign-ins need a licence and a permission of their own (sections 2.9 and 3).
fn select(options: &Options) -> Result<Option<Vec<String>>, Answer> {
    let select = options.select("user", &[DEFAULT, FURTHER, &["signInActivity"]])?;
    if !select.iter().flatten().any(|name| name == "signInActivity") {
        return Ok(select);
    }
    let view = options.view;
    if !view.knobs.premium || view.knobs.b2c {
        return Err(errors::error(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        ));
    }
    if !view.may_read_sign_ins() {
        return Err(errors::of_status(403));
    }
    Ok(select)
}

fn question(options: &Options) -> Result<Question, Answer> {
    Ok(Question {
        filter: options.filter(&filter_rules::USERS)?,
        search: Search::of(options, SEARCHABLE)?,
        order: options
            .order(&["displayName", "userPrincipalName"], &["createdDateTime", "deletedDateTime"])?,
        case: case(options.view),
    })
}

pub(super) fn case(view: &View) -> Case {
    if view.knobs.case_sensitive_filters { Case::Kept } else { Case::Ignored }
}

fn admits(view: &View, question: &Question, index: u32) -> bool {
    let person = view.directory.person(index);
    person.live() && question.admits(&|name| property(person, name))
}

fn add_related(view: &View, index: u32, expand: &Expand, row: &mut Map<String, Value>) {
    if expand.relation == "manager" {
        if let Some(manager) = manager_of(view, index, expand, expand.levels) {
            row.insert("manager".to_owned(), manager);
        }
        return;
    }
    let groups: Vec<u32> = match expand.relation.as_str() {
        "memberOf" => view.directory.person(index).groups.clone(),
        _ => view.directory.ancestors(Principal::User(index)).into_iter().collect(),
    };
    let shown = groups.into_iter().map(Principal::Group).filter(|&group| members::shows_group(view, group));
    let rows =
        shown.take(EXPANDED_MAX).map(|group| members::row(view, group, expand.select.as_deref(), None));
    row.insert(expand.relation.clone(), rows.collect());
}

/// The manager with the levels above, each within the one below. A circle ends with the levels.
fn manager_of(view: &View, index: u32, expand: &Expand, levels: u32) -> Option<Value> {
    let manager =
        view.directory.person(index).manager.filter(|&manager| view.directory.person(manager).live())?;
    let mut row = properties(view.directory.person(manager), expand.select.as_deref(), Unset::Shown);
    row.insert("@odata.type".to_owned(), json!("#microsoft.graph.user"));
    let above = (levels > 1).then(|| manager_of(view, manager, expand, levels - 1)).flatten();
    if let Some(above) = above {
        row.insert("manager".to_owned(), above);
    }
    Some(Value::Object(row))
}
