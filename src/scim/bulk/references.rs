//! Where `bulkId:x` stands for an id: in the `value` of what refers to resources, and in paths of a PATCH.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Method;
use super::Operation;
use super::read::PREFIX;
use crate::scim::Path;
use crate::scim::ResourceType;
use crate::scim::filter::member;
use crate::scim::schema;
use crate::scim::schema::Definition;

/// Called with the id, or the `bulkId:x`, of each reference.
type Visit<'a> = &'a mut dyn FnMut(&mut String);

impl Operation {
    /// Calls `visit` with each reference that its data makes.
    pub(super) fn each_reference(&mut self, visit: Visit<'_>) {
        let Ok(place) = &self.place else { return };
        match self.method {
            Method::Post | Method::Put => in_body(place.kind, &mut self.data, visit),
            Method::Patch => in_patch(place.kind, &mut self.data, visit),
            Method::Delete => {}
        }
    }

    /// The bulkIds that its data and its path name.
    pub(super) fn bulk_ids(&self) -> Vec<String> {
        let mut named = Vec::new();
        if let Ok(place) = &self.place
            && let Some(super::Reference::BulkId(id)) = &place.id
        {
            named.push(id.clone());
        }
        self.clone().each_reference(&mut |text| named.extend(text.strip_prefix(PREFIX).map(str::to_owned)));
        named
    }
}

fn in_body(kind: ResourceType, body: &mut Value, visit: Visit<'_>) {
    let Some(members) = body.as_object_mut() else { return };
    for (name, value) in members {
        match (schema::extension(kind, name), value) {
            (Some(extension), Value::Object(members)) => {
                for (name, value) in members {
                    if let Some(definition) = extension.attribute(name) {
                        in_value(definition, None, value, visit);
                    }
                }
            }
            (_, value) => in_named(kind, name, value, visit),
        }
    }
}

/// The value of a name, which may be a path as long as no path is written beside it.
fn in_named(kind: ResourceType, name: &str, value: &mut Value, visit: Visit<'_>) {
    let Ok(path) = Path::parse(name) else { return };
    if let Some(top) = schema::top(kind, &path) {
        in_value(top, path.sub.as_deref(), value, visit);
    }
}

fn in_value(top: &Definition, sub: Option<&str>, value: &mut Value, visit: Visit<'_>) {
    if !refers(top) {
        return;
    }
    match (sub, value) {
        (None, Value::Array(elements)) => {
            elements.iter_mut().for_each(|element| in_value(top, None, element, visit));
        }
        (None, Value::Object(members)) => {
            let named = members.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("value"));
            for (_, value) in named {
                if let Value::String(text) = value {
                    visit(text);
                }
            }
        }
        (None | Some("value"), Value::String(text)) => visit(text),
        _ => {}
    }
}

/// A `value` beside a `$ref` is the id of a resource (RFC 7643 section 2.4).
fn refers(top: &Definition) -> bool {
    top.has_value() && top.sub("$ref").is_some()
}

fn in_patch(kind: ResourceType, body: &mut Value, visit: Visit<'_>) {
    let operations = body
        .as_object_mut()
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.eq_ignore_ascii_case("Operations"))
        .filter_map(|(_, operations)| operations.as_array_mut())
        .flatten();
    for operation in operations {
        let path = member(operation, "path").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let Some(members) = operation.as_object_mut() else { continue };
        for (name, value) in members {
            if name.eq_ignore_ascii_case("path") {
                in_path(kind, value, visit);
            } else if name.eq_ignore_ascii_case("value") && path.is_empty() {
                in_body(kind, value, visit);
            } else if name.eq_ignore_ascii_case("value") {
                match schema::extension(kind, &path) {
                    Some(_) => in_extension(kind, &path, value, visit),
                    None => in_named(kind, &path, value, visit),
                }
            }
        }
    }
}

fn in_extension(kind: ResourceType, urn: &str, value: &mut Value, visit: Visit<'_>) {
    for (name, value) in value.as_object_mut().into_iter().flatten() {
        in_named(kind, &format!("{urn}:{name}"), value, visit);
    }
}

/// `members[value eq "bulkId:x"]`.
fn in_path(kind: ResourceType, path: &mut Value, visit: Visit<'_>) {
    let Value::String(text) = path else { return };
    let refers = Path::parse(text.trim()).ok().and_then(|path| schema::top(kind, &path)).is_some_and(refers);
    if !refers {
        return;
    }
    let opening = format!("\"{PREFIX}");
    let mut done = String::new();
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once(opening.as_str()) {
        let (id, after) = behind.split_once('"').unwrap_or((behind, ""));
        let mut reference = format!("{PREFIX}{id}");
        visit(&mut reference);
        done.push_str(&format!("{before}\"{reference}\""));
        rest = after;
    }
    *text = done + rest;
}

/// Takes out of a body what refers to something that is not made yet, and gives the operations of a PATCH that
/// add it later.
pub(super) fn split_off(
    kind: ResourceType,
    body: &mut Value,
    unresolved: &dyn Fn(&str) -> bool,
) -> Vec<Value> {
    let mut later = Vec::new();
    let Some(members) = body.as_object_mut() else { return later };
    for (name, value) in members.iter_mut() {
        if let (Some(extension), Some(members)) = (schema::extension(kind, name), value.as_object_mut()) {
            let path = |definition: &Definition| format!("{}:{}", extension.urn, definition.name);
            split_members(members, &|name| extension.attribute(name), &path, unresolved, &mut later);
        }
    }
    let path = |definition: &Definition| definition.name.to_owned();
    split_members(members, &|name| schema::attribute(kind, name), &path, unresolved, &mut later);
    later
}

fn split_members(
    members: &mut Map<String, Value>,
    definition: &dyn Fn(&str) -> Option<&'static Definition>,
    path: &dyn Fn(&Definition) -> String,
    unresolved: &dyn Fn(&str) -> bool,
    later: &mut Vec<Value>,
) {
    members.retain(|name, value| {
        let Some(definition) = definition(name).filter(|definition| refers(definition)) else { return true };
        let waits = |value: &Value| waits(value, unresolved);
        let taken = match value {
            Value::Array(elements) => {
                let (waiting, ready) = std::mem::take(elements).into_iter().partition(waits);
                *elements = ready;
                Value::Array(waiting)
            }
            _ if waits(value) => std::mem::take(value),
            _ => return true,
        };
        if taken.as_array().is_none_or(|taken| !taken.is_empty()) {
            later.push(json!({ "op": "add", "path": path(definition), "value": taken }));
        }
        !value.is_null()
    });
}

fn waits(value: &Value, unresolved: &dyn Fn(&str) -> bool) -> bool {
    let id = if value.is_object() { member(value, "value").and_then(Value::as_str) } else { value.as_str() };
    id.and_then(|id| id.strip_prefix(PREFIX)).is_some_and(unresolved)
}
