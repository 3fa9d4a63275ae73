//! Which groups of a source are chosen: by id, by name, by a rule.

use serde::Serialize;

use super::SourceId;
use crate::scim;

/// One chosen group, or several. Names are compared without case (Graph reference, section 10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupPick {
    Id(SourceId),
    /// The whole display name; names are not unique, every group of that name is chosen.
    Name(String),
    Prefix(String),
    /// A rule on name or description, as Okta's Group Push has them (Okta reference, section 10).
    Rule {
        field: GroupField,
        test: TextTest,
        text: String,
    },
}

impl GroupPick {
    /// Whether a group of this id, name and description is chosen.
    pub fn takes(&self, id: &SourceId, name: &str, description: &str) -> bool {
        match self {
            GroupPick::Id(chosen) => chosen.0.eq_ignore_ascii_case(&id.0),
            GroupPick::Name(whole) => scim::fold(whole) == scim::fold(name),
            GroupPick::Prefix(beginning) => TextTest::Starts.holds(name, beginning),
            GroupPick::Rule { field: GroupField::Name, test, text } => test.holds(name, text),
            GroupPick::Rule { field: GroupField::Description, test, text } => test.holds(description, text),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupField {
    Name,
    Description,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextTest {
    Starts,
    Contains,
    Ends,
}

impl TextTest {
    /// Without case, and with one form of accented letters.
    pub fn holds(self, text: &str, part: &str) -> bool {
        let (text, part) = (scim::fold(text), scim::fold(part));
        match self {
            TextTest::Starts => text.starts_with(&part),
            TextTest::Contains => text.contains(&part),
            TextTest::Ends => text.ends_with(&part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pick: GroupPick, expected: [bool; 3]) {
        let groups =
            [("00g1", "App-Sales", "Who sells"), ("00g2", "app-Ärzte", ""), ("00g3", "Sales", "who SELLS")];
        let taken =
            groups.map(|(id, name, description)| pick.takes(&SourceId(id.to_owned()), name, description));
        assert_eq!(taken, expected, "{pick:?}");
    }

    #[test]
    fn groups_are_chosen_by_id_name_and_rule_without_case() {
        let rule = |field, test, text: &str| GroupPick::Rule { field, test, text: text.to_owned() };
        check(GroupPick::Id(SourceId("00G1".to_owned())), [true, false, false]);
        check(GroupPick::Name("sales".to_owned()), [false, false, true]);
        check(GroupPick::Prefix("APP-".to_owned()), [true, true, false]);
        check(rule(GroupField::Name, TextTest::Ends, "SALES"), [true, false, true]);
        check(rule(GroupField::Name, TextTest::Contains, "a\u{308}rz"), [false, true, false]);
        check(rule(GroupField::Description, TextTest::Starts, "who"), [true, false, true]);
        check(rule(GroupField::Description, TextTest::Contains, "sells"), [true, false, true]);
    }
}
