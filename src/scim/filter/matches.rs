//! Whether a filter holds for a resource: any value of a plain path, one and the same element of a value path.

use std::cmp::Ordering;

use serde_json::Number;
use serde_json::Value;

use super::Compare;
use super::Filter;
use crate::scim::Path;
use crate::scim::fold;
use crate::scim::form::instant;
use crate::scim::schema::Definition;
use crate::scim::schema::Form;

impl Filter {
    /// Whether the filter holds for a resource.
    pub fn matches(&self, resource: &Value) -> bool {
        self.holds(&|path| values(resource, path))
    }

    /// Whether the filter between brackets holds for one element of a multi-valued attribute.
    pub fn matches_element(&self, element: &Value) -> bool {
        self.holds(&|path| element_values(element, path))
    }

    fn holds<'a>(&self, at: &dyn Fn(&Path) -> Vec<&'a Value>) -> bool {
        match self {
            Filter::And(parts) => parts.iter().all(|part| part.holds(at)),
            Filter::Or(parts) => parts.iter().any(|part| part.holds(at)),
            Filter::Not(part) => !part.holds(at),
            Filter::Present(path) => at(path).into_iter().any(is_present),
            Filter::Compare { path, op, value } => compare(path, *op, value, &at(path)),
        }
    }
}

/// The values that a path names in a resource: the elements of a multi-valued attribute one by one.
pub(in crate::scim) fn values<'a>(resource: &'a Value, path: &Path) -> Vec<&'a Value> {
    let root = match &path.urn {
        Some(urn) => member(resource, urn),
        None => Some(resource),
    };
    let Some(found) = root.and_then(|root| member(root, &path.name)) else { return Vec::new() };
    let elements = found.as_array().map_or_else(|| std::slice::from_ref(found), Vec::as_slice);
    let chosen = elements
        .iter()
        .filter(|element| path.select.as_ref().is_none_or(|select| select.matches_element(element)));
    match &path.sub {
        Some(sub) => chosen.filter_map(|element| sub_value(element, sub)).collect(),
        None => chosen.collect(),
    }
}

fn element_values<'a>(element: &'a Value, path: &Path) -> Vec<&'a Value> {
    path.sub.as_deref().and_then(|sub| sub_value(element, sub)).into_iter().collect()
}

/// The `value` of a simple element is the element itself (RFC 7644 errata 7122).
fn sub_value<'a>(element: &'a Value, sub: &str) -> Option<&'a Value> {
    match element {
        Value::Object(_) => member(element, sub),
        simple if sub == "value" => Some(simple),
        _ => None,
    }
}

/// A member of an object by its name in any case (RFC 7643 section 2.1).
pub(in crate::scim) fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let members = object.as_object()?;
    members
        .get(name)
        .or_else(|| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// Neither null nor empty; `false` and `0` are there (RFC 7643 section 2.5).
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compare(path: &Path, op: Compare, literal: &Value, found: &[&Value]) -> bool {
    let present = || found.iter().copied().filter(|value| is_present(value));
    let satisfies = |op: Compare| present().any(|value| is_so(path, op, simple(value), literal));
    match op {
        Compare::Eq if literal.is_null() => present().next().is_none(),
        Compare::Ne if literal.is_null() => present().next().is_some(),
        // Not identical to anything, as it is not there.
        Compare::Ne => present().next().is_none() || satisfies(Compare::Ne),
        op => satisfies(op),
    }
}

/// A complex value stands for its `value` (RFC 7644 section 3.4.2.2).
fn simple(value: &Value) -> &Value {
    if value.is_object() { member(value, "value").unwrap_or(&Value::Null) } else { value }
}

fn is_so(path: &Path, op: Compare, value: &Value, literal: &Value) -> bool {
    let leaf = path.leaf();
    let deciding = leaf.map(Definition::deciding);
    let form = deciding.map_or(Form::Text, |leaf| leaf.form);
    let exact = deciding.is_some_and(|leaf| leaf.case_exact);
    match (value, literal) {
        (Value::String(a), Value::String(b)) if form == Form::DateTime => instants(op, a, b),
        (Value::String(a), Value::String(b)) if exact => texts(op, a, b),
        (Value::String(a), Value::String(b)) => texts(op, &fold(a), &fold(b)),
        (Value::Bool(a), Value::String(b)) => ordered(op, Some((*a).cmp(&b.eq_ignore_ascii_case("true")))),
        (Value::Bool(a), Value::Bool(b)) => ordered(op, Some(a.cmp(b))),
        (Value::Number(a), Value::Number(b)) => ordered(op, numbers(a, b)),
        _ => op == Compare::Ne,
    }
}

/// Whole numbers exactly, others as floating point.
fn numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn texts(op: Compare, a: &str, b: &str) -> bool {
    match op {
        Compare::Co => a.contains(b),
        Compare::Sw => a.starts_with(b),
        Compare::Ew => a.ends_with(b),
        op => ordered(op, Some(a.cmp(b))),
    }
}

/// Instants, not texts: offsets count (RFC 7644 section 3.4.2.2).
fn instants(op: Compare, a: &str, b: &str) -> bool {
    match (instant(a), instant(b)) {
        (Some(a), Some(b)) if !matches!(op, Compare::Co | Compare::Sw | Compare::Ew) => {
            ordered(op, Some(a.cmp(&b)))
        }
        _ => texts(op, a, b),
    }
}

fn ordered(op: Compare, order: Option<Ordering>) -> bool {
    match op {
        Compare::Eq => order == Some(Ordering::Equal),
        Compare::Ne => order != Some(Ordering::Equal),
        Compare::Gt => order == Some(Ordering::Greater),
        Compare::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Compare::Lt => order == Some(Ordering::Less),
        Compare::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Compare::Co | Compare::Sw | Compare::Ew => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Filter;

    fn check(filter: &str, expected: bool) {
        let ann = json!({
            "id": "2819", "userName": "Ärger@Example.com", "externalId": "A-1", "active": false,
            "name": {"familyName": "O'Malley"},
            "emails": [
                {"type": "work", "value": "ann@x.example", "primary": true},
                {"type": "home", "value": "ann@home.example"},
            ],
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "meta": {"created": "2024-05-01T10:00:00.000Z"},
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "m1"}},
        });
        assert_eq!(Filter::parse(filter).map(|filter| filter.matches(&ann)), Ok(expected), "{filter}");
    }

    #[test]
    fn the_case_rule_is_the_attributes_own() {
        check("userName eq \"äRGER@example.COM\"", true);
        check("externalId eq \"a-1\"", false);
        check("externalId eq \"A-1\"", true);
        check("emails.type eq \"WORK\"", true);
        check("id eq \"A-1\"", false);
    }

    #[test]
    fn a_value_path_asks_one_element_and_plain_paths_any() {
        check("emails[type eq \"work\" and value co \"home\"]", false);
        check("emails.type eq \"work\" and emails.value co \"home\"", true);
        check("emails[type eq \"work\"].value eq \"ann@x.example\"", true);
        check("emails[type eq \"home\"].value eq \"ann@x.example\"", false);
        check("emails co \"home.example\"", true);
    }

    #[test]
    fn what_is_absent_is_unequal_and_nothing_else() {
        check("nickName pr", false);
        check("nickName eq \"x\"", false);
        check("nickName ne \"x\"", true);
        check("not (nickName eq \"x\")", true);
        check("nickName eq null", true);
        check("userName ne null", true);
        check("active pr", true);
    }

    #[test]
    fn complex_values_stand_for_their_value() {
        check("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"m1\"", true);
        check("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"M1\"", false);
        check("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", true);
    }

    #[test]
    fn times_are_compared_as_instants() {
        check("meta.created gt \"2024-05-01T11:30:00+02:00\"", true);
        check("meta.created eq \"2024-05-01T12:00:00+02:00\"", true);
    }

    #[test]
    fn booleans_and_beginnings() {
        check("active eq false", true);
        check("active eq \"False\"", true);
        check("userName sw \"ärger@\"", true);
        check("userName ew \".COM\"", true);
        check("emails.value ne \"ann@x.example\"", true);
    }
}
