//! Every row of a mapping by itself: where its value comes from and what it gives, for `explain`.

use serde_json::Value as Json;

use super::Given;
use super::Mapping;
use super::RowFlow;
use super::RowValue;
use super::evaluate;
use crate::expr::Environment;
use crate::model::Vocabulary;

/// One row, evaluated.
#[derive(Clone, PartialEq)]
pub struct Traced {
    /// The target attribute.
    pub target: String,
    /// Where the value comes from, as a person says it: ``attribute `mail` ``, an expression, a constant.
    pub from: String,
    pub flow: RowFlow,
    /// Precedence as a matching attribute.
    pub matching: Option<u8>,
    /// What it gives; null where there is no value, an error where none can be had.
    pub value: Result<Json, String>,
}

impl Mapping {
    /// Every row but those of members, in their order. One that fails spoils no other here.
    pub fn trace(&self, given: Given<'_>, vocabulary: Vocabulary, environment: &Environment) -> Vec<Traced> {
        let rows = self.rows.iter().filter(|row| row.value != RowValue::Members);
        let traced = rows.map(|row| {
            let value = evaluate::value(row, &given, vocabulary, environment);
            Traced {
                target: row.target.to_string(),
                from: from(&row.value),
                flow: row.flow,
                matching: row.matching,
                value: value.and_then(|value| row.target.json(value)),
            }
        });
        traced.collect()
    }
}

fn from(value: &RowValue) -> String {
    match value {
        RowValue::Attribute(name) => format!("attribute `{name}`"),
        RowValue::Constant(text) => format!("constant \"{text}\""),
        RowValue::Expression(expression) => expression.to_string(),
        RowValue::Members => "members".to_owned(),
        RowValue::Reference(name) => format!("reference `{name}`"),
    }
}
