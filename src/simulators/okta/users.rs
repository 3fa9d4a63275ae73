//! `/users`, `/users/{id}`, and what belongs to one user (okta.md section 3.8).

use serde_json::Value;
use serde_json::json;

use super::super::directory::Life;
use super::super::directory::Person;
use super::super::exchange::Answer;
use super::Caller;
use super::Reply;
use super::View;
use super::errors;
use super::filter::Filter;
use super::filter::Grammar;
use super::groups;
use super::paging::Limits;
use super::paging::Listing;
use super::paging::check_parameters;
use super::time;
use super::user_object::projected;
use super::user_object::property;
use super::user_object::user;

const LIMITS: Limits = Limits { least: 1, default: 200, most: 200 };
const Q_LIMITS: Limits = Limits { least: 1, default: 10, most: 200 };
const GROUP_LIMITS: Limits = Limits { least: 1, default: 200, most: 200 };

const FILTER: Grammar = Grammar {
    admits: |property, operator| match property {
        "status" | "id" | "profile.login" | "profile.email" | "profile.firstName" | "profile.lastName" => {
            operator == "eq"
        }
        "lastUpdated" => compares(operator),
        _ => false,
    },
    is_date,
    exact: true,
    with_not: false,
};

pub(super) const SEARCH: Grammar = Grammar {
    admits: |property, operator| match property {
        "status" | "id" | "type.id" => operator == "eq",
        "lastUpdated" | "created" | "activated" | "statusChanged" => compares(operator),
        other => {
            other.starts_with("profile.") && (compares(operator) || matches!(operator, "sw" | "co" | "pr"))
        }
    },
    is_date,
    exact: false,
    with_not: false,
};

fn compares(operator: &str) -> bool {
    matches!(operator, "eq" | "gt" | "ge" | "lt" | "le")
}

fn is_date(property: &str) -> bool {
    matches!(property, "lastUpdated" | "created" | "activated" | "statusChanged")
}

/// The plain list leaves deactivated people out, and so does `q`; `filter` and `search` include them.
pub(super) fn list(view: &View) -> Reply {
    let request = view.request;
    if let Some(q) = request.query("q") {
        return by_prefix(view, q);
    }
    let allowed = ["filter", "search", "sortBy", "sortOrder", "fields", "expand"];
    let listing = Listing::of(view, "users", &LIMITS, &allowed)?;
    groups::check_sort(request)?;
    let (filter, search) = (request.query("filter"), request.query("search"));
    if filter.is_some() && search.is_some() {
        return Err(errors::by_code("E0000033", ""));
    }
    let filter = match (filter, search) {
        (Some(text), _) => Some(Filter::parse(text, &FILTER).map_err(|error| error.answer())?),
        (_, Some(text)) => Some(Filter::parse(text, &SEARCH).map_err(|error| error.answer())?),
        _ => None,
    };
    let fields = request.query("fields");
    let fits = |index: u32| {
        let person = view.directory.person(index);
        let lags = search.is_some() && view.is_too_new(person.created);
        match &filter {
            _ if !view.sees_person(index) || person.life == Life::Purged || lags => false,
            None => person.live(),
            Some(filter) => filter.admits(&|name| property(person, name).into_iter().collect()),
        }
    };
    let last = listing.cursor::<u32>()?;
    if let (Some(sort), Some(_)) = (request.query("sortBy"), search) {
        return Ok(sorted(view, &listing, sort, last, fits));
    }
    let all = last.map_or(0, |last| last + 1)..view.directory.people.len() as u32;
    let rows = all.filter(|&index| fits(index)).map(|index| (index, index));
    Ok(listing.page(rows, |index| projected(user(view, index), fields)))
}

/// The cursor of a sorted search is the last row; those before it in the order are left out.
fn sorted(
    view: &View,
    listing: &Listing,
    sort: &str,
    last: Option<u32>,
    fits: impl Fn(u32) -> bool,
) -> Answer {
    let descends = view.request.query("sortOrder").is_some_and(|order| order.eq_ignore_ascii_case("desc"));
    let key = |index: u32| property(view.directory.person(index), sort).unwrap_or_default().to_lowercase();
    let mut rows: Vec<(String, u32)> = (0..view.directory.people.len() as u32)
        .filter(|&index| fits(index))
        .map(|index| (key(index), index))
        .collect();
    rows.sort();
    if descends {
        rows.reverse();
    }
    let from =
        last.and_then(|last| rows.iter().position(|(_, index)| *index == last)).map_or(0, |place| place + 1);
    let page = rows.into_iter().skip(from).map(|(_, index)| (index, index));
    listing.page(page, |index| projected(user(view, index), view.request.query("fields")))
}

/// Ten by default, and never a second page.
fn by_prefix(view: &View, q: &str) -> Reply {
    let listing = Listing::of(view, "users", &Q_LIMITS, &["q", "fields", "expand"])?;
    let wanted = q.to_lowercase();
    let starts = |text: Option<&str>| text.is_some_and(|text| text.to_lowercase().starts_with(&wanted));
    let hits = (0..view.directory.people.len() as u32).filter(|&index| {
        let person = view.directory.person(index);
        let texts = [person.given_name.as_deref(), person.surname.as_deref(), person.mail.as_deref()];
        person.live() && view.sees_person(index) && texts.into_iter().any(starts)
    });
    let rows = hits.take(listing.limit()).map(|index| (index, index));
    Ok(listing.page(rows, |index| user(view, index)))
}

/// By id in any state but deleted, or by login. A login with a slash cannot be asked for (okta.md section 1).
pub(super) fn one(view: &View, key: &str) -> Reply {
    check_parameters(view.request, &["fields", "expand"])?;
    if key == "me" {
        return me(view);
    }
    let index = find(view, key)?;
    let person = view.directory.person(index);
    let etag = format!("W/\"{:x}\"", person.updated.as_nanosecond());
    let fields = view.request.query("fields");
    Ok(Answer::json(200, projected(user(view, index), fields)).with("etag", etag))
}

pub(super) fn find(view: &View, key: &str) -> Result<u32, Answer> {
    let found = view.directory.person_by_id(key).or_else(|| view.directory.person_by_login(key));
    let known = found.filter(|&index| {
        !key.contains('/') && view.directory.person(index).life != Life::Purged && view.sees_person(index)
    });
    known.ok_or_else(|| errors::not_found(key, "User"))
}

/// The maker of the API token; a service app is nobody.
fn me(view: &View) -> Reply {
    if view.caller != Caller::Administrator {
        return Err(errors::not_found("me", "User"));
    }
    let me = json!({
        "id": super::ADMINISTRATOR,
        "status": "ACTIVE",
        "profile": { "firstName": "Simulated", "lastName": "Administrator", "login": super::ADMINISTRATOR_LOGIN },
    });
    Ok(Answer::json(200, me))
}

/// Its `lastMembershipUpdated` are old: never to be used as a watermark (okta.md section 5.2).
pub(super) fn groups_of(view: &View, id: &str) -> Reply {
    let listing = Listing::of(view, "groups of a user", &GROUP_LIMITS, &[])?;
    let person = find(view, id)?;
    let last = listing.cursor::<u32>()?;
    let mut groups: Vec<u32> = view.directory.person(person).groups.clone();
    groups.sort_unstable();
    let rows = groups.into_iter().filter(|&group| {
        last.is_none_or(|last| group > last) && view.directory.group(group).live() && view.sees_group(group)
    });
    Ok(listing.page(rows.map(|group| (group, group)), |group| {
        let mut shown = groups::group(view, group);
        shown["lastMembershipUpdated"] = json!(time(view.directory.group(group).created));
        shown
    }))
}

/// One row for each link of an application.
pub(super) fn app_links(view: &View, id: &str) -> Reply {
    check_parameters(view.request, &[])?;
    let index = find(view, id)?;
    let link = |index: u32| -> Value {
        json!({
            "id": format!("0ua{}", view.directory.person(index).id.get(3..).unwrap_or_default()),
            "label": view.label(),
            "linkUrl": format!("{}/home/acme_workspace/{}/1", view.request.base, super::OKTA_APP_ID),
            "appName": super::APP_NAME,
            "appInstanceId": super::OKTA_APP_ID,
            "hidden": false,
        })
    };
    let rows: Vec<Value> = view.has_row(index).then(|| link(index)).into_iter().collect();
    Ok(Answer::json(200, Value::from(rows)))
}

/// Whether the person is shown as the other side of a running change.
pub(super) fn transition(view: &View, index: u32, person: &Person) -> Option<&'static str> {
    let lingers = view.directory.org.jobs.get(&index).is_some_and(|job| job.shown && job.ends > view.now);
    (lingers && !person.live()).then_some("DEPROVISIONED")
}
