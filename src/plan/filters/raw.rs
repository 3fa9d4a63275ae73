//! Filters as they are written in the settings, and how they become clauses.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de;

use super::Clause;
use super::Filters;
use super::clause::Date;
use super::clause::MEMBER_OF;
use super::clause::Of;
use super::clause::Test;
use super::clause::comparable;
use super::clause::number;
use super::pattern::Pattern;
use crate::expr::nearest;
use crate::model::GroupPick;
use crate::model::Vocabulary;
use crate::plan::mapping;
use crate::scim::Kind;

/// More clauses are a list of people, which belongs into a group of the source.
const CLAUSES_MAX: usize = 500;

/// `filters = [ [ { attribute = "department", op = "EQUALS", value = "Sales" } ] ]`: AND inside, OR between.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct RawFilters(pub Vec<Vec<RawClause>>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawClause {
    pub attribute: Option<String>,
    pub op: Option<String>,
    pub value: Option<RawOperand>,
    /// Of several values all or any.
    pub of: Option<Of>,
    pub ignore_case: Option<bool>,
    pub not: Option<bool>,
}

/// A text, or a number or a truth that is read as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawOperand(pub String);

/// What cannot be about the filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterProblem {
    /// Which filter and which clause in it, from 0; `None`: the filters as a whole.
    pub at: Option<(usize, usize)>,
    /// The key of the clause; empty for the clause as a whole.
    pub field: &'static str,
    /// `what; cure`.
    pub text: String,
}

impl From<&str> for RawOperand {
    fn from(text: &str) -> RawOperand {
        RawOperand(text.to_owned())
    }
}

impl RawFilters {
    /// The filters, or everything that is wrong with them.
    pub fn check(&self, kind: Kind, vocabulary: Vocabulary) -> Result<Filters, Vec<FilterProblem>> {
        let mut problems = Vec::new();
        let mut filters = Vec::new();
        let count: usize = self.0.iter().map(Vec::len).sum();
        if count > CLAUSES_MAX {
            let text = format!(
                "{count} clauses are too many; at most {CLAUSES_MAX}, put people into a group instead"
            );
            return Err(vec![FilterProblem { at: None, field: "", text }]);
        }
        for (place, raw) in self.0.iter().enumerate() {
            if raw.is_empty() {
                let text =
                    "a filter without a clause admits everybody; write a clause, or take it out".to_owned();
                problems.push(FilterProblem { at: None, field: "", text });
            }
            let mut clauses = Vec::new();
            for (clause, raw) in raw.iter().enumerate() {
                match raw.check(kind, vocabulary) {
                    Ok(clause) => clauses.push(clause),
                    Err((field, text)) => {
                        problems.push(FilterProblem { at: Some((place, clause)), field, text })
                    }
                }
            }
            filters.push(clauses);
        }
        if problems.is_empty() { Ok(Filters { filters }) } else { Err(problems) }
    }
}

type Wrong = (&'static str, String);

impl RawClause {
    fn check(&self, kind: Kind, vocabulary: Vocabulary) -> Result<Clause, Wrong> {
        let attribute = self.attribute.as_deref().map(str::trim).unwrap_or_default();
        if self.op.as_deref().is_some_and(|op| plain(op) == plain(IS_MEMBER_OF)) {
            return self.check_membership(attribute);
        }
        if attribute == MEMBER_OF {
            let text = format!("`{MEMBER_OF}` is compared by {IS_MEMBER_OF} alone; set it to that");
            return Err(("op", text));
        }
        if attribute.is_empty() {
            return Err(("attribute", "missing; set it to the attribute that is looked at".to_owned()));
        }
        if attribute == mapping::IS_SOFT_DELETED {
            let text = "`IsSoftDeleted` is what the scope decides itself; filter by accountEnabled or status instead";
            return Err(("attribute", text.to_owned()));
        }
        mapping::attribute_check(attribute, kind, vocabulary).map_err(|text| ("attribute", text))?;
        let written = self.op.as_deref().unwrap_or_default();
        if written.trim().is_empty() {
            return Err(("op", "missing; set it to an operator such as EQUALS".to_owned()));
        }
        let operator = operator(written).map_err(|text| ("op", text))?;
        let ignore_case = self.ignore_case.unwrap_or(false);
        if ignore_case && !operator.has_case() {
            return Err(("ignore_case", format!("`{}` has no case to ignore; take it out", operator.name)));
        }
        let test = self.test(operator, ignore_case)?;
        Ok(Clause {
            attribute: attribute.to_owned(),
            test,
            of: self.of.unwrap_or_default(),
            ignore_case,
            not: self.not.unwrap_or(false),
        })
    }

    /// `{ op = "IsMemberOf", value = "name:Sales" }`: in that group, through others too.
    fn check_membership(&self, attribute: &str) -> Result<Clause, Wrong> {
        if !attribute.is_empty() && attribute != MEMBER_OF {
            let text = format!("{IS_MEMBER_OF} looks at the groups, not at an attribute; take it out");
            return Err(("attribute", text));
        }
        let needless = [("of", self.of.is_some()), ("ignore_case", self.ignore_case.is_some())];
        if let Some((field, _)) = needless.into_iter().find(|(_, set)| *set) {
            return Err((field, format!("means nothing to {IS_MEMBER_OF}; take it out")));
        }
        let written = self.value.as_ref().map(|value| value.0.as_str()).unwrap_or_default();
        let pick = GroupPick::read(written).ok_or_else(|| {
            let text = format!(
                "`{written}` chooses no group; write \"id:ID\", \"name:WHOLE NAME\", \"prefix:BEGINNING OF NAMES\" or a \
                 rule such as \"name_contains:PART\""
            );
            ("value", text)
        })?;
        Ok(Clause {
            attribute: MEMBER_OF.to_owned(),
            test: Test::MemberOf(pick),
            of: Of::All,
            ignore_case: false,
            not: self.not.unwrap_or(false),
        })
    }

    fn test(&self, operator: &Operator, ignore_case: bool) -> Result<Test, Wrong> {
        let value = self.value.as_ref().map(|value| value.0.as_str()).filter(|value| !value.is_empty());
        let name = operator.name;
        match (operator.takes, value) {
            (Takes::Nothing(test), None) => Ok(test.clone()),
            (Takes::Nothing(_), Some(_)) => Err(("value", format!("`{name}` takes no value; take it out"))),
            (_, None) => Err(("value", format!("missing; `{name}` compares with a value"))),
            (Takes::Text(test), Some(value)) => Ok(test(comparable(value, ignore_case))),
            (Takes::Pattern(test), Some(value)) => {
                Pattern::read(value, ignore_case).map(test).map_err(|text| ("value", text))
            }
            (Takes::Number(test), Some(value)) => number(value).map(test).ok_or_else(|| {
                ("value", format!("`{name}` compares whole numbers; write one like 18, -3 or &H200"))
            }),
            (Takes::Date(test), Some(value)) => Date::read(value).map(test).ok_or_else(|| {
                (
                    "value",
                    format!(
                        "`{name}` compares dates; write one like 2026-01-31, 2026-01-31T08:00:00Z, or now-90d"
                    ),
                )
            }),
        }
    }
}

/// What an operator compares with, and the test that it makes.
#[derive(Clone, Copy)]
enum Takes {
    Nothing(&'static Test),
    Text(fn(String) -> Test),
    Pattern(fn(Pattern) -> Test),
    Number(fn(i64) -> Test),
    Date(fn(Date) -> Test),
}

struct Operator {
    name: &'static str,
    takes: Takes,
}

impl Operator {
    fn has_case(&self) -> bool {
        matches!(self.takes, Takes::Text(_) | Takes::Pattern(_))
    }
}

const fn operator_of(name: &'static str, takes: Takes) -> Operator {
    Operator { name, takes }
}

/// The fourteen of Entra ID, as its guide spells them, then ours.
static OPERATORS: [Operator; 19] = [
    operator_of("EQUALS", Takes::Text(Test::Equals)),
    operator_of("NOT EQUALS", Takes::Text(Test::NotEquals)),
    operator_of("IS TRUE", Takes::Nothing(&Test::IsTrue)),
    operator_of("IS FALSE", Takes::Nothing(&Test::IsFalse)),
    operator_of("IS NULL", Takes::Nothing(&Test::IsNull)),
    operator_of("IS NOT NULL", Takes::Nothing(&Test::IsNotNull)),
    operator_of("REGEX MATCH", Takes::Pattern(Test::Matches)),
    operator_of("NOT REGEX MATCH", Takes::Pattern(Test::NotMatches)),
    operator_of("Greater_Than", Takes::Number(Test::Greater)),
    operator_of("Greater_Than_OR_EQUALS", Takes::Number(Test::GreaterOrEqual)),
    operator_of("Includes", Takes::Text(Test::Includes)),
    operator_of("ENDS_WITH", Takes::Text(Test::EndsWith)),
    operator_of("&", Takes::Number(Test::HasBits)),
    operator_of("!&", Takes::Number(Test::LacksBits)),
    operator_of("Less_Than", Takes::Number(Test::Less)),
    operator_of("Less_Than_OR_EQUALS", Takes::Number(Test::LessOrEqual)),
    operator_of("STARTS_WITH", Takes::Text(Test::StartsWith)),
    operator_of("BEFORE", Takes::Date(Test::Before)),
    operator_of("AFTER", Takes::Date(Test::After)),
];

/// Listed by Entra's older pages, and not supported there.
const IS_MEMBER_OF: &str = "IsMemberOf";

/// Any case, with spaces, underscores or neither (Entra provisioning reference, section 3.1).
fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && *c != '_').flat_map(char::to_lowercase).collect()
}

fn operator(written: &str) -> Result<&'static Operator, String> {
    let wanted = plain(written);
    if let Some(known) = OPERATORS.iter().find(|operator| plain(operator.name) == wanted) {
        return Ok(known);
    }
    let names = || OPERATORS.iter().map(|operator| operator.name).chain([IS_MEMBER_OF]);
    let cure = match nearest(written, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("possible here: {}", names().collect::<Vec<_>>().join(", ")),
    };
    Err(format!("there is no operator `{written}`; {cure}"))
}

impl<'de> Deserialize<'de> for RawOperand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawOperand, D::Error> {
        deserializer.deserialize_any(OperandVisitor)
    }
}

struct OperandVisitor;

impl de::Visitor<'_> for OperandVisitor {
    type Value = RawOperand;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a whole number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawOperand, E> {
        Ok(RawOperand(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<RawOperand, E> {
        Ok(RawOperand(number.to_string()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<RawOperand, E> {
        Ok(RawOperand(number.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::expr::Value;

    /// 2026-03-01T00:00:00Z.
    const NOW: i64 = 1_772_323_200;

    /// `OPERATOR [+any] [+not] [+ignore_case]`
    fn raw(operator: &str, operand: &str) -> RawClause {
        let mut words = operator.split(" +");
        let op = words.next().map(|op| op.trim().to_owned());
        let options: Vec<&str> = words.map(str::trim).collect();
        let set = |name: &str| options.contains(&name).then_some(true);
        RawClause {
            attribute: Some("a".to_owned()),
            op,
            value: (!operand.is_empty()).then(|| operand.into()),
            of: set("any").map(|_| Of::Any),
            ignore_case: set("ignore_case"),
            not: set("not"),
        }
    }

    /// `OPERATOR ; VALUE ; JSON of the attribute ; met | not`, or `OPERATOR ; VALUE ; refused ; what; cure`.
    fn play(file: &str, text: &str) -> usize {
        let rows = text.lines().enumerate();
        let rows: Vec<(usize, &str)> =
            rows.filter(|(_, row)| !row.starts_with('#') && !row.trim().is_empty()).collect();
        for (line, row) in &rows {
            let place = format!("{file}:{}: {row}", line + 1);
            let [operator, operand, given, expected] =
                row.splitn(4, " ; ").map(str::trim).collect::<Vec<_>>()[..]
            else {
                panic!("{place}: four columns")
            };
            let checked = raw(operator, operand).check(Kind::User, Vocabulary::File);
            let told = match checked {
                Err((field, text)) => format!("{field}: {text}"),
                Ok(clause) => {
                    let given: Json = serde_json::from_str(given).expect(&place);
                    if clause.met(&Value::from_json(&given), NOW) {
                        "met".to_owned()
                    } else {
                        "not".to_owned()
                    }
                }
            };
            assert_eq!(told, expected, "{place}");
        }
        rows.len()
    }

    #[test]
    fn every_operator_says_what_the_reference_says() {
        let played = play("operators.txt", include_str!("cases/operators.txt"));
        assert!(played > 80, "{played}");
    }

    #[test]
    fn what_cannot_be_a_clause_is_refused_with_its_cure() {
        play("refused.txt", include_str!("cases/refused.txt"));
    }

    #[test]
    fn every_operator_is_in_the_cases() {
        let text = include_str!("cases/operators.txt");
        for Operator { name, .. } in &OPERATORS {
            assert!(text.lines().any(|line| line.starts_with(&format!("{name} ;"))), "{name}");
        }
    }

    #[test]
    fn attributes_are_checked_by_the_vocabulary() {
        let told = |attribute: &str, kind, vocabulary| {
            let clause = RawClause { attribute: Some(attribute.to_owned()), ..raw("IS NULL", "") };
            clause.check(kind, vocabulary).map(|clause| clause.to_string()).unwrap_or_else(|(_, text)| text)
        };
        assert_eq!(
            told("departement", Kind::User, Vocabulary::Graph),
            "a user of Microsoft Graph has no attribute `departement`; did you mean `department`?"
        );
        assert_eq!(told("userType", Kind::User, Vocabulary::Graph), "userType IS NULL");
        assert_eq!(told("status", Kind::User, Vocabulary::Okta), "status IS NULL");
        assert_eq!(told("type", Kind::Group, Vocabulary::Okta), "type IS NULL");
        assert_eq!(told("manager", Kind::User, Vocabulary::Graph), "manager IS NULL");
        assert_eq!(told("groups", Kind::User, Vocabulary::Okta), "groups IS NULL");
        assert_eq!(
            told("IsSoftDeleted", Kind::User, Vocabulary::File),
            "`IsSoftDeleted` is what the scope decides itself; filter by accountEnabled or status instead"
        );
    }

    #[test]
    fn a_clause_is_told_as_a_person_reads_it() {
        let told = |operator: &str, operand: &str| {
            raw(operator, operand).check(Kind::User, Vocabulary::File).expect("sound").to_string()
        };
        assert_eq!(told("equals", "Sales"), "a EQUALS Sales");
        assert_eq!(told("greater_than_or_equals", "&H10"), "a Greater_Than_OR_EQUALS 16");
        assert_eq!(told("isNull +not", ""), "not a IS NULL");
        assert_eq!(
            told("ENDS_WITH +any +ignore_case", "@X.example"),
            "any a ENDS_WITH @x.example (case ignored)"
        );
    }

    /// `IsMemberOf` has a form of its own: no attribute, and a group as `groups` writes it.
    #[test]
    fn a_membership_is_a_clause_without_an_attribute() {
        let told = |clause: RawClause| match clause.check(Kind::User, Vocabulary::Graph) {
            Ok(clause) => clause.to_string(),
            Err((field, text)) => format!("{field}: {text}"),
        };
        let of = |value: &str| RawClause { attribute: None, ..raw("is_member_of", value) };
        let named = |attribute: &str| RawClause { attribute: Some(attribute.to_owned()), ..of("name:Sales") };
        assert_eq!(told(of("name:Sales")), "IsMemberOf name:Sales");
        assert_eq!(told(named("memberOf")), "IsMemberOf name:Sales");
        assert_eq!(told(RawClause { not: Some(true), ..of("id:00g1") }), "not IsMemberOf id:00g1");
        assert_eq!(
            told(named("department")),
            "attribute: IsMemberOf looks at the groups, not at an attribute; take it out"
        );
        assert_eq!(
            told(of("Sales")),
            "value: `Sales` chooses no group; write \"id:ID\", \"name:WHOLE NAME\", \"prefix:BEGINNING OF NAMES\" or a \
             rule such as \"name_contains:PART\""
        );
        assert_eq!(
            told(RawClause { ignore_case: Some(true), ..of("name:Sales") }),
            "ignore_case: means nothing to IsMemberOf; take it out"
        );
        assert_eq!(
            told(RawClause { attribute: Some("memberOf".to_owned()), ..raw("EQUALS", "Sales") }),
            "op: `memberOf` is compared by IsMemberOf alone; set it to that"
        );
    }

    #[test]
    fn filters_have_a_bound_and_an_empty_one_is_refused() {
        let told = |raw: RawFilters| {
            let problems = raw.check(Kind::User, Vocabulary::File).expect_err("a problem");
            problems.into_iter().map(|problem| problem.text).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(
            told(RawFilters(vec![Vec::new()])),
            "a filter without a clause admits everybody; write a clause, or take it out"
        );
        assert_eq!(
            told(RawFilters(vec![vec![raw("IS NULL", ""); 501]])),
            "501 clauses are too many; at most 500, put people into a group instead"
        );
    }
}
