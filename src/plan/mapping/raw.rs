//! Mappings as they are written in settings and presets, and how they become rows.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::Mapping;
use super::Row;
use super::RowFlow;
use super::RowProblem;
use super::RowValue;
use super::Target;
use super::known;
use crate::expr::Expression;
use crate::model::Grade;
use crate::model::Vocabulary;
use crate::scim::Kind;
use crate::scim::canonical;

/// `[jobs.X.mapping]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawMapping {
    /// The preset whose rows are taken where none is written here.
    pub preset: Option<String>,
    /// Source attributes that take a value back in the target where they lose it, in rows that say `clear`: the first
    /// of two gates.
    pub clear: Vec<String>,
    /// Rows by target attribute.
    pub users: BTreeMap<String, RawRow>,
    pub groups: BTreeMap<String, RawRow>,
}

/// A file in config/presets: one service, with rows for each vocabulary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPreset {
    /// Whether the service needs userName and work e-mail to be equal.
    #[serde(default)]
    pub user_name_is_email: bool,
    /// `None`: the preset is not for this source.
    pub graph: Option<RawRows>,
    pub okta: Option<RawRows>,
    pub file: Option<RawRows>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRows {
    pub users: BTreeMap<String, RawRow>,
    pub groups: BTreeMap<String, RawRow>,
}

/// One row: exactly one of `attribute`, `constant`, `expression`, `reference` and `none`; or `reference` beside the
/// `attribute` that names another person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawRow {
    pub attribute: Option<String>,
    pub constant: Option<String>,
    pub expression: Option<String>,
    pub reference: Option<bool>,
    /// The target attribute is left alone; with a `default`, that is set on create.
    pub none: Option<bool>,
    /// Precedence as a matching attribute, from 1; 0 takes it away from a row of the preset.
    pub matching: Option<u8>,
    pub apply: Option<RowFlow>,
    pub default: Option<String>,
    /// Takes back what we sent where the value is null: the second of two gates.
    pub clear: Option<bool>,
    /// The service asks for a value.
    pub required: Option<bool>,
}

/// The checked mappings of a job. A mapping without rows is one that nobody asked for (a job without teams).
#[derive(Clone, Debug, Default)]
pub struct Mappings {
    pub users: Mapping,
    pub groups: Mapping,
}

impl RawPreset {
    /// `None` where the preset is not for such a source.
    pub fn rows(&self, vocabulary: Vocabulary) -> Option<&RawRows> {
        match vocabulary {
            Vocabulary::Graph => self.graph.as_ref(),
            Vocabulary::Okta => self.okta.as_ref(),
            Vocabulary::File => self.file.as_ref(),
        }
    }
}

impl RawMapping {
    /// Lays these rows over those of the preset, and checks the result. The errors are all there are; the
    /// warnings of a mapping that can be used are had from `Mapping::check`.
    pub fn check(
        &self,
        preset: Option<&RawPreset>,
        vocabulary: Vocabulary,
    ) -> Result<Mappings, Vec<RowProblem>> {
        let nothing = RawRows::default();
        let base = preset.and_then(|preset| preset.rows(vocabulary)).unwrap_or(&nothing);
        let users = mapping(Kind::User, &base.users, &self.users, &self.clear, vocabulary);
        let groups = mapping(Kind::Group, &base.groups, &self.groups, &self.clear, vocabulary);
        let gates = gates(&self.clear, vocabulary);
        match (users, groups) {
            (Ok(mut users), Ok(groups)) if gates.is_empty() => {
                users.user_name_is_email = preset.is_some_and(|preset| preset.user_name_is_email);
                Ok(Mappings { users, groups })
            }
            (users, groups) => {
                Err(users.err().into_iter().chain(groups.err()).flatten().chain(gates).collect())
            }
        }
    }
}

/// What is wrong with the first of the two gates.
fn gates(clear: &[String], vocabulary: Vocabulary) -> Vec<RowProblem> {
    let wrong = |name: &String| {
        let text = known::check(name, Kind::User, vocabulary).err()?;
        known::check(name, Kind::Group, vocabulary).err()?;
        let (grade, kind, target) = (Grade::Error, Kind::User, String::new());
        Some(RowProblem { grade, kind, target, field: "clear", text })
    };
    clear.iter().filter_map(wrong).collect()
}

fn mapping(
    kind: Kind,
    base: &BTreeMap<String, RawRow>,
    own: &BTreeMap<String, RawRow>,
    clear: &[String],
    vocabulary: Vocabulary,
) -> Result<Mapping, Vec<RowProblem>> {
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for (target, raw) in laid_over(base, own) {
        match row(&target, &raw, clear) {
            Ok(Some(row)) => rows.push(row),
            Ok(None) => {}
            Err((field, text)) => {
                problems.push(RowProblem { grade: Grade::Error, kind, target, field, text });
            }
        }
    }
    let mapping = Mapping { rows, user_name_is_email: false };
    let asked_for = kind == Kind::User || !mapping.rows.is_empty();
    // What a broken row would have given is not known: only whole mappings are looked at as a whole.
    if asked_for && problems.is_empty() {
        problems = mapping.check(kind, vocabulary);
        problems.retain(|problem| problem.grade == Grade::Error);
    }
    if problems.is_empty() { Ok(mapping) } else { Err(problems) }
}

/// Rows by target, in the schema's spelling. What a row of one's own does not say stays as the preset has it.
fn laid_over(base: &BTreeMap<String, RawRow>, own: &BTreeMap<String, RawRow>) -> BTreeMap<String, RawRow> {
    let mut rows: BTreeMap<String, RawRow> = base.clone();
    for (target, row) in own {
        let target = canonical(target);
        let merged = rows.get(&target).map_or_else(|| row.clone(), |preset| row.over(preset));
        rows.insert(target, merged);
    }
    rows
}

impl RawRow {
    /// The value is replaced as a whole where this row names one.
    fn over(&self, preset: &RawRow) -> RawRow {
        let mut row = if self.named().is_empty() { preset.clone() } else { self.clone() };
        row.matching = self.matching.or(preset.matching);
        row.apply = self.apply.or(preset.apply);
        row.default = self.default.clone().or_else(|| preset.default.clone());
        row.clear = self.clear.or(preset.clear);
        row.required = self.required.or(preset.required);
        if self.attribute.is_some() {
            row.reference = self.reference.or(preset.reference);
        }
        row
    }

    /// Which of the keys for a value are there.
    fn named(&self) -> Vec<&'static str> {
        let keys = [
            ("attribute", self.attribute.is_some()),
            ("constant", self.constant.is_some()),
            ("expression", self.expression.is_some()),
            ("reference", self.reference.is_some()),
            ("none", self.none.is_some()),
        ];
        keys.into_iter().filter(|(_, there)| *there).map(|(key, _)| key).collect()
    }
}

/// The row, `None` where the target attribute is left alone; or the field that is wrong, and why.
fn row(target: &str, raw: &RawRow, clear: &[String]) -> Result<Option<Row>, (&'static str, String)> {
    let value = match raw.named().as_slice() {
        ["attribute"] => raw.attribute.as_deref().map(attribute).transpose()?.map(RowValue::Attribute),
        ["attribute", "reference"] if raw.reference == Some(true) => {
            raw.attribute.as_deref().map(attribute).transpose()?.map(RowValue::Reference)
        }
        ["attribute", only @ "reference"] => return Err((only, "write true, or leave it out".to_owned())),
        ["constant"] => raw.constant.clone().map(RowValue::Constant),
        ["expression"] => raw.expression.as_deref().map(expression).transpose()?,
        ["reference"] if raw.reference == Some(true) => Some(RowValue::Members),
        ["none"] if raw.none == Some(true) => return Ok(untouched(target, raw)),
        [only @ ("reference" | "none")] => return Err((only, "write true, or leave it out".to_owned())),
        [] => None,
        several => return Err((several[1], format!("give one of {}", several.join(", ")))),
    };
    let Some(value) = value else {
        let text = "the row has no value; give one of attribute, constant, expression, reference, none";
        return Err(("", text.to_owned()));
    };
    let matching = raw.matching.filter(|precedence| *precedence > 0);
    let flow = raw.apply.unwrap_or_default();
    let clears = clears(&value, raw, clear)?;
    let required = raw.required == Some(true);
    Ok(Some(Row {
        target: Target::new(target),
        value,
        matching,
        flow,
        default: raw.default.clone(),
        clears,
        required,
    }))
}

/// Both gates, or none: one that is open alone would clear nothing, and nobody would notice.
fn clears(value: &RowValue, raw: &RawRow, clear: &[String]) -> Result<bool, (&'static str, String)> {
    if raw.clear != Some(true) {
        return Ok(false);
    }
    let used = value.attributes();
    if used.is_empty() {
        return Err(("clear", "the row has a value always; leave clear out".to_owned()));
    }
    match used.into_iter().find(|name| !clear.iter().any(|gate| gate == name)) {
        None => Ok(true),
        Some(name) => {
            let text = format!(
                "nothing is cleared unless the source attribute is named as well; add \"{name}\" to mapping.clear"
            );
            Err(("clear", text))
        }
    }
}

fn attribute(name: &str) -> Result<String, (&'static str, String)> {
    match name.trim().trim_start_matches('[').trim_end_matches(']') {
        "" => Err(("attribute", "the name of a source attribute is missing".to_owned())),
        bare if bare != name => Err(("attribute", format!("write the name alone: attribute = \"{bare}\""))),
        bare => Ok(bare.to_owned()),
    }
}

fn expression(text: &str) -> Result<RowValue, (&'static str, String)> {
    Expression::parse(text)
        .map(RowValue::Expression)
        .map_err(|error| ("expression", format!("{error}\n{}", error.caret(text))))
}

/// Entra's mapping of type "none": nothing flows, and a default is set on create.
fn untouched(target: &str, raw: &RawRow) -> Option<Row> {
    let value = RowValue::Constant(raw.default.clone()?);
    Some(Row {
        target: Target::new(target),
        value,
        matching: None,
        flow: RowFlow::OnCreate,
        default: None,
        clears: false,
        required: false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;
    use serde_json::json;

    use super::*;

    fn preset() -> RawPreset {
        let rows = json!({
            "users": {
                "userName": { "attribute": "userPrincipalName", "matching": 1 },
                "active": { "expression": "Not([IsSoftDeleted])" },
                "title": { "attribute": "jobTitle", "default": "Member", "apply": "on_create" },
            },
            "groups": {},
        });
        let text = json!({ "user_name_is_email": true, "graph": rows });
        serde_json::from_value(text).expect("a preset")
    }

    fn checked(own: Json) -> Result<Mappings, String> {
        let own: RawMapping = serde_json::from_value(own).map_err(|error| error.to_string())?;
        own.check(Some(&preset()), Vocabulary::Graph).map_err(|problems| {
            let line = |problem: &RowProblem| format!("{}: {}", problem.keys().join(" / "), problem.text);
            problems.iter().map(line).collect::<Vec<_>>().join("\n")
        })
    }

    /// States what the users' rows become when these are laid over the preset.
    #[track_caller]
    fn becomes(own: Json, target: &str, expected: Json) {
        let mappings = checked(json!({ "users": own })).expect("sound");
        let row = mappings.users.rows.iter().find(|row| row.target == target);
        assert_eq!(serde_json::to_value(row).expect("a row"), expected);
    }

    #[test]
    fn a_row_of_ones_own_replaces_the_value_and_keeps_what_it_does_not_say() {
        becomes(
            json!({ "userName": { "attribute": "mail" } }),
            "userName",
            json!({ "target": "userName", "value": { "attribute": "mail" }, "matching": 1, "flow": "always", "default": null, "clears": false }),
        );
        becomes(
            json!({ "title": { "apply": "always" } }),
            "title",
            json!({ "target": "title", "value": { "attribute": "jobTitle" }, "matching": null, "flow": "always", "default": "Member", "clears": false }),
        );
        becomes(
            json!({ "USERNAME": { "matching": 0 }, "externalId": { "attribute": "objectId", "matching": 1 } }),
            "userName",
            json!({ "target": "userName", "value": { "attribute": "userPrincipalName" }, "matching": null, "flow": "always", "default": null, "clears": false }),
        );
    }

    #[test]
    fn none_leaves_the_target_alone_but_for_a_default_on_create() {
        becomes(json!({ "active": { "none": true } }), "active", json!(null));
        becomes(
            json!({ "nickName": { "none": true, "default": "new" } }),
            "nickName",
            json!({ "target": "nickName", "value": { "constant": "new" }, "matching": null, "flow": "on_create", "default": null, "clears": false }),
        );
    }

    #[test]
    fn the_flag_of_the_preset_and_the_absence_of_group_rows_are_kept() {
        let mappings = checked(json!({})).expect("sound");
        assert!(mappings.users.user_name_is_email);
        assert!(mappings.groups.rows.is_empty());
    }

    #[test]
    fn every_row_that_is_wrong_is_told() {
        let own = json!({
            "users": {
                "title": { "attribute": "jobTitle", "constant": "x" },
                "nickName": { "matching": 3 },
                "displayName": { "expression": "Join(\" \", [givenName], Lft([surname], 1))" },
                "externalId": { "attribute": "[objectId]" },
                "userType": { "none": false },
            },
            "groups": { "members": { "reference": true } },
        });
        let expected = "\
users / displayName / expression: character 24: there is no function `Lft`; did you mean `Left`?
Join(\" \", [givenName], Lft([surname], 1))
                       ^
users / externalId / attribute: write the name alone: attribute = \"objectId\"
users / nickName: the row has no value; give one of attribute, constant, expression, reference, none
users / title / constant: give one of attribute, constant
users / userType / none: write true, or leave it out
groups / displayName / matching: no row is used for matching, so existing resources would not be found; write matching = 1
groups / displayName: the target needs this attribute; add its row";
        assert_eq!(checked(own).map(|_| ()), Err(expected.to_owned()));
    }

    /// Entra provisioning reference, section 5: two gates, on the source attribute and on the target mapping.
    #[test]
    fn what_is_cleared_has_two_gates() {
        let told = |own: Json| match checked(own) {
            Ok(mappings) => {
                let clears = mappings.users.rows.iter().filter(|row| row.clears);
                clears.map(|row| row.target.as_str()).collect::<Vec<_>>().join(" ")
            }
            Err(text) => text,
        };
        assert_eq!(
            told(
                json!({ "clear": ["jobTitle"], "users": { "title": { "apply": "always", "clear": true } } })
            ),
            "title"
        );
        assert_eq!(told(json!({ "clear": ["jobTitle"] })), "");
        assert_eq!(
            told(json!({ "users": { "title": { "clear": true } } })),
            "users / title / clear: nothing is cleared unless the source attribute is named as well; add \"jobTitle\" to mapping.clear"
        );
        assert_eq!(
            told(json!({ "clear": ["surname", "jobTitel"],
                "users": { "nickName": { "expression": "Coalesce([givenName], [surname])", "clear": true } } })),
            "users / nickName / clear: nothing is cleared unless the source attribute is named as well; add \"givenName\" to mapping.clear\n\
             clear: a user of Microsoft Graph has no attribute `jobTitel`; did you mean `jobTitle`?"
        );
        assert_eq!(
            told(json!({ "users": { "nickName": { "constant": "x", "clear": true } } })),
            "users / nickName / clear: the row has a value always; leave clear out"
        );
    }

    #[test]
    fn a_person_is_referred_to_by_an_attribute() {
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
        becomes(
            json!({ manager: { "attribute": "manager", "reference": true } }),
            manager,
            json!({ "target": manager, "value": { "reference": "manager" }, "matching": null, "flow": "always", "default": null, "clears": false }),
        );
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = checked(json!({ "users": { "title": { "atribute": "jobTitle" } } })).map(|_| ());
        assert!(error.expect_err("unknown").starts_with("unknown field `atribute`"));
    }
}
