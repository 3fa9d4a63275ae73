//! Mapping expressions in the language of Entra ID's attribute mappings: text in, a value out. Pure.
//!
//! Source: "Reference for writing expressions for attribute mappings in Microsoft Entra ID"; docs/mapping.md
//! says what is there and where it departs.

mod compare;
mod environment;
mod evaluate;
mod functions;
#[cfg(test)]
mod laws;
mod lexer;
mod nearest;
mod parse;
mod print;
mod tree;
mod value;

pub use environment::Environment;
pub use evaluate::EVALUATION_BYTES_MAX;
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

use evaluate::Evaluation;
use lexer::Token;

/// A date as sources write it (ISO 8601, UTC without an offset) or as the language does (`3/16/2020 7:00:00 AM`), in
/// UTC; `None` for what is no date.
pub fn date(text: &str) -> Option<DateTime> {
    functions::read_date(text)
}

/// A parsed expression. It prints and serializes in one plain form: white space and the case of a function's name make
/// no other expression, nor another digest of the rules.
#[derive(Clone)]
pub struct Expression {
    call: tree::Call,
    hints: Vec<String>,
    fleeting: bool,
    /// As it was written, for whoever is told of a mistake in it.
    written: String,
}

/// How the roles of a person reach the target (Entra provisioning reference, section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// Added to those that are there; none is ever taken away.
    Added,
    /// These and no others.
    Replaced,
}

impl Expression {
    /// Reads the text of an expression: one function call, nested at will.
    ///
    /// Everything that can be known before a value is there is checked here: names of functions, how many
    /// arguments they take, literal patterns and indexes.
    pub fn parse(text: &str) -> Result<Expression, ParseError> {
        let (call, hints) = parse::parse(text)?;
        let fleeting = call.calls(&functions::FLEETING);
        Ok(Expression { call, hints, fleeting, written: text.to_owned() })
    }

    /// The source attributes that the expression reads, as they are written in it.
    pub fn attributes(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        self.call.attributes(&mut found);
        found
    }

    /// A mistake that is known only outside of the language: `text`, with the place where the attribute is first read,
    /// told as a parse error is.
    pub fn wrong_attribute(&self, name: &str, text: &str) -> String {
        let tokens = lexer::tokens(&self.written).unwrap_or_default();
        let place =
            tokens.into_iter().find(|(_, token)| matches!(token, Token::Attribute(read) if read == name));
        let error = ParseError::new(place.map_or(0, |(place, _)| place), text);
        format!("{error}\n{}", error.caret(&self.written))
    }

    /// What is right but could be written better (the case of a function's name).
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Whether it has another value each time: it knows the time, or draws by chance.
    pub fn is_fleeting(&self) -> bool {
        self.fleeting
    }

    /// Whether its values are a question to the target: in their order, the first that nobody has is taken.
    pub fn is_choice(&self) -> bool {
        self.call.function.name == functions::CHOICE
    }

    /// Whether its value is shown nowhere.
    pub fn is_redacted(&self) -> bool {
        self.call.calls(&[functions::REDACTED])
    }

    /// Whether it asks for the directory's default domain.
    pub fn needs_default_domain(&self) -> bool {
        self.call.calls(&[functions::DOMAIN])
    }

    /// Whether its values are whole roles, each a JSON object of SCIM's `roles`, and how these reach the target.
    pub fn roles(&self) -> Option<Roles> {
        functions::roles(self.call.function.name)
    }

    /// The value for one object. `lookup` answers with the value of a source attribute, `Null` where there is
    /// none. An error names the function and what it needs, never a value.
    pub fn evaluate(
        &self,
        lookup: &dyn Fn(&str) -> Value,
        environment: &Environment,
    ) -> Result<Value, EvalError> {
        Evaluation::new(lookup, environment).call(&self.call)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({self})")
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.call == other.call
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! The one place where tests touch the interface.

    use super::Environment;
    use super::Expression;
    use super::Value;

    /// The environment of the tests: 2 July 2021, 3:33:38 PM UTC.
    pub fn environment() -> Environment {
        Environment {
            now: "2021-07-02T15:33:38Z".parse().expect("a time"),
            seed: [7; 32],
            default_domain: Some("contoso.com".to_owned()),
        }
    }

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
        match expression.evaluate(&lookup, &environment()) {
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
    use super::Roles;

    #[test]
    fn an_expression_serializes_in_its_one_plain_form() {
        let expression = Expression::parse("join( \" \",[givenName],&HF , \"a\\\"b\" )").expect("parses");
        let plain = r#"Join(" ", [givenName], 15, "a\"b")"#;
        let text = serde_json::to_string(&expression).expect("text");
        assert_eq!(text, serde_json::to_string(plain).expect("text"));
        assert!(expression != Expression::parse(r#"Join(" ", [givenName])"#).expect("parses"));
    }

    #[test]
    fn what_a_call_needs_is_known_at_any_depth() {
        let parsed = |text: &str| Expression::parse(text).expect(text);
        assert!(parsed(r#"Append("x", Left(Guid(), 8))"#).is_fleeting());
        assert!(parsed(r#"IIF(Now()="x", "a", "b")"#).is_fleeting());
        assert!(!parsed("ToLower([mail])").is_fleeting());
        assert!(parsed(r#"Join("@", [mailNickname], DefaultDomain())"#).needs_default_domain());
        assert!(parsed("ToLower(Redact([employeeId]))").is_redacted());
        assert!(parsed("SelectUniqueValue([a], [b])").is_choice());
        assert_eq!(parsed("AppRoleAssignmentsComplex([a])").roles(), Some(Roles::Added));
        assert_eq!(parsed("AssertiveAppRoleAssignmentsComplex([a])").roles(), Some(Roles::Replaced));
        assert_eq!(parsed("SingleAppRoleAssignment([a])").roles(), None);
    }

    #[test]
    fn the_attributes_are_those_that_are_read_once_each() {
        let expression =
            Expression::parse(r#"IIF([a]="[not]", Coalesce([b], [a]), Switch([c], , "x", [d]))"#)
                .expect("parses");
        assert_eq!(Vec::from_iter(expression.attributes()), ["a", "b", "c", "d"]);
    }
}
