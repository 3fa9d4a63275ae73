//! `/users` and `/users/{id}` (okta.md section 3.8).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Life;
use super::super::directory::Person;
use super::super::directory::Status;
use super::super::exchange::Answer;
use super::Reply;
use super::View;
use super::errors;
use super::paging::Limits;
use super::paging::Listing;
use super::paging::check_parameters;
use super::time;

const LIMITS: Limits = Limits { least: 1, default: 200, most: 200 };

/// The plain list leaves deactivated people out.
pub(super) fn list(view: &View) -> Reply {
    let listing = Listing::of(view, "users", &LIMITS, &[])?;
    let from = listing.cursor::<u32>()?.map_or(0, |last| last + 1);
    let all = from..view.directory.people.len() as u32;
    let rows = all.filter(|&person| view.directory.person(person).live()).map(|person| (person, person));
    Ok(listing.page(rows, |person| user(&view.request.base, view.directory.person(person))))
}

/// By id in any state but deleted, or by login.
pub(super) fn one(view: &View, key: &str) -> Reply {
    check_parameters(view.request, &[])?;
    let found = view.directory.person_by_id(key).or_else(|| view.directory.person_by_login(key));
    let known =
        found.map(|person| view.directory.person(person)).filter(|person| person.life != Life::Purged);
    let person = known.ok_or_else(|| errors::not_found(key, "User"))?;
    let etag = format!("W/\"{:x}\"", person.updated.as_nanosecond());
    Ok(Answer::json(200, user(&view.request.base, person)).with("etag", etag))
}

/// The full object. `activated` is when the record was made: nobody is ever activated later here.
pub(super) fn user(base: &str, person: &Person) -> Value {
    let activated = (person.status != Status::Staged).then(|| time(person.created));
    json!({
        "id": *person.id,
        "status": person.status,
        "created": time(person.created),
        "activated": activated,
        "statusChanged": time(person.status_changed),
        "lastLogin": null,
        "lastUpdated": time(person.updated),
        "passwordChanged": null,
        "type": { "id": "otySimulated00000001" },
        "profile": profile(person),
        "credentials": { "provider": { "type": "OKTA", "name": "OKTA" } },
        "_links": { "self": { "href": format!("{base}/api/v1/users/{}", person.id) } },
    })
}

fn profile(person: &Person) -> Map<String, Value> {
    let mut profile = Map::new();
    let mut put = |name: &str, value: Value| profile.insert(name.to_owned(), value);
    put("firstName", json!(person.given_name));
    put("lastName", json!(person.surname));
    put("displayName", json!(*person.display_name));
    put("login", json!(*person.login));
    put("email", json!(person.mail));
    put("secondEmail", Value::Null);
    put("mobilePhone", Value::Null);
    for (name, value) in &person.attributes {
        put(okta_name(name), value.clone());
    }
    profile
}

/// Okta's name for a property that has Graph's.
fn okta_name(name: &str) -> &str {
    match name {
        "jobTitle" => "title",
        "employeeId" => "employeeNumber",
        "companyName" => "organization",
        other => other,
    }
}
