//! The people and groups of the application (okta.md sections 3.3 and 3.4).

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::AppProfiles;
use super::OKTA_APP_ID;
use super::Reply;
use super::View;
use super::apps::find;
use super::changes::Credentials;
use super::errors;
use super::groups::group as group_object;
use super::org::Names;
use super::org::Row;
use super::paging::Limits;
use super::paging::Listing;
use super::paging::check_parameters;
use super::paging::expands;
use super::time;
use super::user_object::user as user_object;

const USER_LIMITS: Limits = Limits { least: 1, default: 50, most: 500 };
const GROUP_LIMITS: Limits = Limits { least: 20, default: 20, most: 200 };

/// One row a person who holds the application, however they came by it.
pub(super) fn users(view: &View, app: &str) -> Reply {
    let listing = Listing::of(view, "app users", &USER_LIMITS, &["expand", "q"])?;
    find(view, app)?;
    let expand = expands(view.request, "user")?;
    let q = view.request.query("q").map(str::to_lowercase);
    let from = listing.cursor::<u32>()?.map_or(0, |last| last + 1);
    let all = from..view.directory.people.len() as u32;
    let rows =
        all.filter(|&person| view.has_row(person) && q.as_ref().is_none_or(|q| starts(view, person, q)));
    Ok(listing.page(rows.map(|person| (person, person)), |person| app_user(view, person, expand)))
}

/// By user name, given name, surname or address.
fn starts(view: &View, person: u32, q: &str) -> bool {
    let names = names(view, person);
    let texts = [Some(&names.login), names.given_name.as_ref(), names.surname.as_ref(), names.mail.as_ref()];
    texts.into_iter().flatten().any(|text| text.to_lowercase().starts_with(q))
}

pub(super) fn user(view: &View, app: &str, id: &str) -> Reply {
    check_parameters(view.request, &["expand"])?;
    find(view, app)?;
    let expand = expands(view.request, "user")?;
    let found = view.directory.person_by_id(id).filter(|&person| view.has_row(person));
    let person = found.ok_or_else(|| errors::not_found(id, "AppUser"))?;
    Ok(Answer::json(200, app_user(view, person, expand)))
}

/// In order of priority.
pub(super) fn groups(view: &View, app: &str) -> Reply {
    let listing = Listing::of(view, "app groups", &GROUP_LIMITS, &["expand", "q"])?;
    find(view, app)?;
    let expand = Expand::of(view)?;
    let q = view.request.query("q").unwrap_or_default().to_lowercase();
    let from = listing.cursor::<usize>()?.map_or(0, |last| last + 1);
    let rows = assigned(view).skip(from).filter(|(_, group)| {
        let name = view.directory.group(*group).name.to_lowercase();
        name.starts_with(&q)
    });
    Ok(listing.page(rows.map(|(place, group)| (place, (place, group))), |(place, group)| {
        app_group(view, group, place, expand)
    }))
}

pub(super) fn group(view: &View, app: &str, id: &str) -> Reply {
    check_parameters(view.request, &["expand"])?;
    find(view, app)?;
    let expand = Expand::of(view)?;
    let mut hit = assigned(view).filter(|&(_, group)| &*view.directory.group(group).id == id);
    let (place, group) = hit.next().ok_or_else(|| errors::not_found(id, "ApplicationGroupAssignment"))?;
    Ok(Answer::json(200, app_group(view, group, place, expand)))
}

fn assigned<'a>(view: &'a View) -> impl Iterator<Item = (usize, u32)> + 'a {
    view.directory.assigned_groups().into_iter().enumerate().filter(|(_, group)| view.sees_group(*group))
}

/// What the application knows of the person: as it is now, or as it was at assignment (okta.md section 5.3).
fn names(view: &View, index: u32) -> Names {
    let kept = view.directory.org.as_assigned.get(&index);
    if let (AppProfiles::AsAssigned, Some(names)) = (view.knobs.app_profiles, kept) {
        return names.clone();
    }
    let person = view.directory.person(index);
    Names {
        login: person.login.clone(),
        mail: person.mail.clone(),
        given_name: person.given_name.clone(),
        surname: person.surname.clone(),
    }
}

/// When the person was assigned, and through which group where the row shows one.
fn assignment(view: &View, index: u32) -> (Timestamp, Option<u32>) {
    let directory = view.directory;
    let direct = directory.rows_of(Principal::User(index)).next().map(|(_, row)| row.created);
    // The group with the highest priority: the one that was assigned last.
    let by_order = |group: &u32| directory.rows_of(Principal::Group(*group)).next().map(|(_, row)| row.order);
    let group = directory.assigned_groups_of(index).max_by_key(by_order);
    let by_group = group.and_then(|group| directory.rows_of(Principal::Group(group)).next());
    let created = direct.or(by_group.map(|(_, row)| row.created)).unwrap_or(directory.person(index).created);
    let shown = if direct.is_some() && !view.knobs.group_scope_wins { None } else { group };
    (created, shown)
}

/// What Okta's own provisioning made of the row: status, state of synchronisation, id in the application.
///
/// | provisioning | row |
/// |---|---|
/// | off | ACTIVE, DISABLED |
/// | on since before the assignment | PROVISIONED, SYNCHRONIZED, with an id |
/// | on since after it | ACTIVE or STAGED, without an id: "assigned before Provisioning was enabled" (okta.md section 10) |
fn provisioned(view: &View, index: u32, created: Timestamp) -> (&'static str, &'static str, Option<String>) {
    match view.directory.org.app.provisioning_since {
        None => ("ACTIVE", "DISABLED", None),
        Some(since) if created >= since => {
            ("PROVISIONED", "SYNCHRONIZED", Some(format!("external-{}", view.directory.person(index).id)))
        }
        Some(_) if index.is_multiple_of(2) => ("ACTIVE", "DISABLED", None),
        Some(_) => ("STAGED", "ERROR", None),
    }
}

/// A direct assignment makes the scope USER; otherwise it is GROUP, with one of the groups (okta.md section 3.3).
fn app_user(view: &View, index: u32, expand: bool) -> Value {
    let nothing = Row::default();
    let special = view.directory.org.rows.get(&index).unwrap_or(&nothing);
    let person = view.directory.person(index);
    let base = &view.request.base;
    let (created, group) = assignment(view, index);
    let (status, sync_state, external_id) = provisioned(view, index, created);
    let pushed = view.directory.org.app.provisioning_since.map(|_| person.updated.max(created));
    let names = names(view, index);
    let mut row = json!({
        "id": *person.id,
        "externalId": special.external_id.clone().or(external_id),
        "created": time(created),
        "lastUpdated": time(special.updated.or(pushed).unwrap_or(created)),
        "scope": if group.is_some() { "GROUP" } else { "USER" },
        "status": special.status.as_deref().unwrap_or(status),
        "statusChanged": time(special.status_changed.unwrap_or(created)),
        "passwordChanged": null,
        "syncState": special.sync_state.as_deref().unwrap_or(sync_state),
        "credentials": { "userName": *names.login },
        "profile": special.profile.clone().unwrap_or_else(|| json!({
            "firstName": names.given_name,
            "lastName": names.surname,
            "email": names.mail,
        })),
        "_links": {
            "app": { "href": format!("{base}/api/v1/apps/{OKTA_APP_ID}") },
            "user": { "href": format!("{base}/api/v1/users/{}", person.id) },
        },
    });
    match &special.credentials {
        None => {}
        Some(Credentials::Empty) => row["credentials"] = json!({}),
        Some(Credentials::UserName(name)) => row["credentials"] = json!({ "userName": name }),
        Some(Credentials::Missing) => {
            if let Value::Object(fields) = &mut row {
                fields.remove("credentials");
            }
        }
    }
    if let Some(since) = view.directory.org.app.provisioning_since {
        row["lastSync"] = if created >= since { json!(time(created)) } else { Value::Null };
    }
    if let Some(group) = group.filter(|_| !view.knobs.no_group_link) {
        let group = view.directory.group(group);
        let href = format!("{base}/api/v1/groups/{}", group.id);
        row["_links"]["group"] = json!({ "name": *group.name, "href": href });
    }
    if expand {
        row["_embedded"] = json!({ "user": user_object(view, index) });
    }
    row
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expand {
    Nothing,
    Group,
    Metadata,
}

impl Expand {
    fn of(view: &View) -> Result<Expand, Answer> {
        match view.request.query("expand") {
            None => Ok(Expand::Nothing),
            Some("group") => Ok(Expand::Group),
            Some("metadata") => Ok(Expand::Metadata),
            Some(_) => Err(errors::bad_expand()),
        }
    }
}

fn app_group(view: &View, index: u32, place: usize, expand: Expand) -> Value {
    let group = view.directory.group(index);
    let base = &view.request.base;
    let assigned = view.directory.rows_of(Principal::Group(index)).next().map(|(_, row)| row.created);
    let profile = view.directory.org.groups.get(&index).and_then(|facts| facts.profile.clone());
    let mut row = json!({
        "id": *group.id,
        "lastUpdated": time(assigned.unwrap_or(group.created)),
        "priority": view.knobs.first_priority + place,
        "profile": profile.unwrap_or_else(|| json!({})),
        "_links": {
            "app": { "href": format!("{base}/api/v1/apps/{OKTA_APP_ID}") },
            "self": { "href": format!("{base}/api/v1/apps/{OKTA_APP_ID}/groups/{}", group.id) },
            "group": { "href": format!("{base}/api/v1/groups/{}", group.id) },
        },
    });
    match expand {
        Expand::Nothing => {}
        Expand::Group => row["_embedded"] = json!({ "group": group_object(view, index) }),
        Expand::Metadata => row["_embedded"] = json!({ "metadata": { "credentials": {}, "profile": {} } }),
    }
    row
}
