//! Evaluates a mapping for one object: rows in, attributes out.

use std::fmt;

use serde_json::Value as Json;

use super::Given;
use super::Mapping;
use super::Row;
use super::RowFlow;
use super::RowValue;
use super::expressions;
use super::names;
use super::required;
use crate::expr::Environment;
use crate::expr::Value;
use crate::model::Accepted;
use crate::model::Vocabulary;
use crate::plan::OnCreate;
use crate::plan::diff::missing;
use crate::plan::diff::values;
use crate::scim::Attributes;
use crate::scim::Kind;

const ACTIVE: &str = "active";

/// What a mapping makes of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// Without `active` and without references.
    pub attributes: Attributes,
    pub on_create: OnCreate,
    /// What the `active` row says; `None` where there is no such row.
    pub active: Option<bool>,
    /// Whom the reference rows name, in the order of the rows.
    pub references: Vec<Reference>,
}

/// Somebody whom an attribute of a person names.
#[derive(Clone, PartialEq, Eq)]
pub struct Reference {
    /// The target attribute.
    pub path: String,
    /// Who is meant, by source id or by the userName here; `None`: nobody.
    pub names: Option<String>,
    /// Where nobody is meant, what we sent before is taken back.
    pub clears: bool,
}

/// Shows the path only (P11).
impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({})", self.path)
    }
}

/// Why an object cannot be mapped. No values (P11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingProblem {
    pub path: String,
    pub text: String,
}

impl Mapping {
    /// Evaluates every row. A row without a value (null, or an empty text) is left out: the target keeps what
    /// it has. One value that cannot be had spoils the whole object, which is then held as it is (P12).
    pub fn evaluate(
        &self,
        given: Given<'_>,
        vocabulary: Vocabulary,
        environment: &Environment,
    ) -> Result<Mapped, MappingProblem> {
        let mut mapped = Mapped::default();
        for row in self.rows.iter().filter(|row| !matches!(row.value, RowValue::Members)) {
            if let RowValue::Reference(name) = &row.value {
                mapped.references.push(reference(row, &names::value(name, &given, vocabulary)));
                continue;
            }
            let problem = |text| MappingProblem { path: row.target.to_string(), text };
            let value = value(row, &given, vocabulary, environment).map_err(problem)?;
            if row.target == ACTIVE && given.kind == Kind::User {
                mapped.active = Some(activity(&value).map_err(problem)?);
                continue;
            }
            if let (Some(how), true) = (expressions::roles(row), value != Value::Null) {
                for (path, json) in expressions::role_values(&value, how) {
                    flow(&mut mapped, row, &path, json);
                }
                continue;
            }
            if row.value.is_choice() && value != Value::Null {
                mapped.on_create.choices.0.insert(row.target.to_string(), value.into_values());
                continue;
            }
            let json = row.target.json(value).map_err(problem)?;
            place(&mut mapped, row, json).map_err(problem)?;
        }
        self.require(required(given.kind), mapped)
    }

    fn require(&self, path: &str, mapped: Mapped) -> Result<Mapped, MappingProblem> {
        // A name of blanks alone is none.
        let says =
            |attributes: &Attributes| attributes.text(path).is_some_and(|text| !text.trim().is_empty());
        let on_create = &mapped.on_create;
        let chosen = on_create.choices.0.contains_key(path);
        if chosen || says(&mapped.attributes) || says(&on_create.attributes) {
            return Ok(mapped);
        }
        let row = self.rows.iter().find(|row| row.target == path);
        let text = match row.map(|row| row.value.attributes()) {
            None => "the target needs a value, and the mapping has no such row".to_owned(),
            Some(attributes) => without_value(&attributes),
        };
        Err(MappingProblem { path: path.to_owned(), text })
    }

    /// What the service asks for, by target attribute.
    pub fn required(&self) -> Vec<&str> {
        self.rows.iter().filter(|row| row.required).map(|row| row.target.as_str()).collect()
    }

    /// Rows that only add keep what the target has accepted: a value that the source lost stays (Entra provisioning
    /// reference, section 1: `MultiValueAddOnly`). What others added is named beside what is new, so that nobody reads
    /// of it as taken away.
    pub fn keep_added(&self, mapped: &mut Mapped, accepted: &Accepted) {
        for row in self.rows.iter().filter(|row| row.flow == RowFlow::AddOnly) {
            let path = row.target.as_str();
            let list = |attributes: &Attributes| attributes.get(path).map(values).unwrap_or_default();
            let mut kept = list(&accepted.sent);
            let theirs = missing(path, &kept, &list(&accepted.shown));
            let there: Vec<Json> = kept.iter().chain(&theirs).cloned().collect();
            let new = missing(path, &there, &list(&mapped.attributes));
            if !new.is_empty() {
                kept.extend(theirs.into_iter().chain(new));
            }
            mapped.attributes.set(path, Json::Array(kept));
        }
    }

    /// Whether values are added at a path, and none is taken away.
    pub fn only_adds(&self, path: &str) -> bool {
        self.rows.iter().any(|row| row.flow == RowFlow::AddOnly && row.target == path)
    }
}

fn without_value(attributes: &[&str]) -> String {
    let named: Vec<String> = attributes.iter().map(|name| format!("`{name}`")).collect();
    match named.as_slice() {
        [] => "the target needs a value, and the row gives none".to_owned(),
        [one] => format!("the target needs a value, and {one} has none in the source"),
        _ => format!("the target needs a value, and {} give none", named.join(", ")),
    }
}

pub(super) fn value(
    row: &Row,
    given: &Given<'_>,
    vocabulary: Vocabulary,
    environment: &Environment,
) -> Result<Value, String> {
    match &row.value {
        RowValue::Attribute(name) => Ok(names::value(name, given, vocabulary)),
        RowValue::Constant(text) => Ok(Value::One(text.clone())),
        RowValue::Expression(expression) => {
            let own = expression.is_fleeting().then(|| environment.of(&given.id.0, &row.target));
            let lookup = |name: &str| names::value(name, given, vocabulary);
            let value = expression.evaluate(&lookup, own.as_ref().unwrap_or(environment));
            value.map_err(|error| error.to_string())
        }
        RowValue::Members | RowValue::Reference(_) => Ok(Value::Null),
    }
}

/// Somebody whose state is unknown is neither shut out nor let in.
fn activity(value: &Value) -> Result<bool, String> {
    match value.values() {
        [text] if text.eq_ignore_ascii_case("true") => Ok(true),
        [text] if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err("the row gives neither True nor False".to_owned()),
    }
}

fn place(mapped: &mut Mapped, row: &Row, json: Json) -> Result<(), String> {
    if !json.is_null() {
        flow(mapped, row, &row.target, json);
        return Ok(());
    }
    if let Some(default) = &row.default {
        let default = row.target.json(Value::One(default.clone()))?;
        mapped.on_create.attributes.set(row.target.as_str(), default);
    }
    if row.clears {
        mapped.attributes.unassign(row.target.as_str());
    }
    Ok(())
}

/// Whoever names several names nobody: a reference never holds the person (Entra provisioning reference, section 5).
fn reference(row: &Row, value: &Value) -> Reference {
    let names = match value.values() {
        [one] if !one.trim().is_empty() => Some(one.trim().to_owned()),
        _ => None,
    };
    Reference { path: row.target.to_string(), names, clears: row.clears }
}

fn flow(mapped: &mut Mapped, row: &Row, path: &str, json: Json) {
    match row.flow {
        RowFlow::Always | RowFlow::AddOnly => mapped.attributes.set(path, json),
        RowFlow::OnCreate => mapped.on_create.attributes.set(path, json),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::rows::computed;
    use super::super::rows::copied;
    use super::super::rows::refers;
    use super::super::rows::row;
    use super::*;
    use crate::model::Origin;
    use crate::model::Seen;
    use crate::model::SourceId;
    use crate::model::Standing;
    use crate::scim::ResourceId;

    const WORK_EMAIL: &str = "emails[type eq \"work\"].value";

    fn mapped(rows: Vec<Row>, attributes: Json) -> Result<Mapped, MappingProblem> {
        let seen = Seen {
            standing: Standing::Enabled,
            attributes: serde_json::from_value(attributes).expect("an object"),
        };
        let id = SourceId("id-1".to_owned());
        let given = Given { id: &id, kind: Kind::User, seen: &seen, soft_deleted: false, groups: &[] };
        let name = copied("userName", "userPrincipalName");
        let rows = std::iter::once(name).chain(rows).collect();
        let environment = Environment::default();
        Mapping { rows, ..Mapping::default() }.evaluate(given, Vocabulary::Graph, &environment)
    }

    fn problem(rows: Vec<Row>, attributes: Json) -> String {
        let problem = mapped(rows, attributes).expect_err("a problem");
        format!("{}: {}", problem.path, problem.text)
    }

    #[test]
    fn a_row_without_a_value_is_left_out() {
        let rows = vec![copied("title", "jobTitle"), copied("nickName", "mailNickname")];
        let mapped =
            mapped(rows, json!({ "userPrincipalName": "ann", "jobTitle": null, "mailNickname": "" }));
        assert_eq!(json!(mapped.expect("mapped").attributes), json!({ "userName": "ann" }));
    }

    #[test]
    fn a_default_and_a_row_for_create_flow_on_create_only() {
        let rows = vec![
            Row { default: Some("Member".to_owned()), ..copied("title", "jobTitle") },
            Row { default: Some("x".to_owned()), ..copied("nickName", "mailNickname") },
            Row { flow: RowFlow::OnCreate, ..row("locale", RowValue::Constant("de-DE".to_owned())) },
        ];
        let mapped =
            mapped(rows, json!({ "userPrincipalName": "ann", "mailNickname": "annie" })).expect("mapped");
        assert_eq!(json!(mapped.attributes), json!({ "nickName": "annie", "userName": "ann" }));
        assert_eq!(json!(mapped.on_create.attributes), json!({ "locale": "de-DE", "title": "Member" }));
    }

    #[test]
    fn a_row_that_clears_says_so_where_it_has_no_value_and_its_default_is_for_create() {
        let rows = vec![
            Row { clears: true, ..copied("title", "jobTitle") },
            Row { clears: true, default: Some("x".to_owned()), ..copied("nickName", "mailNickname") },
            Row { clears: true, ..copied("displayName", "displayName") },
        ];
        let mapped =
            mapped(rows, json!({ "userPrincipalName": "ann", "displayName": "Ann" })).expect("mapped");
        let wanted = json!({ "displayName": "Ann", "nickName": null, "title": null, "userName": "ann" });
        assert_eq!(json!(mapped.attributes), wanted);
        assert_eq!(json!(mapped.on_create.attributes), json!({ "nickName": "x" }));
    }

    #[test]
    fn a_reference_is_somebody_or_nobody_and_never_a_problem() {
        let names = |manager: Json| {
            let rows = vec![row("urn:x:User:boss", refers("manager"))];
            let person = json!({ "userPrincipalName": "ann", "manager": manager });
            let mapped = mapped(rows, person).expect("mapped");
            assert_eq!(json!(mapped.attributes), json!({ "userName": "ann" }));
            mapped.references.into_iter().map(|reference| reference.names).collect::<Vec<_>>()
        };
        assert_eq!(names(json!("m1")), [Some("m1".to_owned())]);
        assert_eq!(names(json!(null)), [None]);
        assert_eq!(names(json!(" ")), [None]);
        assert_eq!(names(json!(["m1", "m2"])), [None]);
    }

    #[test]
    fn active_is_a_truth_of_its_own_and_never_a_guess() {
        let ann = || json!({ "userPrincipalName": "ann", "accountEnabled": true, "jobTitle": "yes" });
        let active = |rows| mapped(rows, ann()).map(|mapped| mapped.active);
        assert_eq!(active(vec![]), Ok(None));
        assert_eq!(active(vec![computed("active", "Not([IsSoftDeleted])")]), Ok(Some(true)));
        assert_eq!(active(vec![copied("active", "IsSoftDeleted")]), Ok(Some(false)));
        assert_eq!(active(vec![copied("active", "accountEnabled")]), Ok(Some(true)));
        let neither = "active: the row gives neither True nor False";
        assert_eq!(problem(vec![copied("active", "jobTitle")], ann()), neither);
        assert_eq!(problem(vec![copied("active", "mail")], ann()), neither);
    }

    #[test]
    fn a_required_attribute_without_a_value_names_where_it_should_come_from() {
        assert_eq!(
            problem(vec![], json!({ "userPrincipalName": "" })),
            "userName: the target needs a value, and `userPrincipalName` has none in the source"
        );
        let seen = Seen { standing: Standing::Enabled, attributes: Default::default() };
        let id = SourceId("g".to_owned());
        let given = Given { id: &id, kind: Kind::Group, seen: &seen, soft_deleted: false, groups: &[] };
        let rows = vec![computed("displayName", "Coalesce([displayName], [mailNickname])")];
        let environment = Environment::default();
        let problem = Mapping { rows, ..Mapping::default() }.evaluate(given, Vocabulary::Graph, &environment);
        assert_eq!(
            problem.expect_err("a problem").text,
            "the target needs a value, and `displayName`, `mailNickname` give none"
        );
    }

    #[test]
    fn an_expression_that_fails_names_the_row_and_the_function() {
        assert_eq!(
            problem(
                vec![computed("title", "ToLower([otherMails])")],
                json!({ "userPrincipalName": "ann", "otherMails": ["a", "b"] })
            ),
            "title: ToLower: argument 1 has 2 values where one is taken; choose one with Item(…, 1)"
        );
    }

    #[test]
    fn a_row_that_only_adds_keeps_what_was_sent_and_names_what_others_added_beside_what_is_new() {
        const TAGS: &str = "urn:example:2.0:User:tags";
        let rows = vec![Row { flow: RowFlow::AddOnly, ..copied(TAGS, "otherMails") }];
        let tags = |tags: Json| Attributes::from_iter([(TAGS.to_owned(), tags)]);
        let kept = |mails: Json, sent: Json, shown: Json| {
            let mut mapped = mapped(rows.clone(), json!({ "userPrincipalName": "ann", "otherMails": mails }))
                .expect("mapped");
            let resource = ResourceId("r1".to_owned());
            let accepted =
                Accepted { resource, sent: tags(sent), shown: tags(shown), origin: Origin::Created };
            Mapping { rows: rows.clone(), ..Mapping::default() }.keep_added(&mut mapped, &accepted);
            mapped.attributes.get(TAGS).cloned().unwrap_or_default()
        };
        assert_eq!(kept(json!(["b"]), json!(["a"]), json!(["a"])), json!(["a", "b"]));
        assert_eq!(kept(json!(["a"]), json!(["a"]), json!(["a", "theirs"])), json!(["a"]));
        assert_eq!(kept(json!(["b"]), json!(["a"]), json!(["a", "theirs"])), json!(["a", "theirs", "b"]));
        assert_eq!(kept(json!(["theirs"]), json!(["a"]), json!(["a", "theirs"])), json!(["a"]));
        assert_eq!(kept(json!(null), json!(["a"]), json!(["a"])), json!(["a"]));
        assert_eq!(kept(json!(null), json!(null), json!(null)), json!(null));
    }

    #[test]
    fn what_matching_asks_for_comes_by_precedence_and_without_what_has_no_value() {
        let rows = vec![
            Row { matching: Some(2), ..copied(WORK_EMAIL, "mail") },
            Row { matching: Some(1), ..copied("externalId", "objectId") },
            Row { matching: Some(3), ..copied("nickName", "mailNickname") },
        ];
        let mapping = Mapping { rows: rows.clone(), ..Mapping::default() };
        let mapped =
            mapped(rows, json!({ "userPrincipalName": "ann", "mail": "ann@x.example" })).expect("mapped");
        let expected = [("externalId", "id-1"), (WORK_EMAIL, "ann@x.example")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(mapping.matching_values(&mapped), expected);
    }

    #[test]
    fn the_attributes_to_read_are_those_of_rows_and_expressions() {
        let rows = vec![
            copied("title", "jobTitle"),
            computed("displayName", "Join(\" \", [givenName], [extensionAttribute2])"),
            computed("active", "Not([IsSoftDeleted])"),
            copied("externalId", "objectId"),
            row("members", RowValue::Members),
            row("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", refers("manager")),
        ];
        let read = Mapping { rows, ..Mapping::default() }.source_attributes(Vocabulary::Graph);
        assert_eq!(
            Vec::from_iter(read),
            ["accountEnabled", "givenName", "jobTitle", "manager", "onPremisesExtensionAttributes"]
        );
    }
}
