//! When two values of one attribute are the same.

use serde_json::Value;

use super::Path;
use super::filter::member;
use super::fold;
use super::schema::Definition;
use super::schema::Form;

/// Whether a write from `a` to `b` would change nothing: order of elements and spelling of booleans do not
/// count, the case of letters does. `mcdonald` to `McDonald` is a change that somebody asked for.
pub fn same(path: &str, a: &Value, b: &Value) -> bool {
    a == b || equal(definition(path), a, b, Case::Counts)
}

/// Whether a service that was sent `a` and shows `b` holds the same value: as `same`, but under the attribute's
/// case rule. A service that lowers userNames does not drift.
pub fn same_value(path: &str, a: &Value, b: &Value) -> bool {
    a == b || equal(definition(path), a, b, Case::ByRule)
}

fn definition(path: &str) -> Option<&'static Definition> {
    Path::parse(path).ok().and_then(|path| path.leaf())
}

/// As `same_value`, of an attribute that is known.
pub(super) fn same_by_rule(definition: &'static Definition, a: &Value, b: &Value) -> bool {
    equal(Some(definition), a, b, Case::ByRule)
}

#[derive(Clone, Copy)]
enum Case {
    Counts,
    ByRule,
}

fn equal(definition: Option<&'static Definition>, a: &Value, b: &Value, case: Case) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len()
                && a.iter().all(|one| b.iter().any(|other| equal(definition, one, other, case)))
        }
        // Null, [] and absence are one state (RFC 7643 section 2.5).
        (Value::Array(empty), Value::Null) | (Value::Null, Value::Array(empty)) => empty.is_empty(),
        (Value::Object(_), Value::Object(_)) => equal_members(definition, a, b, case),
        (Value::Object(_), Value::String(_)) => {
            member(a, "value").is_some_and(|a| equal(definition, a, b, case))
        }
        (Value::String(_), Value::Object(_)) => equal(definition, b, a, case),
        (Value::Bool(truth), Value::String(text)) | (Value::String(text), Value::Bool(truth)) => {
            text.eq_ignore_ascii_case(if *truth { "true" } else { "false" })
        }
        (Value::String(a), Value::String(b)) => a == b || equal_texts(definition, a, b, case),
        _ => a == b,
    }
}

fn equal_members(definition: Option<&'static Definition>, a: &Value, b: &Value, case: Case) -> bool {
    let one_way = |from: &Value, to: &Value| {
        from.as_object().is_some_and(|members| {
            members.iter().filter(|(_, value)| !value.is_null()).all(|(name, value)| {
                let sub = definition.and_then(|definition| definition.sub(name));
                member(to, name).is_some_and(|other| equal(sub, value, other, case))
            })
        })
    };
    one_way(a, b) && one_way(b, a)
}

fn equal_texts(definition: Option<&'static Definition>, a: &str, b: &str, case: Case) -> bool {
    let boolean = definition.is_some_and(|definition| definition.form == Form::Boolean);
    // Of a complex attribute its `value` decides; what nobody knows is taken as written.
    let deciding = definition.and_then(|definition| definition.sub("value")).or(definition);
    let by_rule = matches!(case, Case::ByRule) && deciding.is_some_and(|deciding| !deciding.case_exact);
    if boolean || by_rule { fold(a) == fold(b) } else { false }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `same`, then `same_value`.
    fn check(path: &str, a: Value, b: Value, expected: (bool, bool)) {
        assert_eq!((same(path, &a, &b), same_value(path, &a, &b)), expected, "{path} {a} {b}");
    }

    #[test]
    fn case_counts_for_a_write_and_by_rule_for_what_is_shown() {
        check("userName", json!("Bob"), json!("bob"), (false, true));
        check("userName", json!("ÄRGER"), json!("ärger"), (false, true));
        check("externalId", json!("A"), json!("a"), (false, false));
        check("displayName", json!("mcdonald"), json!("McDonald"), (false, true));
        check("emails[type eq \"work\"].value", json!("B@x"), json!("b@X"), (false, true));
        check("shoeSize", json!("A"), json!("a"), (false, false));
    }

    #[test]
    fn booleans_may_be_texts() {
        check("active", json!(true), json!("True"), (true, true));
        check("active", json!("false"), json!("False"), (true, true));
        check("active", json!(true), json!("False"), (false, false));
    }

    #[test]
    fn order_and_shape_do_not_count() {
        check("roles", json!(["a", "b"]), json!([{"value": "b"}, {"value": "a"}]), (true, true));
        check("roles", json!(["a"]), json!(["a", "b"]), (false, false));
        check("roles", json!([]), json!(null), (true, true));
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
        check(manager, json!("m1"), json!({"value": "m1"}), (true, true));
        check("name", json!({"givenName": "A"}), json!({"givenName": "A", "middleName": null}), (true, true));
    }
}
