//! Reading what a client sends: a whole resource, or one attribute's value, in the schema's spelling and types.

use serde_json::Map;
use serde_json::Value;

use super::Dialect;
use super::Error;
use super::ResourceId;
use super::ResourceType;
use super::ScimType;
use super::resource::truth;
use super::schema;
use super::schema::Definition;
use super::schema::Form;
use super::schema::Mutability;

/// A resource as it is kept: assigned, writable attributes only; no `schemas`, `id` or `meta`; members apart.
#[derive(Clone, PartialEq)]
pub struct Incoming {
    pub body: Value,
    /// Of a group, in the order in which they were sent.
    pub members: Vec<ResourceId>,
}

/// Shows attribute names only (P11).
impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.body.as_object().map(|body| body.keys().collect::<Vec<_>>());
        write!(f, "Incoming({names:?}, {} members)", self.members.len())
    }
}

/// The body of a POST or PUT (RFC 7644 sections 3.3, 3.5.1). What is read-only is ignored, as is a password,
/// which nobody here could check. The tolerant dialect also ignores what it does not know.
pub fn incoming(kind: ResourceType, dialect: Dialect, sent: &Value) -> Result<Incoming, Error> {
    let sent = sent
        .as_object()
        .ok_or_else(|| Error::bad(ScimType::InvalidSyntax, "the body is not a JSON object"))?;
    check_schemas(kind, dialect, sent)?;
    let mut body = Map::new();
    let mut members = Vec::new();
    for (name, value) in sent {
        if let Some(extension) = schema::extension(kind, name) {
            if let Some(kept) = extension_value(extension, value, dialect)? {
                insert(&mut body, extension.urn, kept)?;
            }
        } else if let Some(definition) = schema::attribute(kind, name) {
            if is_members(kind, definition) {
                members = member_ids(value, dialect)?;
            } else if let Some(kept) = writable(definition, value, dialect)? {
                insert(&mut body, definition.name, kept)?;
            }
        } else {
            unknown(name, dialect)?;
        }
    }
    require_all(kind, &body)?;
    Ok(Incoming { body: Value::Object(body), members })
}

/// Whether it is the one attribute that is kept as rows of its own.
pub(super) fn is_members(kind: ResourceType, definition: &Definition) -> bool {
    kind == ResourceType::Group && definition.name == "members"
}

/// The ids in a list of members; elements without a value are left out.
pub(super) fn member_ids(value: &Value, dialect: Dialect) -> Result<Vec<ResourceId>, Error> {
    let definition = schema::attribute(ResourceType::Group, "members").expect("the group schema has members");
    let Some(Value::Array(elements)) = attribute_value(definition, value, dialect)? else {
        return Ok(Vec::new());
    };
    let ids = elements.iter().filter_map(|element| element["value"].as_str());
    Ok(ids.map(|id| ResourceId(id.to_owned())).collect())
}

/// Every required attribute is assigned (RFC 7643 section 2.2).
pub(super) fn require_all(kind: ResourceType, body: &Map<String, Value>) -> Result<(), Error> {
    let missing =
        schema::core(kind).attributes.iter().filter(|definition| definition.required).find(|definition| {
            body.get(definition.name)
                .is_none_or(|value| value.as_str().is_some_and(|text| text.trim().is_empty()))
        });
    match missing {
        Some(definition) => {
            Err(Error::bad(ScimType::InvalidValue, format!("{} is required", definition.name)))
        }
        None => Ok(()),
    }
}

fn check_schemas(kind: ResourceType, dialect: Dialect, sent: &Map<String, Value>) -> Result<(), Error> {
    if dialect == Dialect::Tolerant {
        return Ok(());
    }
    let urns: Vec<&str> = sent
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("schemas"))
        .and_then(|(_, value)| value.as_array())
        .map(|urns| urns.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let core = schema::core(kind).urn;
    if !urns.iter().any(|urn| urn.eq_ignore_ascii_case(core)) {
        return Err(Error::bad(ScimType::InvalidValue, format!("schemas does not name {core}")));
    }
    let known = |urn: &str| urn.eq_ignore_ascii_case(core) || schema::extension(kind, urn).is_some();
    if urns.iter().all(|urn| known(urn)) {
        Ok(())
    } else {
        Err(Error::bad(
            ScimType::InvalidValue,
            "schemas names a schema that this resource type does not have",
        ))
    }
}

fn extension_value(
    extension: &schema::Schema,
    value: &Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    if value.is_null() {
        return Ok(None);
    }
    let members = value
        .as_object()
        .ok_or_else(|| Error::bad(ScimType::InvalidValue, format!("{} is not an object", extension.urn)))?;
    let mut kept = Map::new();
    for (name, value) in members {
        match extension.attribute(name) {
            Some(definition) => {
                if let Some(value) = writable(definition, value, dialect)? {
                    insert(&mut kept, definition.name, value)?;
                }
            }
            None => unknown(name, dialect)?,
        }
    }
    Ok((!kept.is_empty()).then_some(Value::Object(kept)))
}

fn unknown(name: &str, dialect: Dialect) -> Result<(), Error> {
    match dialect {
        Dialect::Strict => {
            let name: String = name.chars().take(80).collect();
            Err(Error::bad(ScimType::InvalidValue, format!("{name} is no attribute of this resource type")))
        }
        Dialect::Tolerant => Ok(()),
    }
}

fn writable(
    definition: &'static Definition,
    value: &Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    match definition.mutability {
        Mutability::ReadOnly | Mutability::WriteOnly => Ok(None),
        Mutability::ReadWrite | Mutability::Immutable => attribute_value(definition, value, dialect),
    }
}

/// A value in the types of the schema; `None` where it means "unassigned" (null, an empty list, and in the
/// tolerant dialect an empty text).
pub(super) fn attribute_value(
    definition: &'static Definition,
    value: &Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    match (definition.multi_valued, value) {
        (_, Value::Null) => Ok(None),
        (true, Value::Array(elements)) => list(definition, elements, dialect),
        (true, single) if dialect == Dialect::Tolerant => {
            list(definition, std::slice::from_ref(single), dialect)
        }
        (true, _) => Err(wrong(definition, "is a list")),
        (false, Value::Array(elements)) if elements.is_empty() => Ok(None),
        (false, Value::Array(elements)) => match elements.as_slice() {
            [single] if dialect == Dialect::Tolerant => element(definition, single, dialect),
            _ => Err(wrong(definition, "has one value, not a list")),
        },
        (false, single) => element(definition, single, dialect),
    }
}

fn list(
    definition: &'static Definition,
    elements: &[Value],
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    let mut kept: Vec<Value> = Vec::new();
    // Of a long member list only the ids are wanted, and rows keep those apart.
    let distinct = definition.name != "members";
    for sent in elements {
        let Some(value) = element(definition, sent, dialect)? else { continue };
        if !distinct || !kept.iter().any(|known| same_element(known, &value)) {
            kept.push(value);
        }
    }
    if kept.iter().filter(|element| element["primary"] == true).count() > 1 {
        return Err(wrong(definition, "has two primary values"));
    }
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

/// One value, or one element of a list.
pub(super) fn element(
    definition: &'static Definition,
    value: &Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    let tolerant = dialect == Dialect::Tolerant;
    match (definition.form, value) {
        (_, Value::Null) => Ok(None),
        (Form::Complex, Value::Object(members)) => complex(definition, members, dialect),
        (Form::Complex, Value::String(text)) if tolerant && definition.has_value() => {
            Ok((!text.is_empty()).then(|| serde_json::json!({ "value": text })))
        }
        (Form::Complex, _) => Err(wrong(definition, "is an object")),
        (Form::Boolean, Value::Bool(_)) => Ok(Some(value.clone())),
        (Form::Boolean, Value::String(text)) if tolerant && text.is_empty() => Ok(None),
        (Form::Boolean, Value::String(_)) if tolerant => match truth(Some(definition), value.clone()) {
            Value::Bool(truth) => Ok(Some(Value::Bool(truth))),
            _ => Err(wrong(definition, "is true or false")),
        },
        (Form::Boolean, _) => Err(wrong(definition, "is true or false")),
        (_, Value::String(text)) if tolerant && text.is_empty() => Ok(None),
        (_, Value::String(_)) => Ok(Some(value.clone())),
        _ => Err(wrong(definition, "is a text")),
    }
}

fn complex(
    definition: &'static Definition,
    members: &Map<String, Value>,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    let mut kept = Map::new();
    for (name, value) in members {
        match definition.sub(name) {
            Some(sub) if sub.mutability == Mutability::ReadOnly => {}
            Some(sub) => {
                if let Some(value) = element(sub, value, dialect)? {
                    insert(&mut kept, sub.name, value)?;
                }
            }
            None => unknown(name, dialect)?,
        }
    }
    Ok((!kept.is_empty()).then_some(Value::Object(kept)))
}

/// Elements of one list that mean the same: equal type and value, or equal as a whole (RFC 7643 section 2.4).
pub(super) fn same_element(a: &Value, b: &Value) -> bool {
    let keyed = a.get("value").is_some() && b.get("value").is_some();
    if keyed { a["value"] == b["value"] && a.get("type") == b.get("type") } else { a == b }
}

/// Two spellings of one name in one object contradict each other.
fn insert(object: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Error> {
    match object.insert(name.to_owned(), value) {
        Some(_) => Err(Error::bad(ScimType::InvalidSyntax, format!("{name} is there twice"))),
        None => Ok(()),
    }
}

fn wrong(definition: &Definition, what: &str) -> Error {
    Error::bad(ScimType::InvalidValue, format!("{} {what}", definition.name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(dialect: Dialect, sent: Value, expected: Result<Value, &str>) {
        let got =
            incoming(ResourceType::User, dialect, &sent).map(|read| read.body).map_err(|error| error.detail);
        assert_eq!(got, expected.map_err(str::to_owned));
    }

    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    #[test]
    fn names_get_the_schemas_spelling_and_read_only_members_are_ignored() {
        check(
            Dialect::Strict,
            json!({"schemas": [CORE], "USERNAME": "ann", "id": "mine", "meta": {}, "groups": [],
                   "password": "x", "emails": [{"Primary": true, "VALUE": "a@x"}], "title": null}),
            Ok(json!({"userName": "ann", "emails": [{"primary": true, "value": "a@x"}]})),
        );
    }

    #[test]
    fn the_tolerant_dialect_takes_what_clients_really_send() {
        check(
            Dialect::Tolerant,
            json!({"userName": "ann", "active": "False", "nickName": "", "shoeSize": 9, "roles": "admin",
                   ENTERPRISE: {"Department": "Sales", "Manager": "m1", "hat": "red"}}),
            Ok(json!({"userName": "ann", "active": false, "roles": [{"value": "admin"}],
                      ENTERPRISE: {"department": "Sales", "manager": {"value": "m1"}}})),
        );
    }

    #[test]
    fn the_strict_dialect_says_what_is_wrong() {
        let strict = |extra: Value, expected| {
            let mut sent = json!({"schemas": [CORE], "userName": "ann"});
            sent.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
            check(Dialect::Strict, sent, Err(expected));
        };
        strict(json!({"active": "true"}), "active is true or false");
        strict(json!({"shoeSize": 9}), "shoeSize is no attribute of this resource type");
        strict(json!({"emails": "a@x"}), "emails is a list");
        strict(json!({"title": ["a"]}), "title has one value, not a list");
        strict(json!({"USERNAME": "bob"}), "userName is there twice");
        strict(json!({"userName": " "}), "userName is required");
        strict(
            json!({"schemas": [ENTERPRISE]}),
            "schemas does not name urn:ietf:params:scim:schemas:core:2.0:User",
        );
        strict(
            json!({"schemas": [CORE, "urn:x"]}),
            "schemas names a schema that this resource type does not have",
        );
        strict(
            json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}),
            "emails has two primary values",
        );
    }

    #[test]
    fn equal_elements_are_one_and_members_stand_apart() {
        let sent = json!({"displayName": "Sales", "members": [{"value": "u1", "$ref": null}, "u2"]});
        let read = incoming(ResourceType::Group, Dialect::Tolerant, &sent).expect("a group");
        assert_eq!(read.body, json!({"displayName": "Sales"}));
        assert_eq!(read.members, [ResourceId("u1".to_owned()), ResourceId("u2".to_owned())]);
        check(
            Dialect::Tolerant,
            json!({"userName": "a", "emails": [{"type": "work", "value": "x"}, {"type": "work", "value": "x"}]}),
            Ok(json!({"userName": "a", "emails": [{"type": "work", "value": "x"}]})),
        );
    }
}
