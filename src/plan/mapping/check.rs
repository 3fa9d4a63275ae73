//! What is wrong with a mapping, or odd, before there is anything to map.

use std::collections::BTreeSet;

use super::Mapping;
use super::Row;
use super::RowFlow;
use super::RowValue;
use super::expressions;
use super::known;
use super::names::is_of_groups;
use super::required;
use super::target;
use crate::model::Grade;
use crate::model::Vocabulary;
use crate::scim::Kind;

/// What is wrong with a row, or odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// `Error`: the mapping cannot be used. `Warning`: it can.
    pub grade: Grade,
    pub kind: Kind,
    /// The target attribute of the row; empty for a key of the mapping as a whole.
    pub target: String,
    /// The key of the row that is meant; empty for the row as a whole.
    pub field: &'static str,
    /// What it is, and what to do.
    pub text: String,
}

impl RowProblem {
    /// The keys that lead to it, below `mapping`: `users`, the target, the field where there is one.
    pub fn keys(&self) -> Vec<&str> {
        if self.target.is_empty() {
            return vec![self.field];
        }
        let table = match self.kind {
            Kind::User => "users",
            Kind::Group => "groups",
        };
        let mut keys = vec![table, self.target.as_str()];
        keys.extend((!self.field.is_empty()).then_some(self.field));
        keys
    }
}

impl Mapping {
    /// Everything that can be known of the rows without an object, errors and warnings alike.
    pub fn check(&self, kind: Kind, vocabulary: Vocabulary) -> Vec<RowProblem> {
        let mut found = Found { kind, problems: Vec::new() };
        let mut targets = BTreeSet::new();
        for row in &self.rows {
            if !targets.insert(row.target.as_str()) {
                found.error(&row.target, "", "this attribute has two rows; leave one");
            }
            check_row(row, vocabulary, &mut found);
        }
        check_matching(self, &mut found);
        check_presence(self, &mut found);
        found.problems
    }

    fn row(&self, target: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.target == target)
    }
}

struct Found {
    kind: Kind,
    problems: Vec<RowProblem>,
}

impl Found {
    fn error(&mut self, target: &str, field: &'static str, text: impl Into<String>) {
        self.push(Grade::Error, target, field, text.into());
    }

    fn warning(&mut self, target: &str, field: &'static str, text: impl Into<String>) {
        self.push(Grade::Warning, target, field, text.into());
    }

    fn push(&mut self, grade: Grade, target: &str, field: &'static str, text: String) {
        self.problems.push(RowProblem { grade, kind: self.kind, target: target.to_owned(), field, text });
    }
}

fn check_row(row: &Row, vocabulary: Vocabulary, found: &mut Found) {
    let at = row.target.as_str();
    match (&row.value, found.kind, at) {
        (RowValue::Members, Kind::Group, "members") => return check_members(row, found),
        (RowValue::Members, ..) => {
            let text = "name the attribute that says who is meant; write attribute = \"manager\" beside it";
            return found.error(at, "reference", text);
        }
        (_, Kind::Group, "members") => {
            return found.error(at, "", "members are references; write reference = true");
        }
        _ => {}
    }
    let sound = match &row.value {
        RowValue::Reference(_) => target::check_reference(found.kind, at),
        _ if expressions::sends_roles(row, found.kind) => Ok(()),
        _ => target::check(found.kind, at),
    };
    if let Err(text) = sound {
        found.error(at, "", text);
    }
    let field = field(&row.value);
    let placed = |name: &str, text: String| match &row.value {
        RowValue::Expression(expression) => expression.wrong_attribute(name, &text),
        _ => text,
    };
    for name in row.value.attributes() {
        match known::check(name, found.kind, vocabulary) {
            Err(text) => found.error(at, field, placed(name, text)),
            Ok(()) => {
                known::doubt(name, found.kind, vocabulary)
                    .into_iter()
                    .for_each(|text| found.warning(at, field, placed(name, text)));
            }
        }
    }
    check_value(row, vocabulary, found);
    check_flow(row, found);
    if at == "active" && found.kind == Kind::User {
        check_active(row, found);
    }
}

fn field(value: &RowValue) -> &'static str {
    match value {
        RowValue::Attribute(_) | RowValue::Reference(_) => "attribute",
        RowValue::Constant(_) => "constant",
        RowValue::Expression(_) => "expression",
        RowValue::Members => "reference",
    }
}

fn check_value(row: &Row, vocabulary: Vocabulary, found: &mut Found) {
    let at = row.target.as_str();
    match &row.value {
        RowValue::Attribute(name) if known::is_list(name, vocabulary) && !row.target.takes_several() => {
            let text = format!(
                "`{name}` has several values, and one is taken; write expression = 'Item([{name}], 1)'"
            );
            found.error(at, "attribute", text);
        }
        RowValue::Constant(text) if text.is_empty() => {
            found.error(at, "constant", "an empty text is no value; name one, or leave the row out");
        }
        RowValue::Expression(expression) => {
            expression.hints().iter().for_each(|hint| found.warning(at, "expression", hint));
            for (field, text) in expressions::check(row, expression, vocabulary) {
                found.error(at, field, text);
            }
        }
        _ => {}
    }
}

/// What a row says of when it flows.
fn check_flow(row: &Row, found: &mut Found) {
    let at = row.target.as_str();
    let once = row.flow == RowFlow::OnCreate;
    let of_groups = row.value.attributes().into_iter().any(is_of_groups);
    if once && of_groups {
        let text = "the groups of somebody are not looked at once, on create; leave this out";
        found.error(at, "apply", text);
    }
    if let RowValue::Reference(_) = row.value {
        if once {
            found.error(at, "apply", "a reference is written once both accounts are there; leave this out");
        }
        if row.default.is_some() {
            found.error(at, "default", "a reference takes no default");
        }
        if row.matching.is_some() {
            found.error(at, "matching", "nobody can be told from others by a reference");
        }
    }
    if row.flow == RowFlow::AddOnly && !row.target.takes_several() {
        found.error(at, "apply", "an attribute with one value is not added to; write always");
    }
    if row.clears {
        check_clearing(row, found);
    }
}

/// Entra clears single values only (Entra provisioning reference, section 5).
fn check_clearing(row: &Row, found: &mut Found) {
    let at = row.target.as_str();
    let why_not = match () {
        () if at == required(found.kind) || at == "active" => "the target needs this attribute",
        () if row.matching.is_some() => "resources are found by this attribute",
        () if row.flow == RowFlow::OnCreate => "a row that flows on create alone clears nothing",
        () if row.target.takes_several() => "only an attribute with one value can be cleared",
        () => return,
    };
    found.error(at, "clear", format!("{why_not}; leave clear out"));
}

fn check_members(row: &Row, found: &mut Found) {
    if row.default.is_some() {
        found.error("members", "default", "members take no default");
    }
    if row.flow == RowFlow::OnCreate {
        found.error("members", "apply", "members always follow the source; leave this out");
    }
}

fn check_active(row: &Row, found: &mut Found) {
    if row.default.is_some() {
        found.error(
            "active",
            "default",
            "active takes no default; let the row give True or False in every case",
        );
    }
    if row.flow == RowFlow::OnCreate {
        let text = "nobody would ever be deactivated; to want that, write none = true in this row instead";
        found.error("active", "apply", text);
    }
}

fn check_matching(mapping: &Mapping, found: &mut Found) {
    let rows = mapping.matching();
    if rows.is_empty() {
        let text =
            "no row is used for matching, so existing resources would not be found; write matching = 1";
        found.error(required(found.kind), "matching", text);
    }
    for pair in rows.windows(2).filter(|pair| pair[0].matching == pair[1].matching) {
        let text = format!("`{}` has the same precedence; give each its own", pair[0].target);
        found.error(&pair[1].target, "matching", text);
    }
    for row in rows.iter().filter(|row| ["active", "members"].contains(&row.target.as_str())) {
        found.error(&row.target, "matching", "nobody can be told from others by this attribute");
    }
}

fn check_presence(mapping: &Mapping, found: &mut Found) {
    let needed = required(found.kind);
    if mapping.row(needed).is_none() {
        found.error(needed, "", "the target needs this attribute; add its row");
    }
    if found.kind == Kind::User && mapping.row("active").is_none() {
        found.warning("active", "", "without this row nobody is ever deactivated");
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::computed;
    use super::super::rows::copied;
    use super::super::rows::refers;
    use super::super::rows::row;
    use super::*;

    /// The rows that every mapping of users needs, and these.
    fn users(rows: Vec<Row>) -> Mapping {
        let name = Row { matching: Some(1), ..copied("userName", "userPrincipalName") };
        let needed = vec![name, computed("active", "Not([IsSoftDeleted])")];
        Mapping { rows: needed.into_iter().chain(rows).collect(), ..Mapping::default() }
    }

    /// States what is found, one line each.
    #[track_caller]
    fn check(mapping: &Mapping, kind: Kind, expected: &[&str]) {
        let found: Vec<String> = mapping
            .check(kind, Vocabulary::Graph)
            .iter()
            .map(|problem| format!("{:?} {}: {}", problem.grade, problem.keys().join(" / "), problem.text))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_sound_mapping_is_sound() {
        check(&users(vec![copied("title", "jobTitle")]), Kind::User, &[]);
    }

    #[test]
    fn unknown_attributes_are_named_in_rows_and_expressions() {
        let rows = vec![
            copied("title", "jobTitel"),
            computed("displayName", r#"join(" ", [givenName], [surnam])"#),
            copied("nickname", "mailNickname"),
        ];
        check(
            &users(rows),
            Kind::User,
            &[
                "Error users / title / attribute: a user of Microsoft Graph has no attribute `jobTitel`; did you mean `jobTitle`?",
                "Error users / displayName / expression: character 24: a user of Microsoft Graph has no attribute `surnam`; did you mean `surname`?\njoin(\" \", [givenName], [surnam])\n                       ^",
                "Warning users / displayName / expression: `join` is written `Join`",
                "Error users / nickname: the schema writes it `nickName`",
            ],
        );
    }

    #[test]
    fn one_attribute_has_one_row() {
        let rows = vec![copied("title", "jobTitle"), copied("title", "department")];
        check(&users(rows), Kind::User, &["Error users / title: this attribute has two rows; leave one"]);
    }

    #[test]
    fn a_mapping_needs_its_name_a_matching_row_and_should_have_active() {
        let mapping = Mapping { rows: vec![copied("externalId", "objectId")], ..Mapping::default() };
        check(
            &mapping,
            Kind::User,
            &[
                "Error users / userName / matching: no row is used for matching, so existing resources would not be found; write matching = 1",
                "Error users / userName: the target needs this attribute; add its row",
                "Warning users / active: without this row nobody is ever deactivated",
            ],
        );
        check(
            &mapping,
            Kind::Group,
            &[
                "Error groups / displayName / matching: no row is used for matching, so existing resources would not be found; write matching = 1",
                "Error groups / displayName: the target needs this attribute; add its row",
            ],
        );
    }

    #[test]
    fn precedence_is_given_once_and_to_what_tells_people_apart() {
        let mut mapping = users(vec![Row { matching: Some(1), ..copied("externalId", "objectId") }]);
        mapping.rows[1].matching = Some(2);
        check(
            &mapping,
            Kind::User,
            &[
                "Error users / externalId / matching: `userName` has the same precedence; give each its own",
                "Error users / active / matching: nobody can be told from others by this attribute",
            ],
        );
    }

    #[test]
    fn active_follows_the_source_always() {
        let mut mapping = users(vec![]);
        mapping.rows[1].default = Some("True".to_owned());
        mapping.rows[1].flow = RowFlow::OnCreate;
        check(
            &mapping,
            Kind::User,
            &[
                "Error users / active / default: active takes no default; let the row give True or False in every case",
                "Error users / active / apply: nobody would ever be deactivated; to want that, write none = true in this row instead",
            ],
        );
    }

    #[test]
    fn a_list_is_not_copied_to_where_one_value_is_taken() {
        let rows = vec![
            copied("emails[type eq \"other\"].value", "otherMails"),
            copied("urn:example:2.0:User:mails", "otherMails"),
            row("title", RowValue::Constant(String::new())),
        ];
        check(
            &users(rows),
            Kind::User,
            &[
                "Error users / emails[type eq \"other\"].value / attribute: `otherMails` has several values, and one is taken; write expression = 'Item([otherMails], 1)'",
                "Error users / title / constant: an empty text is no value; name one, or leave the row out",
            ],
        );
    }

    #[test]
    fn references_are_the_members_of_groups() {
        let name = Row { matching: Some(1), ..copied("displayName", "displayName") };
        let groups = |rows: Vec<Row>| Mapping {
            rows: std::iter::once(name.clone()).chain(rows).collect(),
            ..Mapping::default()
        };
        check(&groups(vec![row("members", RowValue::Members)]), Kind::Group, &[]);
        check(
            &groups(vec![copied("members", "mail"), row("externalId", RowValue::Members)]),
            Kind::Group,
            &[
                "Error groups / members: members are references; write reference = true",
                "Error groups / externalId / reference: name the attribute that says who is meant; write attribute = \"manager\" beside it",
            ],
        );
    }

    const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

    #[test]
    fn a_reference_to_a_person_is_written_when_both_are_there_and_at_no_other_time() {
        check(&users(vec![row(MANAGER, refers("manager"))]), Kind::User, &[]);
        let odd = Row {
            matching: Some(2),
            flow: RowFlow::OnCreate,
            default: Some("r1".to_owned()),
            ..row("urn:example:2.0:User:boss", refers("manager"))
        };
        check(
            &users(vec![odd, copied(MANAGER, "manager"), row("title", refers("manager"))]),
            Kind::User,
            &[
                "Error users / urn:example:2.0:User:boss / apply: a reference is written once both accounts are there; leave this out",
                "Error users / urn:example:2.0:User:boss / default: a reference takes no default",
                "Error users / urn:example:2.0:User:boss / matching: nobody can be told from others by a reference",
                "Error users / urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager: it is another person; add reference = true to the row",
                "Error users / title: `title` is no reference to a person; leave reference out",
            ],
        );
    }

    #[test]
    fn only_what_the_target_can_do_without_is_cleared() {
        let clears = |row: Row| Row { clears: true, ..row };
        let mut mapping = users(vec![
            clears(copied("title", "jobTitle")),
            clears(Row { flow: RowFlow::OnCreate, ..copied("nickName", "mailNickname") }),
            clears(Row { matching: Some(2), ..copied("externalId", "employeeId") }),
            clears(copied("urn:example:2.0:User:tags", "otherMails")),
        ]);
        mapping.rows[0].clears = true;
        check(
            &mapping,
            Kind::User,
            &[
                "Error users / userName / clear: the target needs this attribute; leave clear out",
                "Error users / nickName / clear: a row that flows on create alone clears nothing; leave clear out",
                "Error users / externalId / clear: resources are found by this attribute; leave clear out",
                "Error users / urn:example:2.0:User:tags / clear: only an attribute with one value can be cleared; leave clear out",
            ],
        );
    }

    #[test]
    fn the_groups_of_somebody_are_a_list_that_always_flows() {
        let rows = vec![
            copied("urn:example:2.0:User:groups", "groups"),
            copied("title", "groups"),
            Row { flow: RowFlow::OnCreate, ..computed("nickName", "Item([groupIds], 1)") },
            Row { flow: RowFlow::AddOnly, ..copied("urn:example:2.0:User:teams", "groups") },
            Row { flow: RowFlow::AddOnly, ..copied("displayName", "displayName") },
        ];
        check(
            &users(rows),
            Kind::User,
            &[
                "Error users / title / attribute: `groups` has several values, and one is taken; write expression = 'Item([groups], 1)'",
                "Error users / nickName / apply: the groups of somebody are not looked at once, on create; leave this out",
                "Error users / displayName / apply: an attribute with one value is not added to; write always",
            ],
        );
    }
}
