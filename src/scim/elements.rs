//! The elements of a list: what each is known by, what joins a list and what leaves it, which one is primary.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::fold;
use super::schema::Definition;

/// Adds the elements that are not there; into one that is, what was sent with it is merged (RFC 7644 section
/// 3.5.2.1). What an element is known by keeps its spelling: to add it again is no change.
pub(super) fn join(definition: &Definition, elements: &mut Vec<Value>, given: Vec<Value>) {
    let mut known: BTreeMap<String, usize> =
        elements.iter().enumerate().rev().map(|(at, element)| (key(definition, element), at)).collect();
    for value in given {
        let at = *known.entry(key(definition, &value)).or_insert(elements.len());
        match (elements.get_mut(at), value) {
            (None, value) => elements.push(value),
            (Some(Value::Object(element)), Value::Object(given)) if element.contains_key("value") => {
                merge(element, given);
            }
            (Some(_), _) => {}
        }
    }
}

fn merge(element: &mut Map<String, Value>, given: Map<String, Value>) {
    for (name, value) in given {
        let identity = name == "value" || name == "type";
        if !identity || !element.contains_key(&name) {
            element.insert(name, value);
        }
    }
}

/// Removes the elements that are named by their value, and by their type where one is said.
pub(super) fn leave(definition: &Definition, elements: &mut Vec<Value>, named: &[Value]) {
    let whole: BTreeSet<String> = named.iter().map(|named| key(definition, named)).collect();
    let untyped = |named: &&Value| named.get("value").is_some() && named.get("type").is_none();
    let values: BTreeSet<String> =
        named.iter().filter(untyped).map(|named| value_key(definition, named)).collect();
    elements.retain(|element| {
        let by_value = element.get("value").is_some() && values.contains(&value_key(definition, element));
        !by_value && !whole.contains(&key(definition, element))
    });
}

/// What an element is known by: its value and type, or all of it where it has no value (RFC 7643 section 2.4),
/// under the case rules of the schema. Equal elements have equal keys.
fn key(definition: &Definition, element: &Value) -> String {
    match element.get("value") {
        Some(_) => {
            let kind = element.get("type").map(|kind| by_rule(definition.sub("type"), kind));
            format!("{} {}", value_key(definition, element), json!(kind))
        }
        None => by_rule(Some(definition), element).to_string(),
    }
}

fn value_key(definition: &Definition, element: &Value) -> String {
    by_rule(definition.sub("value"), &element["value"]).to_string()
}

/// A value with its letters folded where their case does not count.
pub(super) fn by_rule(definition: Option<&Definition>, value: &Value) -> Value {
    match value {
        Value::String(text) if definition.is_some_and(|definition| !definition.case_exact) => {
            fold(text).into()
        }
        Value::Array(elements) => elements.iter().map(|element| by_rule(definition, element)).collect(),
        Value::Object(members) => {
            let sub = |name: &str| definition.and_then(|definition| definition.sub(name));
            let folded = |(name, value): (&String, &Value)| (name.clone(), by_rule(sub(name), value));
            Value::Object(members.iter().map(folded).collect())
        }
        other => other.clone(),
    }
}

/// The newest primary element wins, and the others lose it (RFC 7644 section 3.5.2). `before` says of the elements
/// as they stood which were primary.
pub(super) fn one_primary(elements: &mut [Value], before: &[bool]) {
    let primary = |element: &Value| element["primary"] == true;
    let was = |at: &usize| before.get(*at).copied().unwrap_or(false);
    let now: Vec<usize> =
        elements.iter().enumerate().filter(|(_, element)| primary(element)).map(|(at, _)| at).collect();
    let Some(newest) = now.iter().rev().find(|at| !was(at)) else { return };
    for (at, element) in elements.iter_mut().enumerate() {
        if at != *newest && primary(element) {
            element["primary"] = Value::Bool(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::ResourceType;
    use crate::scim::schema;

    fn check(before: Value, given: Value, expected: Value) {
        let emails = schema::attribute(ResourceType::User, "emails").expect("an attribute");
        let list = |value: Value| value.as_array().cloned().expect("a list");
        let mut elements = list(before);
        join(emails, &mut elements, list(given));
        assert_eq!(Value::Array(elements), expected);
    }

    #[test]
    fn who_is_there_already_is_known_by_value_and_type_in_any_case() {
        let work = json!({"type": "work", "value": "a@x"});
        check(json!([work]), json!([{"type": "WORK", "value": "A@X"}]), json!([work]));
        check(
            json!([work]),
            json!([{"type": "home", "value": "a@x"}]),
            json!([work, {"type": "home", "value": "a@x"}]),
        );
        check(json!([]), json!([{"display": "A"}, {"display": "a"}]), json!([{"display": "A"}]));
        check(
            json!([work]),
            json!([{"type": "work", "value": "a@x", "primary": true, "display": "Ann"}]),
            json!([{"type": "work", "value": "a@x", "primary": true, "display": "Ann"}]),
        );
    }
}
