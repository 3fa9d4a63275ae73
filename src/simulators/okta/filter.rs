//! Okta's `filter` and `search`: comparisons, `and`, `or`, parentheses, and in the log `not` (okta.md sections 3 and 4).

use jiff::Timestamp;
use serde_json::Value;

use super::super::exchange::Answer;
use super::errors;

/// What may be compared, and how.
pub(super) struct Grammar {
    /// Whether the property may be compared by that operator.
    pub(super) admits: fn(&str, &str) -> bool,
    /// Whether it holds a time.
    pub(super) is_date: fn(&str) -> bool,
    /// In `filter` values are case-sensitive, in `search` they are not.
    pub(super) exact: bool,
    pub(super) with_not: bool,
}

/// Why a filter is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FilterError {
    Malformed,
    Unsupported,
    BadDate,
}

impl FilterError {
    /// As the lists of section 3 refuse it.
    pub(super) fn answer(&self) -> Answer {
        match self {
            FilterError::Malformed => errors::by_code("E0000053", ""),
            FilterError::Unsupported => errors::by_code("E0000031", ""),
            FilterError::BadDate => errors::by_code("E0000030", ""),
        }
    }
}

#[derive(Debug)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test { property: String, operator: String, value: Literal },
}

#[derive(Debug)]
enum Literal {
    Text(String),
    Date(Timestamp),
    /// Of `pr`.
    None,
}

#[derive(Debug)]
pub(super) struct Filter {
    root: Node,
    exact: bool,
}

/// Deeper nesting is no filter of a person.
const DEPTH_MAX: usize = 20;

impl Filter {
    pub(super) fn parse(text: &str, grammar: &Grammar) -> Result<Filter, FilterError> {
        let mut parser = Parser { rest: text.trim_start(), grammar, depth: 0 };
        let root = parser.any()?;
        if !parser.rest.is_empty() {
            return Err(FilterError::Malformed);
        }
        Ok(Filter { root, exact: grammar.exact })
    }

    /// `held` gives the values of a property; a comparison holds where it holds for any of them.
    pub(super) fn admits(&self, held: &dyn Fn(&str) -> Vec<String>) -> bool {
        self.holds(&self.root, held)
    }

    fn holds(&self, node: &Node, held: &dyn Fn(&str) -> Vec<String>) -> bool {
        match node {
            Node::All(parts) => parts.iter().all(|part| self.holds(part, held)),
            Node::Any(parts) => parts.iter().any(|part| self.holds(part, held)),
            Node::Not(part) => !self.holds(part, held),
            Node::Test { property, operator, value } => {
                let values = held(property);
                match (operator.as_str(), value) {
                    ("pr", _) => !values.is_empty(),
                    ("ne", value) => !values.iter().any(|one| self.compares(one, "eq", value)),
                    (operator, value) => values.iter().any(|one| self.compares(one, operator, value)),
                }
            }
        }
    }

    fn compares(&self, held: &str, operator: &str, value: &Literal) -> bool {
        match value {
            Literal::None => false,
            Literal::Date(wanted) => {
                held.parse::<Timestamp>().is_ok_and(|held| ordered(operator, held.cmp(wanted)))
            }
            Literal::Text(wanted) => {
                let (held, wanted) = match self.exact {
                    true => (held.to_owned(), wanted.clone()),
                    false => (held.to_lowercase(), wanted.to_lowercase()),
                };
                match operator {
                    "sw" => held.starts_with(&wanted),
                    "ew" => held.ends_with(&wanted),
                    "co" => held.contains(&wanted),
                    operator => ordered(operator, held.cmp(&wanted)),
                }
            }
        }
    }
}

fn ordered(operator: &str, ordering: std::cmp::Ordering) -> bool {
    match operator {
        "eq" => ordering.is_eq(),
        "gt" => ordering.is_gt(),
        "ge" => ordering.is_ge(),
        "lt" => ordering.is_lt(),
        "le" => ordering.is_le(),
        _ => false,
    }
}

struct Parser<'a> {
    rest: &'a str,
    grammar: &'a Grammar,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Node, FilterError> {
        let mut parts = vec![self.all()?];
        while self.keyword("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Any(parts) })
    }

    fn all(&mut self) -> Result<Node, FilterError> {
        let mut parts = vec![self.one()?];
        while self.keyword("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::All(parts) })
    }

    fn one(&mut self) -> Result<Node, FilterError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(FilterError::Malformed);
        }
        let node = if self.keyword("not") {
            if !self.grammar.with_not {
                return Err(FilterError::Unsupported);
            }
            Node::Not(Box::new(self.one()?))
        } else if self.symbol('(') {
            let inner = self.any()?;
            if !self.symbol(')') {
                return Err(FilterError::Malformed);
            }
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn test(&mut self) -> Result<Node, FilterError> {
        let property = self.word().ok_or(FilterError::Malformed)?.to_owned();
        let operator = self.word().ok_or(FilterError::Malformed)?.to_lowercase();
        if !matches!(operator.as_str(), "eq" | "ne" | "co" | "sw" | "ew" | "pr" | "gt" | "ge" | "lt" | "le") {
            return Err(FilterError::Malformed);
        }
        let value = if operator == "pr" { Literal::None } else { Literal::Text(self.literal()?) };
        if !(self.grammar.admits)(&property, &operator) {
            return Err(FilterError::Unsupported);
        }
        let value = match value {
            Literal::Text(text) if (self.grammar.is_date)(&property) => {
                Literal::Date(text.parse().map_err(|_| FilterError::BadDate)?)
            }
            value => value,
        };
        Ok(Node::Test { property, operator, value })
    }

    /// A JSON string in double quotes, a number, true or false.
    fn literal(&mut self) -> Result<String, FilterError> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        let value = values.next().and_then(Result::ok).ok_or(FilterError::Malformed)?;
        let end = values.byte_offset();
        self.rest = self.rest[end..].trim_start();
        match value {
            Value::String(text) => Ok(text),
            Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
            _ => Err(FilterError::Malformed),
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
        let end = self.rest.find(|c| !inner(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        (!word.is_empty()).then_some(word)
    }

    fn keyword(&mut self, wanted: &str) -> bool {
        let before = self.rest;
        let found = self.word().is_some_and(|word| word.eq_ignore_ascii_case(wanted));
        if !found {
            self.rest = before;
        }
        found
    }

    fn symbol(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAMMAR: Grammar = Grammar {
        admits: |property, operator| property != "secret" && (property != "at" || operator != "co"),
        is_date: |property| property == "at",
        exact: false,
        with_not: false,
    };

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let filter = Filter::parse(text, &GRAMMAR).unwrap();
        let held = |property: &str| match property {
            "name" => vec!["Sales \"EMEA\"".to_owned()],
            "at" => vec!["2026-03-01T10:00:00.000Z".to_owned()],
            "target.id" => vec!["00u1".to_owned(), "00g2".to_owned()],
            "active" => vec!["true".to_owned()],
            _ => Vec::new(),
        };
        assert_eq!(filter.admits(&held), expected, "{text}");
    }

    #[test]
    fn a_filter_compares_joins_and_nests() {
        check("name eq \"sales \\\"emea\\\"\"", true);
        check("name sw \"Sal\" and name co \"EMEA\" AND active eq true", true);
        check("at gt \"2026-03-01T09:59:59Z\" and at le \"2026-03-01T11:00:00+01:00\"", true);
        check("at lt \"2026-03-01T10:00:00.000Z\"", false);
        check("(name eq \"x\" or target.id eq \"00g2\") and name pr", true);
        check("name eq \"x\" or missing pr", false);
        check("target.id ne \"00u1\"", false);
    }

    #[test]
    fn what_is_no_filter_is_refused_with_its_reason() {
        for (text, expected) in [
            ("", FilterError::Malformed),
            ("name", FilterError::Malformed),
            ("name is \"x\"", FilterError::Malformed),
            ("name eq 'x'", FilterError::Malformed),
            ("name eq x", FilterError::Malformed),
            ("name eq \"x\" and", FilterError::Malformed),
            ("(name eq \"x\"", FilterError::Malformed),
            ("name eq \"x\" name", FilterError::Malformed),
            ("emails[type eq \"work\"]", FilterError::Malformed),
            ("not name eq \"x\"", FilterError::Unsupported),
            ("secret eq \"x\"", FilterError::Unsupported),
            ("at co \"2026\"", FilterError::Unsupported),
            ("at gt \"yesterday\"", FilterError::BadDate),
        ] {
            assert_eq!(Filter::parse(text, &GRAMMAR).unwrap_err(), expected, "{text}");
        }
    }
}
