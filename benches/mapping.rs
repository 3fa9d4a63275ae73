//! Maps 100,000 people with the default rows of the provisioning service and two expressions more, and prints what it cost.
//!
//! ```text
//! cargo bench --bench mapping
//! ```

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use rosterd::model::Seen;
use rosterd::model::SourceAttributes;
use rosterd::model::SourceId;
use rosterd::model::Standing;
use rosterd::model::Vocabulary;
use rosterd::plan::Environment;
use rosterd::plan::Given;
use rosterd::plan::Mapping;
use rosterd::plan::RawMapping;
use rosterd::plan::RawRow;
use rosterd::scim::Kind;
use serde_json::json;

const PEOPLE: usize = 100_000;
const ROUNDS: usize = 3;

/// The default user mapping of a SCIM app (Entra provisioning reference, section 5.1), without the manager.
const COPIED: [(&str, &str); 22] = [
    ("userName", "userPrincipalName"),
    ("displayName", "displayName"),
    ("title", "jobTitle"),
    ("emails[type eq \"work\"].value", "mail"),
    ("preferredLanguage", "preferredLanguage"),
    ("name.givenName", "givenName"),
    ("name.familyName", "surname"),
    ("addresses[type eq \"other\"].formatted", "physicalDeliveryOfficeName"),
    ("addresses[type eq \"work\"].streetAddress", "streetAddress"),
    ("addresses[type eq \"work\"].locality", "city"),
    ("addresses[type eq \"work\"].region", "state"),
    ("addresses[type eq \"work\"].postalCode", "postalCode"),
    ("addresses[type eq \"work\"].country", "country"),
    ("phoneNumbers[type eq \"work\"].value", "telephoneNumber"),
    ("phoneNumbers[type eq \"mobile\"].value", "mobile"),
    ("phoneNumbers[type eq \"fax\"].value", "facsimileTelephoneNumber"),
    ("externalId", "mailNickname"),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "employeeId"),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "department"),
    ("userType", "userType"),
    ("timezone", "usageLocation"),
    ("profileUrl", "extensionAttribute1"),
];

const COMPUTED: [(&str, &str); 4] = [
    ("active", r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#),
    ("name.formatted", r#"Join(" ", [givenName], [surname])"#),
    // And the two more.
    (
        "nickName",
        r#"ToLower(Join("@", NormalizeDiacritics(StripSpaces(Join(".", [givenName], [surname]))), "contoso.com"))"#,
    ),
    (
        "locale",
        r#"Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})", , "${phoneNumber}", , )"#,
    ),
];

fn main() {
    let mapping = mapping();
    let people: Vec<(SourceId, Seen)> = (0..PEOPLE).map(person).collect();
    println!("{} people, {} rows each, {} of them expressions", PEOPLE, mapping.rows.len(), COMPUTED.len());
    let environment = Environment::default();
    for round in 1..=ROUNDS {
        let start = Instant::now();
        for (id, seen) in &people {
            let given = Given { id, kind: Kind::User, seen, soft_deleted: false, groups: &[] };
            black_box(mapping.evaluate(given, Vocabulary::Graph, &environment).expect("mapped"));
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("round {round}: {seconds:.3} s, {:.2} µs a person", seconds * 1e6 / PEOPLE as f64);
    }
}

fn mapping() -> Mapping {
    let copied = COPIED.map(|(target, attribute)| {
        let matching = (target == "userName").then_some(1);
        (target, RawRow { attribute: Some(attribute.to_owned()), matching, ..RawRow::default() })
    });
    let computed = COMPUTED
        .map(|(target, text)| (target, RawRow { expression: Some(text.to_owned()), ..RawRow::default() }));
    let rows = copied.into_iter().chain(computed).map(|(target, row)| (target.to_owned(), row));
    let raw = RawMapping { users: rows.collect(), ..RawMapping::default() };
    let mapping = raw.check(None, Vocabulary::Graph).expect("the rows are sound").users;
    assert_eq!(mapping.check(Kind::User, Vocabulary::Graph), []);
    mapping
}

fn person(number: usize) -> (SourceId, Seen) {
    let name = format!("person{number}");
    let attributes: SourceAttributes = BTreeMap::from_iter(
        [
            ("userPrincipalName", json!(format!("{name}@contoso.com"))),
            ("accountEnabled", json!(true)),
            ("displayName", json!(format!("Zoë {number} Łukasiewicz"))),
            ("givenName", json!(format!("Zoë {number}"))),
            ("surname", json!("Łukasiewicz")),
            ("jobTitle", json!("Product Developer")),
            ("mail", json!(format!("{name}@contoso.com"))),
            ("mailNickname", json!(name)),
            ("preferredLanguage", json!("en-US")),
            ("officeLocation", json!("Building 18")),
            ("streetAddress", json!("545 Tremont Street")),
            ("city", json!("Boston")),
            ("state", json!("MA")),
            ("postalCode", json!("02116")),
            ("country", json!("United States")),
            ("businessPhones", json!(["+91 9998887777"])),
            ("mobilePhone", json!("+91 8887779999")),
            ("faxNumber", json!(null)),
            ("employeeId", json!(number.to_string())),
            ("department", json!("Research")),
            ("userType", json!("Member")),
            ("usageLocation", json!("US")),
            ("proxyAddresses", json!([format!("SMTP:{name}@contoso.com")])),
            ("onPremisesExtensionAttributes", json!({"extensionAttribute1": "x"})),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    (
        SourceId(format!("00000000-0000-0000-0000-{number:012}")),
        Seen { standing: Standing::Enabled, attributes },
    )
}
