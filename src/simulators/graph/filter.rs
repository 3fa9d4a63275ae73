//! The language of `$filter` (graph.md section 5.12): from a text to an expression.

use super::super::exchange::Answer;
use super::errors::bad_request;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// `or`
    Any(Vec<Expression>),
    /// `and`
    All(Vec<Expression>),
    Not(Box<Expression>),
    Test(Test),
}

/// One property and what it has to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    /// With `/` between a property and a part of it. Within `any` it is relative to the element: `""` is the element.
    pub(super) path: String,
    pub(super) operator: Operator,
    /// Several with `in`, otherwise one; none with `any`.
    pub(super) values: Vec<Literal>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Ge,
    Le,
    In,
    StartsWith,
    EndsWith,
    /// `path/any(x:…)`
    Any(Box<Expression>),
    /// `path/$count eq n` or `ne`
    Count {
        equal: bool,
    },
    /// In OData, but not for directory objects: `gt`, `lt`, `contains`, `has`.
    Foreign(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Flag(bool),
    Null,
    /// A date, a GUID or a number: what stands without quotes.
    Bare(String),
}

pub(super) fn parse(text: &str) -> Result<Expression, Answer> {
    let mut rest = Text { text, variable: None };
    match rest.any() {
        Some(expression) if rest.text.trim().is_empty() => Ok(expression),
        _ => Err(bad_request("Invalid filter clause")),
    }
}

/// What is left to read, and the name of the element within `any`.
struct Text<'a> {
    text: &'a str,
    variable: Option<&'a str>,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("ge", Operator::Ge),
    ("le", Operator::Le),
    ("in", Operator::In),
    ("gt", Operator::Foreign("gt")),
    ("lt", Operator::Foreign("lt")),
    ("has", Operator::Foreign("has")),
];

const FUNCTIONS: &[(&str, Operator)] = &[
    ("startswith", Operator::StartsWith),
    ("endswith", Operator::EndsWith),
    ("contains", Operator::Foreign("contains")),
];

impl<'a> Text<'a> {
    fn any(&mut self) -> Option<Expression> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Some(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Option<Expression> {
        let mut parts = vec![self.single()?];
        while self.word("and") {
            parts.push(self.single()?);
        }
        Some(one_or(parts, Expression::All))
    }

    fn single(&mut self) -> Option<Expression> {
        if self.word("not") {
            return Some(Expression::Not(Box::new(self.single()?)));
        }
        if self.sign('(') {
            let inner = self.any()?;
            return self.sign(')').then_some(inner);
        }
        self.test().map(Expression::Test)
    }

    fn test(&mut self) -> Option<Test> {
        let name = self.path()?;
        if self.text.trim_start().starts_with('(') {
            return self.call(name);
        }
        if let Some(path) = name.strip_suffix("/$count") {
            let equal = if self.word("eq") { true } else { self.word("ne").then_some(false)? };
            let values = vec![self.literal()?];
            return Some(Test { path: self.relative(path)?, operator: Operator::Count { equal }, values });
        }
        let path = self.relative(name)?;
        let (_, operator) = OPERATORS.iter().find(|(word, _)| self.word(word))?;
        let values = match operator {
            Operator::In => self.list()?,
            _ => vec![self.literal()?],
        };
        Some(Test { path, operator: operator.clone(), values })
    }

    /// `startswith(path,'x')` or `path/any(x:…)`.
    fn call(&mut self, name: &'a str) -> Option<Test> {
        if let Some(path) = name.strip_suffix("/any") {
            return self.lambda(path);
        }
        let known = FUNCTIONS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name));
        let operator = known.map(|(_, operator)| operator.clone())?;
        self.sign('(').then_some(())?;
        let path = self.path()?;
        let path = self.relative(path)?;
        self.sign(',').then_some(())?;
        let values = vec![self.literal()?];
        self.sign(')').then_some(Test { path, operator, values })
    }

    fn lambda(&mut self, path: &'a str) -> Option<Test> {
        if self.variable.is_some() {
            return None;
        }
        let path = self.relative(path)?;
        self.sign('(').then_some(())?;
        self.variable = Some(self.path()?);
        self.sign(':').then_some(())?;
        let inner = self.any()?;
        self.variable = None;
        let operator = Operator::Any(Box::new(inner));
        self.sign(')').then_some(Test { path, operator, values: Vec::new() })
    }

    /// Within `any` every path begins with the variable.
    fn relative(&self, path: &str) -> Option<String> {
        match self.variable {
            None => Some(path.to_owned()),
            Some(variable) => {
                let rest = path.strip_prefix(variable)?;
                let part = rest.strip_prefix('/').unwrap_or(rest);
                (rest.is_empty() || rest.starts_with('/')).then(|| part.to_owned())
            }
        }
    }

    fn list(&mut self) -> Option<Vec<Literal>> {
        self.sign('(').then_some(())?;
        let mut values = vec![self.literal()?];
        while self.sign(',') {
            values.push(self.literal()?);
        }
        self.sign(')').then_some(values)
    }

    fn path(&mut self) -> Option<&'a str> {
        let text = self.text.trim_start();
        let inside = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '/' | '$');
        let length = text.find(|letter| !inside(letter)).unwrap_or(text.len());
        self.text = &text[length..];
        (length > 0).then(|| &text[..length])
    }

    /// A whole word, in any case.
    fn word(&mut self, word: &str) -> bool {
        let text = self.text.trim_start();
        let Some((head, rest)) = text.split_at_checked(word.len()) else { return false };
        let ends = !rest.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
        let hit = ends && head.eq_ignore_ascii_case(word);
        if hit {
            self.text = rest;
        }
        hit
    }

    fn sign(&mut self, sign: char) -> bool {
        match self.text.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn literal(&mut self) -> Option<Literal> {
        let text = self.text.trim_start();
        let Some(quoted) = text.strip_prefix('\'') else { return self.bare() };
        let mut value = String::new();
        let mut rest = quoted;
        loop {
            let end = rest.find('\'')?;
            value.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            // A quote within the text is doubled.
            match rest.strip_prefix('\'') {
                Some(after) => {
                    value.push('\'');
                    rest = after;
                }
                None => {
                    self.text = rest;
                    return Some(Literal::Text(value));
                }
            }
        }
    }

    fn bare(&mut self) -> Option<Literal> {
        let text = self.text.trim_start();
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, ',' | ')' | '(' | '\'');
        let length = text.find(ends).unwrap_or(text.len());
        self.text = &text[length..];
        match &text[..length] {
            "" => None,
            "null" => Some(Literal::Null),
            "true" => Some(Literal::Flag(true)),
            "false" => Some(Literal::Flag(false)),
            other => Some(Literal::Bare(other.to_owned())),
        }
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "displayName",
            "displayName eq",
            "displayName eq 'A",
            "displayName eq 'A' or",
            "(displayName eq 'A'",
            "displayName in 'A'",
            "proxyAddresses/any(p:startswith(q,'smtp:'))",
            "proxyAddresses/all(p:p eq 'x')",
            "displayName eq 'A' 'B'",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn or_binds_less_than_and_and_not_binds_most() {
        let parsed = parse("a eq 1 or not b eq 2 and c eq 3").unwrap();
        let test = |path: &str, value: &str| {
            let values = vec![Literal::Bare(value.to_owned())];
            Expression::Test(Test { path: path.to_owned(), operator: Operator::Eq, values })
        };
        let not_b = Expression::Not(Box::new(test("b", "2")));
        assert_eq!(
            parsed,
            Expression::Any(vec![test("a", "1"), Expression::All(vec![not_b, test("c", "3")])])
        );
    }
}
