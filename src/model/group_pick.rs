//! Which groups of a source are chosen: by id, by name, by a rule.

use std::fmt;

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
    /// `id:ID`, `name:WHOLE NAME`, `prefix:BEGINNING OF NAMES` or a rule such as `name_contains:PART`; `None` for
    /// anything else.
    pub fn read(text: &str) -> Option<GroupPick> {
        match text.split_once(':')? {
            (_, "") => None,
            ("id", id) => Some(GroupPick::Id(SourceId(id.to_owned()))),
            ("name", name) => Some(GroupPick::Name(name.to_owned())),
            ("prefix" | "name_starts", beginning) => Some(GroupPick::Prefix(beginning.to_owned())),
            (rule, text) => read_rule(rule, text),
        }
    }

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

/// As the settings write it.
impl fmt::Display for GroupPick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupPick::Id(id) => write!(f, "id:{id}"),
            GroupPick::Name(name) => write!(f, "name:{name}"),
            GroupPick::Prefix(beginning) => write!(f, "prefix:{beginning}"),
            GroupPick::Rule { field, test, text } => write!(f, "{}_{}:{text}", field.word(), test.word()),
        }
    }
}

/// `name_contains` and its like.
fn read_rule(rule: &str, text: &str) -> Option<GroupPick> {
    let (field, test) = rule.split_once('_')?;
    let field = GroupField::ALL.into_iter().find(|known| known.word() == field)?;
    let test = TextTest::ALL.into_iter().find(|known| known.word() == test)?;
    Some(GroupPick::Rule { field, test, text: text.to_owned() })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupField {
    Name,
    Description,
}

impl GroupField {
    const ALL: [GroupField; 2] = [GroupField::Name, GroupField::Description];

    fn word(self) -> &'static str {
        match self {
            GroupField::Name => "name",
            GroupField::Description => "description",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextTest {
    Starts,
    Contains,
    Ends,
}

impl TextTest {
    const ALL: [TextTest; 3] = [TextTest::Starts, TextTest::Contains, TextTest::Ends];

    fn word(self) -> &'static str {
        match self {
            TextTest::Starts => "starts",
            TextTest::Contains => "contains",
            TextTest::Ends => "ends",
        }
    }

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

    #[test]
    fn a_choice_is_read_as_it_is_written() {
        for text in ["id:00g1", "name:Sales", "prefix:app-", "name_ends:-x", "description_contains:a:b"] {
            assert_eq!(GroupPick::read(text).map(|pick| pick.to_string()).as_deref(), Some(text));
        }
        assert_eq!(GroupPick::read("name_starts:app-"), Some(GroupPick::Prefix("app-".to_owned())));
        for text in ["Sales", "id:", "names:x", "name_is:x", ":x"] {
            assert_eq!(GroupPick::read(text), None, "{text}");
        }
    }
}
