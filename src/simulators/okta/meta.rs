//! What describes the org: itself, schemas, mappings, the API token (okta.md sections 2.1, 3.1, 3.11 and 3.12).

use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::seed::DOMAIN;
use super::APP_NAME;
use super::Caller;
use super::OKTA_APP_ID;
use super::Reply;
use super::View;
use super::apps;
use super::credentials::API_TOKEN_ID;
use super::errors;
use super::paging::Limits;
use super::paging::Listing;
use super::paging::check_parameters;
use super::time;

const MAPPING_LIMITS: Limits = Limits { least: 1, default: 20, most: 200 };
const MAPPING_ID: &str = "prm5imulatedMapping1";

pub(super) fn org(view: &View) -> Reply {
    check_parameters(view.request, &[])?;
    let base = &view.request.base;
    Ok(Answer::json(
        200,
        json!({
            "id": super::ORG_ID,
            "subdomain": DOMAIN.split('.').next(),
            "companyName": "Acme",
            "status": "ACTIVE",
            "created": super::BIRTH,
            "lastUpdated": super::BIRTH,
            "expiresAt": null,
            "_links": { "organization": { "href": base } },
        }),
    ))
}

/// Of the token that asks, or of the only one that there is.
pub(super) fn api_token(view: &View, id: &str) -> Reply {
    check_parameters(view.request, &[])?;
    let own = id == API_TOKEN_ID || (id == "current" && view.caller == Caller::Administrator);
    if !own {
        return Err(errors::not_found(id, "ApiToken"));
    }
    let days = jiff::SignedDuration::from_hours(24 * view.knobs.token_idle_days);
    let expires = view.now.saturating_add(days).unwrap_or(view.now);
    Ok(Answer::json(
        200,
        json!({
            "id": API_TOKEN_ID,
            "name": "rosterd",
            "userId": super::ADMINISTRATOR,
            "clientName": "Okta API",
            "tokenWindow": format!("P{}D", view.knobs.token_idle_days),
            "network": { "connection": "ANYWHERE" },
            "created": super::BIRTH,
            "lastUpdated": time(view.now),
            "expiresAt": time(expires),
        }),
    ))
}

pub(super) fn schema(view: &View, app: Option<&str>, kind: &str) -> Reply {
    check_parameters(view.request, &[])?;
    if let Some(app) = app {
        apps::find(view, app)?;
    }
    let (title, base, custom) = match kind {
        "group" => ("Okta group", properties(&["name", "description"]), json!({})),
        "user" => {
            let own =
                ["login", "email", "firstName", "lastName", "displayName", "secondEmail", "mobilePhone"];
            ("User", properties(&own), properties(&["department", "title", "employeeNumber"]))
        }
        _ => (
            "Acme Workspace User",
            properties(&["userName"]),
            properties(&["firstName", "lastName", "email"]),
        ),
    };
    let place = view.request.target.split('?').next().unwrap_or_default();
    Ok(Answer::json(
        200,
        json!({
            "id": format!("{}{place}", view.request.base),
            "$schema": "http://json-schema.org/draft-04/schema#",
            "name": if kind == "apps" { APP_NAME } else { kind },
            "title": title,
            "type": "object",
            "created": super::BIRTH,
            "lastUpdated": super::BIRTH,
            "definitions": {
                "base": { "id": "#base", "type": "object", "properties": base, "required": [] },
                "custom": { "id": "#custom", "type": "object", "properties": custom, "required": [] },
            },
            "properties": { "profile": { "allOf": [{ "$ref": "#/definitions/custom" }, { "$ref": "#/definitions/base" }] } },
        }),
    ))
}

fn properties(names: &[&str]) -> Value {
    let property = |name: &str| {
        let shown = json!({ "title": name, "type": "string", "scope": "NONE", "master": { "type": "PROFILE_MASTER" } });
        (name.to_owned(), shown)
    };
    Value::Object(names.iter().map(|name| property(name)).collect())
}

/// Rows without the properties.
pub(super) fn mappings(view: &View) -> Reply {
    let listing = Listing::of(view, "mappings", &MAPPING_LIMITS, &["sourceId", "targetId"])?;
    let is = |name: &str, own: &str| view.request.query(name).is_none_or(|asked| asked == own);
    let fits = is("sourceId", USER_TYPE) && is("targetId", OKTA_APP_ID) && listing.cursor::<u32>()?.is_none();
    Ok(listing.page(fits.then_some((0_u32, ())).into_iter(), |()| mapping_object(view)))
}

const USER_TYPE: &str = "otySimulated00000001";

pub(super) fn mapping(view: &View, id: &str) -> Reply {
    check_parameters(view.request, &[])?;
    if id != MAPPING_ID {
        return Err(errors::not_found(id, "Mapping"));
    }
    let mut shown = mapping_object(view);
    shown["properties"] = json!({
        "firstName": { "expression": "user.firstName", "pushStatus": "PUSH" },
        "lastName": { "expression": "user.lastName", "pushStatus": "PUSH" },
        "email": { "expression": "user.email", "pushStatus": "DONT_PUSH" },
    });
    Ok(Answer::json(200, shown))
}

fn mapping_object(view: &View) -> Value {
    let base = format!("{}/api/v1", view.request.base);
    json!({
        "id": MAPPING_ID,
        "source": {
            "id": USER_TYPE, "name": "user", "type": "user",
            "_links": { "self": { "href": format!("{base}/meta/types/user/{USER_TYPE}") } },
        },
        "target": {
            "id": OKTA_APP_ID, "name": APP_NAME, "type": "appuser",
            "_links": { "self": { "href": format!("{base}/apps/{OKTA_APP_ID}") } },
        },
        "_links": { "self": { "href": format!("{base}/mappings/{MAPPING_ID}") } },
    })
}
