//! Functions over several values: joining, splitting, choosing, counting.

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;
use super::super::tree::Node;
use super::Refusal;

/// Every value of every source, empty ones left out. Where none is left the result is null: the
/// documentation does not say, and a text of no words is no value.
pub(super) fn join(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let separator = arguments.text(0)?.unwrap_or_default();
    let mut joined = String::new();
    let mut some = false;
    for place in 1..arguments.count() {
        for text in arguments.value(place)?.values().iter().filter(|text| !text.is_empty()) {
            if some {
                arguments.push(&mut joined, &separator)?;
            }
            arguments.push(&mut joined, text)?;
            some = true;
        }
    }
    Ok(if some { Value::One(joined) } else { Value::Null })
}

/// The parts between delimiters, each without white space around it. The function schema of Graph lets the delimiter be
/// left out and does not say what then divides; here a space does, as in VBA.
pub(super) fn split(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(source) = arguments.text(0)? else { return Ok(Value::Null) };
    let delimiter = if arguments.is_supplied(1) { arguments.text(1)? } else { Some(" ".to_owned()) };
    match delimiter.filter(|delimiter| !delimiter.is_empty()) {
        Some(delimiter) => Ok(Value::list(source.split(&delimiter).map(|part| part.trim().to_owned()))),
        None => Err(arguments.error(NO_DELIMITER)),
    }
}

pub(super) fn check_split(arguments: &[Node]) -> Result<(), Refusal> {
    match arguments.get(1).and_then(Node::literal) {
        Some("") => Err(Refusal::argument(1, NO_DELIMITER)),
        _ => Ok(()),
    }
}

const NO_DELIMITER: &str = "the delimiter is empty";

/// The value at a place, counted from 1; null where the list is shorter.
pub(super) fn item(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let value = arguments.value(0)?;
    let place =
        arguments.integer(1)?.and_then(|index| usize::try_from(index).ok()).filter(|index| *index > 0);
    match place {
        Some(place) => Ok(value.values().get(place - 1).cloned().map_or(Value::Null, Value::One)),
        None => Err(arguments.error("places count from 1")),
    }
}

pub(super) fn check_item(arguments: &[Node]) -> Result<(), Refusal> {
    match arguments.get(1).and_then(Node::literal).map(super::integer) {
        None => Ok(()),
        Some(Some(index)) if index > 0 => Ok(()),
        Some(_) => Err(Refusal::argument(1, "the second argument is a place, counted from 1")),
    }
}

pub(super) fn count(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(Value::One(arguments.value(0)?.values().len().to_string()))
}

/// Each value once, in the order in which they came.
pub(super) fn remove_duplicates(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let value = arguments.value(0)?;
    let mut seen = std::collections::BTreeSet::new();
    Ok(match value {
        Value::Many(list) => Value::list(list.into_iter().filter(|text| seen.insert(text.clone()))),
        single => single,
    })
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    const ADDRESSES: &[(&str, &str)] =
        &[("proxyAddresses", "SMTP:a@x.example|smtp:b@x.example|SMTP:a@x.example")];

    #[test]
    fn join_leaves_out_what_is_null_or_empty() {
        let doe = &[("surname", "Doe"), ("givenName", "John")];
        check(r#"Join(", ", "", [surname], [givenName])"#, doe, "Doe, John");
        check(r#"Join(" ", [givenName], [surname])"#, &[("surname", "Doe")], "Doe");
        check(r#"Join(" ", [givenName], [surname])"#, &[], "null");
        check(r#"Join("+", [proxyAddresses], 7)"#, &[("proxyAddresses", "a|b")], "a+b+7");
    }

    #[test]
    fn split_trims_its_parts() {
        check(
            r#"Split("PermissionSetOne, PermissionSetTwo", ",")"#,
            &[],
            "[PermissionSetOne|PermissionSetTwo]",
        );
        check(r#"Split([none], ",")"#, &[], "null");
        check(r#"Split([a], "")"#, &[], "parse error at 11: Split: the delimiter is empty");
        check(r#"Split([a], [b])"#, &[("a", "x"), ("b", "")], "error: Split: the delimiter is empty");
        check("Split([a])", &[("a", "one two")], "[one|two]");
    }

    #[test]
    fn item_counts_from_one() {
        check("Item([proxyAddresses], 1)", ADDRESSES, "SMTP:a@x.example");
        check("Item([proxyAddresses], 4)", ADDRESSES, "null");
        check("Item([mail], 1)", &[("mail", "a@x.example")], "a@x.example");
        check(
            "Item([proxyAddresses], 0)",
            ADDRESSES,
            "parse error at 23: Item: the second argument is a place, counted from 1",
        );
        check("Item([proxyAddresses], [n])", &[("n", "0")], "error: Item: places count from 1");
    }

    #[test]
    fn values_are_counted_and_made_distinct() {
        check("Count([proxyAddresses])", ADDRESSES, "3");
        check("Count([none])", &[], "0");
        check("RemoveDuplicates([proxyAddresses])", ADDRESSES, "[SMTP:a@x.example|smtp:b@x.example]");
    }

    #[test]
    fn a_list_where_one_text_is_taken_is_an_error_that_says_what_to_do() {
        check(
            "ToLower([proxyAddresses])",
            ADDRESSES,
            "error: ToLower: argument 1 has 3 values where one is taken; choose one with Item(…, 1)",
        );
    }
}
