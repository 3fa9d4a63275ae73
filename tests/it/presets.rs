//! The presets that come with the program, row by row, and what they make of a person and a group.

use rosterd::expr::Environment;
use rosterd::model::Seen;
use rosterd::model::SourceId;
use rosterd::model::Standing;
use rosterd::model::Vocabulary;
use rosterd::plan::Given;
use rosterd::plan::Mapping;
use rosterd::plan::Mappings;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::Row;
use rosterd::plan::RowFlow;
use rosterd::plan::RowValue;
use rosterd::scim::Kind;
use serde_json::Value;
use serde_json::json;

const CERBY: &str = include_str!("../../config/presets/cerby.toml");
const CONFIGCAT: &str = include_str!("../../config/presets/configcat.toml");

fn preset(text: &str, vocabulary: Vocabulary) -> Mappings {
    let preset: RawPreset = toml_edit::de::from_str(text).expect("the preset is TOML");
    RawMapping::default().check(Some(&preset), vocabulary).expect("the preset is sound")
}

/// One line a row: target, precedence, where the value comes from.
fn lines(mapping: &Mapping) -> String {
    mapping.rows.iter().map(line).collect()
}

fn line(row: &Row) -> String {
    assert_eq!((row.flow, &row.default), (RowFlow::Always, &None), "{}", row.target);
    let matching = row.matching.map(|precedence| format!(" (matching {precedence})")).unwrap_or_default();
    let value = match &row.value {
        RowValue::Attribute(name) => name.clone(),
        RowValue::Constant(text) => format!("constant {text}"),
        RowValue::Expression(expression) => format!("= {expression}"),
        RowValue::Members => "members".to_owned(),
        RowValue::Reference(name) => format!("who {name} is"),
    };
    let required = if row.required { " required" } else { "" };
    format!("{} <- {value}{matching}{required}\n", row.target)
}

/// States all rows of one preset for one vocabulary, and that nothing about them is odd.
#[track_caller]
fn check(text: &str, vocabulary: Vocabulary, users: &str, groups: &str) {
    let mappings = preset(text, vocabulary);
    assert_eq!(lines(&mappings.users), users);
    assert_eq!(lines(&mappings.groups), groups);
    assert_eq!(mappings.users.check(Kind::User, vocabulary), []);
    assert_eq!(mappings.groups.check(Kind::Group, vocabulary), []);
}

/// What a preset makes of one object: attributes, and `active` where its row says something.
fn made(
    mapping: &Mapping,
    kind: Kind,
    vocabulary: Vocabulary,
    attributes: Value,
    soft_deleted: bool,
) -> Value {
    let seen = Seen {
        standing: Standing::Enabled,
        attributes: serde_json::from_value(attributes).expect("an object"),
    };
    let id = SourceId("id-1".to_owned());
    let mapped = mapping
        .evaluate(
            Given { id: &id, kind, seen: &seen, soft_deleted, groups: &[] },
            vocabulary,
            &Environment::default(),
        )
        .expect("the object can be mapped");
    assert_eq!(json!(mapped.on_create.attributes), json!({}));
    let mut made = json!(mapped.attributes);
    if let Some(active) = mapped.active {
        made["active"] = json!(active);
    }
    made
}

#[test]
fn cerby_on_graph_row_by_row() {
    check(
        CERBY,
        Vocabulary::Graph,
        "\
active <- = Not([IsSoftDeleted]) required
emails[type eq \"work\"].value <- mail (matching 2) required
externalId <- objectId
name.familyName <- surname required
name.givenName <- givenName required
userName <- userPrincipalName (matching 1) required
",
        "\
displayName <- displayName (matching 1) required
externalId <- objectId
members <- members
",
    );
}

#[test]
fn cerby_on_okta_row_by_row() {
    check(
        CERBY,
        Vocabulary::Okta,
        "\
active <- = Not([IsSoftDeleted]) required
emails[type eq \"work\"].value <- user.email (matching 2) required
externalId <- id
name.familyName <- user.lastName required
name.givenName <- user.firstName required
userName <- appuser.userName (matching 1) required
",
        "\
displayName <- name (matching 1) required
externalId <- id
members <- members
",
    );
}

#[test]
fn cerby_on_a_file_row_by_row() {
    check(
        CERBY,
        Vocabulary::File,
        "\
active <- = Not([IsSoftDeleted]) required
emails[type eq \"work\"].value <- mail (matching 2) required
externalId <- id
name.familyName <- surname required
name.givenName <- givenName required
userName <- userName (matching 1) required
",
        "\
displayName <- displayName (matching 1) required
externalId <- id
members <- members
",
    );
}

#[test]
fn configcat_on_graph_row_by_row() {
    check(
        CONFIGCAT,
        Vocabulary::Graph,
        "\
active <- = Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")
displayName <- displayName
externalId <- objectId
userName <- userPrincipalName (matching 1)
",
        "\
displayName <- displayName (matching 1)
externalId <- objectId
members <- members
",
    );
}

#[test]
fn configcat_on_okta_row_by_row() {
    check(
        CONFIGCAT,
        Vocabulary::Okta,
        "\
active <- = Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")
displayName <- = Coalesce(IgnoreFlowIfNullOrEmpty([user.displayName]), Join(\" \", [user.firstName], [user.lastName]))
externalId <- id
userName <- appuser.userName (matching 1)
",
        "\
displayName <- name (matching 1)
externalId <- id
members <- members
",
    );
}

#[test]
fn configcat_on_a_file_row_by_row() {
    check(
        CONFIGCAT,
        Vocabulary::File,
        "\
active <- = Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")
displayName <- displayName
externalId <- id
userName <- userName (matching 1)
",
        "\
displayName <- displayName (matching 1)
externalId <- id
members <- members
",
    );
}

#[test]
fn cerby_makes_an_account_of_a_person_of_graph() {
    let users = preset(CERBY, Vocabulary::Graph).users;
    let zoe = json!({
        "userPrincipalName": "zoe@x.example", "mail": "Zoe@x.example", "givenName": "Zoë", "surname": "O'Hara",
        "displayName": "Zoë O'Hara", "accountEnabled": true,
    });
    let account = json!({
        "userName": "zoe@x.example", "emails[type eq \"work\"].value": "Zoe@x.example", "name.givenName": "Zoë",
        "name.familyName": "O'Hara", "externalId": "id-1", "active": true,
    });
    assert_eq!(made(&users, Kind::User, Vocabulary::Graph, zoe, false), account);
}

#[test]
fn a_guest_without_mail_is_an_account_without_mail() {
    let users = preset(CERBY, Vocabulary::Graph).users;
    let guest = json!({
        "userPrincipalName": "ann_home.example#EXT#@tenant.onmicrosoft.com", "mail": null, "givenName": null,
    });
    let account = json!({ "userName": "ann@home.example", "externalId": "id-1", "active": true });
    assert_eq!(made(&users, Kind::User, Vocabulary::Graph, guest, false), account);
}

#[test]
fn both_presets_turn_active_off_for_the_soft_deleted_on_every_source() {
    for text in [CERBY, CONFIGCAT] {
        for (vocabulary, name) in [
            (Vocabulary::Graph, "userPrincipalName"),
            (Vocabulary::Okta, "appuser.userName"),
            (Vocabulary::File, "userName"),
        ] {
            let users = preset(text, vocabulary).users;
            for soft_deleted in [false, true] {
                let account = made(&users, Kind::User, vocabulary, json!({ name: "ann" }), soft_deleted);
                assert_eq!(account["active"], json!(!soft_deleted), "{vocabulary:?}");
            }
        }
    }
}

#[test]
fn configcat_makes_a_name_of_first_and_last_where_okta_has_no_display_name() {
    let users = preset(CONFIGCAT, Vocabulary::Okta).users;
    for (display_name, expected) in
        [(json!(null), "Ann Lee"), (json!(""), "Ann Lee"), (json!("Annie"), "Annie")]
    {
        let ann = json!({
            "appuser.userName": "ann@x.example", "user.firstName": "Ann", "user.lastName": "Lee",
            "user.displayName": display_name,
        });
        let account = json!({
            "userName": "ann@x.example", "displayName": expected, "externalId": "id-1", "active": true,
        });
        assert_eq!(made(&users, Kind::User, Vocabulary::Okta, ann, false), account);
    }
}

#[test]
fn a_group_becomes_a_team_by_name_and_id_and_its_members_are_edges() {
    for (vocabulary, name) in
        [(Vocabulary::Graph, "displayName"), (Vocabulary::Okta, "name"), (Vocabulary::File, "displayName")]
    {
        for text in [CERBY, CONFIGCAT] {
            let groups = preset(text, vocabulary).groups;
            let team = made(&groups, Kind::Group, vocabulary, json!({ name: "Sales" }), false);
            assert_eq!(team, json!({ "displayName": "Sales", "externalId": "id-1" }));
        }
    }
}

#[test]
fn a_person_without_a_user_name_is_a_problem_that_names_the_attribute() {
    let users = preset(CERBY, Vocabulary::Okta).users;
    let seen = Seen { standing: Standing::Enabled, attributes: Default::default() };
    let id = SourceId("00u1".to_owned());
    let given = Given { id: &id, kind: Kind::User, seen: &seen, soft_deleted: false, groups: &[] };
    let problem = users.evaluate(given, Vocabulary::Okta, &Environment::default()).expect_err("a problem");
    assert_eq!(problem.path, "userName");
    assert_eq!(problem.text, "the target needs a value, and `appuser.userName` has none in the source");
}

#[test]
fn cerby_needs_equal_names_and_addresses_and_configcat_does_not_care() {
    for vocabulary in [Vocabulary::Graph, Vocabulary::Okta, Vocabulary::File] {
        assert!(preset(CERBY, vocabulary).users.user_name_is_email);
        assert!(!preset(CONFIGCAT, vocabulary).users.user_name_is_email);
    }
}

#[test]
fn graph_is_asked_for_what_the_rows_need() {
    let read = |text| {
        let mappings = preset(text, Vocabulary::Graph);
        Vec::from_iter(mappings.users.source_attributes(Vocabulary::Graph))
    };
    assert_eq!(read(CERBY), ["accountEnabled", "givenName", "mail", "surname", "userPrincipalName"]);
    assert_eq!(read(CONFIGCAT), ["accountEnabled", "displayName", "userPrincipalName"]);
}

#[test]
fn a_row_of_a_preset_is_overridden_by_naming_its_target() {
    let preset: RawPreset = toml_edit::de::from_str(CERBY).expect("the preset is TOML");
    let own: RawMapping = toml_edit::de::from_str(
        r#"
        preset = "cerby"

        [users."userName"]
        attribute = "mail"

        [users."title"]
        expression = 'Coalesce([jobTitle], "-")'

        [users.'emails[type eq "work"].value']
        matching = 0
        "#,
    )
    .expect("rows as they are written in settings");
    let users = own.check(Some(&preset), Vocabulary::Graph).expect("sound").users;
    assert_eq!(
        lines(&users),
        "\
active <- = Not([IsSoftDeleted]) required
emails[type eq \"work\"].value <- mail required
externalId <- objectId
name.familyName <- surname required
name.givenName <- givenName required
title <- = Coalesce([jobTitle], \"-\")
userName <- mail (matching 1) required
"
    );
}
