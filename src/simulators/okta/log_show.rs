//! An entry of the System Log as JSON, and its values by path for filters (okta.md section 4).

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::OKTA_APP_ID;
use super::View;
use super::log::Cause;
use super::log::Entry;
use super::log::Subject;

/// With milliseconds: the one date of Okta that has them.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

pub(super) fn event(view: &View, entry: &Entry) -> Value {
    let targets: Vec<Value> = entry.subjects.iter().flatten().map(|subject| target(view, *subject)).collect();
    let job = entry.cause == Cause::Job;
    let client = json!({
        "userAgent": { "rawUserAgent": "Mozilla/5.0", "os": "Linux", "browser": "FIREFOX" },
        "zone": "null", "device": "Computer", "id": null, "ipAddress": "192.0.2.1",
        "geographicalContext": null,
    });
    json!({
        "uuid": format!("51a10000-0000-11f0-8000-{:012x}", entry.number),
        "published": time(entry.at),
        "eventType": entry.kind,
        "version": "0",
        "severity": "INFO",
        "legacyEventType": format!("core.{}", entry.kind),
        "displayMessage": entry.kind.replace(['.', '_'], " "),
        "actor": {
            "id": super::ADMINISTRATOR, "type": "User", "alternateId": super::ADMINISTRATOR_LOGIN,
            "displayName": "Simulated Administrator", "detailEntry": null,
        },
        "client": if job { Value::Null } else { client },
        "outcome": outcome(entry.kind),
        "target": targets,
        "transaction": { "type": if job { "JOB" } else { "WEB" }, "id": format!("simulated{}", entry.number), "detail": {} },
        "debugContext": { "debugData": {} },
        "request": { "ipChain": [] },
        "authenticationContext": {},
        "securityContext": {},
        "device": null,
    })
}

fn outcome(kind: &str) -> Value {
    match kind.contains(".failed") {
        true => json!({ "result": "FAILURE", "reason": "simulated" }),
        false => json!({ "result": "SUCCESS", "reason": null }),
    }
}

fn target(view: &View, subject: Subject) -> Value {
    let of = |id: &str, kind: &str, alternate: &str, name: &str| json!({ "id": id, "type": kind, "alternateId": alternate, "displayName": name, "detailEntry": null });
    match subject {
        Subject::User(index) => {
            let person = view.directory.person(index);
            of(&person.id, "User", &person.login, &person.display_name)
        }
        // The id of the row itself, which is seen in the log only (okta.md section 3.3).
        Subject::AppUser(index) => {
            let person = view.directory.person(index);
            let id = format!("0ua{}", person.id.get(3..).unwrap_or_default());
            of(&id, "AppUser", &person.login, &person.display_name)
        }
        Subject::Group(index) => {
            let group = view.directory.group(index);
            of(&group.id, "UserGroup", "unknown", &group.name)
        }
        Subject::App => of(OKTA_APP_ID, "AppInstance", view.label(), view.label()),
    }
}

/// The values at a path; a list on the way gives those of all its members, so two comparisons of `target` may mean
/// two targets.
pub(super) fn values(event: &Value, path: &str) -> Vec<String> {
    let mut places = vec![event];
    for name in path.split('.') {
        places = places
            .into_iter()
            .flat_map(|place| match place {
                Value::Array(members) => {
                    members.iter().filter_map(|member| member.get(name)).collect::<Vec<_>>()
                }
                other => other.get(name).into_iter().collect(),
            })
            .collect();
    }
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    places.into_iter().filter_map(text).collect()
}
