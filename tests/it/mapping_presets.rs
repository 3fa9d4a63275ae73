//! The presets as the tables of docs/mapping.md: every row, what it takes from each source, and what the service requires.

use rosterd::model::Seen;
use rosterd::model::SourceId;
use rosterd::model::Standing;
use rosterd::model::Vocabulary;
use rosterd::plan::Environment;
use rosterd::plan::Given;
use rosterd::plan::Mapping;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::Row;
use rosterd::plan::RowValue;
use rosterd::scim::Kind;
use serde_json::Value;
use serde_json::json;

const CERBY: &str = include_str!("../../config/presets/cerby.toml");
const CONFIGCAT: &str = include_str!("../../config/presets/configcat.toml");
const ENTRA: &str = include_str!("../../config/presets/entra-default.toml");
const OKTA: &str = include_str!("../../config/presets/okta-default.toml");
const PAGE: &str = include_str!("../../docs/mapping.md");

fn mapping(text: &str, kind: Kind, vocabulary: Vocabulary) -> Mapping {
    let preset: RawPreset = toml_edit::de::from_str(text).expect("the preset is TOML");
    let mappings = RawMapping::default().check(Some(&preset), vocabulary).expect("the preset is sound");
    match kind {
        Kind::User => mappings.users,
        Kind::Group => mappings.groups,
    }
}

/// One line a target attribute: whether it is required and matching, then where it comes from in each source.
fn table(text: &str, kind: Kind, vocabularies: &[Vocabulary]) -> String {
    let mappings: Vec<Mapping> =
        vocabularies.iter().map(|vocabulary| mapping(text, kind, *vocabulary)).collect();
    let mut lines = String::new();
    for row in &mappings[0].rows {
        let same: Vec<&Row> = mappings
            .iter()
            .map(|mapping| {
                mapping.rows.iter().find(|other| other.target == row.target).expect("the same rows")
            })
            .collect();
        assert!(same.iter().all(|other| (other.required, other.matching) == (row.required, row.matching)));
        let cells: Vec<String> = same.iter().map(|row| cell(row)).collect();
        lines += &format!("| `{}` | {} | {} |\n", row.target, marks(row), cells.join(" | "));
    }
    assert!(mappings.iter().all(|mapping| mapping.rows.len() == mappings[0].rows.len()), "the same rows");
    lines
}

fn marks(row: &Row) -> String {
    let required = if row.required { "required" } else { "" };
    let matching = row.matching.map(|precedence| format!("matching {precedence}")).unwrap_or_default();
    [required, &matching].into_iter().filter(|mark| !mark.is_empty()).collect::<Vec<_>>().join(", ")
}

fn cell(row: &Row) -> String {
    match &row.value {
        RowValue::Attribute(name) => format!("`{name}`"),
        RowValue::Reference(name) => format!("who `{name}` names"),
        RowValue::Members => "the members".to_owned(),
        RowValue::Expression(expression) => format!("`{expression}`"),
        RowValue::Constant(text) => format!("\"{text}\""),
    }
}

/// States the table of a preset, and that the page shows it so.
#[track_caller]
fn check(text: &str, kind: Kind, vocabularies: &[Vocabulary], expected: &str) {
    assert_eq!(table(text, kind, vocabularies), expected);
    for line in expected.lines() {
        assert!(PAGE.contains(line), "docs/mapping.md does not show: {line}");
    }
}

const ALL: [Vocabulary; 3] = [Vocabulary::Graph, Vocabulary::Okta, Vocabulary::File];

/// SCIM reference, section 13: userName and work e-mail are required and filterable; active, name.givenName and
/// name.familyName required; externalId optional and not filterable. Of groups displayName is required.
#[test]
fn cerby_is_the_table_of_its_guides() {
    check(
        CERBY,
        Kind::User,
        &ALL,
        "\
| `active` | required | `Not([IsSoftDeleted])` | `Not([IsSoftDeleted])` | `Not([IsSoftDeleted])` |
| `emails[type eq \"work\"].value` | required, matching 2 | `mail` | `user.email` | `mail` |
| `externalId` |  | `objectId` | `id` | `id` |
| `name.familyName` | required | `surname` | `user.lastName` | `surname` |
| `name.givenName` | required | `givenName` | `user.firstName` | `givenName` |
| `userName` | required, matching 1 | `userPrincipalName` | `appuser.userName` | `userName` |
",
    );
    check(
        CERBY,
        Kind::Group,
        &ALL,
        "\
| `displayName` | required, matching 1 | `displayName` | `name` | `displayName` |
| `externalId` |  | `objectId` | `id` | `id` |
| `members` |  | the members | the members | the members |
",
    );
}

/// SCIM reference, section 13: maps only externalId, userName, displayName, active; groups externalId, displayName,
/// members.
#[test]
fn configcat_is_the_table_of_its_guide() {
    check(
        CONFIGCAT,
        Kind::User,
        &ALL,
        "\
| `active` |  | `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")` | `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")` | `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")` |
| `displayName` |  | `displayName` | `Coalesce(IgnoreFlowIfNullOrEmpty([user.displayName]), Join(\" \", [user.firstName], [user.lastName]))` | `displayName` |
| `externalId` |  | `objectId` | `id` | `id` |
| `userName` | matching 1 | `userPrincipalName` | `appuser.userName` | `userName` |
",
    );
    check(
        CONFIGCAT,
        Kind::Group,
        &ALL,
        "\
| `displayName` | matching 1 | `displayName` | `name` | `displayName` |
| `externalId` |  | `objectId` | `id` | `id` |
| `members` |  | the members | the members | the members |
",
    );
}

/// Entra provisioning reference, section 5.1, every row.
#[test]
fn entra_default_is_the_default_mapping_of_a_scim_app() {
    check(
        ENTRA,
        Kind::User,
        &[Vocabulary::Graph, Vocabulary::File],
        "\
| `active` |  | `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")` | `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")` |
| `addresses[type eq \"other\"].formatted` |  | `physicalDeliveryOfficeName` | `physicalDeliveryOfficeName` |
| `addresses[type eq \"work\"].country` |  | `country` | `country` |
| `addresses[type eq \"work\"].locality` |  | `city` | `city` |
| `addresses[type eq \"work\"].postalCode` |  | `postalCode` | `postalCode` |
| `addresses[type eq \"work\"].region` |  | `state` | `state` |
| `addresses[type eq \"work\"].streetAddress` |  | `streetAddress` | `streetAddress` |
| `displayName` |  | `displayName` | `displayName` |
| `emails[type eq \"other\"].value` |  | `Switch(Item(Split(Item([proxyAddresses], 2), \":\"), 1), , \"smtp\", Item(Split(Item([proxyAddresses], 2), \":\"), 2))` | `otherMail` |
| `emails[type eq \"work\"].value` |  | `mail` | `mail` |
| `externalId` |  | `mailNickname` | `id` |
| `name.familyName` |  | `surname` | `surname` |
| `name.formatted` |  | `Join(\" \", [givenName], [surname])` | `Join(\" \", [givenName], [surname])` |
| `name.givenName` |  | `givenName` | `givenName` |
| `phoneNumbers[type eq \"fax\"].value` |  | `facsimileTelephoneNumber` | `facsimileTelephoneNumber` |
| `phoneNumbers[type eq \"mobile\"].value` |  | `mobile` | `mobile` |
| `phoneNumbers[type eq \"work\"].value` |  | `telephoneNumber` | `telephoneNumber` |
| `preferredLanguage` |  | `preferredLanguage` | `preferredLanguage` |
| `title` |  | `jobTitle` | `jobTitle` |
| `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department` |  | `department` | `department` |
| `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber` |  | `employeeId` | `employeeId` |
| `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager` |  | who `manager` names | who `manager` names |
| `userName` | matching 1 | `userPrincipalName` | `userName` |
",
    );
    check(
        ENTRA,
        Kind::Group,
        &[Vocabulary::Graph, Vocabulary::File],
        "\
| `displayName` | matching 1 | `displayName` | `displayName` |
| `externalId` |  | `objectId` | `id` |
| `members` |  | the members | the members |
",
    );
}

/// Okta reference, section 9.2 (body A) for what is sent, section 10 for the order of matching (externalId, then
/// userName, then e-mail), and the base profile of an Okta user for the rest.
#[test]
fn okta_default_is_the_base_profile() {
    check(
        OKTA,
        Kind::User,
        &[Vocabulary::Okta],
        "\
| `active` |  | `Not([IsSoftDeleted])` |
| `addresses[type eq \"work\"].country` |  | `user.countryCode` |
| `addresses[type eq \"work\"].formatted` |  | `user.postalAddress` |
| `addresses[type eq \"work\"].locality` |  | `user.city` |
| `addresses[type eq \"work\"].postalCode` |  | `user.zipCode` |
| `addresses[type eq \"work\"].region` |  | `user.state` |
| `addresses[type eq \"work\"].streetAddress` |  | `user.streetAddress` |
| `displayName` |  | `Coalesce(IgnoreFlowIfNullOrEmpty([user.displayName]), Join(\" \", [user.firstName], [user.lastName]))` |
| `emails[type eq \"other\"].value` |  | `user.secondEmail` |
| `emails[type eq \"work\"].value` | matching 3 | `user.email` |
| `externalId` | matching 1 | `id` |
| `locale` |  | `user.locale` |
| `name.familyName` |  | `user.lastName` |
| `name.givenName` |  | `user.firstName` |
| `name.honorificPrefix` |  | `user.honorificPrefix` |
| `name.honorificSuffix` |  | `user.honorificSuffix` |
| `name.middleName` |  | `user.middleName` |
| `nickName` |  | `user.nickName` |
| `phoneNumbers[type eq \"mobile\"].value` |  | `user.mobilePhone` |
| `phoneNumbers[type eq \"work\"].value` |  | `user.primaryPhone` |
| `preferredLanguage` |  | `user.preferredLanguage` |
| `profileUrl` |  | `user.profileUrl` |
| `timezone` |  | `user.timezone` |
| `title` |  | `user.title` |
| `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter` |  | `user.costCenter` |
| `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department` |  | `user.department` |
| `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division` |  | `user.division` |
| `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber` |  | `user.employeeNumber` |
| `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager` |  | who `user.managerId` names |
| `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization` |  | `user.organization` |
| `userName` | matching 2 | `appuser.userName` |
| `userType` |  | `user.userType` |
",
    );
    check(
        OKTA,
        Kind::Group,
        &[Vocabulary::Okta],
        "\
| `displayName` | matching 1 | `name` |
| `externalId` |  | `id` |
| `members` |  | the members |
",
    );
}

/// What entra-default makes of a person of Graph.
fn made(attributes: Value) -> (Value, Option<bool>, Vec<Option<String>>) {
    let users = mapping(ENTRA, Kind::User, Vocabulary::Graph);
    let attributes = serde_json::from_value(attributes).expect("an object");
    let seen = Seen { standing: Standing::Enabled, attributes };
    let id = SourceId("id-1".to_owned());
    let given = Given { id: &id, kind: Kind::User, seen: &seen, soft_deleted: false, groups: &[] };
    let mapped =
        users.evaluate(given, Vocabulary::Graph, &Environment::default()).expect("the person can be mapped");
    let references = mapped.references.into_iter().map(|reference| reference.names).collect();
    (json!(mapped.attributes), mapped.active, references)
}

#[test]
fn entra_default_makes_an_account_of_a_person_of_graph() {
    let (account, active, references) = made(json!({
        "userPrincipalName": "zoe@x.example", "mail": "zoe.ray@x.example", "displayName": "Zoe Ray", "givenName": "Zoe",
        "surname": "Ray", "jobTitle": "Chief", "preferredLanguage": "de-DE", "officeLocation": "B2/103",
        "proxyAddresses": ["smtp:z@x.example", "SIP:zoe@x.example", "SMTP:zoe.ray@x.example"],
        "streetAddress": "1 Hill Rd", "city": "Reno", "state": "NV", "postalCode": "89501", "country": "US",
        "businessPhones": ["+1 555 0100"], "mobilePhone": "+1 555 0101", "faxNumber": "+1 555 0102",
        "mailNickname": "zoe", "employeeId": "0042", "department": "Board", "manager": "id-2",
    }));
    let enterprise =
        |name: &str| format!("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:{name}");
    let expected = json!({
        "userName": "zoe@x.example", "displayName": "Zoe Ray", "title": "Chief", "preferredLanguage": "de-DE",
        "emails[type eq \"work\"].value": "zoe.ray@x.example", "emails[type eq \"other\"].value": "z@x.example",
        "name.givenName": "Zoe", "name.familyName": "Ray", "name.formatted": "Zoe Ray",
        "addresses[type eq \"other\"].formatted": "B2/103",
        "addresses[type eq \"work\"].streetAddress": "1 Hill Rd", "addresses[type eq \"work\"].locality": "Reno",
        "addresses[type eq \"work\"].region": "NV", "addresses[type eq \"work\"].postalCode": "89501",
        "addresses[type eq \"work\"].country": "US",
        "phoneNumbers[type eq \"work\"].value": "+1 555 0100", "phoneNumbers[type eq \"mobile\"].value": "+1 555 0101",
        "phoneNumbers[type eq \"fax\"].value": "+1 555 0102",
        "externalId": "zoe", enterprise("employeeNumber"): "0042", enterprise("department"): "Board",
    });
    assert_eq!(account, expected);
    assert_eq!(active, Some(true));
    assert_eq!(references, [Some("id-2".to_owned())]);
}

/// Graph reference, section 10: `SMTP:` = primary, `smtp:` = alias, others `x500:`, `SIP:`, `EUM:`; may be empty.
#[test]
fn the_other_e_mail_of_entra_default_is_an_alias_or_nothing() {
    for (addresses, expected) in [
        (json!([]), json!(null)),
        (json!(null), json!(null)),
        (json!(["SMTP:zoe@x.example"]), json!(null)),
        (json!(["SMTP:zoe@x.example", "SIP:zoe@x.example"]), json!(null)),
        (json!(["x500:/o=a/cn=z", "smtp:z@x.example", "SMTP:zoe@x.example"]), json!("z@x.example")),
    ] {
        let person = json!({ "userPrincipalName": "zoe@x.example", "proxyAddresses": addresses });
        assert_eq!(made(person).0["emails[type eq \"other\"].value"], expected, "{addresses}");
    }
}

/// A person with little in the directory has an account with little in it.
#[test]
fn what_a_person_does_not_have_is_not_sent() {
    let (account, active, references) = made(json!({ "userPrincipalName": "zoe@x.example" }));
    assert_eq!(account, json!({ "userName": "zoe@x.example" }));
    assert_eq!((active, references), (Some(true), vec![None]));
}
