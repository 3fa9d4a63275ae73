//! Between flat values by path and a resource's nested JSON.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Attributes;
use super::Path;
use super::ResourceType;
use super::filter::Compare;
use super::filter::Filter;
use super::filter::values;
use super::schema;
use super::schema::Definition;
use super::schema::Form;

/// The JSON of a resource with these values, `schemas` included. A path that cannot be read, or that runs into
/// a value of another shape, is left out: paths are checked with the settings.
///
/// `emails[type eq "work"].value` becomes an element with the type of the brackets; the work e-mail is the
/// primary one where nothing else is said.
pub fn resource(kind: ResourceType, attributes: &Attributes) -> Value {
    let mut body = Value::Object(Map::new());
    for (path, value) in attributes.iter() {
        if let Ok(path) = Path::parse(path) {
            place(&mut body, &path, value.clone());
        }
    }
    name_a_primary_email(&mut body);
    let schemas = schemas_of(kind, &body);
    body["schemas"] = schemas;
    body
}

/// What a resource shows at these paths. Paths without a value are left out; a complex value such as `manager`
/// shows its `value`, as in a filter (RFC 7644 section 3.4.2.2).
pub fn shown<P: AsRef<str>>(body: &Value, paths: impl IntoIterator<Item = P>) -> Attributes {
    let at = |text: &str| Path::parse(text).ok().and_then(|path| value_at(body, &path));
    paths.into_iter().filter_map(|path| Some((path.as_ref().to_owned(), at(path.as_ref())?))).collect()
}

/// What a path shows in a resource; the first, where several elements have it.
pub fn value_at(body: &Value, path: &Path) -> Option<Value> {
    let list = path.select.is_none() && path.sub.is_none();
    let found = values(body, path);
    if list && path.top().is_some_and(|top| top.multi_valued) {
        return Some(Value::Array(found.into_iter().cloned().collect()));
    }
    let first = *found.first()?;
    // An attribute that nobody knows is shown as it is, a list whole.
    if list && found.len() > 1 {
        return Some(Value::Array(found.into_iter().cloned().collect()));
    }
    match first.as_object().filter(|_| path.leaf().is_some_and(Definition::has_value)) {
        Some(complex) => complex.get("value").cloned(),
        None => Some(first.clone()),
    }
}

/// The resource with each path set to its value; `null` unassigns. Of a list, only those elements are touched that the
/// brackets speak of, and one that loses its `value` goes.
pub fn changed(body: &Value, set: &[(String, Value)]) -> Value {
    let mut body = body.clone();
    for (path, value) in set {
        match Path::parse(path) {
            Ok(path) if value.is_null() => unassign(&mut body, &path),
            Ok(path) => place(&mut body, &path, value.clone()),
            Err(_) => {}
        }
    }
    body
}

fn unassign(body: &mut Value, path: &Path) {
    let root = match &path.urn {
        Some(urn) => body.get_mut(urn.as_str()),
        None => Some(body),
    };
    let Some(root) = root.and_then(Value::as_object_mut) else { return };
    let Some(slot) = root.get_mut(&path.name) else { return };
    let chosen =
        |element: &Value| path.select.as_deref().is_none_or(|select| select.matches_element(element));
    match (&path.sub, slot) {
        (None, Value::Array(elements)) if path.select.is_some() => {
            elements.retain(|element| !chosen(element));
        }
        (None, _) => drop(root.remove(&path.name)),
        (Some(sub), Value::Array(elements)) => elements.retain_mut(|element| {
            let cut = chosen(element) && element.as_object_mut().is_some_and(|it| it.remove(sub).is_some());
            !(cut && sub == "value")
        }),
        (Some(sub), Value::Object(complex)) => drop(complex.remove(sub)),
        _ => {}
    }
}

fn place(body: &mut Value, path: &Path, value: Value) {
    let root = match &path.urn {
        Some(urn) => object(&mut body[urn.as_str()]),
        None => object(body),
    };
    let Some(root) = root else { return };
    let slot = root.entry(path.name.clone()).or_insert(Value::Null);
    let multi_valued = path.select.is_some() || path.top().is_some_and(|top| top.multi_valued);
    let value = shaped(path, value);
    match (&path.sub, multi_valued) {
        (None, _) if path.select.is_none() => *slot = value,
        (sub, true) => place_in_element(slot, path.select.as_deref(), sub.as_deref(), value),
        (Some(sub), false) => {
            if let Some(complex) = object(slot) {
                complex.insert(sub.clone(), value);
            }
        }
        (None, false) => *slot = value,
    }
}

/// Sets a sub-attribute (`value`, where none is named) of the element that the brackets speak of.
fn place_in_element(slot: &mut Value, select: Option<&Filter>, sub: Option<&str>, value: Value) {
    if !slot.is_array() {
        *slot = json!([]);
    }
    let Some(elements) = slot.as_array_mut() else { return };
    let known =
        elements.iter().position(|element| select.is_none_or(|select| select.matches_element(element)));
    let at = known.unwrap_or_else(|| {
        elements.push(Value::Object(select.and_then(demanded).unwrap_or_default()));
        elements.len() - 1
    });
    elements[at][sub.unwrap_or("value")] = value;
}

/// The element that a value filter describes: its `eq` terms joined by `and`; `None` where it says more.
pub(super) fn demanded(select: &Filter) -> Option<Map<String, Value>> {
    let one = |term: &Filter| match term {
        Filter::Compare { path, op: Compare::Eq, value } if !value.is_null() => {
            Some((path.sub.clone()?, truth(path.leaf(), value.clone())))
        }
        _ => None,
    };
    select.terms().iter().map(one).collect()
}

/// The value as the schema wants it: booleans as booleans, a text for a complex attribute as its `value`.
fn shaped(path: &Path, value: Value) -> Value {
    let Some(leaf) = path.leaf() else { return value };
    if leaf.form != Form::Complex {
        return truth(Some(leaf), value);
    }
    let element = |value: Value| match value {
        Value::String(_) if leaf.has_value() => json!({ "value": value }),
        other => other,
    };
    match value {
        Value::Array(elements) => elements.into_iter().map(element).collect(),
        single if path.select.is_some() => single,
        single if leaf.multi_valued => json!([element(single)]),
        single => element(single),
    }
}

/// `"True"` and `"False"`, as mappings write them, are booleans where the attribute is one.
pub(super) fn truth(definition: Option<&Definition>, value: Value) -> Value {
    let boolean = definition.is_some_and(|definition| definition.form == Form::Boolean);
    match value.as_str() {
        Some(text) if boolean && text.eq_ignore_ascii_case("true") => Value::Bool(true),
        Some(text) if boolean && text.eq_ignore_ascii_case("false") => Value::Bool(false),
        _ => value,
    }
}

fn object(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

fn name_a_primary_email(body: &mut Value) {
    let Some(emails) = body.get_mut("emails").and_then(Value::as_array_mut) else { return };
    if emails.iter().any(|email| email.get("primary").is_some()) {
        return;
    }
    if let Some(work) = emails.iter_mut().find(|email| email["type"] == "work") {
        work["primary"] = Value::Bool(true);
    }
}

/// The core schema and the extensions in use: those of which an attribute is assigned (RFC 7643 section 3.3).
pub(super) fn schemas_of(kind: ResourceType, body: &Value) -> Value {
    let members = body.as_object().into_iter().flatten();
    let extensions = members.map(|(name, _)| name.as_str()).filter(|name| name.contains(':'));
    std::iter::once(schema::core(kind).urn).chain(extensions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn attributes(pairs: &[(&str, Value)]) -> Attributes {
        pairs.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_change_touches_what_it_names_and_nothing_else() {
        let body = json!({
            "userName": "ann", "title": "Boss", "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"type": "home", "value": "h@x.example"}, {"type": "work", "value": "w@x.example"}],
            "phoneNumbers": [{"type": "work", "value": "1"}],
            ENTERPRISE: {"department": "R&D", "manager": {"value": "7"}},
        });
        let set = [
            ("title".to_owned(), Value::Null),
            ("name.familyName".to_owned(), json!("Koch")),
            ("emails[type eq \"work\"].value".to_owned(), json!("new@x.example")),
            ("emails[type eq \"other\"].value".to_owned(), json!("o@x.example")),
            ("phoneNumbers[type eq \"work\"].value".to_owned(), Value::Null),
            (format!("{ENTERPRISE}:department"), Value::Null),
            (format!("{ENTERPRISE}:manager"), json!("8")),
        ];
        assert_eq!(
            changed(&body, &set),
            json!({
                "userName": "ann", "name": {"givenName": "Ann", "familyName": "Koch"},
                "emails": [
                    {"type": "home", "value": "h@x.example"}, {"type": "work", "value": "new@x.example"},
                    {"type": "other", "value": "o@x.example"},
                ],
                "phoneNumbers": [],
                ENTERPRISE: {"manager": {"value": "8"}},
            })
        );
    }

    #[test]
    fn flat_values_become_a_resource_and_come_back() {
        let flat = attributes(&[
            ("userName", json!("ann@x.example")),
            ("active", json!(true)),
            ("name.givenName", json!("Ann")),
            ("name.familyName", json!("Lee")),
            ("emails[type eq \"work\"].value", json!("ann@x.example")),
            (&format!("{ENTERPRISE}:department"), json!("Sales")),
            (&format!("{ENTERPRISE}:manager"), json!("m1")),
        ]);
        let body = resource(ResourceType::User, &flat);
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "userName": "ann@x.example", "active": true,
            "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"type": "work", "value": "ann@x.example", "primary": true}],
            ENTERPRISE: {"department": "Sales", "manager": {"value": "m1"}},
        });
        assert_eq!(body, expected);
        assert_eq!(shown(&body, flat.0.keys()), flat);
    }

    #[test]
    fn brackets_that_say_the_same_share_an_element() {
        let body = resource(
            ResourceType::User,
            &attributes(&[
                ("addresses[type eq \"work\"].country", json!("US")),
                ("addresses[type eq \"work\"].locality", json!("Reno")),
                ("emails[type eq \"home\"].value", json!("h@x.example")),
                ("emails[type eq \"work\" and primary eq false].value", json!("w@x.example")),
            ]),
        );
        assert_eq!(body["addresses"], json!([{"type": "work", "country": "US", "locality": "Reno"}]));
        assert_eq!(
            body["emails"],
            json!([
                {"type": "home", "value": "h@x.example"},
                {"type": "work", "primary": false, "value": "w@x.example"},
            ])
        );
    }

    #[test]
    fn a_boolean_written_as_text_is_one() {
        let body = resource(
            ResourceType::User,
            &attributes(&[("active", json!("False")), ("title", json!("True"))]),
        );
        assert_eq!((&body["active"], &body["title"]), (&json!(false), &json!("True")));
    }

    #[test]
    fn what_is_not_there_is_not_shown() {
        let body = json!({"userName": "x", "emails": [{"type": "home", "value": "h"}]});
        let paths = ["userName", "title", "emails[type eq \"work\"].value", "name.givenName"];
        assert_eq!(shown(&body, paths), attributes(&[("userName", json!("x"))]));
    }

    #[test]
    fn an_extension_that_nobody_knows_is_carried() {
        let flat = attributes(&[("urn:example:custom:2.0:User:tag", json!("blue"))]);
        let body = resource(ResourceType::User, &flat);
        assert_eq!(body["urn:example:custom:2.0:User"]["tag"], json!("blue"));
        assert_eq!(shown(&body, flat.0.keys()), flat);
    }
}
