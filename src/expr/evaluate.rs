//! Evaluates a parsed expression for one object. Arguments are evaluated when a function asks for them.

use std::borrow::Cow;

use regex::Regex;

use super::Value;
use super::compare;
use super::compare::Side;
use super::functions;
use super::tree::Call;
use super::tree::Comparison;
use super::tree::Node;

/// How much text one call may give: a longer value is a mistake, and no target takes it.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// Why an expression has no value for an object. Names the function and what it needs, never a value (P11).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{function}: {text}")]
pub struct EvalError {
    pub function: &'static str,
    pub text: String,
}

type Lookup<'a> = dyn Fn(&str) -> Value + 'a;

pub(super) fn call(call: &Call, lookup: &Lookup<'_>) -> Result<Value, EvalError> {
    let arguments = Arguments { call, lookup };
    let value = (call.function.call)(&arguments)?;
    if value.bytes() > OUTPUT_BYTES_MAX {
        return Err(arguments.too_long());
    }
    Ok(value)
}

/// The arguments of one call, as its function sees them. Places count from 0.
pub(super) struct Arguments<'a> {
    call: &'a Call,
    lookup: &'a Lookup<'a>,
}

impl Arguments<'_> {
    pub fn count(&self) -> usize {
        self.call.arguments.len()
    }

    pub fn is_supplied(&self, place: usize) -> bool {
        self.call.arguments.get(place).is_some_and(Node::is_supplied)
    }

    /// An argument that is not supplied is null.
    pub fn value(&self, place: usize) -> Result<Value, EvalError> {
        match self.call.arguments.get(place) {
            Some(Node::Comparison(comparison)) => self.compare(comparison).map(Value::flag),
            Some(node) => self.node(node),
            None => Ok(Value::Null),
        }
    }

    fn node(&self, node: &Node) -> Result<Value, EvalError> {
        match node {
            // The parser puts comparisons where `value` finds them.
            Node::Empty | Node::Comparison(_) => Ok(Value::Null),
            Node::Literal(text) => Ok(Value::One(text.clone())),
            Node::Attribute(name) => Ok((self.lookup)(name)),
            Node::Call(inner) => call(inner, self.lookup),
        }
    }

    /// One text; `None` where the value is null. A list of several has no one text.
    pub fn text(&self, place: usize) -> Result<Option<String>, EvalError> {
        self.single(self.value(place)?, place)
    }

    fn single(&self, value: Value, place: usize) -> Result<Option<String>, EvalError> {
        match value {
            Value::Null => Ok(None),
            Value::One(text) => Ok(Some(text)),
            Value::Many(mut list) if list.len() == 1 => Ok(list.pop()),
            Value::Many(list) => Err(self.error(format!(
                "argument {} has {} values where one is taken; choose one with Item(…, 1)",
                place + 1,
                list.len()
            ))),
        }
    }

    pub fn integer(&self, place: usize) -> Result<Option<i64>, EvalError> {
        let Some(text) = self.text(place)? else { return Ok(None) };
        match functions::integer(&text) {
            Some(number) => Ok(Some(number)),
            None => Err(self.error(format!("argument {} is not a whole number", place + 1))),
        }
    }

    /// A comparison, or a value that reads `True`.
    pub fn condition(&self, place: usize) -> Result<bool, EvalError> {
        let text = self.text(place)?;
        Ok(text.is_some_and(|text| functions::is_true(&text)))
    }

    /// The pattern of an argument; a literal one was compiled by the parser.
    pub fn pattern(&self, place: usize) -> Result<Cow<'_, Regex>, EvalError> {
        if let Some(pattern) = &self.call.pattern {
            return Ok(Cow::Borrowed(pattern));
        }
        let text = self.text(place)?.unwrap_or_default();
        functions::pattern(&text).map(Cow::Owned).map_err(|text| self.error(text))
    }

    fn compare(&self, comparison: &Comparison) -> Result<bool, EvalError> {
        let left = self.single(self.node(&comparison.left)?, 0)?.unwrap_or_default();
        let right = self.single(self.node(&comparison.right)?, 0)?.unwrap_or_default();
        let left = Side { node: &comparison.left, text: &left };
        let right = Side { node: &comparison.right, text: &right };
        Ok(compare::holds(&left, comparison.operator, &right, comparison.numeric))
    }

    pub fn error(&self, text: impl Into<String>) -> EvalError {
        EvalError { function: self.call.function.name, text: text.into() }
    }

    /// Adds to a growing text, within the bound.
    pub fn push(&self, text: &mut String, more: &str) -> Result<(), EvalError> {
        if text.len() + more.len() > OUTPUT_BYTES_MAX {
            return Err(self.too_long());
        }
        text.push_str(more);
        Ok(())
    }

    fn too_long(&self) -> EvalError {
        self.error(format!("the result is longer than {OUTPUT_BYTES_MAX} bytes"))
    }
}
