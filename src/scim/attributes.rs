//! A flat set of attribute values, each under its SCIM path: what a mapping makes and what a target shows.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

/// Values by attribute path (`userName`, `name.givenName`, `emails[type eq "work"].value`,
/// `urn:…:User:department`), in the spelling of the schema. A missing path is an unassigned attribute
/// (RFC 7643 section 2.5): `null` and empty lists are not kept, but for the wish that `unassign` leaves.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(pub BTreeMap<String, Value>);

impl Attributes {
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.0.get(path)
    }

    /// The text of a string value; `None` where there is none or where it is not a string.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).and_then(Value::as_str)
    }

    /// Sets one value; `null` and `[]` unassign it.
    pub fn set(&mut self, path: impl Into<String>, value: Value) {
        let path = path.into();
        let unassigned = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if unassigned {
            self.0.remove(&path);
        } else {
            self.0.insert(path, value);
        }
    }

    /// Wishes the attribute to be unassigned, where `set` has no wish: of what is desired, `null` says so.
    pub fn unassign(&mut self, path: impl Into<String>) {
        self.0.insert(path.into(), Value::Null);
    }

    /// Without the wishes to unassign: what a new resource has.
    pub fn assigned(&self) -> Attributes {
        self.iter().map(|(path, value)| (path.clone(), value.clone())).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }
}

/// People's attributes are not for logs: the paths are shown, the values are not (P11).
impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromIterator<(String, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(pairs: I) -> Self {
        let mut attributes = Attributes::default();
        for (path, value) in pairs {
            attributes.set(path, value);
        }
        attributes
    }
}
