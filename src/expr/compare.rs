//! Comparisons: the condition of `IIF` and of `CBool`.

use std::cmp::Ordering;

use super::tree::Node;
use super::tree::Operator;

/// One side of a comparison, evaluated.
pub(super) struct Side<'a> {
    pub node: &'a Node,
    /// A null value is an empty text here.
    pub text: &'a str,
}

impl Side<'_> {
    /// `""` as it stands in the expression: somebody asks whether there is a value.
    fn asks_for_empty(&self) -> bool {
        self.node.literal() == Some("")
    }

    fn is_number(&self) -> bool {
        matches!(self.node, Node::Number(_))
    }
}

/// | one side is | the comparison |
/// |---|---|
/// | the literal `""` | asks whether the other has a text; null and empty are the same |
/// | null or empty | fails, whatever the operator (as in the provisioning service) |
/// | a number, and both can be read as one | by size |
/// | anything else | `=` and `<>` letter by letter; the others by size where both are numbers, else by code point |
pub(super) fn holds(left: &Side<'_>, operator: Operator, right: &Side<'_>) -> bool {
    let asked = left.asks_for_empty() || right.asks_for_empty();
    if !asked && (left.text.is_empty() || right.text.is_empty()) {
        return false;
    }
    let by_size =
        left.is_number() || right.is_number() || !matches!(operator, Operator::Equal | Operator::NotEqual);
    let order = match (number(left.text), number(right.text)) {
        (Some(left), Some(right)) if by_size => left.cmp(&right),
        _ => left.text.cmp(right.text),
    };
    operator.admits(order)
}

impl Operator {
    fn admits(self, order: Ordering) -> bool {
        match self {
            Operator::Equal => order == Ordering::Equal,
            Operator::NotEqual => order != Ordering::Equal,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
        }
    }
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    #[test]
    fn texts_are_compared_letter_by_letter() {
        let us = &[("country", "USA")];
        check(r#"IIF([country]="USA", "in", "out")"#, us, "in");
        check(r#"IIF([country]="usa", "in", "out")"#, us, "out");
        check(r#"IIF([country]<>"USA", "in", "out")"#, us, "out");
        check(r#"IIF([country] >= "UK", "in", "out")"#, us, "in");
    }

    #[test]
    fn numbers_are_compared_by_size() {
        let level = &[("level", "10")];
        check(r#"IIF([level] > 9, "in", "out")"#, level, "in");
        check(r#"IIF([level] > "9", "in", "out")"#, level, "in");
        check(r#"IIF([level] = 010, "in", "out")"#, level, "in");
        check(r#"IIF([level] = "010", "in", "out")"#, level, "out");
        check(r#"IIF([level] <= &H0A, "in", "out")"#, level, "in");
    }

    #[test]
    fn a_test_of_a_value_that_is_not_there_fails() {
        for operator in ["=", "<>", ">", ">=", "<", "<="] {
            check(&format!(r#"IIF([country]{operator}"USA", "in", "out")"#), &[], "out");
            check(&format!(r#"IIF([country]{operator}"USA", "in", "out")"#), &[("country", "")], "out");
        }
        check(r#"CBool([a]=[b])"#, &[], "False");
    }

    #[test]
    fn comparing_with_the_empty_string_asks_whether_there_is_a_value() {
        check(r#"IIF([country]="", "none", "some")"#, &[], "none");
        check(r#"IIF([country]="", "none", "some")"#, &[("country", "")], "none");
        check(r#"IIF([country]<>"", "some", "none")"#, &[("country", "USA")], "some");
    }
}
