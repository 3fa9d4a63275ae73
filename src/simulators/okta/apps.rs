//! The application as an object and in lists (okta.md section 3.2).

use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::APP_NAME;
use super::OKTA_APP_ID;
use super::Reply;
use super::View;
use super::changes::AppStatus;
use super::errors;
use super::filter::Filter;
use super::filter::Grammar;
use super::paging::Limits;
use super::paging::Listing;
use super::paging::check_parameters;
use super::time;
use super::user_object::user;

const LIMITS: Limits = Limits { least: 1, default: 20, most: 200 };
/// Every org has this application, and it is in every list.
const CONSOLE_ID: &str = "0oa5im0000console001";

const FILTER: Grammar = Grammar {
    admits: |property, operator| {
        let known = matches!(
            property,
            "id" | "status"
                | "name"
                | "user.id"
                | "group.id"
                | "credentials.signing.kid"
                | "settings.slo.enabled"
        );
        known && operator == "eq"
    },
    is_date: |_| false,
    exact: true,
    with_not: false,
};

pub(super) fn list(view: &View) -> Reply {
    let allowed = ["q", "filter", "expand", "includeNonDeleted", "useOptimization"];
    let listing = Listing::of(view, "apps", &LIMITS, &allowed)?;
    let whose = expanded_user(view)?;
    let filter = view.request.query("filter").map(|text| Filter::parse(text, &FILTER)).transpose();
    let filter = filter.map_err(|error| error.answer())?;
    let q = view.request.query("q").unwrap_or_default().to_lowercase();
    let mut all = vec![console(view)];
    if view.app_is_listed() {
        all.push(app_object(view));
    }
    let last = listing.cursor::<usize>()?;
    let rows = all.into_iter().enumerate().filter(|(place, app)| {
        let starts = |name: &str| app[name].as_str().is_some_and(|text| text.to_lowercase().starts_with(&q));
        let admits = |filter: &Filter| filter.admits(&|name| held(view, app, name));
        last.is_none_or(|last| *place > last)
            && (starts("label") || starts("name"))
            && filter.as_ref().is_none_or(admits)
    });
    Ok(listing.page(rows, |app| with_user(view, app, whose)))
}

pub(super) fn one(view: &View, id: &str) -> Reply {
    check_parameters(view.request, &["expand"])?;
    let whose = expanded_user(view)?;
    if id == CONSOLE_ID {
        return Ok(Answer::json(200, console(view)));
    }
    find(view, id)?;
    Ok(Answer::json(200, with_user(view, app_object(view), whose)))
}

pub(super) fn find(view: &View, app: &str) -> Result<(), Answer> {
    let there = app == OKTA_APP_ID && view.directory.org.app.status != AppStatus::Missing;
    if there { Ok(()) } else { Err(errors::not_found(app, "AppInstance")) }
}

/// `expand=user/{id}` embeds that person's row.
fn expanded_user(view: &View) -> Result<Option<u32>, Answer> {
    let Some(text) = view.request.query("expand") else { return Ok(None) };
    let id = text.strip_prefix("user/").ok_or_else(errors::bad_expand)?;
    let person = view.directory.person_by_id(id).ok_or_else(errors::bad_expand)?;
    Ok(Some(person))
}

fn with_user(view: &View, mut app: Value, whose: Option<u32>) -> Value {
    if let Some(person) = whose.filter(|&person| view.has_row(person) && app["id"] == OKTA_APP_ID) {
        app["_embedded"] = json!({ "user": user(view, person) });
    }
    app
}

fn held(view: &View, app: &Value, name: &str) -> Vec<String> {
    let own = app["id"] == OKTA_APP_ID;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    match name {
        "user.id" if own => {
            let all = 0..view.directory.people.len() as u32;
            all.filter(|&index| view.has_row(index))
                .map(|index| view.directory.person(index).id.to_string())
                .collect()
        }
        "group.id" if own => {
            let groups = view.directory.assigned_groups();
            groups.into_iter().map(|group| view.directory.group(group).id.to_string()).collect()
        }
        "user.id" | "group.id" => Vec::new(),
        path => app.pointer(&format!("/{}", path.replace('.', "/"))).and_then(text).into_iter().collect(),
    }
}

fn status(view: &View) -> &'static str {
    match view.directory.org.app.status {
        AppStatus::Deleted => "DELETED",
        _ if view.directory.app_enabled => "ACTIVE",
        _ => "INACTIVE",
    }
}

pub(super) fn app_object(view: &View) -> Value {
    let app = &view.directory.org.app;
    let base = &view.request.base;
    let path = format!("{base}/api/v1/apps/{OKTA_APP_ID}");
    let updated = app.updated.map_or_else(|| super::BIRTH.to_owned(), time);
    json!({
        "id": OKTA_APP_ID,
        "orn": format!("orn:okta:idp:{}:apps:{APP_NAME}:{OKTA_APP_ID}", super::ORG_ID),
        "name": APP_NAME,
        "label": view.label(),
        "status": status(view),
        "created": super::BIRTH,
        "lastUpdated": updated,
        "accessibility": { "selfService": false, "errorRedirectUrl": null, "loginRedirectUrl": null },
        "visibility": { "autoSubmitToolbar": false, "hide": { "iOS": false, "web": false }, "appLinks": { "login": true } },
        "features": app.features,
        "signOnMode": "SAML_2_0",
        "credentials": {
            "userNameTemplate": { "template": "${source.login}", "type": "BUILT_IN" },
            "signing": { "kid": "simulated-signing-key" },
        },
        "settings": {
            "app": {},
            "notifications": { "vpn": { "network": { "connection": "DISABLED" }, "message": null, "helpUrl": null } },
            "manualProvisioning": false,
            "implicitAssignment": app.implicit_assignment,
            "notes": { "admin": null, "enduser": null },
        },
        "_links": {
            "users": { "href": format!("{path}/users") },
            "groups": { "href": format!("{path}/groups") },
            "deactivate": { "href": format!("{path}/lifecycle/deactivate") },
            "logo": [{ "name": "medium", "href": format!("{base}/assets/app.png"), "type": "image/png" }],
        },
    })
}

fn console(view: &View) -> Value {
    let path = format!("{}/api/v1/apps/{CONSOLE_ID}", view.request.base);
    json!({
        "id": CONSOLE_ID,
        "name": "saasure",
        "label": "Okta Admin Console",
        "status": "ACTIVE",
        "created": super::BIRTH,
        "lastUpdated": super::BIRTH,
        "features": [],
        "signOnMode": "OPENID_CONNECT",
        "settings": { "app": {}, "manualProvisioning": false, "implicitAssignment": false },
        "_links": { "users": { "href": format!("{path}/users") }, "groups": { "href": format!("{path}/groups") } },
    })
}
