//! A user as Okta shows it, its properties by name, and parts of it (okta.md section 3.8).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Person;
use super::super::directory::Status;
use super::View;
use super::time;
use super::users::transition;

/// The full object. `activated` is when the record was made: nobody is ever activated later here.
pub(super) fn user(view: &View, index: u32) -> Value {
    let person = view.directory.person(index);
    let mut user = json!({
        "id": *person.id,
        "status": person.status,
        "created": time(person.created),
        "activated": activated(person),
        "statusChanged": time(person.status_changed),
        "lastLogin": null,
        "lastUpdated": time(person.updated),
        "passwordChanged": null,
        "type": { "id": "otySimulated00000001" },
        "profile": profile(person),
        "credentials": { "provider": { "type": "OKTA", "name": "OKTA" } },
        "_links": { "self": { "href": format!("{}/api/v1/users/{}", view.request.base, person.id) } },
    });
    if let Some(status) = transition(view, index, person) {
        user["transitioningToStatus"] = json!(status);
    }
    without_omitted(view, user)
}

/// What a header asks to be left out (okta.md section 3.8).
fn without_omitted(view: &View, mut user: Value) -> Value {
    let asked = view.request.header("content-type").unwrap_or_default();
    let omits = |what: &str| asked.split([';', ',', '=']).any(|part| part.trim() == what);
    if let Value::Object(fields) = &mut user {
        if omits("omitCredentials") {
            fields.remove("credentials");
        }
        if omits("omitTransitioningToStatus") {
            fields.remove("transitioningToStatus");
        }
    }
    user
}

fn activated(person: &Person) -> Option<String> {
    (person.status != Status::Staged).then(|| time(person.created))
}

pub(super) fn profile(person: &Person) -> Map<String, Value> {
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

/// The value of a property as filters compare it; none where it has none.
pub(super) fn property(person: &Person, name: &str) -> Option<String> {
    match name {
        "id" => Some(person.id.to_string()),
        "status" => serde_json::to_value(person.status).ok()?.as_str().map(str::to_owned),
        "created" => Some(time(person.created)),
        "activated" => activated(person),
        "statusChanged" => Some(time(person.status_changed)),
        "lastUpdated" => Some(time(person.updated)),
        "type.id" => Some("otySimulated00000001".to_owned()),
        other => match profile(person).remove(other.strip_prefix("profile.")?)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            value => Some(value.to_string()),
        },
    }
}

/// `fields=id,status,profile:(login,email)` (okta.md section 3.8); what is not named is left out.
pub(super) fn projected(user: Value, fields: Option<&str>) -> Value {
    let Some(fields) = fields else { return user };
    let Value::Object(all) = user else { return user };
    let (outer, inner) = match fields.split_once("profile:(") {
        Some((before, rest)) => {
            let (inner, after) = rest.split_once(')').unwrap_or((rest, ""));
            (format!("{before}{after}"), Some(inner.to_owned()))
        }
        None => (fields.to_owned(), None),
    };
    let names: Vec<&str> = outer.split(',').map(str::trim).collect();
    let mut part: Map<String, Value> = all
        .iter()
        .filter(|(name, _)| names.contains(&name.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if let (Some(inner), Some(profile)) = (inner, all.get("profile").and_then(Value::as_object)) {
        let named: Vec<&str> = inner.split(',').map(str::trim).collect();
        let profile = profile
            .iter()
            .filter(|(name, _)| named.contains(&name.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()));
        part.insert("profile".to_owned(), Value::Object(profile.collect()));
    }
    Value::Object(part)
}
