//! Reading a schema from JSON (RFC 7643 section 7), every problem with its place.

use std::fmt;

use serde_json::Map;
use serde_json::Value;

use super::Definition;
use super::Form;
use super::Mutability;
use super::Returned;
use super::Schema;

/// What is wrong with a schema, and where: `attributes[2].type`, or the line and column of what is no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub at: String,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.is_empty() {
            true => f.write_str(&self.what),
            false => write!(f, "{}: {}", self.at, self.what),
        }
    }
}

impl std::error::Error for Problem {}

/// Reads the JSON of a schema. What a characteristic does not say has the default of RFC 7643 section 2.2. The
/// schema is kept in memory until the process ends, so read a file once.
pub fn read(json: &str) -> Result<Schema, Problem> {
    let value: Value = serde_json::from_str(json).map_err(|error| Problem {
        at: format!("line {} column {}", error.line(), error.column()),
        what: "this is no JSON".to_owned(),
    })?;
    let object = At::root(&value).object()?;
    // `schemas` and `meta` are there when the answer of another service was saved.
    object.only(&["id", "name", "description", "attributes", "schemas", "meta"])?;
    let urn = urn(&object)?;
    let attributes = definitions(&object.need("attributes")?, Level::Attribute)?;
    Ok(Schema {
        urn: leak(urn),
        name: leak(object.need("name")?.text()?),
        description: leak(object.text_or("description", "")?),
        attributes,
    })
}

fn urn<'a>(object: &Object<'a>) -> Result<&'a str, Problem> {
    let id = object.need("id")?;
    let urn = id.text()?;
    let written = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '-' | '_' | '$' | '/' | '%');
    let begins = |start: &str| urn.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    if !begins("urn:") || urn.ends_with(':') || !urn.chars().all(written) {
        return Err(id.wrong("a URN is needed, as urn:example:params:scim:schemas:acme:2.0:User"));
    }
    if begins("urn:ietf:params:scim:schemas:core:") || begins("urn:ietf:params:scim:api:") {
        return Err(id.wrong("this URN belongs to RFC 7643 or RFC 7644: an extension has one of its own"));
    }
    Ok(urn)
}

/// Where a definition stands: sub-attributes may do less.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Attribute,
    Sub,
}

fn definitions(list: &At<'_>, level: Level) -> Result<&'static [Definition], Problem> {
    let elements = list.elements()?;
    if elements.is_empty() {
        return Err(list.wrong("at least one attribute is needed"));
    }
    let mut found: Vec<Definition> = Vec::new();
    for element in elements {
        let definition = definition(&element, level)?;
        if found.iter().any(|known| known.name.eq_ignore_ascii_case(definition.name)) {
            return Err(element.within("name").wrong("another attribute has this name; case does not count"));
        }
        found.push(definition);
    }
    Ok(found.leak())
}

fn definition(element: &At<'_>, level: Level) -> Result<Definition, Problem> {
    let object = element.object()?;
    object.only(&[
        "name",
        "type",
        "description",
        "multiValued",
        "required",
        "caseExact",
        "mutability",
        "returned",
        "uniqueness",
        "canonicalValues",
        "referenceTypes",
        "subAttributes",
    ])?;
    let name = object.need("name")?;
    if !is_name(name.text()?) {
        return Err(name.wrong("a name is a letter, then letters, digits, `-`, `_` or `$`"));
    }
    let form = object.word("type", &Form::ALL, Form::word, None)?;
    let sub = sub_attributes(&object, form, level)?;
    let definition = Definition {
        name: leak(name.text()?),
        description: leak(object.text_or("description", "")?),
        form,
        multi_valued: object.truth("multiValued")?,
        required: object.truth("required")?,
        // Both are compared as they are, whatever is written (RFC 7643 sections 2.3.6, 2.3.7).
        case_exact: object.truth("caseExact")? || matches!(form, Form::Reference | Form::Binary),
        mutability: object.word(
            "mutability",
            &Mutability::ALL,
            Mutability::word,
            Some(Mutability::ReadWrite),
        )?,
        returned: object.word("returned", &Returned::ALL, Returned::word, Some(Returned::Default))?,
        unique: unique(&object)?,
        canonical: object.texts("canonicalValues")?,
        refers_to: object.texts("referenceTypes")?,
        sub,
    };
    consistent(&object, &definition, level)?;
    Ok(definition)
}

fn sub_attributes(object: &Object<'_>, form: Form, level: Level) -> Result<&'static [Definition], Problem> {
    match (form, level) {
        (Form::Complex, Level::Attribute) => definitions(&object.need("subAttributes")?, Level::Sub),
        (Form::Complex, Level::Sub) => {
            Err(object.at("type").wrong("a complex value holds no complex values (RFC 7643 section 2.3.8)"))
        }
        _ if object.get("subAttributes").is_some() => {
            Err(object.at("subAttributes").wrong("only the type complex has sub-attributes"))
        }
        _ => Ok(&[]),
    }
}

fn unique(object: &Object<'_>) -> Result<bool, Problem> {
    match object.text_or("uniqueness", "none")? {
        "none" => Ok(false),
        "server" => Ok(true),
        "global" => {
            Err(object.at("uniqueness").wrong("nobody can promise that beyond this service: use server"))
        }
        _ => Err(object.at("uniqueness").wrong("none or server is expected")),
    }
}

/// What no service could keep is refused here, not at the first write.
fn consistent(object: &Object<'_>, definition: &Definition, level: Level) -> Result<(), Problem> {
    let single = level == Level::Attribute && !definition.multi_valued && definition.form != Form::Complex;
    if level == Level::Sub && definition.multi_valued {
        return Err(object.at("multiValued").wrong("a sub-attribute has one value: make it an attribute"));
    }
    if definition.unique && !single {
        return Err(object
            .at("uniqueness")
            .wrong("server is for a single simple value outside a complex one"));
    }
    if definition.required && definition.mutability == Mutability::ReadOnly {
        return Err(object.at("required").wrong("what clients cannot write cannot be required of them"));
    }
    if definition.mutability == Mutability::WriteOnly && definition.returned != Returned::Never {
        return Err(object.at("returned").wrong("what is writeOnly is returned never"));
    }
    Ok(())
}

/// ATTRNAME of RFC 7643 section 2.1, and `$ref`.
fn is_name(name: &str) -> bool {
    let body = name.strip_prefix('$').unwrap_or(name);
    body.starts_with(|c: char| c.is_ascii_alphabetic())
        && body.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$'))
}

fn leak(text: &str) -> &'static str {
    String::leak(text.to_owned())
}

/// A value and the way to it.
struct At<'a> {
    value: &'a Value,
    path: String,
}

/// An object and the way to it.
struct Object<'a> {
    members: &'a Map<String, Value>,
    path: String,
}

impl<'a> At<'a> {
    fn root(value: &'a Value) -> At<'a> {
        At { value, path: String::new() }
    }

    fn wrong(&self, what: &str) -> Problem {
        Problem { at: self.path.clone(), what: what.to_owned() }
    }

    /// A place below, for what is said of it.
    fn within(&self, name: &str) -> At<'a> {
        At { value: self.value, path: below(&self.path, name) }
    }

    fn object(&self) -> Result<Object<'a>, Problem> {
        let members = self.value.as_object().ok_or_else(|| self.wrong("an object is expected"))?;
        Ok(Object { members, path: self.path.clone() })
    }

    fn text(&self) -> Result<&'a str, Problem> {
        match self.value.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(self.wrong("a text is expected")),
        }
    }

    fn elements(&self) -> Result<Vec<At<'a>>, Problem> {
        let elements = self.value.as_array().ok_or_else(|| self.wrong("a list is expected"))?;
        let place = |(n, value)| At { value, path: format!("{}[{n}]", self.path) };
        Ok(elements.iter().enumerate().map(place).collect())
    }
}

impl<'a> Object<'a> {
    fn at(&self, name: &str) -> At<'a> {
        At { value: self.get(name).unwrap_or(&Value::Null), path: below(&self.path, name) }
    }

    /// What is null counts as not there.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn need(&self, name: &str) -> Result<At<'a>, Problem> {
        match self.get(name) {
            Some(_) => Ok(self.at(name)),
            None => Err(self.at(name).wrong("this is missing")),
        }
    }

    fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(self.at(name).wrong("no schema has this (RFC 7643 section 7)")),
            None => Ok(()),
        }
    }

    fn text_or(&self, name: &str, otherwise: &'a str) -> Result<&'a str, Problem> {
        match self.get(name) {
            None => Ok(otherwise),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(self.at(name).wrong("a text is expected")),
        }
    }

    fn truth(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(_) => Err(self.at(name).wrong("true or false is expected")),
        }
    }

    /// One of the words of a characteristic.
    fn word<T: Copy>(
        &self,
        name: &str,
        all: &[T],
        word: fn(T) -> &'static str,
        otherwise: Option<T>,
    ) -> Result<T, Problem> {
        if let (None, Some(otherwise)) = (self.get(name), otherwise) {
            return Ok(otherwise);
        }
        let text = self.need(name)?.text()?;
        all.iter().copied().find(|one| word(*one) == text).ok_or_else(|| {
            let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
            self.at(name).wrong(&format!("one of {} is expected", words.join(", ")))
        })
    }

    fn texts(&self, name: &str) -> Result<&'static [&'static str], Problem> {
        if self.get(name).is_none() {
            return Ok(&[]);
        }
        let elements = self.at(name).elements()?;
        let texts: Vec<&'static str> =
            elements.iter().map(|element| element.text().map(leak)).collect::<Result<_, _>>()?;
        Ok(texts.leak())
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(attribute: Value) -> Value {
        json!({"id": "urn:example:params:scim:schemas:acme:2.0:User", "name": "Acme", "attributes": [attribute]})
    }

    fn refused(json: &Value, expected: &str) {
        assert_eq!(read(&json.to_string()).map_err(|problem| problem.to_string()), Err(expected.to_owned()));
    }

    #[test]
    fn what_is_not_said_has_the_default_of_the_rfc() {
        let read = read(&schema(json!({"name": "badge", "type": "string"})).to_string()).expect("a schema");
        assert_eq!((read.urn, read.name), ("urn:example:params:scim:schemas:acme:2.0:User", "Acme"));
        let expected = Definition {
            name: "badge",
            description: "",
            form: Form::Text,
            multi_valued: false,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            unique: false,
            canonical: &[],
            refers_to: &[],
            sub: &[],
        };
        assert_eq!(read.attributes, [expected]);
    }

    #[test]
    fn every_characteristic_is_read() {
        let sent = schema(json!({
            "name": "desk", "type": "complex", "multiValued": true, "description": "Where", "required": true,
            "mutability": "immutable", "returned": "request", "subAttributes": [
                {"name": "value", "type": "reference", "referenceTypes": ["User"], "returned": "always"},
                {"name": "kind", "type": "string", "caseExact": true, "canonicalValues": ["a", "b"]},
                {"name": "floor", "type": "integer"}, {"name": "rent", "type": "decimal"},
            ],
        }));
        let read = read(&sent.to_string()).expect("a schema");
        let desk = &read.attributes[0];
        assert_eq!((desk.form, desk.multi_valued, desk.required), (Form::Complex, true, true));
        assert_eq!((desk.mutability, desk.returned), (Mutability::Immutable, Returned::Request));
        let value = desk.sub("VALUE").expect("a sub-attribute");
        assert_eq!((value.form, value.case_exact, value.refers_to), (Form::Reference, true, &["User"][..]));
        assert_eq!(
            desk.sub("kind").map(|kind| (kind.case_exact, kind.canonical)),
            Some((true, &["a", "b"][..]))
        );
        let forms: Vec<Form> = desk.sub.iter().map(|sub| sub.form).collect();
        assert_eq!(forms, [Form::Reference, Form::Text, Form::Integer, Form::Decimal]);
    }

    #[test]
    fn a_problem_names_its_place() {
        assert_eq!(read("{\n \"id\"").map_err(|problem| problem.at), Err("line 2 column 5".to_owned()));
        refused(&json!([]), "an object is expected");
        refused(&json!({"name": "x"}), "id: this is missing");
        refused(
            &json!({"id": "acme"}),
            "id: a URN is needed, as urn:example:params:scim:schemas:acme:2.0:User",
        );
        refused(
            &json!({"id": "URN:ietf:params:scim:schemas:core:2.0:User"}),
            "id: this URN belongs to RFC 7643 or RFC 7644: an extension has one of its own",
        );
        refused(&json!({"id": "urn:a:b", "attributes": []}), "attributes: at least one attribute is needed");
        refused(&json!({"id": "urn:a:b", "shape": 1}), "shape: no schema has this (RFC 7643 section 7)");
        let text = json!({"name": "a", "type": "string"});
        let with = |name: &str, value: Value| {
            let mut attribute = text.clone();
            attribute[name] = value;
            schema(attribute)
        };
        refused(
            &with("name", json!("1a")),
            "attributes[0].name: a name is a letter, then letters, digits, `-`, `_` or `$`",
        );
        refused(
            &with("type", json!("text")),
            "attributes[0].type: one of string, boolean, integer, decimal, dateTime, binary, reference, complex is expected",
        );
        refused(&with("type", Value::Null), "attributes[0].type: this is missing");
        refused(&with("required", json!("yes")), "attributes[0].required: true or false is expected");
        refused(
            &with("uniqueness", json!("global")),
            "attributes[0].uniqueness: nobody can promise that beyond this service: use server",
        );
        refused(
            &with("subAttributes", json!([])),
            "attributes[0].subAttributes: only the type complex has sub-attributes",
        );
        refused(
            &with("mutability", json!("writeOnly")),
            "attributes[0].returned: what is writeOnly is returned never",
        );
        let nested = |sub: Value| {
            schema(
                json!({"name": "c", "type": "complex", "subAttributes": [{"name": "x", "type": "string"}, sub]}),
            )
        };
        refused(
            &nested(json!({"name": "d", "type": "complex", "subAttributes": []})),
            "attributes[0].subAttributes[1].type: a complex value holds no complex values (RFC 7643 section 2.3.8)",
        );
        refused(
            &nested(json!({"name": "X", "type": "string"})),
            "attributes[0].subAttributes[1].name: another attribute has this name; case does not count",
        );
        refused(
            &nested(json!({"name": "d", "type": "string", "uniqueness": "server"})),
            "attributes[0].subAttributes[1].uniqueness: server is for a single simple value outside a complex one",
        );
    }
}
