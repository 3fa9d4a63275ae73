//! What a parsed expression is made of.

use std::collections::BTreeSet;

use regex::Regex;

use super::functions::Function;

#[derive(Clone, PartialEq)]
pub(super) enum Node {
    /// An argument that is not supplied: `Switch([a], , "x", "y")` has one.
    Empty,
    /// A string.
    Text(String),
    /// A number, in decimal digits.
    Number(String),
    /// A constant of a function: `vbTextCompare`.
    Word(&'static str),
    /// `[name]`
    Attribute(String),
    Call(Call),
    /// Only as the condition of `IIF` and `CBool`.
    Comparison(Box<Comparison>),
}

#[derive(Clone)]
pub(super) struct Call {
    pub function: &'static Function,
    pub arguments: Vec<Node>,
    /// A literal pattern, compiled once.
    pub pattern: Option<Regex>,
}

/// The pattern follows from the arguments.
impl PartialEq for Call {
    fn eq(&self, other: &Call) -> bool {
        self.function.name == other.function.name && self.arguments == other.arguments
    }
}

#[derive(Clone, PartialEq)]
pub(super) struct Comparison {
    pub left: Node,
    pub operator: Operator,
    pub right: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Node {
    fn attributes<'a>(&'a self, found: &mut BTreeSet<&'a str>) {
        match self {
            Node::Empty | Node::Text(_) | Node::Number(_) | Node::Word(_) => {}
            Node::Attribute(name) => {
                found.insert(name);
            }
            Node::Call(call) => call.attributes(found),
            Node::Comparison(comparison) => {
                comparison.left.attributes(found);
                comparison.right.attributes(found);
            }
        }
    }

    fn calls(&self, names: &[&str]) -> bool {
        match self {
            Node::Call(call) => call.calls(names),
            Node::Comparison(comparison) => comparison.left.calls(names) || comparison.right.calls(names),
            Node::Empty | Node::Text(_) | Node::Number(_) | Node::Word(_) | Node::Attribute(_) => false,
        }
    }

    pub fn is_supplied(&self) -> bool {
        !matches!(self, Node::Empty)
    }

    /// What stands in the expression itself: the content of a string, the digits of a number, a constant.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Node::Text(text) | Node::Number(text) => Some(text),
            Node::Word(word) => Some(word),
            Node::Empty | Node::Attribute(_) | Node::Call(_) | Node::Comparison(_) => None,
        }
    }
}

impl Call {
    pub fn attributes<'a>(&'a self, found: &mut BTreeSet<&'a str>) {
        for argument in &self.arguments {
            argument.attributes(found);
        }
    }

    /// Whether one of these functions is called, at any depth.
    pub fn calls(&self, names: &[&str]) -> bool {
        names.contains(&self.function.name) || self.arguments.iter().any(|argument| argument.calls(names))
    }
}
