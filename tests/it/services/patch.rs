//! PATCH by the letter of RFC 7644 section 3.5.2, on everything but the members of a group.

use serde_json::Map;
use serde_json::Value;

use super::filter::Filter;
use super::filter::parts;
use super::refusal::Done;
use super::refusal::Refusal;

const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The operations of a message.
pub fn operations(message: &Value) -> Done<&Vec<Value>> {
    let named = message["schemas"].as_array().is_some_and(|urns| urns.iter().any(|urn| urn == PATCH_SCHEMA));
    match message["Operations"].as_array() {
        Some(operations) if named && !operations.is_empty() => Ok(operations),
        _ => Err(Refusal::new(400, "PATCH that is none", "no PatchOp").of_kind("invalidSyntax")),
    }
}

pub fn apply(body: &mut Value, operation: &Value, value_paths: bool) -> Done<()> {
    let op = operation["op"].as_str().unwrap_or_default();
    if !["add", "replace", "remove"].contains(&op) {
        return Err(Refusal::new(400, "operation that is none", op).of_kind("invalidSyntax"));
    }
    let value = operation.get("value").filter(|value| !value.is_null());
    if op != "remove" && value.is_none() {
        return Err(Refusal::invalid_value("operation without a value"));
    }
    let Some(path) = operation["path"].as_str() else {
        return pathless(body, op, value.and_then(Value::as_object));
    };
    let (name, select, sub) = parts(path);
    match select {
        Some(_) if !value_paths => {
            Err(Refusal::new(400, "element in a PATCH path", "no such path").of_kind("invalidPath"))
        }
        Some(select) => element(body, name, select, sub, value),
        None => attribute(body, name, sub, op, value),
    }
}

fn pathless(body: &mut Value, op: &str, value: Option<&Map<String, Value>>) -> Done<()> {
    let Some(object) = value.filter(|_| op != "remove") else {
        return Err(Refusal::new(400, "operation without a path", "no path").of_kind("noTarget"));
    };
    for (name, value) in object {
        match (value, body.get(name)) {
            (Value::Object(subs), Some(Value::Object(_))) => {
                subs.iter().for_each(|(sub, value)| body[name][sub] = value.clone());
            }
            _ => body[name] = value.clone(),
        }
    }
    Ok(())
}

/// The object that an attribute belongs to: the resource, or one of its extensions.
fn owner<'a, 'n>(body: &'a mut Value, name: &'n str) -> (&'a mut Value, &'n str) {
    match name.rsplit_once(':') {
        None => (body, name),
        Some((urn, attribute)) => {
            if !body[urn].is_object() {
                body[urn] = Value::Object(Map::new());
            }
            (&mut body[urn], attribute)
        }
    }
}

fn attribute(body: &mut Value, name: &str, sub: Option<&str>, op: &str, value: Option<&Value>) -> Done<()> {
    let (owner, name) = owner(body, name);
    match (sub, value) {
        (Some(_), _) if owner[name].is_array() => {
            Err(Refusal::new(400, "part of a list without an element", "which").of_kind("invalidPath"))
        }
        (Some(sub), Some(value)) => {
            if !owner[name].is_object() {
                owner[name] = Value::Object(Map::new());
            }
            owner[name][sub] = value.clone();
            Ok(())
        }
        (None, Some(Value::Array(more))) if op == "add" && owner[name].is_array() => {
            let list = owner[name].as_array_mut().expect("it is a list");
            let new = more.iter().filter(|element| !list.contains(element)).cloned().collect::<Vec<_>>();
            list.extend(new);
            Ok(())
        }
        (None, Some(value)) if op != "remove" => {
            owner[name] = value.clone();
            Ok(())
        }
        (Some(sub), None) => {
            owner[name].as_object_mut().map(|object| object.remove(sub));
            Ok(())
        }
        (None, _) => {
            owner.as_object_mut().map(|object| object.remove(name));
            Ok(())
        }
    }
}

/// An element that is not there is no target.
fn element(body: &mut Value, name: &str, select: &str, sub: Option<&str>, value: Option<&Value>) -> Done<()> {
    let filter = Filter::read(select)?;
    let no_target = || Refusal::new(400, "element that is not there", "no target").of_kind("noTarget");
    let (owner, name) = owner(body, name);
    let list = owner.get_mut(name).and_then(Value::as_array_mut).ok_or_else(no_target)?;
    if !list.iter().any(|element| filter.admits(element, false)) {
        return Err(no_target());
    }
    match (sub, value) {
        (None, None) => list.retain(|element| !filter.admits(element, false)),
        (sub, value) => {
            for element in list.iter_mut().filter(|element| filter.admits(element, false)) {
                match (sub, value) {
                    (Some(sub), Some(value)) => element[sub] = value.clone(),
                    (Some(sub), None) => drop(element.as_object_mut().map(|object| object.remove(sub))),
                    (None, value) => *element = value.cloned().unwrap_or_default(),
                }
            }
        }
    }
    if list.is_empty() {
        drop(owner.as_object_mut().map(|object| object.remove(name)));
    }
    Ok(())
}
