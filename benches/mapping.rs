//! Maps 100,000 people with the preset `entra-default` and two expressions more, and prints what it cost.
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
use rosterd::plan::RawPreset;
use rosterd::plan::RawRow;
use rosterd::plan::RowValue;
use rosterd::scim::Kind;
use serde_json::json;

const PEOPLE: usize = 100_000;
const ROUNDS: usize = 3;

const PRESET: &str = include_str!("../config/presets/entra-default.toml");

/// Two rows more than the preset has.
const COMPUTED: [(&str, &str); 2] = [
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
    let computed = mapping.rows.iter().filter(|row| matches!(row.value, RowValue::Expression(_))).count();
    println!("{PEOPLE} people, {} rows each, {computed} of them expressions", mapping.rows.len());
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
    let row = |text: &str| RawRow { expression: Some(text.to_owned()), ..RawRow::default() };
    let users = COMPUTED.map(|(target, text)| (target.to_owned(), row(text)));
    let raw = RawMapping { users: users.into(), ..RawMapping::default() };
    let preset: RawPreset = toml_edit::de::from_str(PRESET).expect("the preset is TOML");
    raw.check(Some(&preset), Vocabulary::Graph).expect("the rows are sound").users
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
