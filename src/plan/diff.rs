//! What would make applied equal desired, of one link: the table of the design, as a match.

use serde_json::Value;

use super::Act;
use super::Class;
use super::Edit;
use super::Mapping;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::Origin;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::same;
use crate::scim::same_value;

/// The paths whose change is a rename (P13).
pub const RENAMING: [&str; 2] = ["userName", "emails[type eq \"work\"].value"];

/// | desired \ applied | Absent | Active                    | Inactive   |
/// |-------------------|--------|---------------------------|------------|
/// | Active            | create | update, where they differ | reactivate |
/// | Inactive          | -      | deactivate                | -          |
/// | Absent            | -      | delete                    | delete     |
/// | Unmanaged         | -      | -                         | -          |
///
/// A team has no inactive form (RFC 7643 section 4.2): it is emptied through its edges, and only its
/// attributes are compared here.
pub fn diff(kind: Kind, desired: &Desired, applied: &Applied) -> Option<Act> {
    use Applied as Is;
    use Desired as Want;
    match (desired, applied) {
        (Want::Active(wanted), Is::Absent) => Some(Act::Create { attributes: wanted.assigned() }),
        (Want::Active(wanted), Is::Active(shown)) => update(shown, wanted),
        (Want::Active(wanted), Is::Inactive(shown)) => Some(Act::Reactivate { edits: edits(shown, wanted) }),
        (Want::Inactive, Is::Active(_)) if kind == Kind::User => Some(Act::Deactivate),
        (Want::Absent, Is::Active(_) | Is::Inactive(_)) => Some(Act::Delete),
        (Want::Inactive | Want::Absent | Want::Unmanaged, _) => None,
    }
}

/// What another job owns has its attributes from there.
fn update(shown: &Accepted, wanted: &Attributes) -> Option<Act> {
    let edits = edits(shown, wanted);
    (!edits.is_empty()).then_some(Act::Update { edits })
}

/// Compares with what we sent: a service that normalises values does not drift for ever. What the source
/// cleared stays in the target, as Entra's provisioning does (Entra provisioning reference, section 5), unless the
/// mapping clears it; then what we sent is taken back, and what others set stays.
fn edits(accepted: &Accepted, wanted: &Attributes) -> Vec<Edit> {
    if accepted.origin == Origin::Joined {
        return Vec::new();
    }
    let differs = |path: &str, value: &Value| match accepted.sent.get(path) {
        Some(sent) => !same(path, sent, value),
        None => !value.is_null(),
    };
    wanted
        .iter()
        .filter(|(path, value)| differs(path, value))
        .map(|(path, value)| Edit {
            path: path.clone(),
            old: accepted.shown.get(path).or_else(|| accepted.sent.get(path)).cloned(),
            new: Some(value.clone()).filter(|value| !value.is_null()),
        })
        .collect()
}

/// Of what a target shows and what we want: what has to be sent when it becomes ours. What the mapping clears is taken
/// back whoever set it, since from now on the source says what stands there.
pub fn edits_to_adopt(mapping: &Mapping, shown: &Attributes, wanted: &Attributes) -> Vec<Edit> {
    let differs = |path: &str, value: &Value| match shown.get(path) {
        Some(is) => !same(path, is, value),
        None => !value.is_null(),
    };
    let edit = |path: &String, value: &Value| Edit {
        path: path.clone(),
        old: shown.get(path).cloned(),
        new: Some(value.clone()).filter(|value| !value.is_null()),
    };
    let mut edits = Vec::new();
    for (path, value) in wanted.iter().filter(|(path, value)| differs(path, value)) {
        if !mapping.only_adds(path) {
            edits.push(edit(path, value));
            continue;
        }
        let there = shown.get(path).map(values).unwrap_or_default();
        let new = missing(path, &there, &values(value));
        if !new.is_empty() {
            edits.push(edit(path, &there.into_iter().chain(new).collect()));
        }
    }
    edits
}

/// What an edit of a list adds to it.
pub fn added(edit: &Edit) -> Vec<Value> {
    let values = |side: &Option<Value>| side.as_ref().map(values).unwrap_or_default();
    missing(&edit.path, &values(&edit.old), &values(&edit.new))
}

/// The elements that are not there yet, under the attribute's rule of case.
pub(super) fn missing(path: &str, there: &[Value], wanted: &[Value]) -> Vec<Value> {
    let is_there = |value: &Value| there.iter().any(|is| same_value(path, is, value));
    wanted.iter().filter(|value| !is_there(value)).cloned().collect()
}

/// The elements of a list; of one value that value alone.
pub(super) fn values(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// The class that limits speak of.
pub fn class(kind: Kind, act: &Act) -> Class {
    match act {
        Act::Create { .. } | Act::Link { .. } => Class::Create,
        Act::Update { edits } if kind == Kind::User && edits.iter().any(renames) => Class::Rename,
        Act::Update { .. } => Class::Update,
        Act::Reactivate { .. } => Class::Reactivate,
        Act::Deactivate | Act::Release { .. } => Class::Deactivate,
        Act::Delete if kind == Kind::Group => Class::DeleteTeams,
        Act::Delete => Class::Delete,
        Act::AddMember { .. } => Class::AddMembers,
        Act::RemoveMember { .. } => Class::RemoveMembers,
        Act::Refer { .. } => Class::References,
    }
}

/// Only the case of letters, where the attribute's rule says that case does not count, names nobody anew.
fn renames(edit: &Edit) -> bool {
    let old = edit.old.as_ref().filter(|old| !old.is_null());
    let new = edit.new.as_ref().unwrap_or(&Value::Null);
    RENAMING.contains(&edit.path.as_str()) && old.is_some_and(|old| !same_value(&edit.path, old, new))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::ResourceId;

    fn named(name: &str) -> Attributes {
        Attributes::from_iter([("userName".to_owned(), json!(name))])
    }

    fn accepted(name: &str) -> Accepted {
        Accepted {
            resource: ResourceId("r1".to_owned()),
            sent: named(name),
            shown: named(name),
            origin: Origin::Created,
        }
    }

    /// Every cell of the table, by name.
    #[test]
    fn the_table_of_the_design() {
        let desired = [
            ("active", Desired::Active(named("ann"))),
            ("inactive", Desired::Inactive),
            ("absent", Desired::Absent),
            ("unmanaged", Desired::Unmanaged),
        ];
        let applied = [
            ("absent", Applied::Absent),
            ("same", Applied::Active(accepted("ann"))),
            ("differs", Applied::Active(accepted("bob"))),
            ("inactive", Applied::Inactive(accepted("ann"))),
        ];
        let mut table = String::new();
        for (row, want) in &desired {
            for (column, is) in &applied {
                let cell = diff(Kind::User, want, is).map(|act| class(Kind::User, &act).word());
                table += &format!("{row} {column}: {}\n", cell.unwrap_or("-"));
            }
        }
        let expected = "\
active absent: create
active same: -
active differs: rename
active inactive: reactivate
inactive absent: -
inactive same: deactivate
inactive differs: deactivate
inactive inactive: -
absent absent: -
absent same: delete
absent differs: delete
absent inactive: delete
unmanaged absent: -
unmanaged same: -
unmanaged differs: -
unmanaged inactive: -
";
        assert_eq!(table, expected);
    }

    #[test]
    fn a_team_is_never_deactivated_and_its_deletion_is_a_class_of_its_own() {
        let team = Applied::Active(accepted("Sales"));
        assert_eq!(diff(Kind::Group, &Desired::Inactive, &team), None);
        let act = diff(Kind::Group, &Desired::Absent, &team).expect("delete");
        assert_eq!(class(Kind::Group, &act), Class::DeleteTeams);
    }

    /// RFC 7643 section 4.1.1: userName is not case-exact, section 3.1: externalId is.
    #[test]
    fn the_case_of_letters_alone_is_an_update_and_no_rename() {
        let classed = |from: &str, to: &str| {
            let act = diff(Kind::User, &Desired::Active(named(to)), &Applied::Active(accepted(from)));
            act.map(|act| class(Kind::User, &act).word())
        };
        assert_eq!(classed("ann@x.example", "Ann@x.example"), Some("update"));
        assert_eq!(classed("ann@x.example", "anna@x.example"), Some("rename"));
        assert_eq!(classed("ann@x.example", "ann@x.example"), None);
    }

    #[test]
    fn what_is_cleared_is_taken_back_once_and_only_what_we_sent() {
        let mut wanted = named("ann");
        wanted.unassign("title");
        let mut is = accepted("ann");
        let edits =
            |is: &Accepted| diff(Kind::User, &Desired::Active(wanted.clone()), &Applied::Active(is.clone()));
        is.shown.set("title", json!("set by somebody else"));
        assert_eq!(edits(&is), None);
        is.sent.set("title", json!("Boss"));
        is.shown.set("title", json!("Boss"));
        let edit = Edit { path: "title".to_owned(), old: Some(json!("Boss")), new: None };
        assert_eq!(edits(&is), Some(Act::Update { edits: vec![edit] }));
        let made = diff(Kind::User, &Desired::Active(wanted.clone()), &Applied::Absent);
        assert_eq!(made, Some(Act::Create { attributes: named("ann") }));
    }

    /// Design, section 3: the owner writes attributes, and a resource is active while any job wants it.
    #[test]
    fn a_link_that_joined_writes_no_attributes() {
        let joined = || Accepted { origin: Origin::Joined, ..accepted("bob") };
        let wanted = Desired::Active(named("ann"));
        assert_eq!(diff(Kind::User, &wanted, &Applied::Active(joined())), None);
        let back = diff(Kind::User, &wanted, &Applied::Inactive(joined()));
        assert_eq!(back, Some(Act::Reactivate { edits: Vec::new() }));
        assert_eq!(diff(Kind::User, &Desired::Inactive, &Applied::Active(joined())), Some(Act::Deactivate));
    }

    #[test]
    fn a_value_that_the_target_shows_differently_does_not_drift() {
        let mut is = accepted("Ann@x.example");
        is.shown = named("ann@x.example");
        assert_eq!(diff(Kind::User, &Desired::Active(named("Ann@x.example")), &Applied::Active(is)), None);
    }
}
