//! The entries of pushes and commands in the provisioning log: what a write changed, in the same transaction as the
//! write (SCIM reference, S11). Jobs have their own entries, written before and after (P5).

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::Map;
use serde_json::Value;

use super::Author;
use super::Owner;
use super::Resource;
use super::WriteAct;
use super::members::Edited;
use super::write::Place;
use crate::plan::Class;
use crate::plan::Edit;
use crate::scim::Error;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::store::Sql;
use crate::store::journal;
use crate::store::journal::DirectEntry;

/// What a write made of one resource.
pub(super) struct Change<'a> {
    pub old: Option<&'a Resource>,
    pub new: Option<&'a Resource>,
    pub edited: &'a Edited,
}

/// What a write wanted, as far as its refusal has to name it.
pub(super) struct Attempt {
    class: &'static str,
    kind: ResourceType,
    /// Of what was there already; a new one that was refused has no id.
    id: Option<ResourceId>,
    name: Option<String>,
}

impl Attempt {
    pub fn of(act: &WriteAct) -> Attempt {
        let attempt =
            |class: &'static str, kind: ResourceType, id: Option<&ResourceId>, body: Option<&Value>| {
                Attempt { class, kind, id: id.cloned(), name: body.and_then(|body| name(kind, body)) }
            };
        match act {
            WriteAct::Create { kind, incoming, .. } => {
                attempt(class_of(*kind, Verb::Create), *kind, None, Some(&incoming.body))
            }
            WriteAct::Patch { id, patch } => {
                attempt(class_of(patch.kind(), Verb::Update), patch.kind(), Some(id), None)
            }
            WriteAct::Replace { kind, id, incoming, .. } => {
                attempt(class_of(*kind, Verb::Update), *kind, Some(id), Some(&incoming.body))
            }
            WriteAct::Members { team, .. } => {
                attempt(Class::Update.word(), ResourceType::Group, Some(team), None)
            }
            WriteAct::Delete { kind, id } => attempt(class_of(*kind, Verb::Delete), *kind, Some(id), None),
        }
    }
}

impl Place<'_> {
    /// Records what a push or a command changed.
    pub fn note(&self, change: &Change<'_>) -> Sql<()> {
        match self.author.owner {
            Owner::Job(_) => Ok(()),
            Owner::Push(_) | Owner::Local => record(self.tx, self.workspace, self.author, change),
        }
    }

    /// Records that somebody may not, or came too late (403, 409, 412). What a client merely got wrong (400, 404) is
    /// its own affair.
    pub fn note_refusal(&self, attempt: &Attempt, error: &Error) -> Sql<()> {
        let outcome = match (&self.author.owner, error.status) {
            (Owner::Job(_), _) => return Ok(()),
            (_, 409) => "conflict",
            (_, 403 | 412) => "refused",
            _ => return Ok(()),
        };
        let entry = DirectEntry {
            workspace: self.workspace,
            author: self.author,
            resource: attempt.id.as_ref(),
            kind: attempt.kind,
            name: attempt.name.as_deref(),
            class: attempt.class,
            people: &[],
            edits: &[],
            outcome,
            detail: Some(&error.detail),
        };
        journal::record_refusal(self.tx, &entry)
    }
}

/// Records a change, whoever made it: one entry for the attributes, one for each direction of memberships.
pub(super) fn record(tx: &Connection, workspace: i64, author: &Author, change: &Change<'_>) -> Sql<()> {
    let Some(shown) = change.new.or(change.old) else { return Ok(()) };
    let kind = shown.meta.kind;
    let name = name(kind, &shown.body);
    let entry = |class: &'static str, people: &[ResourceId], edits: &[Edit]| {
        journal::record(
            tx,
            &DirectEntry {
                workspace,
                author,
                resource: Some(&shown.meta.id),
                kind,
                name: name.as_deref(),
                class,
                people,
                edits,
                outcome: "done",
                detail: None,
            },
        )
    };
    let edits = differences(change.old.map(|old| &old.body), change.new.map(|new| &new.body));
    if !edits.is_empty() || change.old.is_none() || change.new.is_none() {
        entry(class(change, &edits), &[], &edits)?;
    }
    if !change.edited.added.is_empty() {
        entry(Class::AddMembers.word(), &change.edited.added, &[])?;
    }
    if !change.edited.removed.is_empty() {
        entry(Class::RemoveMembers.word(), &change.edited.removed, &[])?;
    }
    Ok(())
}

/// Records that a grant was given or taken together with something else, whoever did that.
pub(in crate::store) fn note_grant(
    tx: &Connection,
    workspace: i64,
    author: &Author,
    id: &ResourceId,
    (old, new): (Option<&Value>, Option<&Value>),
) -> Sql<()> {
    let (kind, body) = (ResourceType::Grant, old.or(new));
    let class = class_of(kind, if new.is_some() { Verb::Create } else { Verb::Delete });
    let entry = DirectEntry {
        workspace,
        author,
        resource: Some(id),
        kind,
        name: body.and_then(|body| body["account"].as_str()),
        class,
        people: &[],
        edits: &differences(old, new),
        outcome: "done",
        detail: None,
    };
    journal::record(tx, &entry)
}

enum Verb {
    Create,
    Update,
    Delete,
}

fn class_of(kind: ResourceType, verb: Verb) -> &'static str {
    match (kind, verb) {
        (ResourceType::Grant, Verb::Create) => "grant",
        (ResourceType::Grant, Verb::Delete) => "revoke",
        (ResourceType::Group, Verb::Delete) => Class::DeleteTeams.word(),
        (_, Verb::Create) => Class::Create.word(),
        (_, Verb::Update) => Class::Update.word(),
        (_, Verb::Delete) => Class::Delete.word(),
    }
}

/// As the engine classes its own changes.
fn class(change: &Change<'_>, edits: &[Edit]) -> &'static str {
    let (old, new) = match (change.old, change.new) {
        (Some(old), Some(new)) => (old, new),
        (Some(old), None) => return class_of(old.meta.kind, Verb::Delete),
        (None, new) => {
            return class_of(new.map_or(ResourceType::User, |new| new.meta.kind), Verb::Create);
        }
    };
    let renames = |edit: &Edit| matches!(edit.path.as_str(), "userName" | "emails") && edit.old.is_some();
    match (new.meta.kind, old.active(), new.active()) {
        (ResourceType::User, true, false) => Class::Deactivate.word(),
        (ResourceType::User, false, true) => Class::Reactivate.word(),
        (ResourceType::User, _, _) if edits.iter().any(renames) => Class::Rename.word(),
        (kind, _, _) => class_of(kind, Verb::Update),
    }
}

/// What people call it.
fn name(kind: ResourceType, body: &Value) -> Option<String> {
    let path = match kind {
        ResourceType::User => "userName",
        ResourceType::Group => "displayName",
        ResourceType::Grant => "account",
    };
    body[path].as_str().map(str::to_owned)
}

/// Old and new values by SCIM path; lists are compared and kept as a whole.
fn differences(old: Option<&Value>, new: Option<&Value>) -> Vec<Edit> {
    let mut edits = Vec::new();
    compare("", members(old), members(new), &mut edits);
    edits
}

fn members(value: Option<&Value>) -> Members<'_> {
    value.and_then(Value::as_object)
}

/// Of an object, where it is there.
type Members<'a> = Option<&'a Map<String, Value>>;

/// `above` ends with what separates it from the names below it: a colon behind the URN of an extension, else a dot.
fn compare(above: &str, old: Members<'_>, new: Members<'_>, edits: &mut Vec<Edit>) {
    let names: BTreeSet<&String> = old.into_iter().chain(new).flat_map(Map::keys).collect();
    for name in names {
        let (old, new) = (old.and_then(|old| old.get(name)), new.and_then(|new| new.get(name)));
        let path = format!("{above}{name}");
        let complex = |value: Option<&Value>| value.is_none_or(Value::is_object);
        if old == new {
            continue;
        }
        if complex(old) && complex(new) {
            let separator = if above.is_empty() && name.contains(':') { ':' } else { '.' };
            compare(&format!("{path}{separator}"), members(old), members(new), edits);
        } else {
            edits.push(Edit { path, old: old.cloned(), new: new.cloned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_named_by_scim_path() {
        const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let old = json!({
            "userName": "ann", "title": "Boss", "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"value": "a@x"}], ENTERPRISE: {"department": "Sales", "manager": {"value": "m1"}},
        });
        let new = json!({
            "userName": "ann", "name": {"givenName": "Ann", "familyName": "Koch"}, "emails": [{"value": "b@x"}],
            ENTERPRISE: {"department": "Ops", "manager": {"value": "m2"}},
        });
        let edits: Vec<String> = differences(Some(&old), Some(&new))
            .into_iter()
            .map(|edit| {
                format!("{} {} {}", edit.path, edit.old.unwrap_or_default(), edit.new.unwrap_or_default())
            })
            .collect();
        let expected = [
            r#"emails [{"value":"a@x"}] [{"value":"b@x"}]"#.to_owned(),
            r#"name.familyName "Lee" "Koch""#.to_owned(),
            r#"title "Boss" null"#.to_owned(),
            format!(r#"{ENTERPRISE}:department "Sales" "Ops""#),
            format!(r#"{ENTERPRISE}:manager.value "m1" "m2""#),
        ];
        assert_eq!(edits, expected);
    }
}
