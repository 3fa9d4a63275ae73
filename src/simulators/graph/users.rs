//! `/users`, `/users/{id}`, `/users/{id}/manager`, and what a property of a user is (graph.md sections 5.2 to 5.4).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Directory;
use super::super::directory::Life;
use super::super::directory::Person;
use super::super::exchange::Answer;
use super::Reply;
use super::View;
use super::errors;
use super::filter;
use super::options::Options;
use super::options::take_page;
use super::options::with_select;

/// What comes without `$select`.
pub(super) const DEFAULT: &[&str] = &[
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// What `$select` may name besides.
pub(super) const FURTHER: &[&str] = &[
    "accountEnabled",
    "ageGroup",
    "assignedLicenses",
    "city",
    "companyName",
    "country",
    "createdDateTime",
    "creationType",
    "deletedDateTime",
    "department",
    "employeeHireDate",
    "employeeId",
    "employeeLeaveDateTime",
    "employeeOrgData",
    "employeeType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "faxNumber",
    "identities",
    "imAddresses",
    "isResourceAccount",
    "lastPasswordChangeDateTime",
    "legalAgeGroupClassification",
    "mailNickname",
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesExtensionAttributes",
    "onPremisesImmutableId",
    "onPremisesLastSyncDateTime",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "onPremisesUserPrincipalName",
    "otherMails",
    "postalCode",
    "proxyAddresses",
    "securityIdentifier",
    "showInAddressList",
    "state",
    "streetAddress",
    "usageLocation",
    "userType",
];

const COLLECTIONS: &[&str] =
    &["assignedLicenses", "businessPhones", "identities", "imAddresses", "otherMails", "proxyAddresses"];

const FILTERABLE: &[&str] = &[
    "accountEnabled",
    "department",
    "displayName",
    "employeeId",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "surname",
    "userPrincipalName",
    "userType",
];

/// How a property without a value is shown (graph.md sections 5.2 and 6.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unset {
    /// `null`, or `[]` for a collection.
    Shown,
    /// Left out, unless it had a value once.
    LeftOut,
}

pub(super) fn list(view: &View) -> Reply {
    let allowed = ["$select", "$top", "$skiptoken", "$filter", "$expand", "$count"];
    let options = Options::of(view.request, &allowed)?;
    let select = options.select("user", &[DEFAULT, FURTHER])?;
    let clauses = view.request.query("$filter").map(|text| filter::parse(text, FILTERABLE)).transpose()?;
    let with_manager = options.expands_manager()?;
    let from: u32 = options.cursor("users")?.unwrap_or(0);
    let admitted = |&index: &u32| {
        let person = view.directory.person(index);
        person.live()
            && clauses.as_ref().is_none_or(|clauses| filter::admits(clauses, |name| text(person, name)))
    };
    let all = view.directory.people.len() as u32;
    let (page, more) = take_page((from..all).filter(admitted), options.top()?);
    let rows: Vec<Value> = page
        .iter()
        .map(|&index| {
            let mut row = properties(view.directory.person(index), select.as_deref(), Unset::Shown);
            if with_manager {
                expand_manager(view.directory, index, &mut row);
            }
            Value::Object(row)
        })
        .collect();
    let mut body = json!({ "@odata.context": view.context(&with_select("users", select.as_deref())) });
    if options.counts()? && from == 0 {
        body["@odata.count"] = json!((0..all).filter(admitted).count());
    }
    if let (true, Some(&last)) = (more, page.last()) {
        body["@odata.nextLink"] = json!(options.next_link("users", &(last + 1)));
    }
    body["value"] = Value::Array(rows);
    Ok(Answer::json(200, body))
}

pub(super) fn one(view: &View, key: &str) -> Reply {
    let options = Options::of(view.request, &["$select", "$expand"])?;
    let select = options.select("user", &[DEFAULT, FURTHER])?;
    let with_manager = options.expands_manager()?;
    let index = find(view, key)?;
    let mut body = properties(view.directory.person(index), select.as_deref(), Unset::Shown);
    let context = format!("{}/$entity", with_select("users", select.as_deref()));
    body.insert("@odata.context".to_owned(), json!(view.context(&context)));
    if with_manager {
        expand_manager(view.directory, index, &mut body);
    }
    Ok(Answer::json(200, Value::Object(body)))
}

pub(super) fn manager(view: &View, key: &str) -> Reply {
    let options = Options::of(view.request, &["$select"])?;
    let select = options.select("user", &[DEFAULT, FURTHER])?;
    let index = find(view, key)?;
    let manager = view.directory.person(index).manager.map(|manager| view.directory.person(manager));
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

fn expand_manager(directory: &Directory, index: u32, row: &mut Map<String, Value>) {
    if let Some(manager) = directory.person(index).manager.filter(|&manager| directory.person(manager).live())
    {
        let id = &*directory.person(manager).id;
        row.insert("manager".to_owned(), json!({ "@odata.type": "#microsoft.graph.user", "id": id }));
    }
}

/// The selected properties, or the default ones.
pub(super) fn properties(person: &Person, select: Option<&[String]>, unset: Unset) -> Map<String, Value> {
    let names: Vec<&str> = match select {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => DEFAULT.to_vec(),
    };
    let shown = |name: &str| match (property(person, name), unset) {
        (Some(value), _) => Some(value),
        (None, Unset::LeftOut) if !person.cleared.contains(name) => None,
        // A directory extension is there only when set (graph.md section 5.13).
        (None, Unset::Shown) if name.starts_with("extension_") => None,
        (None, _) if COLLECTIONS.contains(&name) => Some(json!([])),
        (None, _) => Some(Value::Null),
    };
    names.into_iter().filter_map(|name| shown(name).map(|value| (name.to_owned(), value))).collect()
}

fn text(person: &Person, name: &str) -> Option<String> {
    match property(person, name)? {
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// `None` where it has no value.
fn property(person: &Person, name: &str) -> Option<Value> {
    let text = |text: &Option<Box<str>>| text.as_deref().map(Value::from);
    match name {
        "id" => Some(json!(*person.id)),
        "accountEnabled" => Some(json!(person.status.enabled())),
        "userPrincipalName" => Some(json!(principal_name(person))),
        "displayName" => Some(json!(*person.display_name)),
        "givenName" => text(&person.given_name),
        "surname" => text(&person.surname),
        "mail" => text(&person.mail),
        "mailNickname" => person.login.split('@').next().map(Value::from),
        "userType" => Some(json!(if person.guest { "Guest" } else { "Member" })),
        "creationType" => person.guest.then(|| json!("Invitation")),
        "externalUserState" => person.guest.then(|| json!("Accepted")),
        "proxyAddresses" => person.mail.as_deref().map(|mail| json!([format!("SMTP:{mail}")])),
        "createdDateTime" => Some(json!(person.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
        "deletedDateTime" => match person.life {
            Life::Deleted(at) => Some(json!(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
            _ => None,
        },
        _ => person.attributes.get(name).cloned(),
    }
}

/// In the recycle bin the name carries the id, so that somebody else can have it (UNCONFIRMED, graph.md 5.9).
fn principal_name(person: &Person) -> String {
    match person.life {
        Life::Deleted(_) => format!("{}{}", person.id.replace('-', ""), person.login),
        _ => person.login.to_string(),
    }
}
