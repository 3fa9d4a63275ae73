//! What is sent: filters, patches, member chunks, ids as path segments. Pure.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::scim::Compare;
use crate::scim::Filter;
use crate::scim::Path;
use crate::scim::ResourceId;
use crate::scim::profiles::BoolStyle;
use crate::scim::profiles::ElementStyle;
use crate::scim::profiles::FilterCan;
use crate::scim::profiles::FilterOp;
use crate::scim::profiles::Members;
use crate::scim::profiles::PatchValueStyle;
use crate::scim::profiles::Profile;

const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The filter that asks for resources whose attribute equals the value.
pub(super) fn filter(path: &str, value: &str, can: &FilterCan) -> String {
    let literal = literal(value);
    let inside = can.element_style == ElementStyle::Inside && can.ops.contains(&FilterOp::And);
    match element(path).filter(|_| inside) {
        Some(element) if !element.leaf.is_empty() => {
            format!("{}[{} and {} eq {literal}]", element.list, element.filter, element.leaf)
        }
        _ => format!("{path} eq {literal}"),
    }
}

/// A filter literal is a JSON string (RFC 7644 section 3.4.2.2), so quotes and backslashes are escaped.
pub(super) fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

/// The parts of `emails[type eq "work"].value`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub list: &'a str,
    pub filter: &'a str,
    /// `value`; empty where the path names the whole element.
    pub leaf: &'a str,
}

/// The parts of a path that selects an element of a list; `None` for other paths.
pub(super) fn element(path: &str) -> Option<Element<'_>> {
    let (list, rest) = path.split_once('[')?;
    let (filter, leaf) = rest.rsplit_once(']')?;
    Some(Element { list, filter, leaf: leaf.strip_prefix('.').unwrap_or(leaf) })
}

/// One text as one segment of a path: everything but RFC 3986's unreserved characters is encoded.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The patch that sets each path to its value; `null` unassigns.
pub(super) fn patch(set: &[(String, Value)], profile: &Profile) -> Value {
    let mut operations = Vec::new();
    let mut together = Map::new();
    for (path, value) in set {
        let value = written(value, profile.bool_style);
        if value.is_null() {
            operations.push(json!({"op": "remove", "path": path}));
        } else if profile.patch_value_style == PatchValueStyle::Pathless && element(path).is_none() {
            nest(&mut together, path, value);
        } else {
            operations.push(json!({"op": "replace", "path": path, "value": value}));
        }
    }
    if !together.is_empty() {
        operations.insert(0, json!({"op": "replace", "value": together}));
    }
    message(operations)
}

/// Puts a value under a plain path: `userName`, `name.givenName`, or a URN with an attribute behind its last
/// colon (RFC 7644 section 3.5.2: the value of a patch without a path is like a resource).
fn nest(object: &mut Map<String, Value>, path: &str, value: Value) {
    let (extension, attribute) = match path.rsplit_once(':') {
        Some((urn, attribute)) => (Some(urn), attribute),
        None => (None, path),
    };
    let object = match extension {
        Some(urn) => inner(object, urn),
        None => object,
    };
    match attribute.split_once('.') {
        Some((name, sub)) => inner(object, name).insert(sub.to_owned(), value),
        None => object.insert(attribute.to_owned(), value),
    };
}

/// The object under a name; whatever else stood there gives way.
fn inner<'a>(object: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let slot = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("it was made an object above")
}

/// The operation that sets an element of a list, as an addition of the whole element: for a resource that has no
/// element of this type yet, and a service that does not make one by itself (RFC 7644 section 3.5.2.3). Where the list
/// is full, the element takes the place of what is there. `None` where the element cannot be made from its filter.
pub(super) fn added_element(path: &str, value: &Value, body: &Value, profile: &Profile) -> Option<Value> {
    let Path { name, select: Some(select), sub: Some(sub), .. } = Path::parse(path).ok()? else {
        return None;
    };
    let mut made = Map::new();
    for term in select.terms() {
        let Filter::Compare { path, op: Compare::Eq, value } = term else { return None };
        made.insert(path.sub.clone()?, value.clone());
    }
    made.insert(sub, written(value, profile.bool_style));
    let there = body.get(&name).and_then(Value::as_array).map_or(0, Vec::len);
    let full = most(&name, profile).is_some_and(|most| there >= most);
    Some(json!({"op": if full { "replace" } else { "add" }, "path": name, "value": [made]}))
}

/// A patch message around its operations.
pub(super) fn message(operations: Vec<Value>) -> Value {
    json!({"schemas": [PATCH_SCHEMA], "Operations": operations})
}

/// How many values of a list are kept; `None`: as many as there are.
fn most(list: &str, profile: &Profile) -> Option<usize> {
    let mut limits = profile.multi_value_max.iter();
    limits.find(|(name, _)| name.eq_ignore_ascii_case(list)).map(|(_, most)| *most)
}

/// A resource with no more values in a list than the service keeps, the primary ones first.
pub(super) fn cut_lists(mut body: Value, profile: &Profile) -> Value {
    for (list, value) in body.as_object_mut().into_iter().flatten() {
        if let (Some(most), Some(elements)) = (most(list, profile), value.as_array_mut()) {
            elements.sort_by_key(|element| element["primary"] != Value::Bool(true));
            elements.truncate(most);
        }
    }
    body
}

/// The values to set, without those of lists that keep one value and get it from an earlier path already.
pub(super) fn one_of_single_lists(set: &[(String, Value)], profile: &Profile) -> Vec<(String, Value)> {
    let mut taken: Vec<(&str, &str)> = Vec::new();
    let mut kept = Vec::new();
    for (path, value) in set {
        if let Some(Element { list, filter, .. }) = element(path)
            && most(list, profile) == Some(1)
        {
            if taken.iter().any(|(name, of)| *name == list && *of != filter) {
                continue;
            }
            taken.push((list, filter));
        }
        kept.push((path.clone(), value.clone()));
    }
    kept
}

/// A whole resource as it is sent back: without what the service alone writes.
pub(super) fn replacement(body: &Value, profile: &Profile) -> Value {
    let mut body = cut_lists(body.clone(), profile);
    if let Some(object) = body.as_object_mut() {
        object.remove("meta");
        object.remove("groups");
    }
    written(&body, profile.bool_style)
}

/// The patch that adds values to lists.
pub(super) fn additions(added: &[(String, Value)], profile: &Profile) -> Value {
    let add = |(path, value): &(String, Value)| json!({"op": "add", "path": path, "value": written(value, profile.bool_style)});
    message(added.iter().map(add).collect())
}

/// The patch that adds some members; the caller has chunked them.
pub(super) fn addition(members: &[ResourceId]) -> Value {
    message(vec![json!({"op": "add", "path": "members", "value": values(members)})])
}

/// The patch that removes some members; the caller has chunked them.
pub(super) fn removal(members: &[ResourceId], can: &Members) -> Value {
    message(match can.value_path_remove {
        false => {
            vec![json!({"op": "remove", "path": "members", "value": values(members)})]
        }
        true => members
            .iter()
            .map(
                |member| json!({"op": "remove", "path": format!("members[value eq {}]", literal(&member.0))}),
            )
            .collect(),
    })
}

fn values(members: &[ResourceId]) -> Value {
    members.iter().map(|member| json!({"value": member.0})).collect()
}

/// A value as the service wants to read it.
pub(super) fn written(value: &Value, booleans: BoolStyle) -> Value {
    match (value, booleans) {
        (Value::Bool(true), BoolStyle::String) => "True".into(),
        (Value::Bool(false), BoolStyle::String) => "False".into(),
        (Value::Array(items), _) => items.iter().map(|item| written(item, booleans)).collect(),
        (Value::Object(members), _) => Value::Object(
            members.iter().map(|(name, item)| (name.clone(), written(item, booleans))).collect(),
        ),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(element_style: ElementStyle) -> FilterCan {
        FilterCan { element_style, ..Profile::standard().filter }
    }

    #[test]
    fn a_filter_quotes_its_value_as_json() {
        assert_eq!(
            filter("userName", "o\"neil\\x", &form(ElementStyle::Inside)),
            "userName eq \"o\\\"neil\\\\x\""
        );
    }

    #[test]
    fn a_filter_on_an_element_has_two_forms() {
        let path = "emails[type eq \"work\"].value";
        assert_eq!(
            filter(path, "a@x.example", &form(ElementStyle::Inside)),
            "emails[type eq \"work\" and value eq \"a@x.example\"]"
        );
        assert_eq!(
            filter(path, "a@x.example", &form(ElementStyle::After)),
            "emails[type eq \"work\"].value eq \"a@x.example\""
        );
    }

    #[test]
    fn an_id_is_one_segment_whatever_it_holds() {
        assert_eq!(encoded("a/b c?d#e%é"), "a%2Fb%20c%3Fd%23e%25%C3%A9");
        assert_eq!(encoded("0-A_z.~"), "0-A_z.~");
    }

    fn set() -> Vec<(String, Value)> {
        vec![
            ("userName".to_owned(), json!("ann@x.example")),
            ("name.givenName".to_owned(), json!("Ann")),
            ("emails[type eq \"work\"].value".to_owned(), json!("ann@x.example")),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department".to_owned(),
                json!("R&D"),
            ),
            ("title".to_owned(), Value::Null),
            ("active".to_owned(), json!(false)),
        ]
    }

    #[test]
    fn a_patch_has_one_operation_a_path() {
        assert_eq!(
            patch(&set()[3..], &Profile::standard()),
            json!({"schemas": [PATCH_SCHEMA], "Operations": [
                {"op": "replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "R&D"},
                {"op": "remove", "path": "title"},
                {"op": "replace", "path": "active", "value": false},
            ]})
        );
    }

    #[test]
    fn a_patch_without_paths_nests_what_it_sets() {
        let profile = Profile {
            patch_value_style: PatchValueStyle::Pathless,
            bool_style: BoolStyle::String,
            ..Profile::standard()
        };
        assert_eq!(
            patch(&set(), &profile)["Operations"],
            json!([
                {"op": "replace", "value": {
                    "userName": "ann@x.example",
                    "name": {"givenName": "Ann"},
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R&D"},
                    "active": "False",
                }},
                {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "ann@x.example"},
                {"op": "remove", "path": "title"},
            ])
        );
    }

    #[test]
    fn a_missing_element_is_added_whole() {
        assert_eq!(
            added_element(
                "emails[type eq \"work\"].value",
                &json!("ann@x.example"),
                &json!({}),
                &Profile::standard()
            ),
            Some(
                json!({"op": "add", "path": "emails", "value": [{"type": "work", "value": "ann@x.example"}]})
            )
        );
        assert_eq!(
            added_element("emails[type ne \"work\"].value", &json!("x"), &json!({}), &Profile::standard()),
            None
        );
        assert_eq!(added_element("userName", &json!("x"), &json!({}), &Profile::standard()), None);
    }

    fn ids(range: std::ops::Range<usize>) -> Vec<ResourceId> {
        range.map(|n| ResourceId(n.to_string())).collect()
    }

    #[test]
    fn a_list_that_keeps_one_value_gets_one() {
        let one = Profile::named("aws-identity-center").unwrap();
        let body = json!({"emails": [{"value": "h"}, {"value": "w", "primary": true}], "photos": [1, 2]});
        assert_eq!(
            cut_lists(body, &one),
            json!({"emails": [{"value": "w", "primary": true}], "photos": [1, 2]})
        );
        let (work, home) = ("emails[type eq \"work\"].value", "emails[type eq \"home\"].value");
        let set = [work, home, "title"].map(|path| (path.to_owned(), json!("x")));
        let kept: Vec<String> = one_of_single_lists(&set, &one).into_iter().map(|(path, _)| path).collect();
        assert_eq!(kept, [work, "title"]);
        assert_eq!(one_of_single_lists(&set, &Profile::standard()), set);
        let full = json!({"emails": [{"type": "home", "value": "h"}]});
        assert_eq!(
            added_element(work, &json!("w"), &full, &one),
            Some(json!({"op": "replace", "path": "emails", "value": [{"type": "work", "value": "w"}]}))
        );
    }

    #[test]
    fn what_is_sent_back_lacks_what_the_service_alone_writes() {
        let body = json!({"id": "1", "meta": {}, "groups": [], "active": true, "x": 1});
        let text = Profile { bool_style: BoolStyle::String, ..Profile::standard() };
        assert_eq!(replacement(&body, &text), json!({"id": "1", "active": "True", "x": 1}));
    }

    #[test]
    fn members_are_removed_one_by_one_or_as_a_list() {
        let quoted = [ResourceId("a\"b".to_owned())];
        assert_eq!(
            removal(&quoted, &Profile::standard().members)["Operations"],
            json!([{"op": "remove", "path": "members[value eq \"a\\\"b\"]"}])
        );
        let listed = Members { value_path_remove: false, ..Profile::standard().members };
        assert_eq!(
            removal(&ids(0..2), &listed)["Operations"],
            json!([{"op": "remove", "path": "members", "value": [{"value": "0"}, {"value": "1"}]}])
        );
    }
}
