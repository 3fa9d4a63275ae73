//! Target attributes: whether a path can be written, and what a value becomes there.

use std::fmt;

use serde::Serialize;
use serde::Serializer;
use serde_json::Value as Json;

use crate::expr::Value;
use crate::expr::nearest;
use crate::scim::Compare;
use crate::scim::Filter;
use crate::scim::Kind;
use crate::scim::Path;
use crate::scim::schema;
use crate::scim::schema::Definition;
use crate::scim::schema::Form;
use crate::scim::schema::Mutability;

/// A target attribute: its SCIM path, and what the schemas say of it. The path is read once, when the rules are made,
/// and not for everybody who is mapped.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    path: String,
    takes: Takes,
}

impl Target {
    pub fn new(path: impl Into<String>) -> Target {
        let path = path.into();
        let takes = takes(&path);
        Target { path, takes }
    }

    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// Whether rows give several values here without an error.
    pub(super) fn takes_several(&self) -> bool {
        self.takes == Takes::Several
    }

    /// What a row's value becomes here: a boolean where the attribute is one, a list where it takes several and is not
    /// known to take one, else a text; `null` where there is no text.
    pub(super) fn json(&self, value: Value) -> Result<Json, String> {
        let is_list = matches!(value, Value::Many(_));
        let mut texts = value.into_values();
        texts.retain(|text| !text.is_empty());
        if is_list && self.takes == Takes::Several && !texts.is_empty() {
            return Ok(Json::from_iter(texts));
        }
        match (texts.len(), texts.pop()) {
            (_, None) => Ok(Json::Null),
            (1, Some(text)) if self.takes == Takes::Boolean => match text.as_str() {
                text if text.eq_ignore_ascii_case("true") => Ok(Json::Bool(true)),
                text if text.eq_ignore_ascii_case("false") => Ok(Json::Bool(false)),
                _ => Err("the row gives neither True nor False".to_owned()),
            },
            (1, Some(text)) => Ok(Json::String(text)),
            (_, Some(_)) if self.takes == Takes::Boolean => {
                Err("the row gives neither True nor False".to_owned())
            }
            (count, Some(_)) => {
                Err(format!("the row gives {count} values, and one is taken; choose one with Item(…, 1)"))
            }
        }
    }
}

impl std::ops::Deref for Target {
    type Target = str;

    fn deref(&self) -> &str {
        &self.path
    }
}

impl PartialEq<str> for Target {
    fn eq(&self, other: &str) -> bool {
        self.path == other
    }
}

impl PartialEq<&str> for Target {
    fn eq(&self, other: &&str) -> bool {
        self.path == *other
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.path, f)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.path)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    One,
    Boolean,
    /// An attribute that no schema of ours describes, or a list of simple values.
    Several,
}

fn takes(path: &str) -> Takes {
    let Ok(path) = Path::parse(path) else { return Takes::One };
    match path.leaf() {
        Some(leaf) if leaf.form == Form::Boolean => Takes::Boolean,
        Some(leaf) if leaf.multi_valued && leaf.sub.is_empty() => Takes::Several,
        Some(_) => Takes::One,
        None if path.select.is_none() => Takes::Several,
        None => Takes::One,
    }
}

/// Whether a row may write here; the error says what to write instead. References are checked by the caller.
pub(super) fn check(kind: Kind, text: &str) -> Result<(), String> {
    let path = Path::parse(text).map_err(|error| format!("this is no attribute path: {error}"))?;
    if path.is_extension() {
        return Err("this names a whole extension; name one of its attributes".to_owned());
    }
    let Some(top) = schema::top(kind.into(), &path) else { return unknown(kind, &path) };
    if path.to_string() != text {
        return Err(format!("the schema writes it `{path}`"));
    }
    match (top.mutability, top.name) {
        (Mutability::ReadOnly, _) => return Err("the target sets it itself".to_owned()),
        (_, "password") => return Err("passwords are not provisioned".to_owned()),
        _ if refers(top) => return Err("it is another person; add reference = true to the row".to_owned()),
        _ => {}
    }
    check_elements(top, &path)?;
    check_part(top, &path)
}

/// Whether a row may write a reference to another person here: where the schema has one, or where nobody knows it
/// (a service's own extension, which is then given the resource's id as a text).
pub(super) fn check_reference(kind: Kind, text: &str) -> Result<(), String> {
    let path = Path::parse(text).map_err(|error| format!("this is no attribute path: {error}"))?;
    let whole = path.select.is_none() && path.sub.is_none();
    match schema::top(kind.into(), &path) {
        None => unknown(kind, &path),
        Some(top) if refers(top) && whole && path.to_string() == text => Ok(()),
        Some(top) if refers(top) => {
            let urn = path.urn.as_ref().map_or(String::new(), |urn| format!("{urn}:"));
            Err(format!("write it whole, as {urn}{}", top.name))
        }
        Some(top) => Err(format!("`{}` is no reference to a person; leave reference out", top.name)),
    }
}

/// A complex attribute with one value whose `$ref` is that of a user (RFC 7643 section 4.3: `manager`).
fn refers(top: &Definition) -> bool {
    !top.multi_valued && top.sub("$ref").is_some_and(|part| part.refers_to.contains(&"User"))
}

/// A reference as the target takes it.
pub fn reference_value(path: &str, resource: &str) -> Json {
    let complex = Path::parse(path).ok().and_then(|path| path.leaf()).is_some_and(Definition::has_value);
    if complex { serde_json::json!({ "value": resource }) } else { Json::String(resource.to_owned()) }
}

/// An attribute of a core schema must be known; an extension that we do not know is the target's business.
fn unknown(kind: Kind, path: &Path) -> Result<(), String> {
    let known: Vec<&str> = match &path.urn {
        Some(urn) => match schema::extension(kind.into(), urn) {
            Some(extension) => extension.attributes.iter().map(|known| known.name).collect(),
            None => return Ok(()),
        },
        None => schema::core(kind.into())
            .attributes
            .iter()
            .map(|known| known.name)
            .chain(["externalId"])
            .collect(),
    };
    let text = format!("a SCIM {} has no attribute `{}`", kind.word(), path.name);
    Err(match nearest(&path.name, known) {
        Some(meant) => format!("{text}; did you mean `{meant}`?"),
        None => {
            format!("{text}; an attribute of the service's own is written with its schema's URN in front")
        }
    })
}

/// Brackets say which element of a list is meant, and a list without them could be any.
fn check_elements(top: &Definition, path: &Path) -> Result<(), String> {
    let name = top.name;
    match &path.select {
        None if top.multi_valued && !top.sub.is_empty() => {
            let part = top.sub.first().map_or("value", |part| part.name);
            Err(format!("say which of the {name} is meant, as in {name}[type eq \"work\"].{part}"))
        }
        Some(_) if !top.multi_valued => Err(format!("`{name}` has one value; leave the brackets out")),
        Some(select) if !select.terms().iter().all(is_equality) => {
            Err("only eq, joined by and, says what element is to be made".to_owned())
        }
        _ => Ok(()),
    }
}

fn is_equality(term: &Filter) -> bool {
    matches!(term, Filter::Compare { op: Compare::Eq, path, value } if path.sub.is_some() && !value.is_null())
}

fn check_part(top: &Definition, path: &Path) -> Result<(), String> {
    let parts = || top.sub.iter().map(|part| part.name);
    match &path.sub {
        Some(part) if top.sub(part).is_none() => Err(match nearest(part, parts()) {
            Some(meant) => format!("`{}` has no part `{part}`; did you mean `{meant}`?", top.name),
            None => format!(
                "`{}` has no part `{part}`; it has {}",
                top.name,
                parts().collect::<Vec<_>>().join(", ")
            ),
        }),
        None if top.form == Form::Complex => {
            let part = parts().next().unwrap_or_default();
            Err(format!("`{}` has parts; name one, as in {path}.{part}", top.name))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    #[test]
    fn the_paths_of_the_default_mapping_can_be_written() {
        for path in [
            "userName",
            "displayName",
            "externalId",
            "name.formatted",
            "emails[type eq \"work\"].value",
            "addresses[type eq \"work\"].streetAddress",
            "phoneNumbers[type eq \"mobile\"].value",
            "roles[primary eq \"True\"].value",
            "urn:example:2.0:User:badge",
            &format!("{ENTERPRISE}:department"),
        ] {
            assert_eq!(check(Kind::User, path), Ok(()), "{path}");
        }
    }

    #[test]
    fn a_path_that_cannot_be_written_says_what_can() {
        for (path, expected) in [
            ("userNam", "a SCIM user has no attribute `userNam`; did you mean `userName`?"),
            ("username", "the schema writes it `userName`"),
            (
                "shoeSize",
                "a SCIM user has no attribute `shoeSize`; an attribute of the service's own is written with its schema's URN in front",
            ),
            ("name", "`name` has parts; name one, as in name.formatted"),
            ("name.givename", "`name` has no part `givename`; did you mean `givenName`?"),
            ("emails", "say which of the emails is meant, as in emails[type eq \"work\"].value"),
            ("emails.value", "say which of the emails is meant, as in emails[type eq \"work\"].value"),
            (
                "addresses[type eq \"work\"]",
                "`addresses` has parts; name one, as in addresses[type eq \"work\"].formatted",
            ),
            ("emails[type ne \"work\"].value", "only eq, joined by and, says what element is to be made"),
            ("id", "the target sets it itself"),
            ("meta.version", "the target sets it itself"),
            ("groups[type eq \"direct\"].value", "the target sets it itself"),
            ("password", "passwords are not provisioned"),
            (ENTERPRISE, "this names a whole extension; name one of its attributes"),
            ("emails[type eq \"work\"", "this is no attribute path: `]` is missing at character 22"),
        ] {
            assert_eq!(check(Kind::User, path), Err(expected.to_owned()), "{path}");
        }
        assert_eq!(
            check(Kind::Group, "userName"),
            Err("a SCIM group has no attribute `userName`; an attribute of the service's own is written with its schema's URN in front".to_owned())
        );
    }

    #[test]
    fn a_reference_stands_where_the_schema_or_the_service_has_one() {
        let manager = format!("{ENTERPRISE}:manager");
        assert_eq!(check_reference(Kind::User, &manager), Ok(()));
        assert_eq!(check_reference(Kind::User, "urn:example:2.0:User:buddy"), Ok(()));
        for (path, expected) in [
            (format!("{manager}.value"), format!("write it whole, as {manager}")),
            ("title".to_owned(), "`title` is no reference to a person; leave reference out".to_owned()),
            (
                "manager".to_owned(),
                "a SCIM user has no attribute `manager`; an attribute of the service's own is written with its schema's URN in front".to_owned(),
            ),
        ] {
            assert_eq!(check_reference(Kind::User, &path), Err(expected));
        }
        let plain = "it is another person; add reference = true to the row".to_owned();
        assert_eq!(check(Kind::User, &manager), Err(plain));
        assert_eq!(reference_value(&manager, "r1"), json!({ "value": "r1" }));
        assert_eq!(reference_value("urn:example:2.0:User:buddy", "r1"), json!("r1"));
    }

    #[test]
    fn a_value_takes_the_type_of_its_attribute() {
        let json = |path: &str, value: &Value| Target::new(path).json(value.clone());
        let one = |text: &str| Value::One(text.to_owned());
        let two = || Value::Many(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(json("userName", &one("ann")), Ok(json!("ann")));
        assert_eq!(json("userName", &one("")), Ok(json!(null)));
        assert_eq!(json("emails[type eq \"work\"].primary", &one("True")), Ok(json!(true)));
        assert_eq!(
            json("emails[type eq \"work\"].primary", &one("yes")),
            Err("the row gives neither True nor False".to_owned())
        );
        assert_eq!(json("title", &Value::Many(vec!["a".to_owned()])), Ok(json!("a")));
        assert_eq!(
            json("title", &two()),
            Err("the row gives 2 values, and one is taken; choose one with Item(…, 1)".to_owned())
        );
        assert_eq!(json("urn:example:2.0:User:tags", &two()), Ok(json!(["a", "b"])));
    }
}
