//! What a property of a user is, and which come without being asked for (graph.md sections 5.2 and 5.13).

use jiff::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::directory::Life;
use super::super::directory::Person;
use super::users::Unset;

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
    "customSecurityAttributes",
    "employeeHireDate",
    "employeeId",
    "employeeLeaveDateTime",
    "employeeOrgData",
    "employeeType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "faxNumber",
    "identities",
    "identityParentId",
    "imAddresses",
    "isManagementRestricted",
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
    "signInSessionsValidFromDateTime",
    "state",
    "streetAddress",
    "usageLocation",
    "userType",
];

const COLLECTIONS: &[&str] =
    &["assignedLicenses", "businessPhones", "identities", "imAddresses", "otherMails", "proxyAddresses"];

/// The selected properties, or the default ones.
pub(super) fn properties(person: &Person, select: Option<&[String]>, unset: Unset) -> Map<String, Value> {
    let names: Vec<&str> = match select {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => DEFAULT.to_vec(),
    };
    let shown = |name: &str| match (property(person, name), unset) {
        (Some(value), _) => Some(value),
        (None, Unset::LeftOut) if !person.cleared.contains(name) => None,
        // A directory extension is there only when set (section 5.13).
        (None, Unset::Shown) if name.starts_with("extension_") => None,
        (None, _) if COLLECTIONS.contains(&name) => Some(json!([])),
        (None, Unset::Shown) if name == "onPremisesExtensionAttributes" => Some(extension_attributes(None)),
        (None, _) => Some(Value::Null),
    };
    names.into_iter().filter_map(|name| shown(name).map(|value| (name.to_owned(), value))).collect()
}

/// `None` where it has no value.
pub(super) fn property(person: &Person, name: &str) -> Option<Value> {
    let text = |text: &Option<Box<str>>| text.as_deref().map(Value::from);
    // What an administrator set stands above what would follow from the rest.
    match (name, person.attributes.get(name)) {
        ("onPremisesExtensionAttributes", Some(set)) => return Some(extension_attributes(Some(set))),
        (_, Some(set)) => return Some(set.clone()),
        (_, None) => {}
    }
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
        "createdDateTime" => Some(json!(time(person.created))),
        "deletedDateTime" => match person.life {
            Life::Deleted(at) => Some(json!(time(at))),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// All fifteen keys come back, unset ones null (section 5.13).
fn extension_attributes(set: Option<&Value>) -> Value {
    let value_of = |key: &str| set.and_then(|set| set.get(key)).cloned().unwrap_or(Value::Null);
    let entry = |number: u32| {
        let key = format!("extensionAttribute{number}");
        let value = value_of(&key);
        (key, value)
    };
    Value::Object((1..=15).map(entry).collect())
}

/// In the recycle bin the name carries the id, so that somebody else can have it (UNCONFIRMED, section 5.9).
fn principal_name(person: &Person) -> String {
    match person.life {
        Life::Deleted(_) => format!("{}{}", person.id.replace('-', ""), person.login),
        _ => person.login.to_string(),
    }
}
