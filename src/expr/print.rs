//! Writes an expression in its one plain form: the inverse of the parser.

use std::fmt;
use std::fmt::Display;
use std::fmt::Formatter;
use std::fmt::Write;

use super::tree::Call;
use super::tree::Comparison;
use super::tree::Node;
use super::tree::Operator;

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name)?;
        for (place, argument) in self.arguments.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            argument.fmt(f)?;
        }
        f.write_char(')')
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Node::Empty => Ok(()),
            Node::Text(text) => quoted(text, f),
            Node::Number(digits) => f.write_str(digits),
            Node::Word(word) => f.write_str(word),
            Node::Attribute(name) => write!(f, "[{name}]"),
            Node::Call(call) => call.fmt(f),
            Node::Comparison(comparison) => comparison.fmt(f),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.operator.sign(), self.right)
    }
}

impl Operator {
    fn sign(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "<>",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
        }
    }
}

/// Only backslash and quote are escaped.
fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for letter in text.chars() {
        if matches!(letter, '\\' | '"') {
            f.write_char('\\')?;
        }
        f.write_char(letter)?;
    }
    f.write_char('"')
}
