//! Functions that choose and ask: conditions, null, true and false.

use super::super::EvalError;
use super::super::Value;
use super::super::evaluate::Arguments;
use super::super::tree::Node;
use super::Refusal;

/// Booleans are the texts `True` and `False`; their case is not held against anybody.
pub(in super::super) fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// `Not("True")` is `False`; anything else, null included, gives `True`.
pub(super) fn not(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(Value::flag(!arguments.condition(0)?))
}

/// Only the part that the condition chooses is evaluated.
pub(super) fn iif(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    arguments.value(if arguments.condition(0)? { 1 } else { 2 })
}

/// True where a comparison holds, a number is not zero, or a text reads `True`.
pub(super) fn c_bool(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::flag(false)) };
    if is_true(&text) || text.eq_ignore_ascii_case("false") {
        return Ok(Value::flag(is_true(&text)));
    }
    match super::integer(&text) {
        Some(number) => Ok(Value::flag(number != 0)),
        None => Err(arguments.error("its argument is neither a whole number nor True nor False")),
    }
}

/// The first that is not null. An empty text is a value.
pub(super) fn coalesce(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    for place in 0..arguments.count() {
        let value = arguments.value(place)?;
        if value != Value::Null {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}

/// A target attribute without a value is left out of every request, so null is all that has to be said.
pub(super) fn ignore_flow_if_null_or_empty(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let value = arguments.value(0)?;
    Ok(if value.is_null_or_empty() { Value::Null } else { value })
}

pub(super) fn is_null(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(Value::flag(arguments.value(0)? == Value::Null))
}

pub(super) fn is_null_or_empty(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(Value::flag(arguments.value(0)?.is_null_or_empty()))
}

pub(super) fn is_present(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(Value::flag(!arguments.value(0)?.is_null_or_empty()))
}

pub(super) fn is_string(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(Value::flag(arguments.value(0)?.values().len() == 1))
}

/// The value as it is. That it is shown nowhere is for those to see to who would show it.
pub(super) fn redact(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    arguments.value(0)
}

/// What there is to choose from, in order and each once. Which of them nobody has is for the target to say.
pub(super) fn select_unique_value(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let mut values: Vec<String> = Vec::new();
    for place in 0..arguments.count() {
        let value = arguments.text(place)?.filter(|text| !text.is_empty() && !values.contains(text));
        values.extend(value);
    }
    Ok(Value::list(values))
}

/// The value behind the first key that equals the source, letter by letter; the key `""` also stands for null.
pub(super) fn switch(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let source = arguments.text(0)?.unwrap_or_default();
    for place in (2..arguments.count()).step_by(2) {
        if arguments.is(place, &source)? {
            return arguments.value(place + 1);
        }
    }
    arguments.value(1)
}

pub(super) fn check_switch(arguments: &[Node]) -> Result<(), Refusal> {
    if arguments.len() < 4 || !arguments.len().is_multiple_of(2) {
        return Err(Refusal::call(
            "it takes a source, a default (which may be empty) and then pairs of key and value",
        ));
    }
    match arguments.iter().skip(2).step_by(2).position(|key| !key.is_supplied()) {
        Some(pair) => Err(Refusal::argument(
            2 + 2 * pair,
            format!("the key of pair {} is missing; \"\" stands for no value", pair + 1),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    #[test]
    fn not_turns_true_into_false_and_anything_else_into_true() {
        check(r#"Not("True")"#, &[], "False");
        check("Not([IsSoftDeleted])", &[("IsSoftDeleted", "False")], "True");
        check("Not([IsSoftDeleted])", &[("IsSoftDeleted", "true")], "False");
        check("Not([nothing])", &[], "True");
    }

    #[test]
    fn switch_finds_its_key_letter_by_letter() {
        let zones =
            r#"Switch([state], "Australia/Sydney", "NSW", "Australia/Sydney", "QLD", "Australia/Brisbane")"#;
        check(zones, &[("state", "QLD")], "Australia/Brisbane");
        check(zones, &[("state", "qld")], "Australia/Sydney");
        check(zones, &[], "Australia/Sydney");
    }

    #[test]
    fn the_empty_key_of_switch_stands_for_null_and_empty() {
        let flag = r#"Switch([statusFlag], "Default Value", "true", "1", "", "0")"#;
        check(flag, &[], "0");
        check(flag, &[("statusFlag", "")], "0");
        check(flag, &[("statusFlag", "true")], "1");
        check(r#"Switch([country],[country],"","Other")"#, &[], "Other");
        check(r#"Switch([country],[country],"","Other")"#, &[("country", "DE")], "DE");
        check(
            r#"Switch(IsPresent([jobTitle]), "DefaultValue", "True", [jobTitle])"#,
            &[("jobTitle", "Cook")],
            "Cook",
        );
    }

    #[test]
    fn an_empty_default_of_switch_is_null() {
        let active = r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#;
        check(active, &[("IsSoftDeleted", "False")], "True");
        check(active, &[("IsSoftDeleted", "True")], "False");
        check(active, &[("IsSoftDeleted", "perhaps")], "null");
    }

    #[test]
    fn a_switch_without_whole_pairs_is_refused() {
        let text = "parse error at 0: Switch: it takes a source, a default (which may be empty) and then pairs of key and value";
        check(r#"Switch([a], "x")"#, &[], text);
        check(r#"Switch([a], "x", "k")"#, &[], text);
        check(
            r#"Switch([a], "x", , "v")"#,
            &[],
            "parse error at 17: Switch: the key of pair 1 is missing; \"\" stands for no value",
        );
    }

    #[test]
    fn iif_evaluates_only_what_it_chooses() {
        let nested = r#"IIF([country]="USA",IIF([state]="CA","True","False"),"False")"#;
        check(nested, &[("country", "USA"), ("state", "CA")], "True");
        check(nested, &[("country", "USA"), ("state", "NY")], "False");
        check(nested, &[], "False");
        check(r#"IIF([country]="USA",[country],[department])"#, &[("department", "Sales")], "Sales");
        check(r#"IIF(IsPresent([a]), BitAnd([a], 1), "none")"#, &[], "none");
        check(r#"IIF(IsNullOrEmpty([a]), "none")"#, &[("a", "x")], "null");
    }

    #[test]
    fn coalesce_takes_the_first_that_is_not_null() {
        check("Coalesce([mail],[userPrincipalName])", &[("userPrincipalName", "a@x.example")], "a@x.example");
        check("Coalesce([mail],[userPrincipalName])", &[("mail", ""), ("userPrincipalName", "a")], "");
        check(r#"Coalesce([a], [b], "default")"#, &[], "default");
        check("Coalesce([a], [b])", &[], "null");
    }

    #[test]
    fn null_and_empty_can_be_told_apart() {
        for (function, null, empty, text) in [
            ("IsNull", "True", "False", "False"),
            ("IsNothing", "True", "False", "False"),
            ("IsNullOrEmpty", "True", "True", "False"),
            ("IsPresent", "False", "False", "True"),
            ("IsString", "False", "True", "True"),
        ] {
            check(&format!("{function}([a])"), &[], null);
            check(&format!("{function}([a])"), &[("a", "")], empty);
            check(&format!("{function}([a])"), &[("a", "x")], text);
        }
    }

    #[test]
    fn ignore_flow_makes_null_of_an_empty_result() {
        let prefix = r#"IgnoreFlowIfNullOrEmpty(Switch([prefix], "", "3443", "Dr."))"#;
        check(prefix, &[("prefix", "1")], "null");
        check(prefix, &[("prefix", "3443")], "Dr.");
    }

    #[test]
    fn cbool_reads_comparisons_numbers_and_booleans() {
        check("CBool([a]=[b])", &[("a", "x"), ("b", "x")], "True");
        check("CBool([a])", &[("a", "0")], "False");
        check("CBool([a])", &[("a", "-3")], "True");
        check("CBool([a])", &[("a", "False")], "False");
        check(
            "CBool([a])",
            &[("a", "x")],
            "error: CBool: its argument is neither a whole number nor True nor False",
        );
    }
}
