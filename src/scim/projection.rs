//! Which attributes an answer shows: `attributes` and `excludedAttributes` (RFC 7644 section 3.9).

use serde_json::Map;
use serde_json::Value;

use super::Error;
use super::Path;
use super::ResourceType;
use super::ScimType;
use super::schema;
use super::schema::Definition;
use super::schema::Returned;

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

    /// Leaves out of a resource what is not wanted, by the table of RFC 7643 section 7:
    ///
    /// | returned | no parameter | `attributes` | `excludedAttributes` |
    /// |---|---|---|---|
    /// | always | yes | yes | yes |
    /// | default | yes | if named | unless named |
    /// | request | no | if named | no |
    /// | never | no | no | no |
    pub fn apply(&self, kind: ResourceType, resource: &mut Value) {
        self.apply_after(kind, resource, &[]);
    }

    /// As `apply`, for the answer to a write that named these paths: it shows what is returned on request where the
    /// write named it.
    pub fn apply_after(&self, kind: ResourceType, resource: &mut Value, written: &[Path]) {
        let Some(members) = resource.as_object_mut() else { return };
        members.retain(|name, value| match (schema::extension(kind, name), value.as_object_mut()) {
            (Some(extension), Some(members)) => {
                members.retain(|name, value| {
                    let asked = Asked { projection: self, written, urn: Some(extension.urn) };
                    asked.shows(extension.attribute(name), name, value)
                });
                !members.is_empty()
            }
            _ => {
                let asked = Asked { projection: self, written, urn: None };
                asked.shows(schema::attribute(kind, name), name, value)
            }
        });
    }
}

/// The attributes that a resource names at its top level and in its extensions, as paths: what a client sent.
pub fn named_paths(kind: ResourceType, body: &Value) -> Vec<Path> {
    let path = |urn: Option<&str>, name: &String| Path {
        urn: urn.map(str::to_owned),
        name: name.clone(),
        select: None,
        sub: None,
    };
    let mut paths = Vec::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        match (schema::extension(kind, name), value.as_object()) {
            (Some(extension), Some(members)) => {
                paths.extend(members.keys().map(|name| path(Some(extension.urn), name).respelled()));
            }
            _ => paths.push(path(None, name).respelled()),
        }
    }
    paths
}

fn paths(list: &str) -> Vec<Path> {
    list.split(',').filter_map(|name| Path::parse(name.trim()).ok()).collect()
}

fn is_whole(path: &Path, urn: Option<&str>, name: &str) -> bool {
    path.sub.is_none() && path.urn.as_deref() == urn && path.name == name
}

/// What is asked of the attributes of the core (no URN) or of one extension.
struct Asked<'a> {
    projection: &'a Projection,
    written: &'a [Path],
    urn: Option<&'a str>,
}

impl Asked<'_> {
    /// Whether an attribute is shown; cuts its value down to what is shown of it.
    fn shows(&self, definition: Option<&'static Definition>, name: &str, value: &mut Value) -> bool {
        let returned = definition.map_or(Returned::Default, |definition| definition.returned);
        let shown = match (returned, self.projection) {
            (Returned::Never, _) => Some(Subs::None),
            (Returned::Always, _) => Some(Subs::All),
            (Returned::Default, Projection::Everything) => Some(Subs::All),
            (Returned::Default, Projection::Without(paths)) => Some(self.without(paths, name)),
            (_, Projection::Only(paths)) => Some(self.only(paths, name)),
            (Returned::Request, _) => None,
        };
        let written = returned == Returned::Request && self.about(self.written, name).next().is_some();
        let subs = match shown {
            Some(Subs::None) | None if written => Subs::All,
            shown => shown.unwrap_or(Subs::None),
        };
        self.cut(definition, name, value, &subs)
    }

    /// The paths that speak of one attribute, a bare URN of all below it.
    fn about<'p>(&'p self, paths: &'p [Path], name: &'p str) -> impl Iterator<Item = &'p Path> {
        let named = move |path: &Path| path.name == name || (path.is_extension() && self.urn.is_some());
        paths.iter().filter(move |path| path.urn.as_deref() == self.urn && named(path))
    }

    fn only(&self, paths: &[Path], name: &str) -> Subs {
        let about: Vec<&Path> = self.about(paths, name).collect();
        match about.iter().any(|path| path.sub.is_none()) {
            _ if about.is_empty() => Subs::None,
            true => Subs::All,
            false => Subs::Only(about.into_iter().filter_map(|path| path.sub.clone()).collect()),
        }
    }

    fn without(&self, paths: &[Path], name: &str) -> Subs {
        let about: Vec<&Path> = self.about(paths, name).collect();
        match about.iter().any(|path| path.sub.is_none()) {
            true => Subs::None,
            false => Subs::Without(about.into_iter().filter_map(|path| path.sub.clone()).collect()),
        }
    }

    fn cut(
        &self,
        definition: Option<&'static Definition>,
        name: &str,
        value: &mut Value,
        subs: &Subs,
    ) -> bool {
        let plain = definition.is_none_or(|definition| {
            definition.sub.iter().all(|sub| matches!(sub.returned, Returned::Default | Returned::Always))
        });
        match subs {
            Subs::None => return false,
            Subs::All if plain => return !is_bare(value),
            _ => {}
        }
        let shows = |sub: &str| {
            let known = definition.and_then(|definition| definition.sub(sub));
            let named = |names: &[String]| names.iter().any(|name| name == sub);
            match (known.map_or(Returned::Default, |known| known.returned), subs) {
                (Returned::Never, _) | (_, Subs::None) => false,
                (Returned::Always, _) => true,
                (Returned::Request, Subs::Only(names)) => named(names),
                (Returned::Request, _) => self.about(self.written, name).next().is_some(),
                (Returned::Default, Subs::All) => true,
                (Returned::Default, Subs::Only(names)) => named(names),
                (Returned::Default, Subs::Without(names)) => !named(names),
            }
        };
        each_object(value, &|object| object.retain(|sub, _| shows(sub)));
        !is_bare(value)
    }
}

/// Which sub-attributes of an attribute are shown.
enum Subs {
    None,
    All,
    Only(Vec<String>),
    Without(Vec<String>),
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
