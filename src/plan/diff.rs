//! What would make applied equal desired, of one link: the table of the design, as a match.

use serde_json::Value;

use super::Act;
use super::Class;
use super::Edit;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::Desired;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::same;

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
        (Want::Active(wanted), Is::Absent) => Some(Act::Create { attributes: wanted.clone() }),
        (Want::Active(wanted), Is::Active(shown)) => update(shown, wanted),
        (Want::Active(wanted), Is::Inactive(shown)) => Some(Act::Reactivate { edits: edits(shown, wanted) }),
        (Want::Inactive, Is::Active(_)) if kind == Kind::User => Some(Act::Deactivate),
        (Want::Absent, Is::Active(_) | Is::Inactive(_)) => Some(Act::Delete),
        (Want::Inactive | Want::Absent | Want::Unmanaged, _) => None,
    }
}

fn update(shown: &Accepted, wanted: &Attributes) -> Option<Act> {
    let edits = edits(shown, wanted);
    (!edits.is_empty()).then_some(Act::Update { edits })
}

/// Compares with what we sent: a service that normalises values does not drift for ever. What the source
/// cleared stays in the target, as Entra's provisioning does (Entra provisioning reference, section 5).
fn edits(accepted: &Accepted, wanted: &Attributes) -> Vec<Edit> {
    wanted
        .iter()
        .filter(|(path, value)| accepted.sent.get(path).is_none_or(|sent| !same(path, sent, value)))
        .map(|(path, value)| Edit {
            path: path.clone(),
            old: accepted.shown.get(path).or_else(|| accepted.sent.get(path)).cloned(),
            new: Some(value.clone()),
        })
        .collect()
}

/// Of two values that a target shows and we want: what has to be sent when it becomes ours.
pub fn edits_to_adopt(shown: &Attributes, wanted: &Attributes) -> Vec<Edit> {
    wanted
        .iter()
        .filter(|(path, value)| shown.get(path).is_none_or(|is| !same(path, is, value)))
        .map(|(path, value)| Edit {
            path: path.clone(),
            old: shown.get(path).cloned(),
            new: Some(value.clone()),
        })
        .collect()
}

/// The class that limits speak of.
pub fn class(kind: Kind, act: &Act) -> Class {
    match act {
        Act::Create { .. } | Act::Link { .. } => Class::Create,
        Act::Update { edits } if kind == Kind::User && edits.iter().any(renames) => Class::Rename,
        Act::Update { .. } => Class::Update,
        Act::Reactivate { .. } => Class::Reactivate,
        Act::Deactivate => Class::Deactivate,
        Act::Delete if kind == Kind::Group => Class::DeleteTeams,
        Act::Delete => Class::Delete,
        Act::AddMember { .. } => Class::AddMembers,
        Act::RemoveMember { .. } => Class::RemoveMembers,
    }
}

fn renames(edit: &Edit) -> bool {
    RENAMING.contains(&edit.path.as_str()) && edit.old.as_ref().is_some_and(|old| *old != Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Origin;
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

    #[test]
    fn a_value_that_the_target_shows_differently_does_not_drift() {
        let mut is = accepted("Ann@x.example");
        is.shown = named("ann@x.example");
        assert_eq!(diff(Kind::User, &Desired::Active(named("Ann@x.example")), &Applied::Active(is)), None);
    }
}
