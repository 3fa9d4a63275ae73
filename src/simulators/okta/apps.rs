//! The application, its users and its groups (okta.md sections 3.1 to 3.4).

use serde_json::Value;
use serde_json::json;

use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::super::seed::DOMAIN;
use super::APP_LABEL;
use super::OKTA_APP_ID;
use super::Reply;
use super::View;
use super::errors;
use super::groups::group as group_object;
use super::paging::Limits;
use super::paging::Listing;
use super::paging::check_parameters;
use super::paging::expands;
use super::time;
use super::users::user as user_object;

const USER_LIMITS: Limits = Limits { least: 1, default: 50, most: 500 };
const GROUP_LIMITS: Limits = Limits { least: 20, default: 20, most: 200 };

pub(super) fn org() -> Reply {
    Ok(Answer::json(
        200,
        json!({
            "id": "00oSimulated00000001",
            "subdomain": DOMAIN.split('.').next(),
            "companyName": "Acme",
            "status": "ACTIVE",
            "expiresAt": null,
        }),
    ))
}

pub(super) fn app(view: &View, id: &str) -> Reply {
    check_parameters(view.request, &[])?;
    find(id)?;
    let path = format!("{}/api/v1/apps/{id}", view.request.base);
    Ok(Answer::json(
        200,
        json!({
            "id": id,
            "name": "acme_workspace",
            "label": APP_LABEL,
            "status": if view.directory.app_enabled { "ACTIVE" } else { "INACTIVE" },
            "accessibility": { "selfService": false, "errorRedirectUrl": null, "loginRedirectUrl": null },
            "visibility": { "autoSubmitToolbar": false, "hide": { "iOS": false, "web": false } },
            "features": [],
            "signOnMode": "SAML_2_0",
            "credentials": {
                "userNameTemplate": { "template": "${source.login}", "type": "BUILT_IN" },
                "signing": {},
            },
            "settings": { "app": {}, "manualProvisioning": false, "implicitAssignment": false },
            "_links": {
                "users": { "href": format!("{path}/users") },
                "groups": { "href": format!("{path}/groups") },
            },
        }),
    ))
}

/// One row a person who holds the application, however they came by it.
pub(super) fn users(view: &View, app: &str) -> Reply {
    let listing = Listing::of(view, "app users", &USER_LIMITS, &["expand"])?;
    find(app)?;
    let expand = expands(view.request, "user")?;
    let from = listing.cursor::<u32>()?.map_or(0, |last| last + 1);
    let all = from..view.directory.people.len() as u32;
    let rows = all.filter(|&person| view.directory.has_app(person)).map(|person| (person, person));
    Ok(listing.page(rows, |person| app_user(view, person, expand)))
}

pub(super) fn user(view: &View, app: &str, id: &str) -> Reply {
    check_parameters(view.request, &["expand"])?;
    find(app)?;
    let expand = expands(view.request, "user")?;
    let found = view.directory.person_by_id(id).filter(|&person| view.directory.has_app(person));
    let person = found.ok_or_else(|| errors::not_found(id, "AppUser"))?;
    Ok(Answer::json(200, app_user(view, person, expand)))
}

/// In order of priority.
pub(super) fn groups(view: &View, app: &str) -> Reply {
    let listing = Listing::of(view, "app groups", &GROUP_LIMITS, &["expand"])?;
    find(app)?;
    let expand = expands(view.request, "group")?;
    let from = listing.cursor::<usize>()?.map_or(0, |last| last + 1);
    let all = view.directory.assigned_groups();
    let rows = all.into_iter().enumerate().skip(from).map(|(place, group)| (place, (place, group)));
    Ok(listing.page(rows, |(place, group)| app_group(view, group, place, expand)))
}

pub(super) fn group(view: &View, app: &str, id: &str) -> Reply {
    check_parameters(view.request, &["expand"])?;
    find(app)?;
    let expand = expands(view.request, "group")?;
    let assigned = view.directory.assigned_groups().into_iter().enumerate();
    let mut hit = assigned.filter(|&(_, group)| &*view.directory.group(group).id == id);
    let (place, group) = hit.next().ok_or_else(|| errors::not_found(id, "ApplicationGroupAssignment"))?;
    Ok(Answer::json(200, app_group(view, group, place, expand)))
}

fn find(app: &str) -> Result<(), Answer> {
    if app == OKTA_APP_ID { Ok(()) } else { Err(errors::not_found(app, "AppInstance")) }
}

/// A direct assignment makes the scope USER; otherwise it is GROUP, with one of the groups (okta.md section 3.3).
fn app_user(view: &View, index: u32, expand: bool) -> Value {
    let directory = view.directory;
    let person = directory.person(index);
    let base = &view.request.base;
    let direct = directory.rows_of(Principal::User(index)).next().map(|(_, row)| row.created);
    let group = directory.assigned_groups_of(index).next();
    let by_group = group.and_then(|group| directory.rows_of(Principal::Group(group)).next());
    let created = time(direct.or(by_group.map(|(_, row)| row.created)).unwrap_or(person.created));
    let mut row = json!({
        "id": *person.id,
        "externalId": null,
        "created": created,
        "lastUpdated": created,
        "scope": if direct.is_some() { "USER" } else { "GROUP" },
        "status": "ACTIVE",
        "statusChanged": created,
        "passwordChanged": null,
        "syncState": "DISABLED",
        "credentials": { "userName": *person.login },
        "profile": {
            "firstName": person.given_name,
            "lastName": person.surname,
            "email": person.mail,
        },
        "_links": {
            "app": { "href": format!("{base}/api/v1/apps/{OKTA_APP_ID}") },
            "user": { "href": format!("{base}/api/v1/users/{}", person.id) },
        },
    });
    if let (None, Some(group)) = (direct, group) {
        let group = directory.group(group);
        let href = format!("{base}/api/v1/groups/{}", group.id);
        row["_links"]["group"] = json!({ "name": *group.name, "href": href });
    }
    if expand {
        row["_embedded"] = json!({ "user": user_object(base, person) });
    }
    row
}

fn app_group(view: &View, index: u32, priority: usize, expand: bool) -> Value {
    let group = view.directory.group(index);
    let base = &view.request.base;
    let assigned = view.directory.rows_of(Principal::Group(index)).next().map(|(_, row)| row.created);
    let mut row = json!({
        "id": *group.id,
        "lastUpdated": time(assigned.unwrap_or(group.created)),
        "priority": priority,
        "profile": {},
        "_links": {
            "app": { "href": format!("{base}/api/v1/apps/{OKTA_APP_ID}") },
            "self": { "href": format!("{base}/api/v1/apps/{OKTA_APP_ID}/groups/{}", group.id) },
            "group": { "href": format!("{base}/api/v1/groups/{}", group.id) },
        },
    });
    if expand {
        row["_embedded"] = json!({ "group": group_object(base, group) });
    }
    row
}
