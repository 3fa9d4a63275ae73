//! Changes to groups: created, renamed, described, deleted, restored.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::Flavour;
use super::changes::ChangeError;
use super::directory::Directory;
use super::directory::Group;
use super::directory::Life;
use super::directory::Principal;
use super::events::Event;

/// Properties that are computed or have a change of their own.
const NOT_SETTABLE: &[&str] =
    &["id", "createdDateTime", "deletedDateTime", "description", "displayName", "members"];

type Done = Result<(), ChangeError>;

impl Directory {
    pub(super) fn create_group(
        &mut self,
        name: &str,
        id: Option<String>,
        assigned: bool,
        now: Timestamp,
    ) -> Done {
        let id = self.given_or_new_id(id.as_deref(), "00g")?;
        let group = self.add_group(new_group(name, id, now));
        self.log.push(Event::GroupCreated(group));
        if assigned {
            self.assign(Principal::Group(group), 0, now);
        }
        Ok(())
    }

    pub(super) fn rename_group(&mut self, group: &str, name: &str, now: Timestamp) -> Done {
        let group = self.find_live_group(group)?;
        let record = self.group_mut(group);
        record.name = name.into();
        record.updated = now;
        self.log.push(Event::GroupChanged(group, vec!["displayName".into()]));
        Ok(())
    }

    pub(super) fn describe_group(&mut self, group: &str, text: Option<String>, now: Timestamp) -> Done {
        let group = self.find_live_group(group)?;
        let record = self.group_mut(group);
        record.description = text.map(Into::into);
        record.updated = now;
        self.log.push(Event::GroupChanged(group, vec!["description".into()]));
        Ok(())
    }

    /// Sets a property that only Graph has, or clears it with null.
    pub(super) fn set_group(&mut self, group: &str, property: &str, value: Value, now: Timestamp) -> Done {
        let group = self.find_live_group(group)?;
        if self.flavour == Flavour::Okta {
            return Err(ChangeError::Unsupported { what: "a property of a group" });
        }
        if NOT_SETTABLE.contains(&property) {
            let cure = "it has a change of its own or is computed";
            return Err(ChangeError::BadProperty { property: property.to_owned(), cure });
        }
        let record = self.group_mut(group);
        match value {
            Value::Null => record.attributes.remove(property),
            value => record.attributes.insert(property.into(), value),
        };
        record.updated = now;
        self.log.push(Event::GroupChanged(group, vec![property.into()]));
        Ok(())
    }

    /// Soft in Graph (graph.md section 9), for good in Okta.
    pub(super) fn delete_group(&mut self, group: &str, now: Timestamp) -> Done {
        let index = self.find_live_group(group)?;
        if self.flavour == Flavour::Okta {
            return self.purge_group(group);
        }
        self.group_mut(index).life = Life::Deleted(now);
        self.bin.insert((now, Principal::Group(index)));
        self.log.push(Event::GroupDeleted(index));
        Ok(())
    }

    pub(super) fn restore_group(&mut self, group: &str) -> Done {
        let group = self.find_group(group)?;
        self.require(matches!(self.group(group).life, Life::Deleted(_)), "restoring")?;
        self.group_mut(group).life = Life::Live;
        self.log.push(Event::GroupRestored(group));
        Ok(())
    }

    pub(super) fn purge_group(&mut self, group: &str) -> Done {
        let group = self.find_group(group)?;
        self.require(self.group(group).life != Life::Purged, "purging")?;
        self.require(!self.group(group).built_in, "deleting a built-in group")?;
        self.drop_assignments(Principal::Group(group));
        for member in self.group(group).members.clone() {
            self.leave(group, member);
        }
        for parent in self.group(group).parents.clone() {
            self.leave(parent, Principal::Group(group));
            self.log.push(Event::MemberRemoved(parent, Principal::Group(group)));
        }
        self.group_mut(group).life = Life::Purged;
        self.log.push(Event::GroupPurged(group));
        Ok(())
    }

    fn find_live_group(&self, group: &str) -> Result<u32, ChangeError> {
        let group = self.find_group(group)?;
        self.require(self.group(group).live(), "changing a group")?;
        Ok(group)
    }
}

pub(super) fn new_group(name: &str, id: Box<str>, now: Timestamp) -> Group {
    Group {
        id,
        name: name.into(),
        description: None,
        attributes: BTreeMap::new(),
        built_in: false,
        life: Life::Live,
        members: BTreeSet::new(),
        parents: Vec::new(),
        created: now,
        updated: now,
        membership_updated: now,
    }
}
