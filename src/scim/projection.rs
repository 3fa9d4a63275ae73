//! Which attributes an answer shows: `attributes` and `excludedAttributes` (RFC 7644 section 3.9).

use serde_json::Map;
use serde_json::Value;

use super::Error;
use super::Path;
use super::ResourceType;
use super::ScimType;
use super::schema;

/// What a client wants to see. Names that nobody knows are ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Projection {
    #[default]
    Everything,
    Only(Vec<Path>),
    Without(Vec<Path>),
}

impl Projection {
    /// Reads the two query parameters, each a list separated by commas.
    pub fn read(attributes: Option<&str>, excluded: Option<&str>) -> Result<Projection, Error> {
        let given = |list: Option<&str>| list.map(str::trim).filter(|list| !list.is_empty()).map(paths);
        match (given(attributes), given(excluded)) {
            (Some(_), Some(_)) => Err(Error::bad(
                ScimType::InvalidValue,
                "attributes and excludedAttributes exclude each other",
            )),
            (Some(only), None) => Ok(Projection::Only(only)),
            (None, Some(without)) => Ok(Projection::Without(without)),
            (None, None) => Ok(Projection::Everything),
        }
    }

    /// Whether an answer shows anything of this top-level attribute, so that it need not be read otherwise.
    pub fn shows(&self, name: &str) -> bool {
        match self {
            Projection::Everything => true,
            Projection::Only(paths) => paths.iter().any(|path| path.urn.is_none() && path.name == name),
            Projection::Without(paths) => !paths.iter().any(|path| is_whole(path, None, name)),
        }
    }

    /// Leaves out of a resource what is not wanted. `id` and `schemas` always stay.
    pub fn apply(&self, kind: ResourceType, resource: &mut Value) {
        let Some(members) = resource.as_object_mut() else { return };
        match self {
            Projection::Everything => {}
            Projection::Only(paths) => keep_only(kind, members, paths),
            Projection::Without(paths) => drop_all(kind, members, paths),
        }
    }
}

fn paths(list: &str) -> Vec<Path> {
    list.split(',').filter_map(|name| Path::parse(name.trim()).ok()).collect()
}

fn is_whole(path: &Path, urn: Option<&str>, name: &str) -> bool {
    path.sub.is_none() && path.urn.as_deref() == urn && path.name == name
}

fn is_fixed(name: &str) -> bool {
    name == "id" || name == "schemas"
}

fn keep_only(kind: ResourceType, members: &mut Map<String, Value>, paths: &[Path]) {
    members.retain(|name, value| {
        if is_fixed(name) {
            return true;
        }
        if schema::extension(kind, name).is_some() {
            return paths.iter().any(|path| path.is_extension() && path.urn.as_deref() == Some(name))
                || keep_within(value, |inner| about(paths, Some(name), inner));
        }
        keep_sub(value, &about(paths, None, name))
    });
}

/// The paths that speak of one attribute.
fn about<'a>(paths: &'a [Path], urn: Option<&str>, name: &str) -> Vec<&'a Path> {
    paths.iter().filter(|path| path.urn.as_deref() == urn && path.name == name).collect()
}

fn keep_within<'a>(extension: &mut Value, about: impl Fn(&str) -> Vec<&'a Path>) -> bool {
    let Some(members) = extension.as_object_mut() else { return false };
    members.retain(|name, value| keep_sub(value, &about(name)));
    !members.is_empty()
}

/// Cuts a value down to the named sub-attributes; `false` where nothing of it is named.
fn keep_sub(value: &mut Value, paths: &[&Path]) -> bool {
    if paths.is_empty() {
        return false;
    }
    let subs: Vec<&str> = paths.iter().filter_map(|path| path.sub.as_deref()).collect();
    if subs.len() < paths.len() {
        return true;
    }
    each_object(value, &|object| object.retain(|name, _| subs.contains(&name.as_str())));
    !is_bare(value)
}

fn drop_all(kind: ResourceType, members: &mut Map<String, Value>, paths: &[Path]) {
    for path in paths {
        match &path.urn {
            Some(urn) if path.is_extension() => {
                members.remove(urn);
            }
            Some(urn) => {
                if let Some(extension) = members.get_mut(urn).and_then(Value::as_object_mut) {
                    drop_one(extension, path);
                }
            }
            None if is_fixed(&path.name) || schema::attribute(kind, &path.name).is_none() => {}
            None => drop_one(members, path),
        }
    }
    members.retain(|_, value| !is_bare(value));
}

fn drop_one(members: &mut Map<String, Value>, path: &Path) {
    match &path.sub {
        None => {
            members.remove(&path.name);
        }
        Some(sub) => {
            if let Some(value) = members.get_mut(&path.name) {
                each_object(value, &|object| {
                    object.remove(sub);
                });
            }
        }
    }
    members.retain(|_, value| !is_bare(value));
}

fn each_object(value: &mut Value, change: &dyn Fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => change(object),
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| each_object(element, change));
            elements.retain(|element| !is_bare(element));
        }
        _ => {}
    }
}

fn is_bare(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(attributes: Option<&str>, excluded: Option<&str>, expected: Value) {
        let mut body = json!({
            "schemas": ["s"], "id": "1", "userName": "ann", "meta": {"version": "1"},
            "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"type": "work", "value": "a@x"}, {"type": "home"}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales", "division": "N"},
        });
        Projection::read(attributes, excluded).expect("a projection").apply(ResourceType::User, &mut body);
        assert_eq!(body, expected, "{attributes:?} {excluded:?}");
    }

    #[test]
    fn only_what_is_named_is_shown_and_what_always_is() {
        check(Some("USERNAME"), None, json!({"schemas": ["s"], "id": "1", "userName": "ann"}));
        check(
            Some("name.givenname, emails.value, shoeSize, ///"),
            None,
            json!({"schemas": ["s"], "id": "1", "name": {"givenName": "Ann"}, "emails": [{"value": "a@x"}]}),
        );
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        check(
            Some(&format!("{urn}:department")),
            None,
            json!({"schemas": ["s"], "id": "1", urn: {"department": "Sales"}}),
        );
        check(
            Some(urn),
            None,
            json!({"schemas": ["s"], "id": "1", urn: {"department": "Sales", "division": "N"}}),
        );
    }

    #[test]
    fn what_is_excluded_is_left_out_except_what_always_is_shown() {
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        check(
            None,
            Some(&format!("id,meta,emails,name.familyName,{urn}:division")),
            json!({"schemas": ["s"], "id": "1", "userName": "ann", "name": {"givenName": "Ann"},
                   urn: {"department": "Sales"}}),
        );
    }

    #[test]
    fn members_need_not_be_read_when_nobody_sees_them() {
        let shows = |a, e| Projection::read(a, e).expect("a projection").shows("members");
        assert!(shows(None, None));
        assert!(!shows(None, Some("members")));
        assert!(!shows(Some("id"), None));
        assert!(shows(Some("members.value"), None));
        assert!(shows(None, Some("members.display")));
    }
}
