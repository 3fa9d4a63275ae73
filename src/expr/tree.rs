//! What a parsed expression is made of.

use std::collections::BTreeSet;

use regex::Regex;

use super::functions::Function;

#[derive(Clone)]
pub(super) enum Node {
    /// An argument that is not supplied: `Switch([a], , "x", "y")` has one.
    Empty,
    /// A string, a number (in decimal digits) or a constant.
    Literal(String),
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

#[derive(Clone)]
pub(super) struct Comparison {
    pub left: Node,
    pub operator: Operator,
    pub right: Node,
    /// One side is a number as it stands in the text: compared by size, not by letters.
    pub numeric: bool,
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
            Node::Empty | Node::Literal(_) => {}
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

    pub fn is_supplied(&self) -> bool {
        !matches!(self, Node::Empty)
    }

    pub fn literal(&self) -> Option<&str> {
        match self {
            Node::Literal(text) => Some(text),
            _ => None,
        }
    }
}

impl Call {
    pub fn attributes<'a>(&'a self, found: &mut BTreeSet<&'a str>) {
        for argument in &self.arguments {
            argument.attributes(found);
        }
    }
}
