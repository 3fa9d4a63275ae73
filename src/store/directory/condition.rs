//! A filter as one condition in SQL (SCIM reference, F14): parameters alone, one EXISTS a value path, two-valued `not`.
//!
//! It says what `Filter::matches` says; a property test holds the two together. NULL counts as false everywhere: `and`,
//! `or` and WHERE treat it so already, and `not` is `IS NOT TRUE`.

use rusqlite::types::Value as Parameter;
use serde_json::Value;

use super::values::Values;
use crate::scim::Compare;
use crate::scim::Filter;
use crate::scim::Path;
use crate::scim::ResourceType;
use crate::scim::fold;
use crate::scim::schema::Definition;
use crate::scim::schema::Form;
use crate::store::functions::instant;

/// SQL in the making: what it is about, and its parameters so far.
pub(super) struct Condition {
    pub kind: ResourceType,
    /// The first two are the workspace and the kind.
    pub parameters: Vec<Parameter>,
}

impl Condition {
    pub fn new(workspace: i64, kind: ResourceType) -> Condition {
        Condition { kind, parameters: vec![workspace.into(), kind.word().to_owned().into()] }
    }

    /// One more parameter, as it is written in SQL.
    pub fn bind(&mut self, value: impl Into<Parameter>) -> String {
        self.parameters.push(value.into());
        format!("?{}", self.parameters.len())
    }

    /// The filter as a condition on a row of `resources`.
    pub fn filter(&mut self, filter: &Filter) -> String {
        self.part(filter, Condition::values)
    }

    /// The filter between brackets as a condition on the element `e`, or the membership `m` with its other end `r`.
    pub(super) fn inside(&mut self, filter: &Filter) -> String {
        self.part(filter, Condition::element_values)
    }

    fn part(&mut self, filter: &Filter, at: fn(&mut Condition, &Path) -> Values) -> String {
        match filter {
            Filter::And(parts) => self.joined(parts, " AND ", at),
            Filter::Or(parts) => self.joined(parts, " OR ", at),
            Filter::Not(part) => format!("(({}) IS NOT TRUE)", self.part(part, at)),
            Filter::Present(path) => {
                let values = at(self, path);
                values.any(&values.present)
            }
            Filter::Compare { path, op, value } => {
                let values = at(self, path);
                self.compare(path, *op, value, &values)
            }
        }
    }

    fn joined(&mut self, parts: &[Filter], word: &str, at: fn(&mut Condition, &Path) -> Values) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.part(part, at)).collect();
        format!("({})", parts.join(word))
    }

    /// `ne` is true where nothing is there, as that is not identical to anything.
    fn compare(&mut self, path: &Path, op: Compare, literal: &Value, values: &Values) -> String {
        let present = values.any(&values.present);
        match op {
            Compare::Eq if literal.is_null() => format!("({present} IS NOT TRUE)"),
            Compare::Ne if literal.is_null() => present,
            Compare::Ne => {
                let equal = self.holds(path, Compare::Eq, literal, &values.simple);
                let differs = values.any(&format!("{} AND ({equal}) IS NOT TRUE", values.present));
                format!("({present} IS NOT TRUE OR {differs})")
            }
            op => {
                let holds = self.holds(path, op, literal, &values.simple);
                values.any(&format!("{} AND {holds}", values.present))
            }
        }
    }

    /// One comparison under the rule of the attribute.
    fn holds(&mut self, path: &Path, op: Compare, literal: &Value, cell: &str) -> String {
        let rule = Rule::of(path);
        match literal {
            Value::String(text) => match (rule, instant(text).filter(|_| symbol(op).is_some())) {
                (Rule::Truth, _) => self.simple(op, cell, i64::from(text.eq_ignore_ascii_case("true"))),
                (Rule::Instant, Some(at)) => self.simple(op, &format!("rosterd_instant({cell})"), at),
                (Rule::Instant | Rule::Exact, _) => self.texts(op, cell, text.clone()),
                (Rule::Folded, _) => self.texts(op, &format!("rosterd_fold({cell})"), fold(text)),
            },
            Value::Bool(truth) if rule == Rule::Truth => self.simple(op, cell, i64::from(*truth)),
            Value::Number(number) => {
                let literal = match number.as_i64() {
                    Some(whole) => Parameter::from(whole),
                    None => number.as_f64().into(),
                };
                let compared = self.simple(op, cell, literal);
                format!("(typeof({cell}) IN ('integer', 'real') AND {compared})")
            }
            _ => "FALSE".to_owned(),
        }
    }

    fn texts(&mut self, op: Compare, cell: &str, text: String) -> String {
        match op {
            Compare::Co => format!("instr({cell}, {}) > 0", self.bind(text)),
            Compare::Sw => format!("instr({cell}, {}) = 1", self.bind(text)),
            Compare::Ew => format!("rosterd_ends({cell}, {})", self.bind(text)),
            op => self.simple(op, cell, text),
        }
    }

    fn simple(&mut self, op: Compare, cell: &str, literal: impl Into<Parameter>) -> String {
        match symbol(op) {
            Some(symbol) => format!("{cell} {symbol} {}", self.bind(literal)),
            None => "FALSE".to_owned(),
        }
    }

    /// What a list is sorted by: NULL where there is no value.
    pub fn sort_key(&mut self, path: &Path) -> String {
        let first = self.values(path).first();
        let key = match Rule::of(path) {
            Rule::Folded => format!("rosterd_fold({first})"),
            Rule::Instant => format!("rosterd_instant({first})"),
            Rule::Exact | Rule::Truth => first,
        };
        format!("nullif({key}, '')")
    }
}

/// How values of an attribute are compared (SCIM reference, section 2.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Exact,
    Folded,
    Instant,
    Truth,
}

impl Rule {
    /// Of a complex attribute its `value` decides.
    fn of(path: &Path) -> Rule {
        match path.leaf().map(Definition::deciding) {
            Some(deciding) if deciding.form == Form::DateTime => Rule::Instant,
            Some(deciding) if deciding.form == Form::Boolean => Rule::Truth,
            Some(deciding) if deciding.case_exact => Rule::Exact,
            _ => Rule::Folded,
        }
    }
}

/// The operator in SQL; parts of texts have none.
fn symbol(op: Compare) -> Option<&'static str> {
    match op {
        Compare::Eq => Some("="),
        Compare::Ne => Some("<>"),
        Compare::Gt => Some(">"),
        Compare::Ge => Some(">="),
        Compare::Lt => Some("<"),
        Compare::Le => Some("<="),
        Compare::Co | Compare::Sw | Compare::Ew => None,
    }
}
