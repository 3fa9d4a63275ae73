//! Rows as the tests of mappings write them.

use super::Row;
use super::RowFlow;
use super::RowValue;
use super::Target;
use crate::expr::Expression;

pub(super) fn row(target: &str, value: RowValue) -> Row {
    Row {
        target: Target::new(target),
        value,
        matching: None,
        flow: RowFlow::Always,
        default: None,
        clears: false,
        required: false,
    }
}

pub(super) fn copied(target: &str, name: &str) -> Row {
    row(target, RowValue::Attribute(name.to_owned()))
}

pub(super) fn computed(target: &str, text: &str) -> Row {
    row(target, RowValue::Expression(Expression::parse(text).expect(text)))
}

pub(super) fn refers(name: &str) -> RowValue {
    RowValue::Reference(name.to_owned())
}
