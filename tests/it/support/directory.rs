//! A directory that a test changes between two cycles, written out as the JSON file that the product reads.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

/// People, groups and assignments by their ids.
#[derive(Clone, Default)]
pub struct Directory {
    pub people: BTreeMap<String, Person>,
    pub groups: BTreeMap<String, Group>,
    /// `user:u1`, `group:g1`.
    pub app: BTreeSet<String>,
    pub deleted: BTreeSet<String>,
    pub recycled: BTreeSet<String>,
    /// Leave the counts out.
    pub undeclared: bool,
}

#[derive(Clone)]
pub struct Person {
    pub address: String,
    pub given: String,
    pub surname: String,
    pub enabled: bool,
    /// Attributes beside the usual ones.
    pub further: BTreeMap<String, Value>,
}

#[derive(Clone, Default)]
pub struct Group {
    pub name: String,
    /// `user:u1`, `group:g1`.
    pub members: BTreeSet<String>,
}

impl Directory {
    pub fn text(&self) -> String {
        let users: Vec<Value> = self.people.iter().map(|(id, person)| person.json(id)).collect();
        let groups: Vec<Value> = self
            .groups
            .iter()
            .map(|(id, group)| json!({"id": id, "attributes": {"displayName": group.name}, "members": group.members}))
            .collect();
        let memberships: usize = self.groups.values().map(|group| group.members.len()).sum();
        let mut text = json!({
            "directory": "story",
            "apps": {"app": self.app},
            "users": users,
            "groups": groups,
            "deleted": self.deleted,
            "recycle_bin": self.recycled,
        });
        if !self.undeclared {
            text["counts"] = json!({
                "users": self.people.len(),
                "groups": self.groups.len(),
                "assignments": self.app.len(),
                "memberships": memberships,
            });
        }
        text.to_string()
    }
}

impl Person {
    fn json(&self, id: &str) -> Value {
        let mut attributes = json!({
            "userName": self.address, "mail": self.address, "givenName": self.given, "surname": self.surname,
            "displayName": format!("{} {}", self.given, self.surname),
        });
        for (name, value) in &self.further {
            attributes[name] = value.clone();
        }
        json!({"id": id, "enabled": self.enabled, "attributes": attributes})
    }
}
