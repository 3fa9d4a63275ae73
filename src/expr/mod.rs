//! Mapping expressions in the language of Entra ID's attribute mappings: text in, a value out. Pure.
//!
//! Source: "Reference for writing expressions for attribute mappings in Microsoft Entra ID"; docs/mapping.md
//! says what is there and where it departs.

mod compare;
mod evaluate;
mod functions;
mod lexer;
mod nearest;
mod parse;
mod tree;
mod value;

pub use evaluate::EvalError;
pub use evaluate::OUTPUT_BYTES_MAX;
pub use nearest::nearest;
pub use parse::DEPTH_MAX;
pub use parse::EXPRESSION_CHARS_MAX;
pub use parse::ParseError;
pub use value::Value;

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::DateTime;
use serde::Serialize;
use serde::Serializer;

/// A date as sources write it (ISO 8601, UTC without an offset) or as the language does (`3/16/2020 7:00:00 AM`), in
/// UTC; `None` for what is no date.
pub fn date(text: &str) -> Option<DateTime> {
    functions::read_date(text)
}

/// A parsed expression. It serializes as its text, so that the digest of the rules depends on nothing else.
#[derive(Clone)]
pub struct Expression {
    text: String,
    call: tree::Call,
    hints: Vec<String>,
}

impl Expression {
    /// Reads the text of an expression: one function call, nested at will.
    ///
    /// Everything that can be known before a value is there is checked here: names of functions, how many
    /// arguments they take, literal patterns and indexes.
    pub fn parse(text: &str) -> Result<Expression, ParseError> {
        let (call, hints) = parse::parse(text)?;
        Ok(Expression { text: text.to_owned(), call, hints })
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The source attributes that the expression reads, as they are written in it.
    pub fn attributes(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        self.call.attributes(&mut found);
        found
    }

    /// What is right but could be written better (the case of a function's name).
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The value for one object. `lookup` answers with the value of a source attribute, `Null` where there is
    /// none. An error names the function and what it needs, never a value.
    pub fn evaluate(&self, lookup: &dyn Fn(&str) -> Value) -> Result<Value, EvalError> {
        evaluate::call(&self.call, lookup)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.text == other.text
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! The one place where tests touch the interface.

    use super::Expression;
    use super::Value;

    /// Evaluates `text` over attributes; a value with `|` in it is a list, one that is not named is null.
    pub fn evaluated(text: &str, attributes: &[(&str, &str)]) -> String {
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(error) => return format!("parse error at {}: {}", error.position, error.text),
        };
        let lookup = |name: &str| match attributes.iter().find(|(named, _)| *named == name) {
            None => Value::Null,
            Some((_, list)) if list.contains('|') => Value::list(list.split('|').map(str::to_owned)),
            Some((_, text)) => Value::One((*text).to_owned()),
        };
        match expression.evaluate(&lookup) {
            Ok(Value::Null) => "null".to_owned(),
            Ok(Value::One(text)) => text,
            Ok(Value::Many(list)) => format!("[{}]", list.join("|")),
            Err(error) => format!("error: {error}"),
        }
    }

    /// States what an expression gives for some attributes.
    #[track_caller]
    pub fn check(text: &str, attributes: &[(&str, &str)], expected: &str) {
        assert_eq!(evaluated(text, attributes), expected, "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::Expression;

    #[test]
    fn an_expression_serializes_as_its_text() {
        let text = r#"Join(" ", [givenName], [surname])"#;
        let expression = Expression::parse(text).expect("parses");
        assert_eq!(
            serde_json::to_string(&expression).expect("text"),
            serde_json::to_string(text).expect("text")
        );
    }

    #[test]
    fn the_attributes_are_those_that_are_read_once_each() {
        let expression =
            Expression::parse(r#"IIF([a]="[not]", Coalesce([b], [a]), Switch([c], , "x", [d]))"#)
                .expect("parses");
        assert_eq!(Vec::from_iter(expression.attributes()), ["a", "b", "c", "d"]);
    }
}
