//! Reading what a client sends: a whole resource, or one attribute's value, in the schema's spelling and types.

use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Value;

use super::Dialect;
use super::Error;
use super::ResourceId;
use super::ResourceType;
use super::ScimType;
use super::elements::join;
use super::form::instant;
use super::form::is_base64;
use super::resource::truth;
use super::schema;
use super::schema::Definition;
use super::schema::Form;
use super::schema::Mutability;
use super::schema::Schema;

/// A resource as it is kept: assigned, writable attributes only; no `schemas`, `id` or `meta`; members apart.
#[derive(Clone, PartialEq)]
pub struct Incoming {
    pub body: Value,
    /// Of a group, in the order in which they were sent.
    pub members: Vec<ResourceId>,
    /// How many attributes nobody knows and were left out (tolerant dialect only).
    pub ignored: u64,
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
    no_twins(sent)?;
    check_schemas(kind, dialect, sent)?;
    let mut intake = Intake::new(dialect);
    let mut body = Map::new();
    let mut members = Vec::new();
    for (name, value) in sent {
        if let Some(extension) = schema::extension(kind, name) {
            if let Some(kept) = intake.extension(extension, value)? {
                body.insert(extension.urn.to_owned(), kept);
            }
        } else if let Some(definition) = schema::attribute(kind, name) {
            if is_members(kind, definition) {
                members = intake.member_ids(definition, value)?;
            } else if let Some(kept) = intake.writable(definition, value)? {
                body.insert(definition.name.to_owned(), kept);
            }
        } else {
            intake.unknown(name)?;
        }
    }
    require_all(kind, &body)?;
    Ok(Incoming { body: Value::Object(body), members, ignored: intake.ignored })
}

/// Whether it is the one attribute that is kept as rows of its own.
pub(super) fn is_members(kind: ResourceType, definition: &Definition) -> bool {
    kind == ResourceType::Group && definition.name == "members"
}

/// A password is taken and dropped: nobody here could check it.
pub(super) fn is_dropped(definition: &Definition) -> bool {
    definition.mutability == Mutability::WriteOnly && definition.name == "password"
}

/// Every required attribute is assigned, those of an extension where it is in use (RFC 7643 section 2.2).
pub(super) fn require_all(kind: ResourceType, body: &Map<String, Value>) -> Result<(), Error> {
    if let Some(missing) = missing(schema::core(kind).attributes, body) {
        return Err(required(missing));
    }
    for extension in schema::extensions(kind) {
        let members = body.get(extension.urn).and_then(Value::as_object);
        if let Some(missing) = members.and_then(|members| missing(extension.attributes, members)) {
            return Err(required(format!("{}:{missing}", extension.urn)));
        }
    }
    Ok(())
}

fn required(name: String) -> Error {
    Error::bad(ScimType::InvalidValue, format!("{name} is required"))
}

/// The first required attribute that is not there, or that lacks a required part.
fn missing(definitions: &'static [Definition], members: &Map<String, Value>) -> Option<String> {
    definitions.iter().find_map(|definition| match members.get(definition.name) {
        Some(value) if !is_blank(value) => {
            let elements = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
            let lacking = |element: &Value| missing(definition.sub, element.as_object()?);
            elements.iter().find_map(lacking).map(|sub| format!("{}.{sub}", definition.name))
        }
        _ => definition.required.then(|| definition.name.to_owned()),
    })
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn check_schemas(kind: ResourceType, dialect: Dialect, sent: &Map<String, Value>) -> Result<(), Error> {
    if dialect == Dialect::Tolerant {
        return Ok(());
    }
    let wrong = |detail: &str| Err(Error::bad(ScimType::InvalidValue, detail));
    let urns: Vec<&str> = sent
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("schemas"))
        .and_then(|(_, value)| value.as_array())
        .map(|urns| urns.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let core = schema::core(kind).urn;
    if !urns.iter().any(|urn| urn.eq_ignore_ascii_case(core)) {
        return wrong(&format!("schemas does not name {core}"));
    }
    let known = |urn: &str| urn.eq_ignore_ascii_case(core) || schema::extension(kind, urn).is_some();
    if !urns.iter().all(|urn| known(urn)) {
        return wrong("schemas names a schema that this resource type does not have");
    }
    let mut distinct = BTreeSet::new();
    match urns.iter().all(|urn| distinct.insert(urn.to_ascii_lowercase())) {
        true => Ok(()),
        false => wrong("schemas names a schema twice"),
    }
}

/// Two spellings of one name in one object contradict each other: names have no case (RFC 7643 section 2.1).
pub(super) fn no_twins(object: &Map<String, Value>) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    match object.keys().find(|name| !names.insert(name.to_ascii_lowercase())) {
        Some(twin) => Err(Error::bad(ScimType::InvalidSyntax, format!("{} is there twice", shortened(twin)))),
        None => Ok(()),
    }
}

/// A name that a client made up, for a message.
fn shortened(name: &str) -> String {
    name.chars().take(80).collect()
}

/// How values are read, and what was left out so far.
pub(super) struct Intake {
    dialect: Dialect,
    pub ignored: u64,
}

impl Intake {
    pub fn new(dialect: Dialect) -> Intake {
        Intake { dialect, ignored: 0 }
    }

    fn tolerant(&self) -> bool {
        self.dialect == Dialect::Tolerant
    }

    /// The ids in a list of members. An element without a value names nobody.
    pub fn member_ids(
        &mut self,
        definition: &'static Definition,
        value: &Value,
    ) -> Result<Vec<ResourceId>, Error> {
        let Some(Value::Array(elements)) = self.attribute(definition, value)? else { return Ok(Vec::new()) };
        let ids: Vec<&str> = elements.iter().filter_map(|element| element["value"].as_str()).collect();
        if !self.tolerant() && ids.len() < elements.len() {
            return Err(wrong(definition, "has an element without a value"));
        }
        Ok(ids.into_iter().map(|id| ResourceId(id.to_owned())).collect())
    }

    fn extension(&mut self, extension: &Schema, value: &Value) -> Result<Option<Value>, Error> {
        if value.is_null() {
            return Ok(None);
        }
        let not_an_object =
            || Error::bad(ScimType::InvalidValue, format!("{} is not an object", extension.urn));
        let members = value.as_object().ok_or_else(not_an_object)?;
        no_twins(members)?;
        let mut kept = Map::new();
        for (name, value) in members {
            match extension.attribute(name) {
                Some(definition) => {
                    if let Some(value) = self.writable(definition, value)? {
                        kept.insert(definition.name.to_owned(), value);
                    }
                }
                None => self.unknown(name)?,
            }
        }
        Ok((!kept.is_empty()).then_some(Value::Object(kept)))
    }

    /// A name that no schema has.
    pub fn unknown(&mut self, name: &str) -> Result<(), Error> {
        self.ignored += 1;
        match self.dialect {
            Dialect::Strict => {
                let detail = format!("{} is no attribute of this resource type", shortened(name));
                Err(Error::bad(ScimType::InvalidValue, detail))
            }
            Dialect::Tolerant => Ok(()),
        }
    }

    fn writable(&mut self, definition: &'static Definition, value: &Value) -> Result<Option<Value>, Error> {
        match definition.mutability {
            Mutability::ReadOnly => Ok(None),
            Mutability::WriteOnly if is_dropped(definition) => Ok(None),
            Mutability::ReadWrite | Mutability::Immutable | Mutability::WriteOnly => {
                self.attribute(definition, value)
            }
        }
    }

    /// A value in the types of the schema; `None` where it means "unassigned" (null, an empty list, and in the
    /// tolerant dialect an empty text).
    pub fn attribute(
        &mut self,
        definition: &'static Definition,
        value: &Value,
    ) -> Result<Option<Value>, Error> {
        match (definition.multi_valued, value) {
            (_, Value::Null) => Ok(None),
            (true, Value::Array(elements)) => self.list(definition, elements),
            (true, single) if self.tolerant() => self.list(definition, std::slice::from_ref(single)),
            (true, _) => Err(wrong(definition, "is a list")),
            (false, Value::Array(elements)) => match elements.as_slice() {
                [] => Ok(None),
                [single] if self.tolerant() => self.element(definition, single),
                _ => Err(wrong(definition, "has one value, not a list")),
            },
            (false, single) => self.element(definition, single),
        }
    }

    fn list(&mut self, definition: &'static Definition, elements: &[Value]) -> Result<Option<Value>, Error> {
        let mut kept: Vec<Value> = Vec::new();
        // Of a long member list only the ids are wanted, and rows keep those apart.
        let distinct = definition.name != "members";
        for sent in elements {
            kept.extend(self.element(definition, sent)?);
        }
        if distinct {
            let mut joined = Vec::with_capacity(kept.len());
            join(definition, &mut joined, kept);
            kept = joined;
        }
        if kept.iter().filter(|element| element["primary"] == true).count() > 1 {
            return Err(wrong(definition, "has two primary values"));
        }
        Ok((!kept.is_empty()).then_some(Value::Array(kept)))
    }

    /// One value, or one element of a list.
    pub fn element(
        &mut self,
        definition: &'static Definition,
        value: &Value,
    ) -> Result<Option<Value>, Error> {
        let tolerant = self.tolerant();
        match (definition.form, value) {
            (_, Value::Null) => Ok(None),
            (Form::Complex, Value::Object(members)) => self.complex(definition, members),
            (Form::Complex, Value::String(text)) if tolerant && definition.has_value() => {
                Ok((!text.is_empty()).then(|| serde_json::json!({ "value": text })))
            }
            (Form::Complex, _) => Err(wrong(definition, "is an object")),
            (_, Value::String(text)) if tolerant && text.is_empty() => Ok(None),
            (Form::Boolean, Value::String(_)) if tolerant => {
                let truth = truth(Some(definition), value.clone());
                if truth.is_boolean() { Ok(Some(truth)) } else { Err(wrong(definition, "is true or false")) }
            }
            (form, value) => match misfit(form, value) {
                None => Ok(Some(value.clone())),
                Some(what) => Err(wrong(definition, what)),
            },
        }
    }

    fn complex(
        &mut self,
        definition: &'static Definition,
        members: &Map<String, Value>,
    ) -> Result<Option<Value>, Error> {
        no_twins(members)?;
        let mut kept = Map::new();
        for (name, value) in members {
            match definition.sub(name) {
                Some(sub) if sub.mutability == Mutability::ReadOnly => {}
                Some(sub) => {
                    if let Some(value) = self.attribute(sub, value)? {
                        kept.insert(sub.name.to_owned(), value);
                    }
                }
                None => self.unknown(name)?,
            }
        }
        Ok((!kept.is_empty()).then_some(Value::Object(kept)))
    }
}

/// Why a simple value does not fit the form (RFC 7643 section 2.3); `None` where it does.
fn misfit(form: Form, value: &Value) -> Option<&'static str> {
    let text = value.as_str();
    let (fits, what) = match form {
        Form::Text | Form::Reference => (text.is_some(), "is a text"),
        Form::Boolean => (value.is_boolean(), "is true or false"),
        // A fraction or an exponent makes another type of it (section 2.3.4).
        Form::Integer => (value.as_i64().is_some(), "is a whole number of 64 bits"),
        Form::Decimal => (value.is_number(), "is a number"),
        Form::DateTime => (text.and_then(instant).is_some(), "is a date and time, as 2008-01-23T04:56:22Z"),
        Form::Binary => (text.is_some_and(is_base64), "is base64"),
        Form::Complex => (value.is_object(), "is an object"),
    };
    (!fits).then_some(what)
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
