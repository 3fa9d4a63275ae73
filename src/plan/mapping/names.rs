//! The names that mappings use for source attributes, and what they stand for, by vocabulary.
//!
//! Entra's mappings speak the names of the old directory (`objectId`, `mobile`): they are accepted as aliases of
//! the Graph properties (Entra provisioning reference, section 5.2).

use super::Given;
use super::GroupName;
use crate::expr::Value;
use crate::model::SourceAttributes;
use crate::model::Vocabulary;

/// Computed from scope and standing; no source has an attribute of this name.
pub(in super::super) const IS_SOFT_DELETED: &str = "IsSoftDeleted";

/// Names and ids of the groups that a person is directly in, of those that the job reads.
pub(super) const GROUPS: [&str; 2] = ["groups", "groupIds"];

/// The roles that a person has of the application: no property of a user, but made of the assignments (Entra
/// provisioning reference, section 7.4).
pub const APP_ROLES: &str = "appRoleAssignments";

/// The immutable id, under both of its names in every vocabulary.
pub(super) const IDS: [&str; 2] = ["id", "objectId"];

pub(super) const EXTENSION_ATTRIBUTES: &str = "onPremisesExtensionAttributes";

/// Mapping name, Graph property.
pub(super) const ALIASES: [(&str, &str); 11] = [
    ("mobile", "mobilePhone"),
    ("telephoneNumber", "businessPhones"),
    ("facsimileTelephoneNumber", "faxNumber"),
    ("physicalDeliveryOfficeName", "officeLocation"),
    ("dirSyncEnabled", "onPremisesSyncEnabled"),
    ("immutableId", "onPremisesImmutableId"),
    ("lastDirSyncDateTime", "onPremisesLastSyncDateTime"),
    ("userState", "externalUserState"),
    ("userStateChangedOn", "externalUserStateChangeDateTime"),
    ("deletionTimestamp", "deletedDateTime"),
    ("originalUserPrincipalName", "userPrincipalName"),
];

/// The value of an attribute, by the name that a mapping uses.
pub(super) fn value(name: &str, given: &Given<'_>, vocabulary: Vocabulary) -> Value {
    if name == IS_SOFT_DELETED {
        return Value::flag(given.soft_deleted);
    }
    if IDS.contains(&name) {
        return Value::One(given.id.0.clone());
    }
    if is_of_groups(name) && !given.seen.attributes.contains_key(name) {
        return groups(name, given);
    }
    match vocabulary {
        Vocabulary::Graph => graph(name, &given.seen.attributes),
        Vocabulary::Okta | Vocabulary::File => plain(name, &given.seen.attributes),
    }
}

/// A file may have a column of the same name, which is then what is meant.
pub(in super::super) fn is_of_groups(name: &str) -> bool {
    GROUPS.contains(&name)
}

/// Sorted, so that nothing follows from the order in which memberships were read.
fn groups(name: &str, given: &Given<'_>) -> Value {
    let told = |group: &GroupName| if name == "groups" { group.name.clone() } else { group.id.0.clone() };
    let mut texts: Vec<String> = given.groups.iter().map(told).filter(|text| !text.is_empty()).collect();
    texts.sort();
    if texts.is_empty() { Value::Null } else { Value::Many(texts) }
}

fn graph(name: &str, attributes: &SourceAttributes) -> Value {
    match name {
        "proxyAddresses" => addresses_in_order(plain(name, attributes)),
        "userPrincipalName" => match plain(name, attributes) {
            Value::One(text) => Value::One(without_guest_mark(text)),
            other => other,
        },
        "telephoneNumber" => first(plain("businessPhones", attributes)),
        _ if is_extension_attribute(name) => plain(&format!("{EXTENSION_ATTRIBUTES}.{name}"), attributes),
        _ => plain(property(name), attributes),
    }
}

/// Graph gives them in any order (graph reference, section 10): the primary address (`SMTP:`) first, then the others
/// (`smtp:`), then what is no mail address, so that `Item` means the same every time.
fn addresses_in_order(value: Value) -> Value {
    let Value::Many(mut addresses) = value else { return value };
    let rank = |address: &str| match address.split_once(':') {
        Some(("SMTP", _)) => 0,
        Some(("smtp", _)) => 1,
        _ => 2,
    };
    addresses.sort_by(|a, b| (rank(a), a).cmp(&(rank(b), b)));
    Value::Many(addresses)
}

fn first(value: Value) -> Value {
    value.values().first().cloned().map_or(Value::Null, Value::One)
}

/// The value under a name; where there is none, the part behind the dot of the object before it
/// (`employeeOrgData.division`).
fn plain(name: &str, attributes: &SourceAttributes) -> Value {
    let part = || {
        let (whole, part) = name.split_once('.')?;
        attributes.get(whole)?.get(part)
    };
    attributes.get(name).or_else(part).map_or(Value::Null, Value::from_json)
}

/// A guest's `alias_their.domain#EXT#@tenant…` is `alias@their.domain`: cut at the mark, and the last `_`
/// becomes `@` (graph reference, section 10; inferred there). What has no `_` stays as it is.
fn without_guest_mark(text: String) -> String {
    const MARK: &str = "#EXT#";
    let upper = text.to_ascii_uppercase();
    match upper.find(MARK).and_then(|end| Some((text[..end].rfind('_')?, end))) {
        Some((at, end)) => format!("{}@{}", &text[..at], &text[at + 1..end]),
        None => text,
    }
}

pub(super) fn is_extension_attribute(name: &str) -> bool {
    let number = name.strip_prefix("extensionAttribute").and_then(|number| number.parse::<u8>().ok());
    number.is_some_and(|number| (1..=15).contains(&number))
}

/// The Graph property behind an alias; any other name is its own.
pub(super) fn property(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, property)| property)
}

/// The attribute that has to be read for a name; `None` where nothing has to be.
pub(super) fn read(name: &str, vocabulary: Vocabulary) -> Option<String> {
    if IDS.contains(&name) || (is_of_groups(name) && vocabulary != Vocabulary::File) {
        return None;
    }
    match (vocabulary, name) {
        // Standing is made of it.
        (Vocabulary::Graph, IS_SOFT_DELETED) => Some("accountEnabled".to_owned()),
        (_, IS_SOFT_DELETED) => None,
        (Vocabulary::Graph, name) if is_extension_attribute(name) => Some(EXTENSION_ATTRIBUTES.to_owned()),
        (Vocabulary::Graph, name) => {
            let property = property(name);
            Some(property.split_once('.').map_or(property, |(whole, _)| whole).to_owned())
        }
        (Vocabulary::Okta | Vocabulary::File, name) => Some(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;
    use serde_json::json;

    use super::*;
    use crate::model::Seen;
    use crate::model::SourceId;
    use crate::model::Standing;
    use crate::scim::Kind;

    /// States what a name stands for in an object.
    fn stands_for(vocabulary: Vocabulary, attributes: Json, name: &str, expected: Json) {
        let attributes = serde_json::from_value(attributes).expect("an object");
        let seen = Seen { standing: Standing::Enabled, attributes };
        let given = Given {
            id: &SourceId("id-1".to_owned()),
            kind: Kind::User,
            seen: &seen,
            soft_deleted: false,
            groups: &[],
        };
        let found = value(name, &given, vocabulary);
        assert!(found == Value::from_json(&expected), "{name}: {:?}", found.values());
    }

    #[test]
    fn the_names_of_the_old_directory_stand_for_graph_properties() {
        let user = json!({
            "userPrincipalName": "ann@x.example", "mobilePhone": "1", "businessPhones": ["2", "3"], "faxNumber": "4",
            "officeLocation": "5", "onPremisesSyncEnabled": true, "onPremisesImmutableId": "6",
            "onPremisesLastSyncDateTime": "7", "externalUserState": "8", "externalUserStateChangeDateTime": "9",
            "deletedDateTime": "10", "onPremisesExtensionAttributes": {"extensionAttribute7": "11"},
            "employeeOrgData": {"division": "12"}, "extension_ab_Shoe": "13", "proxyAddresses": ["a", "b"],
        });
        for (name, expected) in [
            ("objectId", json!("id-1")),
            ("id", json!("id-1")),
            ("IsSoftDeleted", json!(false)),
            ("mobile", json!("1")),
            ("telephoneNumber", json!("2")),
            ("facsimileTelephoneNumber", json!("4")),
            ("physicalDeliveryOfficeName", json!("5")),
            ("dirSyncEnabled", json!("True")),
            ("immutableId", json!("6")),
            ("lastDirSyncDateTime", json!("7")),
            ("userState", json!("8")),
            ("userStateChangedOn", json!("9")),
            ("deletionTimestamp", json!("10")),
            ("extensionAttribute7", json!("11")),
            ("extensionAttribute8", json!(null)),
            ("employeeOrgData.division", json!("12")),
            ("extension_ab_Shoe", json!("13")),
            ("proxyAddresses", json!(["a", "b"])),
            ("mail", json!(null)),
        ] {
            stands_for(Vocabulary::Graph, user.clone(), name, expected);
        }
    }

    #[test]
    fn a_guest_goes_by_the_address_of_home_and_the_raw_name_is_there_too() {
        let raw = "ann_b_home.example#EXT#@tenant.onmicrosoft.com";
        let guest = || json!({ "userPrincipalName": raw });
        stands_for(Vocabulary::Graph, guest(), "userPrincipalName", json!("ann_b@home.example"));
        stands_for(Vocabulary::Graph, guest(), "originalUserPrincipalName", json!(raw));
        let odd = json!({ "userPrincipalName": "ann#EXT#@tenant.onmicrosoft.com" });
        stands_for(Vocabulary::Graph, odd, "userPrincipalName", json!("ann#EXT#@tenant.onmicrosoft.com"));
    }

    /// Graph reference, section 10: SMTP: (upper case) = primary, unordered.
    #[test]
    fn mail_addresses_come_in_one_order_however_they_were_read() {
        let expected =
            json!(["SMTP:ann@x.example", "smtp:a.lee@x.example", "smtp:lee@x.example", "SIP:ann@x.example"]);
        let mut read =
            ["smtp:lee@x.example", "SIP:ann@x.example", "SMTP:ann@x.example", "smtp:a.lee@x.example"];
        for _ in 0..read.len() {
            read.rotate_left(1);
            stands_for(
                Vocabulary::Graph,
                json!({ "proxyAddresses": read }),
                "proxyAddresses",
                expected.clone(),
            );
        }
    }

    #[test]
    fn a_person_has_the_names_and_the_ids_of_the_groups() {
        let group = |name: &str, id: &str| GroupName { name: name.to_owned(), id: SourceId(id.to_owned()) };
        let told = |vocabulary, attributes: Json, groups: &[GroupName], name| {
            let attributes = serde_json::from_value(attributes).expect("an object");
            let seen = Seen { standing: Standing::Enabled, attributes };
            let id = SourceId("id-1".to_owned());
            let given = Given { id: &id, kind: Kind::User, seen: &seen, soft_deleted: false, groups };
            value(name, &given, vocabulary).values().join(" ")
        };
        let both = [group("Sales", "g1"), group("Board", "g2")];
        let turned = [group("Board", "g2"), group("Sales", "g1")];
        for vocabulary in [Vocabulary::Graph, Vocabulary::Okta, Vocabulary::File] {
            for groups in [&both, &turned] {
                assert_eq!(told(vocabulary, json!({}), groups, "groups"), "Board Sales");
                assert_eq!(told(vocabulary, json!({}), groups, "groupIds"), "g1 g2");
            }
            assert_eq!(told(vocabulary, json!({}), &[], "groups"), "");
            assert_eq!(read("groups", Vocabulary::Graph), None);
        }
        assert_eq!(told(Vocabulary::File, json!({ "groups": ["own"] }), &both, "groups"), "own");
    }

    #[test]
    fn okta_and_file_names_stand_for_themselves_and_the_id_is_the_id() {
        let okta = || json!({ "user.firstName": "Ann", "appuser.userName": "ann" });
        stands_for(Vocabulary::Okta, okta(), "user.firstName", json!("Ann"));
        stands_for(Vocabulary::Okta, okta(), "appuser.userName", json!("ann"));
        stands_for(Vocabulary::Okta, okta(), "objectId", json!("id-1"));
        stands_for(Vocabulary::File, json!({ "shoe": 43 }), "shoe", json!(43));
        stands_for(Vocabulary::File, json!({ "mobile": "1" }), "mobile", json!("1"));
        stands_for(Vocabulary::File, json!({}), "id", json!("id-1"));
    }

    #[test]
    fn what_has_to_be_read_is_said_in_the_sources_own_names() {
        let graph = |name| read(name, Vocabulary::Graph);
        assert_eq!(graph("objectId"), None);
        assert_eq!(graph("IsSoftDeleted").as_deref(), Some("accountEnabled"));
        assert_eq!(graph("telephoneNumber").as_deref(), Some("businessPhones"));
        assert_eq!(graph("extensionAttribute3").as_deref(), Some("onPremisesExtensionAttributes"));
        assert_eq!(graph("employeeOrgData.division").as_deref(), Some("employeeOrgData"));
        assert_eq!(graph("originalUserPrincipalName").as_deref(), Some("userPrincipalName"));
        assert_eq!(read("appuser.userName", Vocabulary::Okta).as_deref(), Some("appuser.userName"));
        assert_eq!(read("IsSoftDeleted", Vocabulary::File), None);
    }
}
