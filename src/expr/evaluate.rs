//! Evaluates a parsed expression for one object. Arguments are evaluated when a function asks for them.

use std::borrow::Cow;
use std::cell::Cell;

use regex::Regex;

use super::Environment;
use super::Value;
use super::compare;
use super::compare::Side;
use super::functions;
use super::tree::Call;
use super::tree::Comparison;
use super::tree::Node;

/// How much text one call may give: a longer value is a mistake, and no target takes it.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// How much text one evaluation may handle in all its steps. Every function takes time in proportion to the text
/// that it handles, and an expression of 10,000 characters has some thousand steps: without this, each of them could
/// fill its 64 KiB.
pub const EVALUATION_BYTES_MAX: usize = 1024 * 1024;

/// Why an expression has no value for an object. Names the function and what it needs, never a value (P11).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{function}: {text}")]
pub struct EvalError {
    pub function: &'static str,
    pub text: String,
}

type Lookup<'a> = dyn Fn(&str) -> Value + 'a;

/// One evaluation: what it reads, and how far it has gone.
pub(super) struct Evaluation<'a> {
    lookup: &'a Lookup<'a>,
    environment: &'a Environment,
    handled: Cell<usize>,
    /// Calls of random functions so far: each draws from a stream of its own.
    drawn: Cell<u64>,
}

impl<'a> Evaluation<'a> {
    pub fn new(lookup: &'a Lookup<'a>, environment: &'a Environment) -> Evaluation<'a> {
        Evaluation { lookup, environment, handled: Cell::new(0), drawn: Cell::new(0) }
    }

    pub fn call(&self, call: &Call) -> Result<Value, EvalError> {
        let arguments = Arguments { call, evaluation: self };
        let value = (call.function.call)(&arguments)?;
        arguments.handle(&value)?;
        Ok(value)
    }
}

/// The arguments of one call, as its function sees them. Places count from 0.
pub(super) struct Arguments<'a> {
    call: &'a Call,
    evaluation: &'a Evaluation<'a>,
}

impl Arguments<'_> {
    pub fn count(&self) -> usize {
        self.call.arguments.len()
    }

    pub fn is_supplied(&self, place: usize) -> bool {
        self.call.arguments.get(place).is_some_and(Node::is_supplied)
    }

    pub fn environment(&self) -> &Environment {
        self.evaluation.environment
    }

    /// What a random function draws from: bytes that no other call of the evaluation sees.
    pub fn draw(&self) -> blake3::OutputReader {
        let number = self.evaluation.drawn.get();
        self.evaluation.drawn.set(number + 1);
        blake3::Hasher::new_keyed(&self.environment().seed).update(&number.to_le_bytes()).finalize_xof()
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
            Node::Text(text) | Node::Number(text) => Ok(Value::One(text.clone())),
            Node::Word(word) => Ok(Value::One((*word).to_owned())),
            Node::Attribute(name) => {
                let value = (self.evaluation.lookup)(name);
                self.handle(&value)?;
                Ok(value)
            }
            Node::Call(inner) => self.evaluation.call(inner),
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

    /// Whether an argument is this text; null is the empty one.
    pub fn is(&self, place: usize, text: &str) -> Result<bool, EvalError> {
        match self.call.arguments.get(place).and_then(Node::literal) {
            Some(literal) => Ok(literal == text),
            None => Ok(self.text(place)?.as_deref().unwrap_or_default() == text),
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
        Ok(compare::holds(&left, comparison.operator, &right))
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

    /// Counts a value that came up, within the bounds.
    fn handle(&self, value: &Value) -> Result<(), EvalError> {
        let bytes = value.bytes();
        if bytes > OUTPUT_BYTES_MAX {
            return Err(self.too_long());
        }
        let handled = self.evaluation.handled.get() + bytes;
        self.evaluation.handled.set(handled);
        if handled > EVALUATION_BYTES_MAX {
            return Err(self.error(format!(
                "the expression handles more than {EVALUATION_BYTES_MAX} bytes of text; make it simpler"
            )));
        }
        Ok(())
    }
}
