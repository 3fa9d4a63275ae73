//! What is compared when somebody is looked for: whatever the row gives, an expression's result as well (Entra provisioning
//! reference, section 4).

use std::collections::BTreeMap;

use rosterd::model::Vocabulary;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::RawRow;
use rosterd::plan::RowFlow;

use super::support::story::Stage;

const PRESET: &str = include_str!("../../config/presets/cerby.toml");

/// A stage whose people are looked for by one row alone.
fn stage(target: &str, row: RawRow) -> Stage {
    let preset: RawPreset = toml_edit::de::from_str(PRESET).unwrap();
    let never = RawRow { matching: Some(0), ..RawRow::default() };
    let mut users = BTreeMap::from([
        ("userName".to_owned(), never.clone()),
        ("emails[type eq \"work\"].value".to_owned(), never),
    ]);
    users.insert(target.to_owned(), RawRow { matching: Some(1), ..row });
    let mapping = RawMapping { users, ..RawMapping::default() };
    let mut stage = Stage::new();
    stage.rules.users = mapping.check(Some(&preset), Vocabulary::File).unwrap().users;
    stage
}

async fn play(stage: &mut Stage) -> String {
    for line in ["target ann@x.example", "person u1 Ann@Old.example Ann Lee login=ANN", "app u1"] {
        assert_eq!(stage.command(line).await, None);
    }
    stage.command("cycle").await.unwrap();
    stage.command("workspace").await.unwrap()
}

#[tokio::test]
async fn an_expression_gives_the_value_that_is_looked_for() {
    let expression = Some("Join(\"@\", ToLower([login]), \"x.example\")".to_owned());
    let mut stage = stage("userName", RawRow { expression, ..RawRow::default() });
    assert_eq!(play(&mut stage).await, "ann@x.example Ann Lee\n");
}

#[tokio::test]
async fn a_row_that_flows_on_create_alone_matches_as_well() {
    let row = RawRow {
        constant: Some("ann@x.example".to_owned()),
        apply: Some(RowFlow::OnCreate),
        ..RawRow::default()
    };
    let mut stage = stage("userName", row);
    stage.rules.adoption = rosterd::plan::Adoption::ExternalIdOrName;
    assert_eq!(play(&mut stage).await, "ann@x.example Ann Lee\n");
}
